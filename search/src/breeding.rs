//! Breeding: the strategy's parent becomes a child.
//!
//! Invariant: a child is a function of the strategy's state and the birth's stream. The strategy
//! names the parent and this mutates it, so that whatever is to hold for every child, under any
//! strategy, is decided here once.

use evo_dsl::Program;
use evo_hashes::SeedPurpose;

use crate::Mutator;
use crate::deduplication::{Behaviours, Identity};
use crate::strategy::Strategy;

/// Makes children of the parents a strategy names.
pub(crate) struct Breeder {
    mutator: Mutator,
    streams: SeedPurpose,
}

/// A program just bred.
pub(crate) struct Child {
    pub(crate) program: Program,
    pub(crate) identity: Identity,
}

impl Breeder {
    pub(crate) fn new(mutator: Mutator, streams: SeedPurpose) -> Breeder {
        Breeder { mutator, streams }
    }

    /// The child of this birth.
    pub(crate) fn breed(
        &self,
        birth: u64,
        strategy: &dyn Strategy,
        behaviours: &Behaviours,
    ) -> Child {
        let rng = &mut self.streams.stream(birth);
        let parent = strategy.parent(birth, rng);
        let mut program = self.mutator.mutate(&parent.program, rng);
        for _ in 1..strategy.mutations(rng) {
            program = self.mutator.mutate(&program, rng);
        }
        let identity = behaviours.identify(&program);
        Child { program, identity }
    }
}
