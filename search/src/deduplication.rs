//! Which births are equal to an earlier one, and what became of that one.
//!
//! Invariant: births are looked at in birth order, so whether one is a duplicate never depends on
//! which evaluations have finished. Structure is looked up first, being exact, then behaviour,
//! which is as good as the probe. A failure of the engine is no property of a program: once it has
//! been absorbed, the next program of that behaviour is evaluated again. An evaluation that a
//! hurdle stopped says nothing of what lies behind it: where today's hurdles would let it pass,
//! the program is evaluated again. What is held in memory can be limited where a store holds the
//! rest; a limit changes what is looked up there, never what is found. The maps are looked into
//! and never iterated.

mod config;
mod first;

use std::collections::HashMap;
use std::sync::Arc;

use evo_domain::{Domain, Outcome, Size};
use evo_hashes::{Hash, SeedPurpose};
use serde::{Deserialize, Serialize};

use crate::generations::Generations;
use crate::{SearchError, Store};

pub use config::{Deduplication, DeduplicationLevel};
use first::{First, Known};

/// What a program is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// What makes outcomes equal to the bit: the hash of the structure, or that of the text where
    /// programs are compared by it.
    pub(crate) structure: Hash,
    /// The hash of the behaviour where programs are compared by it and this one has one, else
    /// `structure`.
    pub(crate) behaviour: Hash,
    pub(crate) size: Size,
}

/// What is known about a birth when it is bred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sighting {
    /// Nothing before it is equal to it, or programs are not compared.
    New,
    /// An earlier birth is equal to it.
    Duplicate {
        /// The birth whose evaluation it shares.
        evaluation: u64,
        /// Whether the two have one structure.
        same_structure: bool,
    },
    /// An earlier birth behaves like it, and it is evaluated all the same, to see whether that
    /// holds.
    Recheck {
        /// The birth whose evaluation it would have shared.
        evaluation: u64,
    },
}

impl Sighting {
    /// The birth whose evaluation is rechecked.
    pub(crate) fn rechecked(self) -> Option<u64> {
        match self {
            Sighting::Recheck { evaluation } => Some(evaluation),
            Sighting::New | Sighting::Duplicate { .. } => None,
        }
    }
}

/// A birth that is looked up, and the hurdles that are up for it.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) birth: u64,
    pub(crate) identity: Identity,
    pub(crate) hurdles: &'a Arc<[f64]>,
}

/// All behaviours of a run so far.
pub(crate) struct Behaviours<D> {
    config: Deduplication,
    domain: D,
    /// Decides which births are rechecked.
    rechecks: SeedPurpose,
    /// From structure to behaviour; spares running a program and decides nothing.
    behaviours: Generations<Hash>,
    /// Evaluations that have not been absorbed, by structure and by behaviour.
    pending: HashMap<Hash, First>,
    /// Evaluations that have been absorbed, by structure and by behaviour; the latest of each.
    known: Generations<Known>,
}

impl<D: Domain> Behaviours<D> {
    pub(crate) fn new(config: Deduplication, domain: D, rechecks: SeedPurpose) -> Behaviours<D> {
        Behaviours {
            config,
            domain,
            rechecks,
            behaviours: Generations::new(),
            pending: HashMap::new(),
            known: Generations::new(),
        }
    }

    pub(crate) fn domain(&self) -> &D {
        &self.domain
    }

    pub(crate) fn config(&self) -> Deduplication {
        self.config
    }

    /// Holds at most so many behaviours in memory: the store has the others.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.behaviours.limit(limit);
        self.known.limit(limit);
    }

    /// Identifies a program and counts it for nothing. A structure that is known is not run.
    pub(crate) fn identify(&mut self, program: &D::Program) -> Identity {
        let analysis = self.domain.analyse(program);
        let structure = match self.config.level {
            DeduplicationLevel::Text => {
                Hash::of(format!("t{}", self.domain.text(program)).as_bytes())
            }
            _ => self.domain.structure(program, &analysis),
        };
        let behaviour = self.behaviour(&analysis, structure);
        Identity { structure, behaviour, size: self.domain.size(&analysis) }
    }

    fn behaviour(&mut self, analysis: &D::Analysis, structure: Hash) -> Hash {
        if self.config.level != DeduplicationLevel::Functional {
            return structure;
        }
        if let Some(&behaviour) = self.behaviours.get(&structure) {
            return behaviour;
        }
        let behaviour = self.domain.behaviour(analysis).unwrap_or(structure);
        self.behaviours.insert(structure, behaviour);
        behaviour
    }

    /// Looks a birth up and remembers it.
    pub(crate) fn sight(
        &mut self,
        arrival: Arrival<'_>,
        store: Option<&Store>,
    ) -> Result<Sighting, SearchError> {
        let Identity { structure, behaviour, .. } = arrival.identity;
        let sighting = if !self.compares() {
            Sighting::New
        } else if let Some(evaluation) = self.find(structure, arrival, store)? {
            Sighting::Duplicate { evaluation, same_structure: true }
        } else if behaviour == structure {
            Sighting::New
        } else if let Some(evaluation) = self.find(behaviour, arrival, store)? {
            match self.config.rechecks(self.rechecks, arrival.birth) {
                true => Sighting::Recheck { evaluation },
                false => Sighting::Duplicate { evaluation, same_structure: false },
            }
        } else {
            Sighting::New
        };
        self.note_pending(arrival, sighting);
        Ok(sighting)
    }

    /// Notes that a birth sighted before is still being evaluated.
    pub(crate) fn note_pending(&mut self, arrival: Arrival<'_>, sighting: Sighting) {
        let Arrival { birth, identity, hurdles } = arrival;
        if !self.compares() || matches!(sighting, Sighting::Duplicate { .. }) {
            return;
        }
        let first = First { birth, hurdles: Arc::clone(hurdles) };
        if sighting == Sighting::New {
            self.pending.insert(identity.behaviour, first.clone());
        }
        // A recheck speaks for its own structure alone.
        self.pending.insert(identity.structure, first);
    }

    /// The birth whose evaluation is known, or will be, for all with this hash.
    fn find(
        &mut self,
        hash: Hash,
        arrival: Arrival<'_>,
        store: Option<&Store>,
    ) -> Result<Option<u64>, SearchError> {
        if let Some(first) = self.pending.get(&hash) {
            return Ok(first.serves(arrival.hurdles).then_some(first.birth));
        }
        if self.known.get(&hash).is_none()
            && self.known.has_forgotten()
            && let Some(store) = store
            && let Some(found) = store.latest_evaluation(&hash, arrival.birth)?
        {
            let known = Known { birth: found.birth, outcome: Arc::new(found.outcome) };
            self.known.insert(hash, known);
        }
        let known = self.known.get(&hash);
        Ok(known.filter(|known| known.serves(arrival.hurdles)).map(|known| known.birth))
    }

    /// Whether programs are compared at all.
    pub(crate) fn compares(&self) -> bool {
        self.config.level != DeduplicationLevel::Off
    }

    /// Says that there are behaviours in the store that have never been in memory.
    pub(crate) fn assume_forgotten(&mut self) {
        self.known.assume_forgotten();
    }

    /// Remembers the outcome of a birth's own evaluation when it is absorbed, where programs are
    /// compared; for all of its behaviour unless it was a recheck.
    pub(crate) fn record(
        &mut self,
        birth: u64,
        identity: Identity,
        outcome: &Arc<Outcome>,
        recheck: bool,
    ) {
        if !self.compares() {
            return;
        }
        let Identity { structure, behaviour, .. } = identity;
        let hashes = [Some(structure), Some(behaviour).filter(|_| !recheck)];
        for hash in hashes.into_iter().flatten() {
            // A later birth may be evaluated for the same hash, under other hurdles.
            if self.pending.get(&hash).is_some_and(|first| first.birth == birth) {
                self.pending.remove(&hash);
            }
            self.known.insert(hash, Known { birth, outcome: Arc::clone(outcome) });
        }
    }

    /// The outcome of an evaluation that a birth shares, or would have shared.
    pub(crate) fn outcome(
        &mut self,
        identity: Identity,
        evaluation: u64,
        store: Option<&Store>,
    ) -> Result<Arc<Outcome>, SearchError> {
        for hash in [identity.structure, identity.behaviour] {
            if let Some(known) = self.known.get(&hash).filter(|known| known.birth == evaluation) {
                return Ok(Arc::clone(&known.outcome));
            }
        }
        let store = store.expect("without a store nothing is forgotten");
        store.evaluation(evaluation).map(|found| Arc::new(found.outcome))
    }
}
