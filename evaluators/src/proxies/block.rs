//! The block of transformers: x + attention(norm(x)), then x + mlp(norm(x)).
//!
//! The MLP has a hidden size of 4 · width; linear maps have no bias.
//! Invariant: leaves are those of the norm, qkv, out, those of the norm, up, down for each block.
//! Maps that write to the residual stream start smaller by sqrt(2 · layers), as in GPT-2.

use candle_core::{Result, Tensor};

use super::Leaf;
use crate::layers::{
    Activation, Attention, Heads, Real, activate, attention_block, mlp_block, project, project_onto,
};
use crate::task::{Between, Style};
use crate::{Activation as Named, Normalisation};

/// The leaves of `layers` blocks.
pub(super) fn leaves(style: &Style, width: usize, layers: usize) -> Vec<Leaf> {
    let scale = style.weight_scale;
    let linear = scale * Leaf::linear_deviation(width);
    let residual = 1.0 / (2.0 * layers as f64).sqrt();
    let inner = scale * Leaf::linear_deviation(4 * width);
    let mut block = style.normalisation_leaves(width);
    block.push(Leaf::normal([width, 3 * width], linear));
    block.push(Leaf::normal([width, width], linear * residual));
    block.extend(style.normalisation_leaves(width));
    block.push(Leaf::normal([width, 4 * width], scale * style.deviation(width)));
    block.push(Leaf::normal([4 * width, width], inner * residual));
    std::iter::repeat_n(block, layers).flatten().collect()
}

/// Leaves of a block.
pub(super) fn count(style: &Style) -> usize {
    4 + 2 * style.normalisation_count()
}

/// One block over the sequences of `x`; `weights` are its leaves.
pub(super) fn apply<T: Real>(
    style: &Style,
    x: &Tensor,
    weights: &[Tensor],
    heads: Heads,
) -> Result<Tensor> {
    match weights {
        [gain, qkv, out, mlp_gain, up, down] if is_usual(style) && gain.rank() == 1 => {
            let x = attention_block::<T>(x, gain, qkv, out, heads)?;
            mlp_block::<T>(&x, mlp_gain, up, down)
        }
        _ => composed::<T>(style, x, weights, heads),
    }
}

/// Whether the fused halves are of this style.
fn is_usual(style: &Style) -> bool {
    let relu = matches!(style.activation, Between::Known(Named::Relu));
    relu && style.normalisation == Normalisation::Rms
}

/// The same block layer by layer, for other styles, and for weights with more dimensions than the
/// fused halves take.
fn composed<T: Real>(
    style: &Style,
    x: &Tensor,
    weights: &[Tensor],
    heads: Heads,
) -> Result<Tensor> {
    let (norm, rest) = weights.split_at(style.normalisation_count());
    let [qkv, out, rest @ ..] = rest else { candle_core::bail!("a block has attention") };
    let (mlp_norm, rest) = rest.split_at(style.normalisation_count());
    let [up, down] = rest else { candle_core::bail!("a block has two maps in its MLP") };
    let Heads { context, heads, mask } = heads;
    let normal = style.normalise::<T>(x.clone(), norm)?;
    let packed = project::<T>(&normal, qkv, Activation::Identity)?;
    let mixed = Attention::of::<T>(&packed, context, heads, mask)?;
    let x = project_onto::<T>(x, &mixed, out)?;
    let normal = style.normalise::<T>(x.clone(), mlp_norm)?;
    let hidden = match &style.activation {
        Between::Known(Named::Relu) => project::<T>(&normal, up, Activation::Relu)?,
        other => activate::<T>(&project::<T>(&normal, up, Activation::Identity)?, other)?,
    };
    project_onto::<T>(&x, &hidden, down)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};
    use evo_hashes::Seed;

    use crate::layers::Mask;
    use crate::proxies::initial_weights;

    #[test]
    fn the_halves_give_the_bits_of_the_layers() {
        let (width, context) = (12, 5);
        let style = &Style { normalisation: Normalisation::Rms, ..Style::default() };
        let leaves = leaves(style, width, 1);
        let numbers = initial_weights(&leaves, &mut Seed(0).stream("weights", 0));
        let mut rest = numbers.as_slice();
        let weights = leaves.iter().map(|leaf| {
            let (own, later) = rest.split_at(leaf.shape.iter().product());
            rest = later;
            let leaf = Var::from_slice(own, leaf.shape.as_slice(), &Device::Cpu);
            leaf.expect("sizes match").as_tensor().clone()
        });
        let weights: Vec<Tensor> = weights.collect();
        assert_eq!(weights.len(), count(style));
        let x: Vec<f32> = (0..3 * context * width).map(|i| (i * 7 % 23) as f32 / 9.0).collect();
        let x = Var::from_vec(x, (3 * context, width), &Device::Cpu).expect("sizes match");
        let x = x.as_tensor();
        for mask in [Mask::Causal, Mask::None] {
            let heads = Heads { context, heads: 3, mask };
            let fused = apply::<f32>(style, x, &weights, heads).expect("valid");
            let layers = composed::<f32>(style, x, &weights, heads).expect("valid");
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
