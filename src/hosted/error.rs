//! What a host is told when something is refused or fails.
//!
//! Invariant: the message is the one that the command line prints; the kind is that of the first
//! error beneath it that has one.

use thiserror::Error;

use crate::{ConfigError, ProgramSourceError, SearchError};

/// What is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostErrorKind {
    /// A configuration.
    Config,
    /// A program.
    Program,
    /// A run, or its store.
    Search,
    /// Something else.
    Other,
}

/// Why a host does not get what it asked for.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct HostError {
    /// What is at fault.
    pub kind: HostErrorKind,
    /// For a person to read.
    pub message: String,
}

impl HostError {
    /// The same error of a run, where nothing else is known to be at fault.
    #[must_use]
    pub(super) fn of_run(self) -> HostError {
        let kind = match self.kind {
            HostErrorKind::Other => HostErrorKind::Search,
            kind => kind,
        };
        HostError { kind, ..self }
    }

    /// An error of a kind.
    pub fn new(kind: HostErrorKind, message: impl Into<String>) -> HostError {
        HostError { kind, message: message.into() }
    }
}

impl From<anyhow::Error> for HostError {
    fn from(error: anyhow::Error) -> HostError {
        let kind = error.chain().find_map(|cause| {
            if cause.is::<ConfigError>() {
                return Some(HostErrorKind::Config);
            }
            if cause.is::<ProgramSourceError>() {
                return Some(HostErrorKind::Program);
            }
            cause.downcast_ref::<SearchError>().map(kind_of)
        });
        HostError::new(kind.unwrap_or(HostErrorKind::Other), format!("{error:#}"))
    }
}

impl From<ConfigError> for HostError {
    fn from(error: ConfigError) -> HostError {
        HostError::new(HostErrorKind::Config, error.to_string())
    }
}

impl From<SearchError> for HostError {
    fn from(error: SearchError) -> HostError {
        HostError::new(kind_of(&error), error.to_string())
    }
}

impl From<ProgramSourceError> for HostError {
    fn from(error: ProgramSourceError) -> HostError {
        HostError::new(HostErrorKind::Program, error.to_string())
    }
}

fn kind_of(error: &SearchError) -> HostErrorKind {
    match error {
        SearchError::Config { .. } => HostErrorKind::Config,
        _ => HostErrorKind::Search,
    }
}
