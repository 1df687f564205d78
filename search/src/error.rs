//! The errors of this crate: settings that cannot be searched with, and misuse of the engine.
//!
//! Invariant: an error about the configuration carries the key it is about as a path
//! (`mutation.weights.insert`), so a front end can show the place. A program that trains badly is
//! no error but an outcome.

use thiserror::Error;

/// Why a search could not be built, driven or reported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A value, or a combination of values, that cannot be searched with.
    #[error("{key}: {message}")]
    Config {
        /// Path of the offending key, from the search configuration.
        key: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// An outcome was told for a birth that is not being evaluated.
    #[error("no outcome is awaited for birth {birth}")]
    UnexpectedOutcome {
        /// The birth told.
        birth: u64,
    },
    /// The operating system refused the worker threads.
    #[error("the worker threads could not be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The hall of fame could not be written.
    #[error("the hall of fame could not be written: {0}")]
    HallOfFame(#[from] csv::Error),
}

impl SearchError {
    pub(crate) fn config(key: &str, message: impl Into<String>) -> SearchError {
        SearchError::Config { key: key.to_owned(), message: message.into() }
    }
}
