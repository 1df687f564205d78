//! The language model: a decoder-only transformer with normalisation before each block.
//!
//! x = embedding + position, then the blocks, then logits = norm(x)·head.
//! Invariant: leaves are table, positions, those of each block, those of the norm, then the head.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::{Leaf, block};
use crate::Normalisation;
use crate::layers::{
    Activation, CrossEntropy, Embedding, Heads, Mask, Real, normed_project, project,
};
use crate::task::Style;

/// A decoder-only transformer.
#[derive(Clone, Debug)]
pub(crate) struct Transformer {
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) context: usize,
    pub(crate) vocabulary: usize,
    pub(crate) style: Style,
}

/// Standard deviation of initial embeddings and positions.
const EMBEDDING_DEVIATION: f64 = 0.5;

impl Transformer {
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let width = self.width;
        let linear = Leaf::linear_deviation(width);
        let mut leaves = vec![
            Leaf::normal([self.vocabulary, width], EMBEDDING_DEVIATION).embedding(),
            Leaf::normal([self.context, width], EMBEDDING_DEVIATION).embedding(),
        ];
        leaves.extend(block::leaves(&self.style, width, self.layers));
        leaves.extend(self.style.normalisation_leaves(width));
        let scale = 0.1 * self.style.weight_scale;
        leaves.push(Leaf::normal([width, self.vocabulary], scale * linear).output());
        leaves
    }

    /// `inputs` and `targets` are \[batch · context\]; a target is the token after its input.
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Tensor],
        inputs: &Arc<[u32]>,
        targets: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let [table, positions, body @ .., head] = weights else {
            candle_core::bail!("a transformer has at least three leaves");
        };
        let mut x = Embedding::of::<T>(table, positions, inputs)?;
        let style = &self.style;
        let (blocks, norm) = body.split_at(self.layers * block::count(style));
        let heads = Heads { context: self.context, heads: self.heads, mask: Mask::Causal };
        for layer in blocks.chunks_exact(block::count(style)) {
            x = block::apply::<T>(style, &x, layer, heads)?;
        }
        let logits = match (style.normalisation, norm) {
            (Normalisation::Rms, [gain]) => {
                normed_project::<T>(&x, gain, head, Activation::Identity)?
            }
            _ => project::<T>(&style.normalise::<T>(x, norm)?, head, Activation::Identity)?,
        };
        CrossEntropy::of::<T>(&logits, targets)
    }
}
