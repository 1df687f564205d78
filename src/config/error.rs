//! Why a configuration cannot be used.
//!
//! Invariant: an error names the key at fault; the file, line and column of the key are added by
//! the source that it was read from.

use evo_evaluators::EvaluatorError;
use evo_search::SearchError;
use thiserror::Error;

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

    /// An error of the evaluator about the configuration of a search.
    pub(super) fn from_evaluator(error: EvaluatorError) -> ConfigError {
        match error {
            EvaluatorError::Config { .. } | EvaluatorError::Data { .. } => {
                Self::from_keys(error.within("evaluation"))
            }
            other => ConfigError::new("evaluation", other.to_string()),
        }
    }

    /// An error of the evaluator whose keys are those of the file.
    pub(super) fn from_keys(error: EvaluatorError) -> ConfigError {
        match error {
            EvaluatorError::Config { key, message } => ConfigError::new(key, message),
            EvaluatorError::Data { key, path, message } => {
                ConfigError::new(key, format!("{}: {message}", path.display()))
            }
            other => ConfigError::new("", other.to_string()),
        }
    }
}
