//! Random search: every birth is a fresh random walk from the start program.
//!
//! Invariant: outcomes change nothing, so what evolution finds beyond this, at an equal number of
//! evaluations, is selection's doing.

use evo_hashes::StreamRng;
use rand::RngExt;

use super::{Strategy, StrategyState};
use crate::{Individual, Population};

/// Random walks of mutations.
pub(super) struct RandomSearch {
    start: Individual,
    mutations: usize,
}

impl RandomSearch {
    pub(super) fn new(start: Individual, mutations: usize) -> Self {
        RandomSearch { start, mutations }
    }
}

impl Strategy for RandomSearch {
    fn parent(&self, _birth: u64, _rng: &mut StreamRng) -> &Individual {
        &self.start
    }

    fn mutations(&self, rng: &mut StreamRng) -> usize {
        rng.random_range(1..=self.mutations)
    }

    fn absorb(&mut self, _individual: Individual, _earlier: u64) {}

    fn restart(&mut self, _from: &Individual) {}

    fn populations(&self) -> &[Population] {
        &[]
    }

    fn restore(&mut self, state: StrategyState<Individual>) -> bool {
        state.populations.is_empty()
    }
}
