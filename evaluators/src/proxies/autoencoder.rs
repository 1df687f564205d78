//! The autoencoder: hidden layers down to a narrow code and, mirrored, back to the features.
//!
//! Invariant: leaves are those of each layer from input to output. The code and the last layer are
//! linear, without normalisation: a code of relus would be half as wide. The loss, the mean squared
//! error, starts near the mean square of the features, since the last layer starts small.

use std::num::NonZeroUsize;

use candle_core::{Result, Tensor};

use super::Leaf;
use crate::layers::{Activation, Real, dense, squared_error};
use crate::task::Style;

/// A fully connected autoencoder.
#[derive(Clone, Debug)]
pub(crate) struct Autoencoder {
    /// Widths from the features to the code.
    widths: Vec<usize>,
    pub(super) style: Style,
}

impl Autoencoder {
    /// `hidden` ends with the code, and is not empty.
    pub(crate) fn new(features: usize, hidden: &[NonZeroUsize], style: Style) -> Self {
        let mut widths = vec![features];
        widths.extend(hidden.iter().map(|width| width.get()));
        Self { widths, style }
    }

    /// Widths from the features to the code and back.
    fn all_widths(&self) -> Vec<usize> {
        let back = self.widths.iter().rev().skip(1);
        self.widths.iter().chain(back).copied().collect()
    }

    /// Whether a layer, counted from 0, is linear.
    fn linear(&self, layer: usize) -> bool {
        let code = self.widths.len() - 2;
        layer == code || layer == 2 * code + 1
    }

    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let style = &self.style;
        let widths = self.all_widths();
        let last = widths.len() - 2;
        let mut leaves = Vec::new();
        for (layer, ends) in widths.windows(2).enumerate() {
            if layer == last {
                leaves.extend(style.last_leaves(ends[0], ends[1]));
            } else if self.linear(layer) {
                let deviation = style.weight_scale * Leaf::linear_deviation(ends[0]);
                leaves.extend([Leaf::normal(ends, deviation), Leaf::zeros([ends[1]])]);
            } else {
                leaves.extend(style.leaves(ends, ends[0], ends[1]));
            }
        }
        leaves
    }

    /// `features` is \[batch, features\].
    pub(crate) fn loss<T: Real>(&self, weights: &[Tensor], features: &Tensor) -> Result<Tensor> {
        let mut rest = weights;
        let mut x = features.clone();
        for layer in 0..2 * (self.widths.len() - 1) {
            let count = if self.linear(layer) { 2 } else { self.style.count() };
            let (weights, later) = rest.split_at(count);
            x = if self.linear(layer) {
                dense::<T>(&x, &weights[0], &weights[1], Activation::Identity)?
            } else {
                self.style.dense::<T>(&x, weights)?
            };
            rest = later;
        }
        squared_error::<T>(&x, features)
    }
}
