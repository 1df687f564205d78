//! The configuration of a search of expressions.
//!
//! Invariant: as that of optimizers, it has been checked as a whole once it is loaded, data
//! included, and is written out with every default.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use evo_domain::Domain;
use evo_dsl::{ExpressionMutation, Expressions, Program};
use evo_hashes::Seed;
use evo_search::{
    Deduplication, HurdleConfig, Restarts, Search, SearchConfig, SearchError, Selection, Stopping,
    StrategyConfig, default_window,
};

use super::evaluation::{ExpressionEvaluation, ExpressionScorer};
use super::paths::{anchored, placed};
use super::source::Source;
use super::{ConfigError, DomainName, HashingConfig};

/// What expression to search for, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpressionSearch {
    /// `Expressions`.
    pub domain: DomainName,
    /// Seed of the search: breeding depends on it and nothing else does. Default: 0.
    #[serde(default)]
    pub seed: u64,
    /// The text of the expression to start from, such as `"def f(x):\n  return x + 1.0\n"`.
    /// Default: the first input.
    #[serde(default)]
    pub start: Option<String>,
    /// How parents are chosen.
    pub strategy: StrategyConfig,
    /// What makes a parent preferable. Default: `Fitness`.
    #[serde(default)]
    pub selection: Selection,
    /// How children are made.
    #[serde(default)]
    pub mutation: ExpressionMutation,
    /// Births that breeding runs ahead of absorbed outcomes. Default: 64.
    #[serde(default = "default_window")]
    pub window: u64,
    /// Which candidates count as seen before. Default: `Functional`, and `Structural` where
    /// constants are fitted, which depends on how an expression is written.
    #[serde(default)]
    pub deduplication: Option<Deduplication>,
    /// When the search begins anew. Default: never.
    #[serde(default)]
    pub restarts: Restarts,
    /// The functional hash.
    #[serde(default)]
    pub hashing: HashingConfig,
    /// How expressions are scored.
    pub evaluation: ExpressionEvaluation,
    /// When the search ends.
    pub stopping: Stopping,
}

impl ExpressionSearch {
    /// The representation that a file names; that of optimizers where it names none.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn is_stated_in(path: &Path) -> Result<bool, ConfigError> {
        Ok(Source::read(path)?.stated("domain") == Some("Expressions"))
    }

    /// Loads a configuration and applies overrides, in order; paths in it are relative to it, paths
    /// in overrides to the working directory.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, column and key.
    pub fn load(path: &Path, overrides: &[String]) -> Result<ExpressionSearch, ConfigError> {
        let mut source = Source::read(path)?;
        let mut file: ExpressionSearch = source.parse()?;
        let mut config = file.clone();
        for set in overrides {
            config = source.apply(set)?;
        }
        let base = path.parent().unwrap_or(Path::new(""));
        anchored(base, config.paths_mut(), &file.paths_mut());
        config.check().map_err(|error| source.locate(error))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.domain != DomainName::Expressions {
            return Err(ConfigError::new("domain", "must be `Expressions`"));
        }
        self.search(&self.scorer()?).map(drop)
    }

    /// What scores expressions by this configuration, with its data; nothing is trained.
    ///
    /// # Errors
    /// Data that is missing or damaged, or a network that cannot be trained.
    pub fn scorer(&self) -> Result<ExpressionScorer, ConfigError> {
        self.evaluation.scorer().map_err(ConfigError::from_evaluator)
    }

    /// The search this configuration describes, before its first candidate.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn search(&self, scorer: &ExpressionScorer) -> Result<Search<Expressions>, ConfigError> {
        let start = self.start_program(scorer)?;
        let domain = self.domain(scorer)?;
        let settings = self.search_config();
        let suits = settings.deduplication.check_suits(scorer.evaluator().depends_on());
        suits.map_err(ConfigError::from_search)?;
        Search::new(&settings, Seed(self.seed), domain, start).map_err(ConfigError::from_search)
    }

    /// The expression the search starts from.
    ///
    /// # Errors
    /// A text that is none, or one of other inputs than the data have.
    pub fn start_program(&self, scorer: &ExpressionScorer) -> Result<Program, ConfigError> {
        let Some(text) = &self.start else { return Ok(scorer.start()) };
        let domain = self.domain(scorer)?;
        domain.read(text).map_err(|error| ConfigError::new("start", error))
    }

    /// The representation that is searched, with its settings: the probe is within the ranges of
    /// the data.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn domain(&self, scorer: &ExpressionScorer) -> Result<Expressions, ConfigError> {
        let hasher = self.hashing.hasher(scorer.probe()).map_err(ConfigError::from_search)?;
        let domain = Expressions::new(&self.mutation, hasher);
        let domain = domain.map_err(|error| ConfigError::from_search(SearchError::from(error)))?;
        Ok(domain.of_inputs(scorer.inputs()))
    }

    fn search_config(&self) -> SearchConfig {
        SearchConfig {
            strategy: self.strategy.clone(),
            selection: self.selection,
            mutation: (),
            window: self.window,
            deduplication: self.deduplication.unwrap_or_else(|| self.evaluation.level().into()),
            hurdles: HurdleConfig::default(),
            restarts: self.restarts,
            stopping: self.stopping,
        }
    }

    /// The configuration written out in full.
    pub fn to_ron(&self) -> String {
        super::written(self)
    }

    /// The same configuration for a file in `folder`, which is there; `base` is the folder of the
    /// file it was read from.
    #[must_use]
    pub fn placed_in(&self, folder: &Path, base: &Path) -> ExpressionSearch {
        let mut moved = self.clone();
        moved.paths_mut().into_iter().for_each(|(_, path)| placed(path, folder, base));
        moved
    }

    /// Every path of a data file, by its task's place in the lists and its number among the task's.
    pub fn paths_mut(&mut self) -> Vec<((usize, usize), &mut PathBuf)> {
        self.evaluation.paths_mut()
    }
}
