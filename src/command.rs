//! The commands, one a file; each gives the exit code of a run without errors.

pub(crate) mod evaluate;
pub(crate) mod ops;
pub(crate) mod search;
pub(crate) mod show;
pub(crate) mod validate;
pub(crate) mod zoo;

mod comparison;
mod progress;
mod run_directory;
