//! 3×3 convolution with lanes: patches gathered into rows, then one product a lane.
//!
//! Shapes: x \[batch, height, width, in\], shared by all lanes, or with the lanes in front; w
//! \[lanes, 3, 3, in, out\], bias \[lanes, out\]; the result is \[lanes, batch, out height, out
//! width, out\].

use candle_core::{Result, Tensor};

use super::super::Activation;
use super::dense::dense;
use super::patches::patches;

/// activation(x ∗ w + bias), one result pixel for every `stride` input pixels in each direction.
pub(in super::super) fn convolution(
    x: &Tensor,
    w: &Tensor,
    bias: &Tensor,
    stride: usize,
    activation: Activation,
) -> Result<Tensor> {
    let [.., batch, height, width, _] = *x.dims() else {
        candle_core::bail!("images have four dimensions, and lanes one more");
    };
    let (lanes, outputs) = bias.dims2()?;
    let w = w.reshape((lanes, w.elem_count() / (lanes * outputs), outputs))?;
    let y = dense(&patches(x, stride)?, &w, bias, activation)?;
    y.reshape((lanes, batch, height.div_ceil(stride), width.div_ceil(stride), outputs))
}
