//! The mean of all tokens of a sequence.
//!
//! Shapes: x \[batch · length, width\] gives \[batch, width\], with lanes in front where x has
//! them.

use candle_core::{Result, Tensor};

/// The mean of each run of `length` rows.
pub(crate) fn token_mean(x: &Tensor, length: usize) -> Result<Tensor> {
    match *x.dims() {
        [_, width] => x.reshape(((), length, width))?.mean(1),
        [lanes, _, width] => x.reshape(((), length, width))?.mean(1)?.reshape((lanes, (), width)),
        _ => candle_core::bail!("tokens are rows of a matrix, or of one for each lane"),
    }
}
