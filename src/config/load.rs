//! Loading: a RON file and overrides to a checked [`Config`], or one message that says where and
//! what.
//!
//! Invariant: data files are read and nothing is trained or created while loading, so a search
//! that starts has nothing left to refuse.

use std::path::Path;

use evo_domain::Evaluator as _;
use evo_evaluators::Judges;

use super::baselines::Lack;
use super::source::Source;
use super::{Config, ConfigError, DomainName};

impl Config {
    /// Loads a configuration and applies overrides such as `stopping.candidates=3000`, in order.
    /// Paths in the configuration are relative to it, paths in overrides to the working directory.
    /// Tasks that state no baseline take the one of [`Baselines`](super::Baselines) that was
    /// measured on them; without one they stay as they are.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, column and key.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Config, ConfigError> {
        Self::load_parts(path, overrides).map(|(config, ..)| config)
    }

    /// As [`Config::load`], for those who do not want to tune: a task without a baseline, or
    /// changed since it was measured, is an error that names the command that measures it.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with_baselines(path: &Path, overrides: &[String]) -> Result<Config, ConfigError> {
        let (config, source, lack) = Self::load_parts(path, overrides)?;
        match lack {
            None => Ok(config),
            Some(Lack { key, reason }) => {
                let message = format!("{reason}; `{}` measures it", source.baseline_command());
                Err(source.locate(ConfigError::new(key, message)))
            }
        }
    }

    fn load_parts(
        path: &Path,
        overrides: &[String],
    ) -> Result<(Config, Source, Option<Lack>), ConfigError> {
        let mut source = Source::read(path)?;
        if source.stated("domain").is_some_and(|domain| domain != "Optimizers") {
            let message = "must be `Optimizers`: the configuration of a search of optimizers is \
                           needed here";
            return Err(source.locate(ConfigError::new("domain", message)));
        }
        let (file, mut config): (Config, Config) = source.with_overrides(overrides)?;
        config.anchor(path.parent().unwrap_or(Path::new("")), &file);
        config.check().map_err(|error| source.locate(error))?;
        let lack = config.take_baselines(path)?;
        Ok((config, source, lack))
    }

    fn check(&self) -> Result<(), ConfigError> {
        // An override may name another than the file.
        if self.domain != DomainName::Optimizers {
            return Err(ConfigError::new("domain", "must be `Optimizers`"));
        }
        self.search()?;
        self.check_hurdles(&self.evaluation.stages)?;
        let held_out = !self.evaluation.held_out.is_empty();
        self.check_held_out(held_out, "tasks in `evaluation.held_out`")?;
        // Data does not depend on baselines, which would take training to find.
        let mut evaluation = self.evaluation.clone();
        for task in evaluation.tasks.iter_mut().chain(&mut evaluation.held_out) {
            task.learning_rate.get_or_insert(1.0);
            task.baseline_loss.get_or_insert(1.0);
        }
        let judges = Judges::new(&evaluation, Path::new(""));
        let judges = judges.map_err(ConfigError::from_evaluator)?;
        let suits = self.settings.deduplication.check_suits(judges.search.depends_on());
        suits.map_err(ConfigError::from_search)
    }
}
