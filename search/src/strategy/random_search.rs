//! Random search: every birth is a fresh random walk from the start program.
//!
//! Invariant: outcomes change nothing, so what evolution finds beyond this, at an equal number of
//! evaluations, is selection's doing.

use evo_hashes::StreamRng;
use rand::RngExt;

use super::{Strategy, StrategyState};
use crate::{Individual, Population};

/// Random walks of mutations.
pub(super) struct RandomSearch<P> {
    start: Individual<P>,
    mutations: usize,
}

impl<P: Clone> RandomSearch<P> {
    pub(super) fn new(start: Individual<P>, mutations: usize) -> Self {
        RandomSearch { start, mutations }
    }
}

impl<P: Clone + Send + Sync> Strategy<P> for RandomSearch<P> {
    fn parent(&self, _birth: u64, _rng: &mut StreamRng) -> &Individual<P> {
        &self.start
    }

    fn mutations(&self, rng: &mut StreamRng) -> usize {
        rng.random_range(1..=self.mutations)
    }

    fn absorb(&mut self, _individual: Individual<P>, _earlier: u64) {}

    fn restart(&mut self, _from: &Individual<P>) {}

    fn populations(&self) -> &[Population<P>] {
        &[]
    }

    fn restore(&mut self, state: StrategyState<Individual<P>>) -> bool {
        state.populations.is_empty()
    }
}
