//! How good a *compute graph* is: the loss of the network that its cell is stacked into, and the
//! probe by which graphs that compute the same are found.

mod config;
mod evaluator;
mod judges;
mod probe;

pub use config::{GraphConfig, GraphNetwork};
pub use evaluator::{GraphEvaluator, MeasuredGraph};
pub use judges::GraphJudges;
pub use probe::CellProbe;

#[cfg(test)]
mod tests;
