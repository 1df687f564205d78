//! The recurrent language model: embeddings, recurrent layers, then a logit for each token.
//!
//! Invariant: leaves are the table; weight, bias and state weight of each layer; then the head. The
//! state weight starts no larger than keeps a state's size, so that gradients neither vanish nor
//! explode at once over a window.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::Leaf;
use crate::Cell;
use crate::layers::{Activation, CrossEntropy, Real, Recurrence, dense, lookup, project};

/// A recurrent network over tokens.
#[derive(Clone, Debug)]
pub(crate) struct Recurrent {
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) context: usize,
    pub(crate) cell: Cell,
    pub(crate) vocabulary: usize,
    pub(crate) weight_scale: f64,
}

impl Recurrent {
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let (width, projected) = (self.width, self.cell.blocks() * self.width);
        let linear = self.weight_scale * Leaf::linear_deviation(width);
        let mut leaves = vec![Leaf::normal([self.vocabulary, width], 1.0).embedding()];
        for _ in 0..self.layers {
            leaves.push(Leaf::normal([width, projected], linear));
            leaves.push(Leaf::zeros([projected]));
            leaves.push(Leaf::normal([width, projected], linear));
        }
        leaves.push(Leaf::normal([width, self.vocabulary], 0.1 * linear).output());
        leaves
    }

    /// `inputs` and `targets` are \[batch · context\]; a target is the token after its input.
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Tensor],
        inputs: &Arc<[u32]>,
        targets: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let [table, layers @ .., head] = weights else {
            candle_core::bail!("a recurrent network has at least five leaves");
        };
        let mut x = lookup::<T>(table, inputs)?;
        let (layers, _) = layers.as_chunks::<3>();
        for [w, bias, u] in layers {
            let projected = dense::<T>(&x, w, bias, Activation::Identity)?;
            x = Recurrence::of::<T>(&projected, u, self.context, self.cell)?;
        }
        let logits = project::<T>(&x, head, Activation::Identity)?;
        CrossEntropy::of::<T>(&logits, targets)
    }
}
