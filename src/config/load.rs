//! Loading: a RON file and overrides to a checked [`Config`], or one message that says where and
//! what.
//!
//! Invariant: data files are read and nothing is trained or created while loading, so a search
//! that starts has nothing left to refuse.

use std::path::Path;

use thiserror::Error;

use evo_evaluators::{EvaluatorError, Judges};
use evo_search::SearchError;

use super::Config;
use super::baselines::Lack;
use super::source::Source;
use crate::ProgramSourceError;

/// Why a configuration cannot be used, in one line that says where.
#[derive(Debug, Error)]
#[error("{place}{}{message}", if key.is_empty() { String::new() } else { format!("`{key}`: ") })]
pub struct ConfigError {
    /// `file:line:column: `, or the override at fault.
    pub(super) place: String,
    /// Path of the key at fault; empty if it is none in particular.
    pub(super) key: String,
    pub(super) message: String,
}

impl ConfigError {
    /// Path of the key at fault; empty if it is none in particular.
    pub fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn new(key: impl Into<String>, message: impl Into<String>) -> ConfigError {
        ConfigError { place: String::new(), key: key.into(), message: message.into() }
    }

    /// An error of another file.
    pub(super) fn at(place: String, message: String) -> ConfigError {
        ConfigError { place, key: String::new(), message }
    }

    /// An error of the evaluator about the task at `key`.
    pub(super) fn from_task(key: &str, error: EvaluatorError) -> ConfigError {
        match error {
            EvaluatorError::Data { key: inner, path, message } => {
                ConfigError::new(format!("{key}.{inner}"), format!("{}: {message}", path.display()))
            }
            other => ConfigError::new(key, other.to_string()),
        }
    }

    pub(super) fn from_search(error: SearchError) -> ConfigError {
        match error {
            SearchError::Config { key, message } => ConfigError::new(key, message),
            other => ConfigError::new("", other.to_string()),
        }
    }

    pub(super) fn from_evaluator(error: EvaluatorError) -> ConfigError {
        match error {
            EvaluatorError::Config { key, message } => {
                ConfigError::new(format!("evaluation.{key}"), message)
            }
            EvaluatorError::Data { key, path, message } => ConfigError::new(
                format!("evaluation.{key}"),
                format!("{}: {message}", path.display()),
            ),
            other => ConfigError::new("evaluation", other.to_string()),
        }
    }

    pub(super) fn from_start(error: &ProgramSourceError) -> ConfigError {
        ConfigError::new("start", error.to_string())
    }
}

impl Config {
    /// Loads a configuration and applies overrides such as `stopping.candidates=3000`, in order.
    /// Paths in the configuration are relative to it, paths in overrides to the working directory.
    /// Tasks that state no baseline take the one of [`Baselines`](super::Baselines) that was measured on them;
    /// without one they stay as they are.
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
            let message = "this is for searches of optimizers; others are searched, resumed and \
                           shown";
            return Err(source.locate(ConfigError::new("domain", message)));
        }
        let file: Config = source.parse()?;
        let mut config = file.clone();
        for set in overrides {
            config = source.apply(set)?;
        }
        config.anchor(path.parent().unwrap_or(Path::new("")), &file);
        config.check().map_err(|error| source.locate(error))?;
        let lack = config.take_baselines(path)?;
        Ok((config, source, lack))
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.search()?;
        // Data does not depend on baselines, which would take training to find.
        let mut evaluation = self.evaluation.clone();
        for task in evaluation.tasks.iter_mut().chain(&mut evaluation.held_out) {
            task.learning_rate.get_or_insert(1.0);
            task.baseline_loss.get_or_insert(1.0);
        }
        let judges = Judges::new(&evaluation, Path::new(""));
        judges.map(drop).map_err(ConfigError::from_evaluator)
    }
}
