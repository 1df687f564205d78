//! Softmax over the last dimension, with what a loss and a backward pass need of it.
//!
//! Invariant: NaN in a row makes the whole row NaN. Candle's fused softmax has no gradient.

use candle_core::{D, Result, Tensor};

use super::elementary::exp;

/// The softmax of every row.
pub(super) struct Softmax {
    /// exp(x − largest) / sum.
    pub(super) weights: Tensor,
    /// x − largest.
    pub(super) shifted: Tensor,
    /// The sum of exp(x − largest), of length 1 in the last dimension.
    pub(super) sums: Tensor,
}

/// The softmax over the last dimension of `x`.
pub(super) fn softmax(x: &Tensor) -> Result<Softmax> {
    // A NaN may be passed over here, but it stays in the row and reaches the sum.
    let shifted = x.broadcast_sub(&x.max_keepdim(D::Minus1)?)?;
    let exponentials = exp(&shifted)?;
    let sums = exponentials.sum_keepdim(D::Minus1)?;
    Ok(Softmax { weights: exponentials.broadcast_div(&sums)?, shifted, sums })
}

/// The gradient of the rows from the weights and their gradient: w · (dw − Σ dw·w).
pub(super) fn softmax_gradient(weights: &Tensor, dweights: &Tensor) -> Result<Tensor> {
    let common = (dweights * weights)?.sum_keepdim(D::Minus1)?;
    dweights.broadcast_sub(&common)? * weights
}
