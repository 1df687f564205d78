//! The mean of all tokens of a sequence.
//!
//! Shapes: x \[batch · length, width\] gives \[batch, width\], with lanes in front where x has
//! them.

use candle_core::{Result, Tensor};

use super::way_back::note_composed;

/// The mean of each run of `length` rows.
pub(crate) fn token_mean(x: &Tensor, length: usize) -> Result<Tensor> {
    match *x.dims() {
        [rows, width] => {
            let mean = x.reshape(((), length, width))?.mean(1)?;
            note_composed(&mean, [x], move |gradient| {
                let each = gradient.affine(1.0 / length as f64, 0.0)?.unsqueeze(1)?;
                each.broadcast_as((rows / length, length, width))?.reshape((rows, width))
            });
            Ok(mean)
        }
        [lanes, _, width] => x.reshape(((), length, width))?.mean(1)?.reshape((lanes, (), width)),
        _ => candle_core::bail!("tokens are rows of a matrix, or of one for each lane"),
    }
}
