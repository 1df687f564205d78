//! The optimizer domain: programs that update weights, scored by the networks they train.

mod baseline;
pub(crate) mod config;
mod evaluator;
mod fingerprint;
mod grid;
mod judgement;
mod judges;
pub(crate) mod lanes;
mod partial;
pub(crate) mod progress;
pub(crate) mod proxy_task;
pub(crate) mod rates;
mod recording;
pub(crate) mod scoring;
mod stated;
mod study;
pub(crate) mod training;
mod units;
mod workload;

pub use baseline::Baseline;
pub use config::OptimizerConfig;
pub use evaluator::OptimizerEvaluator;
pub use grid::Grid;
pub use judgement::AtMultiple;
pub use judges::Judges;
pub use lanes::Lanes;
pub use rates::tuned_runs;
pub use recording::{RecordedBatch, RecordedLeaf, Recording};
pub use scoring::{Factor, Rates, RunLoss, Scoring};
pub use study::{
    Knobs, Setting, StudiedTask, Study, StudyConfig, StudyRun, Tried, Tuning, WeightDecay,
};
pub use workload::{Steps, Workload};

#[cfg(test)]
mod tests;
