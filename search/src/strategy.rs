//! The strategy: which individual the next program is bred from.
//!
//! Invariant: a strategy changes only by absorbing individuals, which come in birth order, and
//! names parents from that state, the birth's number and its stream alone. It knows nothing of
//! hashing, threads or stopping, so a new one is one file.

mod random_search;
mod regularized_evolution;

use evo_hashes::StreamRng;
use serde::{Deserialize, Serialize};

use crate::{Individual, Population, SearchError};
use random_search::RandomSearch;
use regularized_evolution::RegularizedEvolution;

/// Which strategy, and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum StrategyConfig {
    /// Aging evolution with tournaments (arXiv 1802.01548), the population filled with the start
    /// program: each birth is one mutation of a tournament's winner and replaces the oldest.
    RegularizedEvolution {
        /// Number of individuals, 1 or more.
        population: usize,
        /// Number drawn for a tournament, 1 or more.
        tournament: usize,
    },
    /// Random programs around the start program, whatever the outcomes: the control at an equal
    /// number of evaluations.
    RandomSearch {
        /// A birth is the start program changed by 1 to this many mutations, uniformly drawn.
        mutations: usize,
    },
}

impl StrategyConfig {
    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        let counts: &[(&str, usize)] = match self {
            StrategyConfig::RegularizedEvolution { population, tournament } => {
                &[("strategy.population", *population), ("strategy.tournament", *tournament)]
            }
            StrategyConfig::RandomSearch { mutations } => &[("strategy.mutations", *mutations)],
        };
        match counts.iter().find(|(_, count)| *count == 0) {
            Some((key, _)) => Err(SearchError::config(key, "must be 1 or more")),
            None => Ok(()),
        }
    }

    /// The strategy before any outcome; the start program has no fitness yet.
    pub(crate) fn begin(&self, start: Individual) -> Box<dyn Strategy> {
        match *self {
            StrategyConfig::RegularizedEvolution { population, tournament } => {
                Box::new(RegularizedEvolution::new(&start, population, tournament))
            }
            StrategyConfig::RandomSearch { mutations } => {
                Box::new(RandomSearch::new(start, mutations))
            }
        }
    }
}

/// A way to choose what to try next.
pub(crate) trait Strategy: Send {
    /// What the program of this birth, 1 or above, is bred from.
    fn parent(&self, birth: u64, rng: &mut StreamRng) -> &Individual;

    /// How many mutations lead from the parent to its child, drawn after the first of them.
    fn mutations(&self, _rng: &mut StreamRng) -> usize {
        1
    }

    /// Takes in the next individual in birth order; birth 0 is the start program.
    fn absorb(&mut self, individual: Individual);

    /// The populations parents are chosen from; none where outcomes do not matter.
    fn populations(&self) -> &[Population];
}
