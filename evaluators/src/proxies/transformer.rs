//! The language model: a decoder-only transformer with RMS normalisation before each block.
//!
//! x = embedding + position; each layer adds attention(norm(x)), then mlp(norm(x)) with relu and a
//! hidden size of 4 · width; logits = norm(x)·head. Linear maps have no bias.
//! Invariant: leaves are table, positions, then gain, qkv, out, gain, up, down for each layer, then
//! gain and head. Maps that write to the residual start smaller by sqrt(2 · layers), as in GPT-2.

use std::sync::Arc;

use candle_core::{Result, Tensor, Var};

use super::Leaf;
use crate::layers::{
    Activation, CausalAttention, CrossEntropy, Embedding, Real, RmsNorm, project, project_onto,
};

/// A decoder-only transformer.
#[derive(Clone, Debug)]
pub(crate) struct Transformer {
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) context: usize,
    pub(crate) vocabulary: usize,
}

/// Standard deviation of initial embeddings and positions.
const EMBEDDING_DEVIATION: f64 = 0.5;

impl Transformer {
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let width = self.width;
        let linear = Leaf::linear_deviation(width);
        let residual = 1.0 / (2.0 * self.layers as f64).sqrt();
        let mut leaves = vec![
            Leaf::normal([self.vocabulary, width], EMBEDDING_DEVIATION),
            Leaf::normal([self.context, width], EMBEDDING_DEVIATION),
        ];
        for _ in 0..self.layers {
            leaves.extend([
                Leaf::ones([width]),
                Leaf::normal([width, 3 * width], linear),
                Leaf::normal([width, width], linear * residual),
                Leaf::ones([width]),
                Leaf::normal([width, 4 * width], Leaf::relu_deviation(width)),
                Leaf::normal([4 * width, width], Leaf::linear_deviation(4 * width) * residual),
            ]);
        }
        leaves.push(Leaf::ones([width]));
        leaves.push(Leaf::normal([width, self.vocabulary], 0.1 * linear));
        leaves
    }

    /// `inputs` and `targets` are \[batch · context\]; a target is the token after its input.
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Var],
        inputs: &Arc<[u32]>,
        targets: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let [table, positions, body @ .., gain, head] = weights else {
            candle_core::bail!("a transformer has at least four leaves");
        };
        let mut x = Embedding::<T>::of(table, positions, inputs)?;
        let (layers, _) = body.as_chunks::<6>();
        for layer in layers {
            x = self.layer::<T>(&x, layer)?;
        }
        let x = RmsNorm::<T>::of(&x, gain)?;
        let logits = project::<T>(&x, head, Activation::Identity)?;
        CrossEntropy::<T>::of(&logits, targets)
    }

    fn layer<T: Real>(&self, x: &Tensor, weights: &[Var; 6]) -> Result<Tensor> {
        let [gain, qkv, out, mlp_gain, up, down] = weights;
        let normal = RmsNorm::<T>::of(x, gain)?;
        let packed = project::<T>(&normal, qkv, Activation::Identity)?;
        let mixed = CausalAttention::<T>::of(&packed, self.context, self.heads)?;
        let x = project_onto::<T>(x, &mixed, out)?;
        let normal = RmsNorm::<T>::of(&x, mlp_gain)?;
        let hidden = project::<T>(&normal, up, Activation::Relu)?;
        project_onto::<T>(&x, &hidden, down)
    }
}
