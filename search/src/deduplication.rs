//! Which births are equal to an earlier one, and what became of that one.
//!
//! Invariant: births are looked at in birth order, so whether one is a duplicate never depends on
//! which evaluations have finished. A failure of the engine is no property of a program: once it
//! has been absorbed, the next program of that behaviour is evaluated again. The maps are looked
//! into and never iterated.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
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

/// What is known about a birth when it is bred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sighting {
    /// Programs are not compared.
    Uncompared,
    /// Nothing before it behaves like it; its hash.
    New(Hash),
    /// An earlier birth has its structure, and so its behaviour.
    SameStructure(Hash),
    /// An earlier birth of another structure has its behaviour.
    SameBehaviour(Hash),
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

    /// Looks a birth up and remembers it.
    pub(crate) fn sight(&mut self, program: &Program) -> Sighting {
        let (hash, structure_known) = match self.level {
            Deduplication::Off => return Sighting::Uncompared,
            Deduplication::Structural => (structural_hash(program), true),
            Deduplication::Functional => match self.structures.entry(structural_hash(program)) {
                Entry::Occupied(entry) => (*entry.get(), true),
                Entry::Vacant(entry) => (*entry.insert(self.hasher.hash(program)), false),
            },
        };
        let unseen = Behaviour { outcome: None, awaited: false };
        let behaviour = self.known.entry(hash).or_insert(unseen);
        let failed = matches!(behaviour.outcome.as_deref(), Some(Outcome::Failed { .. }));
        if !behaviour.awaited && (behaviour.outcome.is_none() || failed) {
            behaviour.awaited = true;
            return Sighting::New(hash);
        }
        if structure_known { Sighting::SameStructure(hash) } else { Sighting::SameBehaviour(hash) }
    }

    /// Remembers the outcome of a behaviour's own evaluation when it is absorbed.
    pub(crate) fn record(&mut self, hash: Hash, outcome: Arc<Outcome>) {
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
