//! Which births are equal to an earlier one, and what became of that one.
//!
//! Invariant: births are looked at in birth order, so whether one is a duplicate never depends on
//! which evaluations have finished. A failure of the engine is no property of a program: once it
//! has been absorbed, the next program of that behaviour is evaluated again. The maps are looked
//! into and never iterated.

use std::collections::HashMap;
use std::sync::Arc;

use evo_dsl::Program;
use evo_evaluators::Outcome;
use evo_hashes::{FunctionalHasher, Hash, structural_hash};
use serde::{Deserialize, Serialize};

/// Which births count as equal to an earlier one and are not evaluated again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deduplication {
    /// Those with the same functional hash; a known structure settles it without running anything.
    #[default]
    Functional,
    /// Those with the same structural hash.
    Structural,
    /// None: every birth is evaluated.
    Off,
}

/// What a program is known by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    structure: Hash,
    /// The functional hash where programs are compared by it, else the structural one.
    pub(crate) behaviour: Hash,
    structure_known: bool,
}

/// What is known about a birth when it is bred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sighting {
    /// Programs are not compared.
    Uncompared,
    /// Nothing before it behaves like it.
    New,
    /// An earlier birth has its structure, and so its behaviour.
    SameStructure,
    /// An earlier birth of another structure has its behaviour.
    SameBehaviour,
}

/// All behaviours of a run so far.
pub(crate) struct Behaviours {
    level: Deduplication,
    hasher: FunctionalHasher,
    /// From structural to functional hash.
    structures: HashMap<Hash, Hash>,
    known: HashMap<Hash, Behaviour>,
}

struct Behaviour {
    /// Of the latest birth absorbed.
    outcome: Option<Arc<Outcome>>,
    /// Whether a birth of this behaviour is still to be absorbed from an evaluation of its own.
    awaited: bool,
}

impl Behaviours {
    pub(crate) fn new(level: Deduplication, hasher: FunctionalHasher) -> Behaviours {
        Behaviours { level, hasher, structures: HashMap::new(), known: HashMap::new() }
    }

    pub(crate) fn hasher(&self) -> &FunctionalHasher {
        &self.hasher
    }

    /// Identifies a program and remembers nothing of it. A structure that is known is not run.
    pub(crate) fn identify(&self, program: &Program) -> Identity {
        let structure = structural_hash(program);
        let known = match self.level {
            Deduplication::Functional => self.structures.get(&structure).copied(),
            Deduplication::Structural | Deduplication::Off => Some(structure),
        };
        let behaviour = known.unwrap_or_else(|| self.hasher.hash(program));
        Identity { structure, behaviour, structure_known: known.is_some() }
    }

    /// Looks a birth up, identified since the one before it, and remembers it.
    pub(crate) fn sight(&mut self, identity: Identity) -> Sighting {
        let Identity { structure, behaviour: hash, structure_known } = identity;
        match self.level {
            Deduplication::Off => return Sighting::Uncompared,
            Deduplication::Structural => {}
            Deduplication::Functional => {
                self.structures.insert(structure, hash);
            }
        }
        let unseen = Behaviour { outcome: None, awaited: false };
        let behaviour = self.known.entry(hash).or_insert(unseen);
        let failed = matches!(behaviour.outcome.as_deref(), Some(Outcome::Failed { .. }));
        if !behaviour.awaited && (behaviour.outcome.is_none() || failed) {
            behaviour.awaited = true;
            return Sighting::New;
        }
        if structure_known { Sighting::SameStructure } else { Sighting::SameBehaviour }
    }

    /// Whether programs are compared at all.
    pub(crate) fn compares(&self) -> bool {
        self.level != Deduplication::Off
    }

    /// Remembers the outcome of a behaviour's own evaluation when it is absorbed, where programs
    /// are compared.
    pub(crate) fn record(&mut self, hash: Hash, outcome: Arc<Outcome>) {
        if !self.compares() {
            return;
        }
        let behaviour =
            self.known.get_mut(&hash).expect("a birth is sighted before it is absorbed");
        *behaviour = Behaviour { outcome: Some(outcome), awaited: false };
    }

    /// The outcome of the birth a duplicate equals.
    pub(crate) fn outcome(&self, hash: Hash) -> &Arc<Outcome> {
        let outcome = self.known.get(&hash).and_then(|behaviour| behaviour.outcome.as_ref());
        outcome.expect("the first of a behaviour is absorbed before its duplicates")
    }
}
