//! Random search: every birth is a fresh random walk from the start program.
//!
//! Invariant: outcomes change nothing, so what evolution finds beyond this, at an equal number of
//! evaluations, is selection's doing.

use std::sync::Arc;

use evo_dsl::Program;
use evo_hashes::StreamRng;
use rand::RngExt;

use super::Strategy;
use crate::{Individual, Mutator, Population};

/// Random walks of mutations.
pub(super) struct RandomSearch {
    start: Arc<Program>,
    mutations: usize,
}

impl RandomSearch {
    pub(super) fn new(start: Arc<Program>, mutations: usize) -> Self {
        RandomSearch { start, mutations }
    }
}

impl Strategy for RandomSearch {
    fn breed(&self, mutator: &Mutator, rng: &mut StreamRng) -> Program {
        let mut program = mutator.mutate(&self.start, rng);
        for _ in 1..rng.random_range(1..=self.mutations) {
            program = mutator.mutate(&program, rng);
        }
        program
    }

    fn absorb(&mut self, _individual: Individual) {}

    fn population(&self) -> Option<&Population> {
        None
    }
}
