//! Layers for a cohort: every candidate a lane, all lanes in one batched operation.
//!
//! Shapes: a weight has the lanes in front of its own dimensions, \[lanes, in, out\]; so have
//! activations, \[lanes, rows, columns\]. What all lanes share, the data, comes without them and is
//! repeated by a stride of 0, never copied.
//!
//! Invariants: a layer means what the one of the same name for a single candidate means, on any
//! device; nothing is read back from the device; and no number of a lane depends on another lane.
//! On a CPU a lane's bits do not even depend on how many lanes there are or which one it is. On
//! other devices a library may choose its kernels by the number of lanes, so whoever uses them
//! there keeps that number fixed.
//!
//! Forward passes are composed of candle's operations; each layer is one node of the graph with a
//! composed backward pass of its own ([`node`]), because candle's derivatives are those of other
//! functions (relu at 0), are missing, or take several times as many launches.

mod activate;
mod attention;
mod column_sums;
mod convolution;
mod cross_entropy;
mod dense;
mod elementary;
mod layer_norm;
mod lookup;
mod node;
mod one_hot;
mod patches;
mod positions;
mod product;
mod quadratic;
mod recurrence;
mod relu;
mod rms_norm;
mod softmax;
mod squared_error;

pub(super) use activate::activate;
pub(super) use attention::attention;
pub(super) use convolution::convolution;
pub(super) use cross_entropy::cross_entropy;
pub(super) use dense::{dense, project, project_onto};
pub(super) use layer_norm::layer_norm;
pub(super) use lookup::lookup;
pub(super) use positions::add_positions;
pub(super) use quadratic::height;
pub(super) use recurrence::recurrence;
pub(super) use rms_norm::rms_norm;
pub(super) use squared_error::squared_error;

#[cfg(test)]
mod tests;
