//! The errors of this crate: settings that cannot be searched with, misuse of the engine, and a
//! store or a cache that cannot be used.
//!
//! Invariant: an error about the configuration carries the key it is about as a path
//! (`mutation.weights.insert`), so a front end can show the place. A program that trains badly is
//! no error but an outcome.

use std::path::PathBuf;

use evo_domain::SettingError;
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
    /// The store could not be written, most likely for want of space. What it held before is sound.
    #[error("{}: could not be written; make space and resume the run", path.display())]
    StoreFull {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Another program, such as a viewer with changes of its own, does not let go of the store.
    #[error(
        "{}: another program keeps it locked; close that program and resume the run",
        path.display()
    )]
    StoreBusy {
        /// The file.
        path: PathBuf,
    },
    /// A store whose log has no index is copied to be looked at, which did not work.
    #[error("{}: could not be copied to a temporary folder to look at it", path.display())]
    StoreCopy {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no store, or what it holds is not what was written.
    #[error("{}: cannot be used as the store of a run: {message}", path.display())]
    StoreDamaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        message: String,
    },
    /// Another run is writing the store.
    #[error("{}: another run is using it", path.display())]
    StoreInUse {
        /// The file.
        path: PathBuf,
    },
    /// The file that keeps other runs away could not be locked.
    #[error("{}: could not be locked", path.display())]
    StoreLock {
        /// The lock's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The stored run was bred by other settings or by another version of the engine.
    #[error("{}: birth {birth} was another program: the run cannot go on as it began", path.display())]
    StoreDiverged {
        /// The file.
        path: PathBuf,
        /// The first birth that differs.
        birth: u64,
    },
    /// The stored run compares programs by functional hashes that are made otherwise today.
    #[error(
        "{}: its programs were compared on the probe `{probe}`, and this version's is `{today}`: \
         the version that began the run goes on with it; here a new one can start from its best",
        path.display()
    )]
    StoreOutdated {
        /// The file.
        path: PathBuf,
        /// The probe of the run.
        probe: String,
        /// The probe of this version.
        today: String,
    },
    /// SQLite refused something else.
    #[error("{}: SQLite refused a request", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A file that cannot be used as a cache of evaluations, or not any more.
    #[error("{}: cannot be used as a cache: {message}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where there is something what to do.
        message: String,
    },
    /// The hall of fame could not be written.
    #[error("the hall of fame could not be written: {0}")]
    HallOfFame(#[from] csv::Error),
}

impl From<SettingError> for SearchError {
    fn from(SettingError { key, message }: SettingError) -> SearchError {
        SearchError::Config { key, message }
    }
}

impl SearchError {
    pub(crate) fn config(key: impl Into<String>, message: impl Into<String>) -> SearchError {
        SearchError::Config { key: key.into(), message: message.into() }
    }
}
