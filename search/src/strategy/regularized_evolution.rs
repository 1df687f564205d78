//! Regularized evolution: the fittest of a few random individuals has a child, the oldest dies.
//!
//! Invariant: the population always has its full size. It starts as copies of the start programs,
//! of each in turn, which share their fitness once that is known; until then all are equal.

use std::slice;

use evo_hashes::{Hash, StreamRng};

use super::{Strategy, StrategyState, Tournament, restore_populations};
use crate::{Individual, Population};

/// Aging evolution with tournament selection.
pub(super) struct RegularizedEvolution<P> {
    population: Population<P>,
    tournament: Tournament,
}

impl<P: Clone> RegularizedEvolution<P> {
    pub(super) fn new(starts: &[Individual<P>], population: usize, tournament: Tournament) -> Self {
        RegularizedEvolution { population: Population::filled(starts, population), tournament }
    }
}

impl<P: Clone + Send + Sync> Strategy<P> for RegularizedEvolution<P> {
    fn parent(&self, _birth: u64, rng: &mut StreamRng) -> &Individual<P> {
        self.tournament.winner(&self.population, rng)
    }

    fn absorb(&mut self, individual: Individual<P>, _earlier: u64) {
        self.population.replace_oldest(individual);
    }

    fn restart(&mut self, from: &[Individual<P>]) {
        self.population.refill(from);
    }

    /// With as many starts as there are individuals, beginning anew with each were quadratic.
    fn learn_start(&mut self, starts: &[Individual<P>], index: usize) {
        self.population.learn(index, starts.len(), starts[index].fitness);
    }

    fn refresh(&mut self, behaviour: &Hash, fitness: f64) {
        self.population.refresh(behaviour, fitness);
    }

    fn populations(&self) -> &[Population<P>] {
        slice::from_ref(&self.population)
    }

    fn restore(&mut self, state: StrategyState<Individual<P>>) -> bool {
        restore_populations(slice::from_mut(&mut self.population), state.populations)
    }
}
