//! How *good* a program is: evaluators, data, proxy networks and their training.
//!
//! # Overview
//! [`Evaluator`] is the seam to the search: a cohort of [`Trial`]s in, an [`Outcome`] for each out.
//! [`OptimizerEvaluator`] implements it for the optimizer domain. It trains the small networks of
//! an [`OptimizerConfig`] (a list of [`TaskConfig`]s, each a [`ModelConfig`] on a [`DataConfig`])
//! with each program and compares the validation losses with those of tuned AdamW. Forward and
//! backward passes run through candle, with the hot layers as custom operations; the update is the
//! program's own.
//!
//! Without the `candle` feature only the seam and the configuration types remain.

mod error;
mod evaluator;
mod file;
mod optimizer;
mod outcome;
mod schedule;
mod task;
mod trial;

#[cfg(feature = "candle")]
mod data;
#[cfg(feature = "candle")]
mod device;
#[cfg(feature = "candle")]
mod inner_threads;
#[cfg(feature = "candle")]
mod layers;
#[cfg(feature = "candle")]
mod parallel;
#[cfg(feature = "candle")]
mod proxies;

pub use error::EvaluatorError;
pub use evaluator::{DependsOn, Evaluator};
pub use file::read_file;
pub use optimizer::OptimizerConfig;
pub use outcome::{Invalid, InvalidReason, Outcome, Score, Stopped};
pub use schedule::Schedule;
pub use task::{
    Activation, Cell, DataConfig, ModelConfig, Normalisation, Operation, Problem, TaskConfig,
};
pub use trial::Trial;

#[cfg(feature = "candle")]
pub use device::Device;
#[cfg(feature = "candle")]
pub use inner_threads::pin_inner_threads;
#[cfg(feature = "candle")]
#[doc(hidden)]
pub use layers::{Multiplication, Product};
#[cfg(feature = "candle")]
pub use optimizer::{
    AtMultiple, Baseline, Grid, Interval, Lanes, OptimizerEvaluator, RecordedBatch, RecordedLeaf,
    Recording, Steps, Workload,
};
#[cfg(feature = "candle")]
pub use parallel::parallel_map;
