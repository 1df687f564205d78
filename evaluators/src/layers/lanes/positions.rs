//! Learned positions with lanes: y\[b·length + s\] = x\[b·length + s\] + positions\[s\].
//!
//! Shapes: x and y \[lanes, batch · length, width\], positions \[lanes, length, width\].

use candle_core::{Result, Tensor};

use super::column_sums::column_sums;
use super::node::node;

/// Adds its position to every row of `x`.
pub(in super::super) fn add_positions(x: &Tensor, positions: &Tensor) -> Result<Tensor> {
    let (lanes, length, width) = positions.dims3()?;
    // A whole sequence is one row here.
    let sequences = (lanes, x.dim(1)? / length, length * width);
    let (own, shape, kept) = (positions.detach(), positions.shape().clone(), positions.dtype());
    let own = own.to_dtype(x.dtype())?.reshape((lanes, 1, length * width))?;
    let y = x.detach().reshape(sequences)?.broadcast_add(&own)?.reshape(x.shape())?;
    node([x, positions], y, move |_, dy| {
        let dpositions = column_sums(&dy.reshape(sequences)?)?.reshape(&shape)?;
        Ok([Some(dy.clone()), Some(dpositions.to_dtype(kept)?)])
    })
}
