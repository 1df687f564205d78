//! The form of a configuration in its file, one for searches of any representation: everything
//! stands side by side, the settings of the engine among it.
//!
//! Invariant: only here the settings of the engine are spelled a second time. Serde's `flatten`
//! would spare that, but loses line and column of what is wrong, and lets unknown keys pass.

use serde::{Deserialize, Serialize};

use evo_dsl::{ExpressionMutation, LearnerMutation, MutationConfig, SpaceConfig};
use evo_evaluators::{EnumeratedConfig, GraphConfig, LearnerConfig, OptimizerConfig};
use evo_graphs::GraphMutation;
use evo_search::{
    Deduplication, DeduplicationLevel, HeldOutConfig, HurdleConfig, Keep, NoiseConfig, Restarts,
    SearchConfig, Selection, Stopping, StrategyConfig, default_window,
};

use super::evaluation::ExpressionEvaluation;
use super::{
    Config, DomainName, EnumeratedSearch, ExpressionSearch, GraphSearch, HashingConfig,
    LearnerSearch, RunConfig, Starts,
};

/// A configuration as its file has it; each key is explained where [`RunConfig`] and
/// [`SearchConfig`] have it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "Config")]
pub(super) struct Flat<S, M, E> {
    #[serde(default)]
    domain: DomainName,
    #[serde(default)]
    seed: u64,
    start: S,
    strategy: StrategyConfig,
    #[serde(default)]
    selection: Selection,
    #[serde(default)]
    mutation: M,
    #[serde(default = "default_window")]
    window: u64,
    #[serde(default)]
    deduplication: Option<Deduplication>,
    #[serde(default)]
    noise: NoiseConfig,
    #[serde(default)]
    hurdles: HurdleConfig,
    #[serde(default)]
    restarts: Restarts,
    #[serde(default)]
    held_out: HeldOutConfig,
    #[serde(default)]
    keep: Keep,
    #[serde(default)]
    hashing: HashingConfig,
    evaluation: E,
    stopping: Stopping,
}

impl<S, M, E> From<RunConfig<S, M, E>> for Flat<S, M, E> {
    fn from(config: RunConfig<S, M, E>) -> Flat<S, M, E> {
        let settings = config.settings;
        Flat {
            domain: config.domain,
            seed: config.seed,
            start: config.start,
            strategy: settings.strategy,
            selection: settings.selection,
            mutation: settings.mutation,
            window: settings.window,
            deduplication: Some(settings.deduplication),
            noise: settings.noise,
            hurdles: settings.hurdles,
            restarts: settings.restarts,
            held_out: settings.held_out,
            keep: settings.keep,
            hashing: config.hashing,
            evaluation: config.evaluation,
            stopping: settings.stopping,
        }
    }
}

impl<S, M, E> Flat<S, M, E> {
    /// What the file says, with the level of deduplication for what it scores by.
    fn whole(self, level: impl FnOnce(&E) -> DeduplicationLevel) -> RunConfig<S, M, E> {
        let deduplication = self.deduplication.unwrap_or_else(|| level(&self.evaluation).into());
        RunConfig {
            domain: self.domain,
            seed: self.seed,
            start: self.start,
            settings: SearchConfig {
                strategy: self.strategy,
                selection: self.selection,
                mutation: self.mutation,
                window: self.window,
                deduplication,
                noise: self.noise,
                hurdles: self.hurdles,
                restarts: self.restarts,
                held_out: self.held_out,
                keep: self.keep,
                stopping: self.stopping,
            },
            hashing: self.hashing,
            evaluation: self.evaluation,
        }
    }
}

impl From<Flat<Starts, MutationConfig, OptimizerConfig>> for Config {
    fn from(file: Flat<Starts, MutationConfig, OptimizerConfig>) -> Config {
        file.whole(|evaluation| match evaluation.scoring.normalise_updates {
            true => DeduplicationLevel::Structural,
            false => DeduplicationLevel::default(),
        })
    }
}

impl From<Flat<Option<Starts>, ExpressionMutation, ExpressionEvaluation>> for ExpressionSearch {
    fn from(
        file: Flat<Option<Starts>, ExpressionMutation, ExpressionEvaluation>,
    ) -> ExpressionSearch {
        file.whole(ExpressionEvaluation::level)
    }
}

impl From<Flat<Option<Starts>, LearnerMutation, LearnerConfig>> for LearnerSearch {
    fn from(file: Flat<Option<Starts>, LearnerMutation, LearnerConfig>) -> LearnerSearch {
        file.whole(|_| DeduplicationLevel::default())
    }
}

impl From<Flat<Option<Starts>, SpaceConfig, EnumeratedConfig>> for EnumeratedSearch {
    fn from(file: Flat<Option<Starts>, SpaceConfig, EnumeratedConfig>) -> EnumeratedSearch {
        file.whole(|_| DeduplicationLevel::default())
    }
}

impl From<Flat<Option<Starts>, GraphMutation, GraphConfig>> for GraphSearch {
    fn from(file: Flat<Option<Starts>, GraphMutation, GraphConfig>) -> GraphSearch {
        file.whole(|_| DeduplicationLevel::Structural)
    }
}
