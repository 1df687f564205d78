//! The configuration of a search of learners.
//!
//! Invariant: as that of optimizers, it has been checked as a whole once it is loaded, data
//! included, and is written out with every default.

use std::path::Path;

use evo_domain::Domain as _;
use evo_dsl::{LearnerMutation, LearnerProgram, Learners};
use evo_evaluators::{LearnerConfig, LearnerJudges};
use evo_hashes::Seed;
use evo_search::{Search, SearchError};

use super::paths::{anchored, placed};
use super::source::Source;
use super::{ConfigError, ConfigText, DomainName, RunConfig, ScoredBy, Starts};

/// A search of learners, each start `zoo:NAME`, a text, a file or `RUN_DIR:BIRTH`; `"empty"`, one
/// of statements that do nothing; or `"random"`, the default: as many random ones as a population
/// holds, or one for each island.
pub type LearnerSearch = RunConfig<Option<Starts>, LearnerMutation, LearnerConfig>;

/// The start of no statements.
const EMPTY: &str = "empty";

impl LearnerSearch {
    /// Loads a configuration and applies overrides, in order; paths in it are relative to it, paths
    /// in overrides to the working directory.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, column and key.
    pub fn load(path: &Path, overrides: &[String]) -> Result<LearnerSearch, ConfigError> {
        Self::load_text(&ConfigText::read(path)?, overrides, ScoredBy::Evaluation)
    }

    /// As [`LearnerSearch::load`], of a text that has been read, for whoever scores the programs.
    ///
    /// # Errors
    /// As [`LearnerSearch::load`].
    pub fn load_text(
        text: &ConfigText,
        overrides: &[String],
        scored_by: ScoredBy,
    ) -> Result<LearnerSearch, ConfigError> {
        let mut source = Source::of(text);
        if source.stated("domain").is_none_or(|domain| domain != "Learners") {
            let message = "must be `Learners`: the configuration of a search of learners is \
                           needed here";
            return Err(source.locate(ConfigError::new("domain", message)));
        }
        let (mut file, mut config): (LearnerSearch, _) = source.with_overrides(overrides)?;
        let base = text.base();
        if let (Some(starts), Some(stated)) = (&config.start, &file.start)
            && starts.iter().any(is_file)
        {
            config.start = Some(starts.anchored(base, stated));
        }
        anchored(base, config.evaluation.paths_mut(), &file.evaluation.paths_mut());
        config.check(scored_by).map_err(|error| source.locate(error))?;
        Ok(config)
    }

    fn check(&self, scored_by: ScoredBy) -> Result<(), ConfigError> {
        if self.domain != DomainName::Learners {
            return Err(ConfigError::new("domain", "must be `Learners`"));
        }
        if scored_by == ScoredBy::Evaluation {
            self.check_hurdles(&[])?;
            let target = self.settings.stopping.held_out_fitness;
            if target.is_some_and(|target| !(0.0..=1.0).contains(&target)) {
                let message = "must be 0 to 1, as the fitness of a learner is";
                return Err(ConfigError::new("stopping.held_out_fitness", message));
            }
        }
        self.search(&self.judges()?).map(drop)
    }

    /// What scores learners by this configuration, with its tasks.
    ///
    /// # Errors
    /// Data that is missing or damaged, or tasks that cannot be.
    pub fn judges(&self) -> Result<LearnerJudges, ConfigError> {
        let judges = LearnerJudges::new(&self.evaluation, Path::new(""));
        judges.map_err(ConfigError::from_evaluator)
    }

    /// The search this configuration describes, before its first candidate.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn search(&self, judges: &LearnerJudges) -> Result<Search<Learners>, ConfigError> {
        let domain = self.domain(judges)?;
        let starts = self.start_programs(&domain)?;
        let search = Search::from_starts(&self.settings, Seed(self.seed), domain, starts);
        search.map_err(ConfigError::from_search)
    }

    /// The representation that is searched, with its settings: learners are compared by what they
    /// do on the tasks of the search.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn domain(&self, judges: &LearnerJudges) -> Result<Learners, ConfigError> {
        let domain = Learners::new(&self.settings.mutation, judges.search.tasks().clone());
        domain.map_err(|error| ConfigError::from_search(SearchError::from(error)))
    }

    /// The learners the search starts from, in order.
    ///
    /// # Errors
    /// A text that is none, or one beyond the limits; a file or a birth that is not there.
    pub fn start_programs(&self, domain: &Learners) -> Result<Vec<LearnerProgram>, ConfigError> {
        let random = Starts::from(Starts::RANDOM);
        let starts = self.start.as_ref().unwrap_or(&random);
        if starts.iter().eq([Starts::RANDOM]) {
            self.check_drawable()?;
            let draw = |rng: &mut _| domain.mutator().random(rng);
            return self.random_starts(domain, domain.mutator().empty(), draw);
        }
        let load = |(index, source): (usize, &str)| {
            let error = |message| ConfigError::new(starts.key(index), message);
            if source == Starts::RANDOM {
                let message = "`random` stands alone: it is as many starts as there is room for";
                return Err(error(message.to_owned()));
            }
            if source == EMPTY {
                return Ok(domain.mutator().empty());
            }
            let text = match is_file(source) || source.starts_with("zoo:") {
                true => crate::load_learner(source, Path::new("")).map(|it| it.to_string()),
                false => Ok(source.to_owned()),
            };
            let text = text.map_err(|it| error(it.to_string()))?;
            domain.read(&text).map_err(error)
        };
        starts.iter().enumerate().map(load).collect()
    }

    /// Refuses functions whose random statements there is no op for.
    fn check_drawable(&self) -> Result<(), ConfigError> {
        let LearnerMutation { setup, predict, learn, .. } = &self.settings.mutation;
        for (name, it) in [("setup", setup), ("predict", predict), ("learn", learn)] {
            let count = it.start.unwrap_or(it.least);
            if count > 0 && it.ops.as_ref().is_some_and(Vec::is_empty) {
                let message = format!("has no op to draw the {count} statements of a random start");
                return Err(ConfigError::new(format!("mutation.{name}.ops"), message));
            }
        }
        Ok(())
    }

    /// The same configuration with the texts of its start programs in place of where they were:
    /// those of a run must not change with what lies there.
    #[must_use]
    pub fn with_texts_of(&self, programs: &[LearnerProgram]) -> LearnerSearch {
        let text = |index: usize, source: &str| match is_file(source) {
            true => programs[index].to_string(),
            false => source.to_owned(),
        };
        LearnerSearch { start: self.start.as_ref().map(|it| it.map(text)), ..self.clone() }
    }

    /// The same configuration for a file in `folder`, which is there; `base` is the folder of the
    /// file it was read from.
    #[must_use]
    pub fn placed_in(&self, folder: &Path, base: &Path) -> LearnerSearch {
        let mut moved = self.clone();
        let paths = moved.evaluation.paths_mut();
        paths.into_iter().for_each(|(_, path)| placed(path, folder, base));
        moved
    }
}

/// Whether a start is a file or a birth of a run.
fn is_file(source: &str) -> bool {
    Starts::is_file(source) && source != EMPTY
}
