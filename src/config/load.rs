//! Loading: a RON file and overrides to a checked [`Config`], or one message that says where and
//! what.
//!
//! Invariant: data files are read and nothing is trained or created while loading, so a search
//! that starts has nothing left to refuse.

use std::path::Path;

use evo_domain::Evaluator as _;

use super::baselines::Lack;
use super::source::Source;
use super::{Config, ConfigError, ConfigText, DomainName};

impl Config {
    /// Loads a configuration and applies overrides such as `stopping.candidates=3000`, in order.
    /// Paths in the configuration are relative to it, paths in overrides to the working directory.
    /// Tasks that state no baseline take the one of [`Baselines`](super::Baselines) that was
    /// measured on them; without one they stay as they are.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, column and key.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Config, ConfigError> {
        Self::load_parts(&ConfigText::read(path)?, overrides).map(|(config, ..)| config)
    }

    /// As [`Config::load`], for those who do not want to tune: a task without a baseline, or
    /// changed since it was measured, is an error that names the command that measures it.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with_baselines(path: &Path, overrides: &[String]) -> Result<Config, ConfigError> {
        Self::load_text_with_baselines(&ConfigText::read(path)?, overrides)
    }

    /// As [`Config::load_with_baselines`], of a text that has been read. A text in memory has no
    /// file of baselines beside it, so its tasks may go without.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_text_with_baselines(
        text: &ConfigText,
        overrides: &[String],
    ) -> Result<Config, ConfigError> {
        let (config, source, lack) = Self::load_parts(text, overrides)?;
        match lack.filter(|_| !text.is_in_memory()) {
            None => Ok(config),
            Some(Lack { key, reason }) => {
                let message = format!("{reason}; `{}` measures it", source.baseline_command());
                Err(source.locate(ConfigError::new(key, message)))
            }
        }
    }

    /// Loads the configuration of a search whose outcomes are told by someone else. It may state
    /// no `evaluation`; one that it states decides how programs are compared, and nothing is read,
    /// trained or measured for it.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, column and key.
    pub fn load_for_objective(
        text: &ConfigText,
        overrides: &[String],
    ) -> Result<Config, ConfigError> {
        let mut source = Source::of(text);
        if source.stated("evaluation").is_none() {
            source.add("evaluation", "(tasks: [])");
        }
        let (config, source) = Self::load_parsed(source, text, overrides)?;
        config.search().map_err(|error| source.locate(error))?;
        if config.settings.hurdles.partial.is_some() {
            let message = "looks into trainings, and what an objective does is not known here";
            return Err(source.locate(ConfigError::new("hurdles.partial", message)));
        }
        Ok(config)
    }

    fn load_parts(
        text: &ConfigText,
        overrides: &[String],
    ) -> Result<(Config, Source, Option<Lack>), ConfigError> {
        if text.lacks_evaluation {
            let message = "is missing: it says how programs are scored, where no objective does";
            return Err(Source::of(text).locate(ConfigError::new("evaluation", message)));
        }
        let (mut config, source) = Self::load_parsed(Source::of(text), text, overrides)?;
        config.check().map_err(|error| source.locate(error))?;
        let lack = config.take_baselines(text.path())?;
        Ok((config, source, lack))
    }

    /// What the text and the overrides say, not yet checked.
    fn load_parsed(
        mut source: Source,
        text: &ConfigText,
        overrides: &[String],
    ) -> Result<(Config, Source), ConfigError> {
        if source.stated("domain").is_some_and(|domain| domain != "Optimizers") {
            let message = "must be `Optimizers`: the configuration of a search of optimizers is \
                           needed here";
            return Err(source.locate(ConfigError::new("domain", message)));
        }
        let (file, mut config): (Config, Config) = source.with_overrides(overrides)?;
        config.anchor(text.base(), &file);
        // An override may name another than the file.
        if config.domain != DomainName::Optimizers {
            return Err(source.locate(ConfigError::new("domain", "must be `Optimizers`")));
        }
        Ok((config, source))
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.search()?;
        self.check_hurdles_between(&self.evaluation.stages)?;
        let held_out = !self.evaluation.held_out.is_empty();
        self.check_held_out(held_out, "tasks in `evaluation.held_out`")?;
        // Data does not depend on baselines, which would take training to find.
        let mut evaluation = self.evaluation.clone();
        for task in evaluation.tasks.iter_mut().chain(&mut evaluation.held_out) {
            task.learning_rate.get_or_insert(1.0);
            task.baseline_loss.get_or_insert(1.0);
        }
        let judges = self.judges_by(&evaluation)?;
        let suits = self.settings.deduplication.check_suits(judges.search.depends_on());
        suits.map_err(ConfigError::from_search)
    }
}
