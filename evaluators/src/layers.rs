//! Layers: the hot operations of the proxy networks as candle custom operations.
//!
//! Invariant: each layer is one node of candle's graph with its own backward pass, runs on the
//! calling thread, and has a gradient check against central differences in f64. Candle's composed
//! graph costs three to five times as much at these sizes, and some of its fused operations
//! (`softmax_last_dim`, `RmsNorm`) silently give no gradient at all.
//!
//! For one candidate a layer is a function of slices ([`operation`]). One whose weights have a
//! dimension more, the lanes in front, is that of a whole cohort ([`lanes`]): so a network's loss
//! is written once for both.
//!
//! Conventions: matrices are row-major; a layer returns no gradient for an operand that nothing
//! trainable depends on, such as the data.

mod activate;
mod attention;
mod attention_block;
mod cell;
mod classifier;
mod convolution;
mod cross_entropy;
mod dense;
mod embedding;
mod function;
mod graph;
mod head;
mod images;
mod join;
mod lanes;
mod layer_norm;
mod lookup;
mod matrix;
mod max_pool;
mod mlp_block;
mod multiplication;
mod narrow;
mod normed_projection;
mod operation;
mod patches;
mod positions;
mod quadratic;
mod real;
mod recurrence;
mod rms_norm;
mod softmax;
mod squared_error;
mod storage;
mod token_mean;
mod vector_unit;
mod way_back;

#[cfg(test)]
mod gradient_check;

pub(crate) use activate::activate;
pub(crate) use attention::{Attention, Heads};
pub(crate) use attention_block::attention_block;
pub(crate) use classifier::classify;
pub(crate) use convolution::Convolution;
pub(crate) use cross_entropy::{CrossEntropy, IGNORED, counted};
pub(crate) use dense::{Activation, dense, project, project_onto};
pub(crate) use embedding::Embedding;
pub(crate) use function::Function;
pub(crate) use images::pixel_rows;
pub(crate) use layer_norm::LayerNorm;
pub(crate) use lookup::lookup;
pub use matrix::Product;
pub(crate) use max_pool::max_pool;
pub(crate) use mlp_block::mlp_block;
pub use multiplication::Multiplication;
pub(crate) use normed_projection::normed_project;
pub(crate) use positions::add_positions;
pub(crate) use quadratic::Bowl;
pub(crate) use real::Real;
pub(crate) use recurrence::Recurrence;
pub(crate) use rms_norm::RmsNorm;
pub(crate) use softmax::Mask;
pub(crate) use squared_error::squared_error;
pub(crate) use storage::values;
pub(crate) use token_mean::token_mean;
pub(crate) use way_back::{Noted, reshaped, sum};
