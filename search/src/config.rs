//! The settings of a search, as a configuration file states them.
//!
//! Invariant: together with a seed, a start program, a hasher and an evaluator they determine the
//! result. Threads and cohorts are not among them, because they do not.

use serde::{Deserialize, Serialize};

use crate::{
    Deduplication, HurdleConfig, MutationConfig, Restarts, SearchError, Selection, Stopping,
    StrategyConfig,
};

/// The settings of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchConfig {
    /// How parents are chosen.
    pub strategy: StrategyConfig,
    /// What makes a parent preferable.
    #[serde(default)]
    pub selection: Selection,
    /// How children are made.
    #[serde(default)]
    pub mutation: MutationConfig,
    /// How many births a birth does not wait for: birth *k* is bred from the outcomes of births
    /// below *k* − `window`, all of them and no other. Several times the number of workers keeps
    /// all of them busy; 0 breeds strictly one after another.
    #[serde(default = "default_window")]
    pub window: u64,
    /// Which births count as equal to an earlier one.
    #[serde(default)]
    pub deduplication: Deduplication,
    /// When an evaluation is stopped before its last task.
    #[serde(default)]
    pub hurdles: HurdleConfig,
    /// When to begin anew.
    #[serde(default)]
    pub restarts: Restarts,
    /// When to end.
    pub stopping: Stopping,
}

/// The widest window: births in it are held in memory.
const WIDEST_WINDOW: u64 = 1_000_000;

fn default_window() -> u64 {
    64
}

impl SearchConfig {
    /// A search with every default.
    pub fn new(strategy: StrategyConfig, stopping: Stopping) -> SearchConfig {
        SearchConfig {
            strategy,
            selection: Selection::default(),
            mutation: MutationConfig::default(),
            window: default_window(),
            deduplication: Deduplication::default(),
            hurdles: HurdleConfig::default(),
            restarts: Restarts::default(),
            stopping,
        }
    }

    /// Checks everything but the mutation settings, which building the mutator checks.
    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        self.strategy.validate()?;
        if self.window > WIDEST_WINDOW {
            let message = format!("must be at most {WIDEST_WINDOW}");
            return Err(SearchError::config("window", message));
        }
        self.deduplication.validate()?;
        self.hurdles.validate()?;
        self.restarts.validate(self.window)?;
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
}
