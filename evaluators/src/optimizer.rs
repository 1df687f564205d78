//! The optimizer domain: programs that update weights, scored by the networks they train.

mod config;

#[cfg(feature = "candle")]
mod baseline;
#[cfg(feature = "candle")]
mod evaluator;
#[cfg(feature = "candle")]
mod fingerprint;
#[cfg(feature = "candle")]
mod grid;
#[cfg(feature = "candle")]
mod judgement;
#[cfg(feature = "candle")]
pub(crate) mod lanes;
#[cfg(feature = "candle")]
mod progress;
#[cfg(feature = "candle")]
mod proxy_task;
#[cfg(feature = "candle")]
mod recording;
#[cfg(feature = "candle")]
mod training;
#[cfg(feature = "candle")]
mod workload;

pub use config::OptimizerConfig;

#[cfg(feature = "candle")]
pub use baseline::Baseline;
#[cfg(feature = "candle")]
pub use evaluator::OptimizerEvaluator;
#[cfg(feature = "candle")]
pub use grid::Grid;
#[cfg(feature = "candle")]
pub use judgement::{AtMultiple, Interval};
#[cfg(feature = "candle")]
pub use lanes::Lanes;
#[cfg(feature = "candle")]
pub use recording::{RecordedBatch, RecordedLeaf, Recording};
#[cfg(feature = "candle")]
pub use workload::{Steps, Workload};

#[cfg(all(test, feature = "candle"))]
mod tests;
