//! Random search: every birth is a fresh random walk from a start program, from each in turn.
//!
//! Invariant: outcomes change nothing, so what evolution finds beyond this, at an equal number of
//! evaluations, is selection's doing.

use evo_hashes::{Hash, StreamRng};

use super::{Strategy, StrategyState};
use crate::{Individual, Population};

/// Random walks of mutations, whose length breeding draws.
pub(super) struct RandomSearch<P> {
    starts: Vec<Individual<P>>,
}

impl<P: Clone> RandomSearch<P> {
    pub(super) fn new(starts: &[Individual<P>]) -> Self {
        RandomSearch { starts: starts.to_vec() }
    }
}

impl<P: Clone + Send + Sync> Strategy<P> for RandomSearch<P> {
    fn parent(&self, birth: u64, _rng: &mut StreamRng) -> &Individual<P> {
        &self.starts[(birth % self.starts.len() as u64) as usize]
    }

    fn absorb(&mut self, _individual: Individual<P>, _earlier: u64) {}

    fn restart(&mut self, _from: &[Individual<P>]) {}

    fn refresh(&mut self, _behaviour: &Hash, _fitness: f64) {}

    fn populations(&self) -> &[Population<P>] {
        &[]
    }

    fn restore(&mut self, state: StrategyState<Individual<P>>) -> bool {
        state.populations.is_empty()
    }
}
