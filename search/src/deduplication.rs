//! Which births are equal to an earlier one, and what became of that one.
//!
//! Invariant: births are looked at in birth order, so whether one is a duplicate never depends on
//! which evaluations have finished. A failure of the engine is no property of a program: once it
//! has been absorbed, the next program of that behaviour is evaluated again. What is held in memory
//! can be limited where a store holds the rest; a limit changes what is looked up there, never what
//! is found. The maps are looked into and never iterated.

use std::collections::HashMap;
use std::sync::Arc;

use evo_dsl::{Dataflow, Program};
use evo_evaluators::Outcome;
use evo_hashes::{FunctionalHasher, Hash, structural_hash_of};
use serde::{Deserialize, Serialize};

use crate::generations::Generations;
use crate::{SearchError, Store};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) structure: Hash,
    /// The functional hash where programs are compared by it, else the structural one.
    pub(crate) behaviour: Hash,
    /// Number of live statements.
    pub(crate) length: usize,
    /// Number of state slots that are live.
    pub(crate) states: usize,
}

/// What is known about a birth when it is bred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sighting {
    /// Programs are not compared.
    Uncompared,
    /// Nothing before it behaves like it.
    New,
    /// An earlier birth behaves like it.
    Duplicate {
        /// The birth whose evaluation it shares.
        evaluation: u64,
        /// Whether the two have one structure.
        same_structure: bool,
    },
}

/// All behaviours of a run so far.
pub(crate) struct Behaviours {
    level: Deduplication,
    hasher: FunctionalHasher,
    /// From structural to functional hash; spares running a program and decides nothing.
    structures: Generations<Hash>,
    /// Evaluations that have not been absorbed.
    pending: HashMap<Hash, First>,
    /// Evaluations that have been absorbed; the latest of each behaviour.
    known: Generations<Known>,
}

/// The birth that is evaluated for all of its behaviour.
#[derive(Clone, Copy, Debug)]
struct First {
    birth: u64,
    structure: Hash,
}

#[derive(Debug)]
struct Known {
    first: First,
    outcome: Arc<Outcome>,
}

impl Behaviours {
    pub(crate) fn new(level: Deduplication, hasher: FunctionalHasher) -> Behaviours {
        Behaviours {
            level,
            hasher,
            structures: Generations::new(),
            pending: HashMap::new(),
            known: Generations::new(),
        }
    }

    pub(crate) fn hasher(&self) -> &FunctionalHasher {
        &self.hasher
    }

    /// Holds at most so many behaviours in memory: the store has the others.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.structures.limit(limit);
        self.known.limit(limit);
    }

    /// Identifies a program and counts it for nothing. A structure that is known is not run.
    pub(crate) fn identify(&mut self, program: &Program) -> Identity {
        let flow = Dataflow::of(program);
        let structure = structural_hash_of(program.signature(), &flow);
        let behaviour = self.behaviour(&flow, structure);
        let (length, states) = (flow.live_length(), flow.live_states());
        Identity { structure, behaviour, length, states }
    }

    fn behaviour(&mut self, flow: &Dataflow, structure: Hash) -> Hash {
        if self.level != Deduplication::Functional {
            return structure;
        }
        if let Some(&behaviour) = self.structures.get(&structure) {
            return behaviour;
        }
        let behaviour = self.hasher.hash_of(flow);
        self.structures.insert(structure, behaviour);
        behaviour
    }

    /// Looks a birth up and remembers it.
    pub(crate) fn sight(
        &mut self,
        birth: u64,
        identity: Identity,
        store: Option<&Store>,
    ) -> Result<Sighting, SearchError> {
        if !self.compares() {
            return Ok(Sighting::Uncompared);
        }
        let Identity { structure, behaviour, .. } = identity;
        let first = match self.pending.get(&behaviour) {
            Some(first) => Some(*first),
            None => self.absorbed(behaviour, birth, store)?,
        };
        Ok(match first {
            Some(first) => Sighting::Duplicate {
                evaluation: first.birth,
                same_structure: first.structure == structure,
            },
            None => {
                self.await_evaluation(birth, identity);
                Sighting::New
            }
        })
    }

    /// Notes that a birth is evaluated for all of its behaviour.
    pub(crate) fn await_evaluation(&mut self, birth: u64, identity: Identity) {
        let Identity { structure, behaviour, .. } = identity;
        self.pending.insert(behaviour, First { birth, structure });
    }

    /// The evaluation absorbed for a behaviour before a birth, unless the engine failed at it.
    fn absorbed(
        &mut self,
        behaviour: Hash,
        birth: u64,
        store: Option<&Store>,
    ) -> Result<Option<First>, SearchError> {
        if self.known.get(&behaviour).is_none()
            && self.known.has_forgotten()
            && let Some(store) = store
            && let Some(found) = store.latest_evaluation(&behaviour, birth)?
        {
            let first = First { birth: found.birth, structure: found.structure };
            self.known.insert(behaviour, Known { first, outcome: Arc::new(found.outcome) });
        }
        let known = self.known.get(&behaviour);
        let sound = known.filter(|known| !matches!(*known.outcome, Outcome::Failed { .. }));
        Ok(sound.map(|known| known.first))
    }

    /// Whether programs are compared at all.
    pub(crate) fn compares(&self) -> bool {
        self.level != Deduplication::Off
    }

    /// Says that there are behaviours in the store that have never been in memory.
    pub(crate) fn assume_forgotten(&mut self) {
        self.known.assume_forgotten();
    }

    /// Remembers the outcome of a behaviour's own evaluation when it is absorbed, where programs
    /// are compared.
    pub(crate) fn record(&mut self, birth: u64, identity: Identity, outcome: Arc<Outcome>) {
        if !self.compares() {
            return;
        }
        let Identity { structure, behaviour, .. } = identity;
        self.pending.remove(&behaviour);
        self.known.insert(behaviour, Known { first: First { birth, structure }, outcome });
    }

    /// The outcome of the evaluation that a duplicate shares.
    pub(crate) fn outcome(
        &mut self,
        behaviour: Hash,
        evaluation: u64,
        store: Option<&Store>,
    ) -> Result<Arc<Outcome>, SearchError> {
        if let Some(known) = self.known.get(&behaviour) {
            return Ok(Arc::clone(&known.outcome));
        }
        let store = store.expect("without a store nothing is forgotten");
        store.evaluation(evaluation).map(|found| Arc::new(found.outcome))
    }
}
