//! The block of transformers: x + attention(norm(x)), then x + mlp(norm(x)).
//!
//! The MLP has relu and a hidden size of 4 · width; linear maps have no bias, norms are RMS.
//! Invariant: leaves are gain, qkv, out, gain, up, down for each block. Maps that write to the
//! residual stream start smaller by sqrt(2 · layers), as in GPT-2.

use candle_core::{Result, Tensor};

use super::Leaf;
use crate::layers::{
    Activation, Attention, Heads, Mask, Real, RmsNorm, attention_block, mlp_block, project,
    project_onto,
};

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
    let heads = Heads { context, heads, mask };
    let [gain, qkv, out, mlp_gain, up, down] = weights;
    if gain.rank() > 1 {
        return composed::<T>(x, weights, heads);
    }
    let x = attention_block::<T>(x, gain, qkv, out, heads)?;
    mlp_block::<T>(&x, mlp_gain, up, down)
}

/// The same block layer by layer, for weights with more dimensions than the fused halves take.
fn composed<T: Real>(x: &Tensor, weights: &[Tensor; 6], heads: Heads) -> Result<Tensor> {
    let [gain, qkv, out, mlp_gain, up, down] = weights;
    let Heads { context, heads, mask } = heads;
    let normal = RmsNorm::<T>::of(x, gain)?;
    let packed = project::<T>(&normal, qkv, Activation::Identity)?;
    let mixed = Attention::<T>::of(&packed, context, heads, mask)?;
    let x = project_onto::<T>(x, &mixed, out)?;
    let normal = RmsNorm::<T>::of(&x, mlp_gain)?;
    let hidden = project::<T>(&normal, up, Activation::Relu)?;
    project_onto::<T>(&x, &hidden, down)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};
    use evo_hashes::Seed;

    use crate::proxies::initial_weights;

    #[test]
    fn the_halves_give_the_bits_of_the_layers() {
        let (width, context) = (12, 5);
        let leaves = leaves(width, 1);
        let numbers = initial_weights(&leaves, &mut Seed(0).stream("weights", 0));
        let mut rest = numbers.as_slice();
        let weights = leaves.iter().map(|leaf| {
            let (own, later) = rest.split_at(leaf.shape.iter().product());
            rest = later;
            let leaf = Var::from_slice(own, leaf.shape.as_slice(), &Device::Cpu);
            leaf.expect("sizes match").as_tensor().clone()
        });
        let weights: [Tensor; 6] = weights.collect::<Vec<_>>().try_into().expect("six leaves");
        let x: Vec<f32> = (0..3 * context * width).map(|i| (i * 7 % 23) as f32 / 9.0).collect();
        let x = Var::from_vec(x, (3 * context, width), &Device::Cpu).expect("sizes match");
        let x = x.as_tensor();
        for mask in [Mask::Causal, Mask::None] {
            let heads = Heads { context, heads: 3, mask };
            let fused = apply::<f32>(x, &weights, context, 3, mask).expect("valid");
            let layers = composed::<f32>(x, &weights, heads).expect("valid");
            let numbers = |tensor: &Tensor| -> Vec<f32> {
                tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("f32")
            };
            assert_eq!(numbers(&fused), numbers(&layers));
            let gradients = |y: &Tensor| {
                let weighted = (y * y).and_then(|square| square.sum_all()).expect("a scalar");
                weighted.backward().expect("every layer has a backward pass")
            };
            let (fused, layers) = (gradients(&fused), gradients(&layers));
            for variable in weights.iter().chain([x]) {
                let of = |all: &candle_core::backprop::GradStore| {
                    numbers(all.get(variable).expect("every leaf gets one"))
                };
                assert_eq!(of(&fused), of(&layers), "{:?}", variable.shape());
            }
        }
    }
}
