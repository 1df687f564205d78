//! The configuration of a search of expressions.
//!
//! Invariant: as that of optimizers, it has been checked as a whole once it is loaded, data
//! included, and is written out with every default.

use std::path::{Path, PathBuf};

use evo_domain::Domain;
use evo_dsl::{ExpressionMutation, Expressions, Program};
use evo_hashes::Seed;
use evo_search::{Search, SearchError};

use super::evaluation::{ExpressionEvaluation, ExpressionScorer};
use super::paths::{anchored, placed};
use super::source::Source;
use super::{ConfigError, DomainName, RunConfig};

/// A search of expressions, from the text of one such as `"def f(x):\n  return x + 1.0\n"`, or
/// where none is given from the first input. Deduplication is by default `Structural` where
/// constants are fitted, which depends on how an expression is written.
pub type ExpressionSearch = RunConfig<Option<String>, ExpressionMutation, ExpressionEvaluation>;

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
        self.check_hurdles(self.evaluation.stages())?;
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
        let deduplication = self.settings.deduplication;
        let suits = deduplication.check_suits(scorer.evaluator().depends_on());
        suits.map_err(ConfigError::from_search)?;
        let search = Search::new(&self.settings, Seed(self.seed), domain, start);
        search.map_err(ConfigError::from_search)
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
        let domain = Expressions::new(&self.settings.mutation, hasher);
        let domain = domain.map_err(|error| ConfigError::from_search(SearchError::from(error)))?;
        Ok(domain.of_inputs(scorer.inputs()))
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
