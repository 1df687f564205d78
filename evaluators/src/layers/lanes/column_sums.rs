//! Column sums: the gradient of what is added to, or multiplies, every row of a lane.
//!
//! Invariant: each lane is one product of a row of ones, shared by all lanes, with its rows. A
//! reduction over any but the last dimension reads its numbers far apart, on CPUs and GPUs alike.

use candle_core::{Result, Tensor};

/// \[lanes, columns\]: the sums over the rows of \[lanes, rows, columns\].
pub(super) fn column_sums(x: &Tensor) -> Result<Tensor> {
    let (lanes, rows, columns) = x.dims3()?;
    let ones = Tensor::ones((1, 1, rows), x.dtype(), x.device())?.expand((lanes, 1, rows))?;
    ones.matmul(x)?.reshape((lanes, columns))
}
