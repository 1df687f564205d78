//! The commands, one a file; each gives the exit code of a run without errors.

pub(crate) mod audit;
pub(crate) mod baseline;
pub(crate) mod bench;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod funnel;
pub(crate) mod latex_table;
pub(crate) mod lineage;
pub(crate) mod ops;
pub(crate) mod recheck;
pub(crate) mod resume;
pub(crate) mod search;
pub(crate) mod show;
pub(crate) mod simplify;
pub(crate) mod validate;
pub(crate) mod zoo;

mod activations;
mod comparison;
mod cpu;
mod dry_run;
mod events;
mod expressions;
mod figures;
mod fits;
mod measure;
mod memory;
mod optimizers;
mod place;
mod progress;
mod report;
mod run_directory;
mod session;
mod studies;
mod whole_file;
