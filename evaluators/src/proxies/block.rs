//! The block of transformers: x + attention(norm(x)), then x + mlp(norm(x)).
//!
//! The MLP has relu and a hidden size of 4 · width; linear maps have no bias, norms are RMS.
//! Invariant: leaves are gain, qkv, out, gain, up, down for each block. Maps that write to the
//! residual stream start smaller by sqrt(2 · layers), as in GPT-2.

use candle_core::{Result, Tensor};

use super::Leaf;
use crate::layers::{Activation, Attention, Mask, Real, RmsNorm, project, project_onto};

/// The leaves of `layers` blocks.
pub(super) fn leaves(width: usize, layers: usize) -> Vec<Leaf> {
    let linear = Leaf::linear_deviation(width);
    let residual = 1.0 / (2.0 * layers as f64).sqrt();
    let block = [
        Leaf::ones([width]),
        Leaf::normal([width, 3 * width], linear),
        Leaf::normal([width, width], linear * residual),
        Leaf::ones([width]),
        Leaf::normal([width, 4 * width], Leaf::relu_deviation(width)),
        Leaf::normal([4 * width, width], Leaf::linear_deviation(4 * width) * residual),
    ];
    std::iter::repeat_n(block, layers).flatten().collect()
}

/// One block over the sequences of `context` rows in `x`.
pub(super) fn apply<T: Real>(
    x: &Tensor,
    weights: &[Tensor; 6],
    context: usize,
    heads: usize,
    mask: Mask,
) -> Result<Tensor> {
    let [gain, qkv, out, mlp_gain, up, down] = weights;
    let normal = RmsNorm::<T>::of(x, gain)?;
    let packed = project::<T>(&normal, qkv, Activation::Identity)?;
    let mixed = Attention::<T>::of(&packed, context, heads, mask)?;
    let x = project_onto::<T>(x, &mixed, out)?;
    let normal = RmsNorm::<T>::of(&x, mlp_gain)?;
    let hidden = project::<T>(&normal, up, Activation::Relu)?;
    project_onto::<T>(&x, &hidden, down)
}
