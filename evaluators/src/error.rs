//! The errors of this crate: configurations and data files that cannot be used.
//!
//! Invariant: an error about the configuration carries the key it is about, as a path that starts
//! at the value the failing function was given (`tasks[1].data.images`), so a front end can show
//! the place. A program that trains badly is not an error but an [`crate::Outcome`].

use std::path::PathBuf;

/// Why an evaluator could not be built or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluatorError {
    /// A value, or a combination of values, that cannot be trained.
    #[error("{key}: {message}")]
    Config {
        /// Path of the offending key.
        key: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A data file that is missing or damaged.
    #[error("{key}: {}: {message}", path.display())]
    Data {
        /// Path of the key that names the file.
        key: String,
        /// The file as it was looked for.
        path: PathBuf,
        /// What was expected of the file.
        message: String,
    },
    /// No setting of the tuning grid trained the task to its end.
    #[error(
        "task `{task}`: every setting of the tuning grid diverged; fewer `steps` or another `model` may help"
    )]
    NoBaseline {
        /// The task's name.
        task: String,
    },
    /// A device that cannot be used.
    #[error("device `{name}`: {message}")]
    Device {
        /// Its name as it was asked for.
        name: String,
        /// What is missing.
        message: String,
    },
    /// The engine itself failed.
    #[error("internal failure: {0}")]
    Internal(String),
}

impl EvaluatorError {
    pub(crate) fn config(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Config { key: key.into(), message: message.into() }
    }

    /// The same error with its key path starting one level further out.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        if let Self::Config { key, .. } | Self::Data { key, .. } = &mut self {
            *key = format!("{outer}.{key}");
        }
        self
    }
}

/// Keeps the first line only: the rest of a candle error may be a backtrace.
impl From<candle_core::Error> for EvaluatorError {
    fn from(error: candle_core::Error) -> Self {
        let text = error.to_string();
        Self::Internal(text.lines().next().unwrap_or_default().to_owned())
    }
}
