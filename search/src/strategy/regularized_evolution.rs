//! Regularized evolution: the fittest of a few random individuals has a child, the oldest dies.
//!
//! Invariant: the population always has its full size. It starts as copies of the start program,
//! which share its fitness once that is known; until then all are equal, and a parent is the start
//! program whoever wins.

use std::sync::Arc;

use evo_dsl::Program;
use evo_hashes::StreamRng;

use super::Strategy;
use crate::{Individual, Mutator, Population};

/// Aging evolution with tournament selection.
pub(super) struct RegularizedEvolution {
    population: Population,
    tournament: usize,
}

impl RegularizedEvolution {
    pub(super) fn new(start: Arc<Program>, population: usize, tournament: usize) -> Self {
        let unscored = Individual { birth: 0, program: start, fitness: f64::NEG_INFINITY };
        RegularizedEvolution { population: Population::filled(&unscored, population), tournament }
    }
}

impl Strategy for RegularizedEvolution {
    fn breed(&self, mutator: &Mutator, rng: &mut StreamRng) -> Program {
        let parent = self.population.tournament(self.tournament, rng);
        mutator.mutate(&parent.program, rng)
    }

    fn absorb(&mut self, individual: Individual) {
        if individual.birth == 0 {
            let size = self.population.iter().len();
            self.population = Population::filled(&individual, size);
        } else {
            self.population.replace_oldest(individual);
        }
    }

    fn population(&self) -> Option<&Population> {
        Some(&self.population)
    }
}
