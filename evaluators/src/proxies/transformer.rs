//! The language model: a decoder-only transformer with RMS normalisation before each block.
//!
//! x = embedding + position, then the blocks, then logits = norm(x)·head.
//! Invariant: leaves are table, positions, those of each block, then gain and head.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::{Leaf, block};
use crate::layers::{Activation, CrossEntropy, Embedding, Mask, Real, normed_project};

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
        let mut leaves = vec![
            Leaf::normal([self.vocabulary, width], EMBEDDING_DEVIATION),
            Leaf::normal([self.context, width], EMBEDDING_DEVIATION),
        ];
        leaves.extend(block::leaves(width, self.layers));
        leaves.push(Leaf::ones([width]));
        leaves.push(Leaf::normal([width, self.vocabulary], 0.1 * linear));
        leaves
    }

    /// `inputs` and `targets` are \[batch · context\]; a target is the token after its input.
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Tensor],
        inputs: &Arc<[u32]>,
        targets: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let [table, positions, body @ .., gain, head] = weights else {
            candle_core::bail!("a transformer has at least four leaves");
        };
        let mut x = Embedding::<T>::of(table, positions, inputs)?;
        let (layers, _) = body.as_chunks::<6>();
        for layer in layers {
            x = block::apply::<T>(&x, layer, self.context, self.heads, Mask::Causal)?;
        }
        let logits = normed_project::<T>(&x, gain, head, Activation::Identity)?;
        CrossEntropy::<T>::of(&logits, targets)
    }
}
