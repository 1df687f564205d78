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
use super::{ConfigError, ConfigText, DomainName, RunConfig, ScoredBy, Starts};

/// A search of expressions, each start the text of one such as `"def f(x):\n  return x + 1.0\n"`,
/// a file or `RUN_DIR:BIRTH`, or where none is given from the first input. Deduplication is by
/// default `Structural` where constants are fitted, which depends on how an expression is written.
pub type ExpressionSearch = RunConfig<Option<Starts>, ExpressionMutation, ExpressionEvaluation>;

impl ExpressionSearch {
    /// Loads a configuration and applies overrides, in order; paths in it are relative to it, paths
    /// in overrides to the working directory.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, column and key.
    pub fn load(path: &Path, overrides: &[String]) -> Result<ExpressionSearch, ConfigError> {
        Self::load_text(&ConfigText::read(path)?, overrides, ScoredBy::Evaluation)
    }

    /// As [`ExpressionSearch::load`], of a text that has been read, whoever scores the programs.
    ///
    /// # Errors
    /// As [`ExpressionSearch::load`].
    pub fn load_text(
        text: &ConfigText,
        overrides: &[String],
        scored_by: ScoredBy,
    ) -> Result<ExpressionSearch, ConfigError> {
        let mut source = Source::of(text);
        let (mut file, mut config): (ExpressionSearch, _) = source.with_overrides(overrides)?;
        let base = text.base();
        if let (Some(starts), Some(stated)) = (&config.start, &file.start) {
            config.start = Some(starts.anchored(base, stated));
        }
        anchored(base, config.paths_mut(), &file.paths_mut());
        config.check(scored_by).map_err(|error| source.locate(error))?;
        Ok(config)
    }

    fn check(&self, scored_by: ScoredBy) -> Result<(), ConfigError> {
        if self.domain != DomainName::Expressions {
            return Err(ConfigError::new("domain", "must be `Expressions`"));
        }
        let scorer = self.scorer()?;
        if scored_by == ScoredBy::Evaluation {
            self.check_hurdles(self.evaluation.stages())?;
            self.check_held_out(scorer.held_out().is_some(), scorer.held_out_kind())?;
            let depends_on = scorer.evaluator().depends_on();
            let suits = self.settings.deduplication.check_suits(depends_on);
            suits.map_err(ConfigError::from_search)?;
        }
        self.search(&scorer).map(drop)
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
        let starts = self.start_programs(scorer)?;
        let domain = self.domain(scorer)?;
        let search = Search::from_starts(&self.settings, Seed(self.seed), domain, starts);
        search.map_err(ConfigError::from_search)
    }

    /// The expressions the search starts from, in order.
    ///
    /// # Errors
    /// A text that is none, or one of other inputs than the data have; a file or a birth that is
    /// not there.
    pub fn start_programs(&self, scorer: &ExpressionScorer) -> Result<Vec<Program>, ConfigError> {
        let Some(starts) = &self.start else { return Ok(vec![scorer.start()]) };
        let domain = self.domain(scorer)?;
        let load = |(index, source): (usize, &str)| {
            let error = |message| ConfigError::new(starts.key(index), message);
            let text = match Starts::is_path(source) {
                true => crate::load_any_program(source, Path::new("")).map(|it| it.to_string()),
                false => Ok(source.to_owned()),
            };
            let text = text.map_err(|it| error(it.to_string()))?;
            domain.read(&text).map_err(error)
        };
        starts.iter().enumerate().map(load).collect()
    }

    /// The same configuration with the texts of its start programs in place of where they were:
    /// those of a run must not change with what lies there.
    #[must_use]
    pub fn with_texts_of(&self, programs: &[Program]) -> ExpressionSearch {
        let text = |index: usize, source: &str| match Starts::is_path(source) {
            true => programs[index].to_string(),
            false => source.to_owned(),
        };
        ExpressionSearch { start: self.start.as_ref().map(|it| it.map(text)), ..self.clone() }
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
