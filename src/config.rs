//! The configuration of a run, as a RON file states it.
//!
//! Invariant: a [`Config`] that was loaded has been checked as far as that goes without training:
//! the start program parses, every op exists, every count makes sense, all data is there. What is
//! left out has the default stated at its field, and [`Config::to_ron`] writes everything out.

mod baselines;
mod error;
mod evaluation;
mod expressions;
mod load;
mod outline;
mod paths;
mod source;

use std::num::NonZeroU64;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use evo_dsl::{FunctionalHasher, MutationConfig, OptimizerProbe, Optimizers, Probe, Program};
use evo_evaluators::{EvaluatorError, Judges, OptimizerConfig, OptimizerEvaluator};
use evo_hashes::Seed;
use evo_search::{
    Deduplication, HurdleConfig, Restarts, Search, SearchConfig, SearchError, Selection, Stopping,
    StrategyConfig, default_window,
};

pub use baselines::{Baselines, MeasuredBaseline};
pub use error::ConfigError;
pub use evaluation::{ExpressionEvaluation, ExpressionScorer};
pub use expressions::ExpressionSearch;

/// What to search for, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The representation that is searched.
    #[serde(default)]
    pub domain: DomainName,
    /// Seed of the search: breeding depends on it and nothing else does. Default: 0.
    #[serde(default)]
    pub seed: u64,
    /// The program to start from: `zoo:NAME` or a file, relative to the configuration.
    pub start: String,
    /// How parents are chosen.
    pub strategy: StrategyConfig,
    /// What makes a parent preferable. Default: `Fitness`.
    #[serde(default)]
    pub selection: Selection,
    /// How children are made.
    #[serde(default)]
    pub mutation: MutationConfig,
    /// Births that breeding runs ahead of absorbed outcomes. Default: 64.
    #[serde(default = "default_window")]
    pub window: u64,
    /// Which candidates count as seen before. Default: `Functional`.
    #[serde(default)]
    pub deduplication: Deduplication,
    /// When an evaluation is stopped before its last task. Default: never.
    #[serde(default)]
    pub hurdles: HurdleConfig,
    /// When the search begins anew. Default: never.
    #[serde(default)]
    pub restarts: Restarts,
    /// The functional hash.
    #[serde(default)]
    pub hashing: HashingConfig,
    /// How programs are scored.
    pub evaluation: OptimizerConfig,
    /// When the search ends.
    pub stopping: Stopping,
}

/// The representations that a configuration can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DomainName {
    /// Optimizers, scored by training networks with them: a [`Config`].
    #[default]
    Optimizers,
    /// Expressions, scored by their error on data or as activations of networks: an
    /// [`ExpressionSearch`].
    Expressions,
}

/// The settings of the functional hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashingConfig {
    /// Leading bits of each float32's mantissa that count, 1 to 23; of the
    /// weights after a training seven more. Default: 8.
    pub mantissa_bits: u32,
}

impl Default for HashingConfig {
    fn default() -> HashingConfig {
        HashingConfig { mantissa_bits: 8 }
    }
}

impl HashingConfig {
    fn hasher(&self, probe: impl Probe + 'static) -> Result<FunctionalHasher, SearchError> {
        let bits = self.mantissa_bits;
        FunctionalHasher::with_probe(bits, Arc::new(probe)).ok_or_else(|| SearchError::Config {
            key: "hashing.mantissa_bits".to_owned(),
            message: format!("must be 1 to 23, not {bits}"),
        })
    }
}

/// Steps of a task in which a program that runs away is all but certainly found out.
const GIVEN_UP_AFTER: NonZeroU64 = NonZeroU64::new(50).expect("not zero");

/// A configuration as RON.
fn written(config: &impl Serialize) -> String {
    let pretty =
        ron::ser::PrettyConfig::new().extensions(ron::extensions::Extensions::IMPLICIT_SOME);
    let text = ron::ser::to_string_pretty(config, pretty);
    text.expect("a configuration has no value that RON cannot write") + "\n"
}

impl Config {
    /// The search this configuration describes, before its first candidate.
    ///
    /// # Errors
    /// A setting that cannot be searched with; none for a loaded configuration, unless its start
    /// program has been removed since.
    pub fn search(&self) -> Result<Search<Optimizers>, ConfigError> {
        self.search_from(self.start_program()?)
    }

    /// As [`Config::search`], from a program at hand.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn search_from(&self, start: Program) -> Result<Search<Optimizers>, ConfigError> {
        self.try_search_from(start).map_err(ConfigError::from_search)
    }

    /// The evaluator of the search that this configuration describes. Loads the data of its tasks,
    /// and tunes AdamW on each task without a baseline (see [`Config::load_with_baselines`]).
    ///
    /// # Errors
    /// Data that is missing or damaged, or a task that cannot be trained.
    pub fn evaluator(&self) -> Result<OptimizerEvaluator, ConfigError> {
        let evaluation = self.resolved_evaluation().map_err(ConfigError::from_evaluator)?;
        let base = std::path::Path::new("");
        OptimizerEvaluator::new(&evaluation, base).map_err(ConfigError::from_evaluator)
    }

    /// The same evaluator with those of held-out tasks and fresh repeats.
    ///
    /// # Errors
    /// As [`Config::evaluator`].
    pub fn judges(&self) -> Result<Judges, ConfigError> {
        let evaluation = self.resolved_evaluation().map_err(ConfigError::from_evaluator)?;
        Judges::new(&evaluation, std::path::Path::new("")).map_err(ConfigError::from_evaluator)
    }

    /// The same configuration with every baseline tuned that was left out.
    ///
    /// # Errors
    /// As [`Config::evaluator`].
    pub fn resolved(&self) -> Result<Config, ConfigError> {
        let evaluation = self.resolved_evaluation().map_err(ConfigError::from_evaluator)?;
        Ok(Config { evaluation, ..self.clone() })
    }

    /// The program the search starts from.
    ///
    /// # Errors
    /// When the file is missing or not a program.
    pub fn start_program(&self) -> Result<Program, ConfigError> {
        crate::load_program(&self.start, std::path::Path::new(""))
            .map_err(|error| ConfigError::from_start(&error))
    }

    /// The configuration written out in full.
    pub fn to_ron(&self) -> String {
        written(self)
    }

    fn resolved_evaluation(&self) -> Result<OptimizerConfig, EvaluatorError> {
        let mut evaluation = self.evaluation.clone();
        evaluation.resolve_baselines(std::path::Path::new(""))?;
        Ok(evaluation)
    }

    /// The part of it that the search is made from.
    pub fn search_config(&self) -> SearchConfig<MutationConfig> {
        SearchConfig {
            strategy: self.strategy.clone(),
            selection: self.selection,
            mutation: self.mutation.clone(),
            window: self.window,
            deduplication: self.deduplication,
            hurdles: self.hurdles,
            restarts: self.restarts,
            stopping: self.stopping,
        }
    }

    fn try_search_from(&self, start: Program) -> Result<Search<Optimizers>, SearchError> {
        let (count, limit) = (start.statements().len(), self.mutation.max_statements);
        if count > limit {
            return Err(SearchError::Config {
                key: "mutation.max_statements".to_owned(),
                message: format!("is {limit}, below the {count} statements of the start program"),
            });
        }
        Search::new(&self.search_config(), Seed(self.seed), self.domain()?, start)
    }

    /// The representation that is searched, with its settings.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn domain(&self) -> Result<Optimizers, SearchError> {
        Ok(Optimizers::new(&self.mutation, self.hasher()?)?)
    }

    /// The functional hash of this configuration: its probe has the lowest learning rate of the
    /// tasks.
    ///
    /// # Errors
    /// When `hashing.mantissa_bits` is not 1 to 23.
    pub fn hasher(&self) -> Result<FunctionalHasher, SearchError> {
        let rates = self.evaluation.tasks.iter().filter_map(|task| task.learning_rate);
        let probe =
            rates.reduce(f64::min).map_or_else(OptimizerProbe::default, OptimizerProbe::new);
        let probe = match self.evaluation.tasks.iter().all(|task| task.steps >= GIVEN_UP_AFTER) {
            true => probe.that_gives_up(),
            false => probe,
        };
        self.hashing.hasher(probe)
    }
}
