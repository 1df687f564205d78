//! The settings of a search, as a configuration file states them.
//!
//! Invariant: together with a seed, a domain, start programs and an evaluator they determine the
//! result. Threads and cohorts are not among them, because they do not.

use serde::{Deserialize, Serialize};

use crate::{
    Deduplication, HeldOutConfig, HurdleConfig, Keep, NoiseConfig, Restarts, SearchError,
    Selection, Stopping, StrategyConfig,
};

/// The settings of a search. `M` are those of mutation, which belong to the domain: the search
/// itself does not look at them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchConfig<M = ()> {
    /// How parents are chosen.
    pub strategy: StrategyConfig,
    /// What makes a parent preferable.
    #[serde(default)]
    pub selection: Selection,
    /// How children are made, as the domain has it.
    #[serde(default)]
    pub mutation: M,
    /// How many births a birth does not wait for: birth *k* is bred from the outcomes of births
    /// below *k* − `window`, all of them and no other. Several times the number of workers keeps
    /// all of them busy; 0 breeds strictly one after another.
    #[serde(default = "default_window")]
    pub window: u64,
    /// Which births count as equal to an earlier one.
    #[serde(default)]
    pub deduplication: Deduplication,
    /// What is added to every fitness, to study searches under noise.
    #[serde(default)]
    pub noise: NoiseConfig,
    /// When an evaluation is stopped before its last task.
    #[serde(default)]
    pub hurdles: HurdleConfig,
    /// When to begin anew.
    #[serde(default)]
    pub restarts: Restarts,
    /// How often the fittest so far is evaluated on what is held out of the search.
    #[serde(default)]
    pub held_out: HeldOutConfig,
    /// What a store keeps of the run.
    #[serde(default)]
    pub keep: Keep,
    /// When to end.
    pub stopping: Stopping,
}

/// The widest window: births in it are held in memory.
const WIDEST_WINDOW: u64 = 1_000_000;

/// The most mutations that one birth may take, all tries together: some tenths of a second at the
/// usual lengths. Limits and interrupts are seen between births.
const MOST_MUTATIONS: u64 = 100_000;

/// The width of a window that is not stated.
pub fn default_window() -> u64 {
    64
}

impl<M> SearchConfig<M> {
    /// A search with every default.
    pub fn new(strategy: StrategyConfig, stopping: Stopping) -> SearchConfig<M>
    where
        M: Default,
    {
        SearchConfig {
            strategy,
            selection: Selection::default(),
            mutation: M::default(),
            window: default_window(),
            deduplication: Deduplication::default(),
            noise: NoiseConfig::default(),
            hurdles: HurdleConfig::default(),
            restarts: Restarts::default(),
            held_out: HeldOutConfig::default(),
            keep: Keep::default(),
            stopping,
        }
    }

    /// Checks everything, for a domain that tries so often to make a child that is not neutral.
    pub(crate) fn validate(&self, neutral_retries: u32) -> Result<(), SearchError> {
        self.strategy.validate()?;
        if self.window > WIDEST_WINDOW {
            let message = format!("must be at most {WIDEST_WINDOW}");
            return Err(SearchError::config("window", message));
        }
        let (hurdles, seconds) = (self.hurdles.are_on(), self.stopping.seconds.is_some());
        self.deduplication.validate(hurdles)?;
        self.noise.validate(self.deduplication.rechecks_any(), hurdles)?;
        self.hurdles.validate()?;
        self.restarts.validate(self.window)?;
        self.keep.validate(self.window, hurdles, seconds)?;
        let patience = [
            ("restarts.held_out", self.restarts.held_out),
            ("stopping.held_out", self.stopping.held_out),
        ];
        self.held_out.validate(patience, self.stopping.held_out_fitness.is_some())?;
        self.validate_migration()?;
        self.validate_effort(neutral_retries)?;
        if matches!(self.strategy, StrategyConfig::RandomSearch { .. }) && !self.restarts.is_never()
        {
            let message = "random search keeps nothing that could be refilled";
            return Err(SearchError::config("restarts", message));
        }
        let random = matches!(self.strategy, StrategyConfig::RandomSearch { .. });
        if random && self.selection != Selection::default() {
            let message = "random search selects nothing";
            return Err(SearchError::config("selection", message));
        }
        self.stopping.validate()
    }

    /// Refuses restarts that come before every migration. A restart fills all islands with one
    /// program, so a migration at the same birth would move nothing.
    fn validate_migration(&self) -> Result<(), SearchError> {
        let StrategyConfig::Islands { migration_every, .. } = self.strategy else { return Ok(()) };
        let needed = migration_every.saturating_add(self.window);
        match self.restarts.every {
            Some(every) if every <= needed => {
                let message = format!(
                    "must be above {needed}, `strategy.migration_every` and `window` together: the \
                     islands would be refilled before any migration"
                );
                Err(SearchError::config("restarts.every", message))
            }
            _ => Ok(()),
        }
    }

    /// Refuses births that take so many mutations that nobody would wait for one.
    fn validate_effort(&self, neutral_retries: u32) -> Result<(), SearchError> {
        let tabu_retries = self.deduplication.tabu.tries();
        let tries = 1 + u64::from(neutral_retries) + u64::from(tabu_retries);
        let mutations = self.strategy.walk().unwrap_or(1) as u64;
        if tries.saturating_mul(mutations) > MOST_MUTATIONS {
            let (key, others) = match tabu_retries > neutral_retries {
                true => ("deduplication.tabu.retries", neutral_retries),
                false => ("mutation.neutral_retries", tabu_retries),
            };
            let most = (MOST_MUTATIONS / mutations - 1).saturating_sub(u64::from(others));
            let message =
                format!("with up to {mutations} mutations in each try, must be at most {most}");
            return Err(SearchError::config(key, message));
        }
        Ok(())
    }
}
