//! Mean squared error with lanes: for each, the mean over all its numbers of (y − target)².
//!
//! Shapes: y \[lanes, rows, columns\], target \[rows, columns\], the same in all lanes; the result
//! is \[lanes\].

use candle_core::{D, Result, Tensor};

use super::node::node;

/// The loss of reconstruction of every lane.
pub(in super::super) fn squared_error(y: &Tensor, target: &Tensor) -> Result<Tensor> {
    let (lanes, rows, columns) = y.dims3()?;
    let count = (rows * columns) as f64;
    let difference = y.detach().broadcast_sub(target)?;
    let squares = difference.sqr()?.reshape((lanes, rows * columns))?;
    let loss = squares.sum(D::Minus1)?.affine(1.0 / count, 0.0)?;
    node([y], loss, move |_, dloss| {
        let scale = dloss.affine(2.0 / count, 0.0)?.reshape((lanes, 1, 1))?;
        Ok([Some(difference.broadcast_mul(&scale)?)])
    })
}
