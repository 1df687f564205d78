//! max(0, z) and its gradient, as the layers mean it.
//!
//! Invariant: NaN stays NaN and the derivative at 0 is 0. Candle's own relu turns NaN into 0 and
//! has derivative 1 at 0.

use candle_core::{Result, Tensor};

/// max(0, z); what is below 0 becomes −0, which no product or sum tells from 0.
pub(super) fn relu(z: &Tensor) -> Result<Tensor> {
    // z where it is above 0, else 0·(exp(z) − 1): the only relu in one launch that keeps NaN.
    z.elu(0.0)
}

/// The gradient of z from the results and their gradient.
pub(super) fn relu_gradient(y: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let zeros = y.zeros_like()?;
    y.gt(&zeros)?.where_cond(dy, &zeros)
}
