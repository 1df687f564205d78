//! The fully connected network: dense layers with relu between them, a class each at the end.
//!
//! Invariant: leaves are weight \[in, out\], bias \[out\] for each layer from input to output. The last
//! layer starts small (a tenth of the usual size), so that the first loss is close to ln(classes).

use std::num::NonZeroUsize;
use std::sync::Arc;

use candle_core::{Result, Tensor, Var};

use super::Leaf;
use crate::layers::{Activation, CrossEntropy, Real, dense};

/// A fully connected network.
#[derive(Clone, Debug)]
pub(crate) struct Mlp {
    /// Widths from the features to the classes.
    widths: Vec<usize>,
}

impl Mlp {
    pub(crate) fn new(features: usize, hidden: &[NonZeroUsize], classes: usize) -> Self {
        let mut widths = vec![features];
        widths.extend(hidden.iter().map(|width| width.get()));
        widths.push(classes);
        Self { widths }
    }

    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let last = self.widths.len() - 2;
        let layer = |(index, ends): (usize, &[usize])| {
            let deviation = if index == last {
                0.1 * Leaf::linear_deviation(ends[0])
            } else {
                Leaf::relu_deviation(ends[0])
            };
            [Leaf::normal(ends, deviation), Leaf::zeros([ends[1]])]
        };
        self.widths.windows(2).enumerate().flat_map(layer).collect()
    }

    /// `features` is \[batch, features\].
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Var],
        features: &Tensor,
        labels: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let (layers, _) = weights.as_chunks::<2>();
        let mut x = features.clone();
        for (index, [w, bias]) in layers.iter().enumerate() {
            let activation =
                if index + 1 == layers.len() { Activation::Identity } else { Activation::Relu };
            x = dense::<T>(&x, w, bias, activation)?;
        }
        CrossEntropy::<T>::of(&x, labels)
    }
}
