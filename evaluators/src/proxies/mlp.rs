//! The fully connected network: hidden layers, then a class each at the end.
//!
//! Invariant: leaves are those of each layer from input to output, the last one being weight \[in,
//! out\] and bias \[out\]. It starts small (a tenth of the usual size), so that the first loss is
//! close to ln(classes).

use std::num::NonZeroUsize;
use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::Leaf;
use crate::layers::{Real, classify};
use crate::task::Style;

/// A fully connected network.
#[derive(Clone, Debug)]
pub(crate) struct Mlp {
    /// Widths from the features to the classes.
    widths: Vec<usize>,
    pub(super) style: Style,
}

impl Mlp {
    pub(crate) fn new(
        features: usize,
        hidden: &[NonZeroUsize],
        classes: usize,
        style: Style,
    ) -> Self {
        let mut widths = vec![features];
        widths.extend(hidden.iter().map(|width| width.get()));
        widths.push(classes);
        Self { widths, style }
    }

    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let (last, hidden) = self.widths.split_last().expect("two widths at least");
        let mut leaves = Vec::new();
        for ends in hidden.windows(2) {
            leaves.extend(self.style.leaves(ends, ends[0], ends[1]));
        }
        let inputs = hidden.last().expect("the features are always there");
        leaves.extend(self.style.last_leaves(*inputs, *last));
        leaves
    }

    /// `features` is \[batch, features\].
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Tensor],
        features: &Tensor,
        labels: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let [hidden @ .., w, bias] = weights else {
            candle_core::bail!("a last layer is always there");
        };
        let mut x = features.clone();
        for layer in hidden.chunks_exact(self.style.count()) {
            x = self.style.dense::<T>(&x, layer)?;
        }
        classify::<T>(&x, w, bias, labels)
    }
}
