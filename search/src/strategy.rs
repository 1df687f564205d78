//! The strategy: which individual the next program is bred from.
//!
//! Invariant: a strategy changes only by absorbing individuals, which come in birth order, and
//! names parents from that state, the birth's number and its stream alone. It knows nothing of
//! hashing, threads or stopping, so a new one is one file.

mod islands;
mod one_plus_lambda;
mod random_search;
mod regularized_evolution;

use evo_domain::Domain;
use evo_hashes::{Hash, StreamRng};
use serde::{Deserialize, Serialize};

use crate::{Individual, Population, SearchError, Selection};
use islands::{Islands, Migration};
use one_plus_lambda::OnePlusLambda;
use random_search::RandomSearch;
use regularized_evolution::RegularizedEvolution;

/// Which strategy, and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum StrategyConfig {
    /// Aging evolution with tournaments (arXiv 1802.01548), the population filled with the start
    /// programs in turn: each birth is one mutation of a tournament's winner and replaces the
    /// oldest.
    RegularizedEvolution {
        /// Number of individuals, 1 or more.
        population: usize,
        /// Number drawn for a tournament, 1 or more.
        tournament: usize,
    },
    /// Random programs around the start program, whatever the outcomes: the control at an equal
    /// number of evaluations. Birth *b* is made from start *b* mod their number.
    RandomSearch {
        /// A birth is the start program changed by 1 to this many mutations, uniformly drawn.
        mutations: usize,
    },
    /// Regularized evolution of the start program's constants, whatever the mutation weights: the
    /// control that tells how much of a gain is tuning (arXiv 2302.06675).
    ConstantTuning {
        /// Number of individuals, 1 or more.
        population: usize,
        /// Number drawn for a tournament, 1 or more.
        tournament: usize,
    },
    /// One parent, the fittest start program at first; the best of every `lambda` births absorbed
    /// replaces it unless it is worse.
    OnePlusLambda {
        /// Births of a generation, 1 or more.
        lambda: usize,
    },
    /// Regularized evolution in several populations, birth *b* in island *b* mod `islands`, with
    /// migration around a ring. Island *i* begins with start *i* mod their number.
    Islands {
        /// Number of populations, 2 or more.
        islands: usize,
        /// Number of individuals of each, 1 or more.
        population: usize,
        /// Number drawn for a tournament, 1 or more.
        tournament: usize,
        /// Births, of all islands together, from the start, a restart or a migration to the next
        /// migration; with `restarts.every`, that must be above this and `window` together.
        migration_every: u64,
        /// Individuals each island sends to the next, from 1 to `population`.
        migrants: usize,
    },
}

/// The most individuals held at a time; the largest population in the literature is 1,000.
const MOST_INDIVIDUALS: u64 = 1_000_000;

/// The most draws or edits one birth may take; Pareto tournaments compare all pairs.
const MOST_DRAWS: u64 = 1_000;

/// The most births from one migration to the next: no search is as long.
const RAREST_MIGRATION: u64 = 1_000_000_000;

impl StrategyConfig {
    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        for (key, count) in self.counts() {
            let most = match key {
                "strategy.tournament" | "strategy.mutations" => MOST_DRAWS,
                "strategy.migration_every" => RAREST_MIGRATION,
                _ => MOST_INDIVIDUALS,
            };
            if count == 0 {
                return Err(SearchError::config(key, "must be 1 or more"));
            }
            if count > most {
                return Err(SearchError::config(key, format!("must be at most {most}")));
            }
        }
        if let StrategyConfig::Islands { islands, population, migrants, .. } = *self {
            if islands < 2 {
                let message = "must be 2 or more; one population is `RegularizedEvolution`";
                return Err(SearchError::config("strategy.islands", message));
            }
            if (islands as u64).saturating_mul(population as u64) > MOST_INDIVIDUALS {
                let message = format!("all islands together hold at most {MOST_INDIVIDUALS}");
                return Err(SearchError::config("strategy.population", message));
            }
            if migrants > population {
                let message = format!("an island of {population} cannot send {migrants}");
                return Err(SearchError::config("strategy.migrants", message));
            }
        }
        Ok(())
    }

    /// Every setting that counts something, by its key.
    fn counts(&self) -> Vec<(&'static str, u64)> {
        match *self {
            StrategyConfig::RegularizedEvolution { population, tournament }
            | StrategyConfig::ConstantTuning { population, tournament } => vec![
                ("strategy.population", population as u64),
                ("strategy.tournament", tournament as u64),
            ],
            StrategyConfig::RandomSearch { mutations } => {
                vec![("strategy.mutations", mutations as u64)]
            }
            StrategyConfig::OnePlusLambda { lambda } => vec![("strategy.lambda", lambda as u64)],
            StrategyConfig::Islands {
                islands,
                population,
                tournament,
                migration_every,
                migrants,
            } => vec![
                ("strategy.islands", islands as u64),
                ("strategy.population", population as u64),
                ("strategy.tournament", tournament as u64),
                ("strategy.migration_every", migration_every),
                ("strategy.migrants", migrants as u64),
            ],
        }
    }

    /// The domain as this strategy mutates it.
    pub(crate) fn domain<D: Domain>(
        &self,
        domain: D,
        starts: &[D::Program],
    ) -> Result<D, SearchError> {
        match self {
            // Each of them is to have something to tune.
            StrategyConfig::ConstantTuning { .. } => {
                Ok(starts.iter().try_fold(domain, |domain, start| domain.tuner(start))?)
            }
            _ => Ok(domain),
        }
    }

    /// Refuses a second parent where there is one at a time to choose from.
    pub(crate) fn check_crossover<D: Domain>(&self, domain: &D) -> Result<(), SearchError> {
        let alone = matches!(
            self,
            StrategyConfig::RandomSearch { .. } | StrategyConfig::OnePlusLambda { .. }
        );
        if domain.crossover().is_none() || !alone {
            return Ok(());
        }
        let message = "has no two parents to choose, and there is a weight on crossover";
        Err(SearchError::config("strategy", message))
    }

    /// Refuses more start programs than the populations can begin with.
    pub(crate) fn check_starts(&self, starts: usize) -> Result<(), SearchError> {
        let (key, places) = match *self {
            StrategyConfig::RegularizedEvolution { population, .. }
            | StrategyConfig::ConstantTuning { population, .. } => {
                ("strategy.population", population)
            }
            StrategyConfig::Islands { islands, .. } => ("strategy.islands", islands),
            StrategyConfig::RandomSearch { .. } | StrategyConfig::OnePlusLambda { .. } => {
                return Ok(());
            }
        };
        if places >= starts {
            return Ok(());
        }
        let message = format!("is {places}, and there are {starts} start programs to begin with");
        Err(SearchError::config(key, message))
    }

    /// The most mutations of a birth that is a random walk; none where a birth is one mutation.
    pub(crate) fn walk(&self) -> Option<usize> {
        match *self {
            StrategyConfig::RandomSearch { mutations } => Some(mutations),
            _ => None,
        }
    }

    /// The strategy before any outcome; the start programs, one or more, have no fitness yet.
    pub(crate) fn begin<P: Clone + Send + Sync + 'static>(
        &self,
        starts: &[Individual<P>],
        selection: Selection,
    ) -> Box<dyn Strategy<P>> {
        match *self {
            StrategyConfig::RegularizedEvolution { population, tournament }
            | StrategyConfig::ConstantTuning { population, tournament } => {
                let tournament = Tournament { size: tournament, selection };
                Box::new(RegularizedEvolution::new(starts, population, tournament))
            }
            StrategyConfig::RandomSearch { .. } => Box::new(RandomSearch::new(starts)),
            StrategyConfig::OnePlusLambda { lambda } => {
                Box::new(OnePlusLambda::new(starts, lambda, selection))
            }
            StrategyConfig::Islands {
                islands,
                population,
                tournament,
                migration_every: every,
                migrants,
            } => {
                let tournament = Tournament { size: tournament, selection };
                let migration = Migration { every, migrants };
                Box::new(Islands::new(starts, islands, population, tournament, migration))
            }
        }
    }
}

/// How a parent is chosen from a population.
#[derive(Clone, Copy, Debug)]
struct Tournament {
    size: usize,
    selection: Selection,
}

impl Tournament {
    fn winner<'a, P: Clone>(
        &self,
        population: &'a Population<P>,
        rng: &mut StreamRng,
    ) -> &'a Individual<P> {
        population.tournament(self.size, self.selection, rng)
    }
}

/// What a strategy knows of the outcomes absorbed, with individuals of any form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StrategyState<I> {
    /// As many as the strategy has, each oldest first.
    pub(crate) populations: Vec<Vec<I>>,
    /// Of a strategy that has generations.
    pub(crate) generation: Option<Generation<I>>,
}

/// A generation being absorbed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Generation<I> {
    /// Births absorbed so far.
    pub(crate) absorbed: usize,
    /// The fittest of them, among equals the first.
    pub(crate) best: Option<I>,
}

impl<I> StrategyState<I> {
    fn of(populations: Vec<Vec<I>>) -> StrategyState<I> {
        StrategyState { populations, generation: None }
    }

    /// The same state with individuals of another form.
    pub(crate) fn try_map<J, E>(
        self,
        mut change: impl FnMut(I) -> Result<J, E>,
    ) -> Result<StrategyState<J>, E> {
        let mut populations = Vec::with_capacity(self.populations.len());
        for members in self.populations {
            populations.push(members.into_iter().map(&mut change).collect::<Result<_, E>>()?);
        }
        let generation = match self.generation {
            None => None,
            Some(Generation { absorbed, best }) => {
                Some(Generation { absorbed, best: best.map(change).transpose()? })
            }
        };
        Ok(StrategyState { populations, generation })
    }
}

/// A way to choose what to try next.
pub(crate) trait Strategy<P: Clone>: Send {
    /// What the program of this birth, which is no start program, is bred from.
    fn parent(&self, birth: u64, rng: &mut StreamRng) -> &Individual<P>;

    /// Takes in the next individual in birth order, behind the start programs. `earlier` counts the
    /// births before it since the last restart.
    fn absorb(&mut self, individual: Individual<P>, earlier: u64);

    /// Begins anew with every individual replaced by one of these, one or more.
    fn restart(&mut self, from: &[Individual<P>]);

    /// Takes in that the fitness of one of the start programs has come to be known, before anything
    /// else has been absorbed: as if the strategy began anew with all of them.
    fn learn_start(&mut self, starts: &[Individual<P>], index: usize) {
        let _ = index;
        self.restart(starts);
    }

    /// Gives all individuals of a behaviour this fitness.
    fn refresh(&mut self, behaviour: &Hash, fitness: f64);

    /// The populations parents are chosen from; none where outcomes do not matter.
    fn populations(&self) -> &[Population<P>];

    /// What has to be saved to go on later.
    fn state(&self) -> StrategyState<&Individual<P>> {
        let members = |population| Population::iter(population).collect();
        StrategyState::of(self.populations().iter().map(members).collect())
    }

    /// Goes on from a saved state; `false` if it is not one of this strategy and its settings.
    fn restore(&mut self, state: StrategyState<Individual<P>>) -> bool;
}

/// Replaces the members of all populations, if there are as many as before.
fn restore_populations<P: Clone>(
    populations: &mut [Population<P>],
    members: Vec<Vec<Individual<P>>>,
) -> bool {
    let fits = |(population, members): (&Population<P>, &Vec<Individual<P>>)| {
        population.iter().len() == members.len()
    };
    if populations.len() != members.len() || !populations.iter().zip(&members).all(fits) {
        return false;
    }
    for (population, members) in populations.iter_mut().zip(members) {
        *population = Population::of(members);
    }
    true
}
