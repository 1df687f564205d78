//! The residual network: x = features·w + bias, then blocks that add to it, then a class each.
//!
//! A block is x + down(activation(up(norm(x)))); logits = norm(x)·head + bias.
//! Invariant: leaves are weight and bias of the first layer; normalisation, weight, bias, weight
//! and bias of each block; then normalisation, weight and bias of the last layer. What writes to
//! the residual stream starts smaller by sqrt(depth), so that depth does not change its size.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::Leaf;
use crate::layers::{Activation, Real, activate, classify, dense, sum};
use crate::task::Style;

/// A residual network of fully connected blocks.
#[derive(Clone, Debug)]
pub(crate) struct ResidualMlp {
    pub(crate) features: usize,
    pub(crate) width: usize,
    pub(crate) depth: usize,
    pub(crate) classes: usize,
    pub(crate) style: Style,
}

impl ResidualMlp {
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let &Self { features, width, depth, classes, ref style } = self;
        let scale = style.weight_scale;
        let first = scale * Leaf::linear_deviation(features);
        let mut leaves = vec![Leaf::normal([features, width], first), Leaf::zeros([width])];
        let down = scale * Leaf::linear_deviation(width) / (depth as f64).sqrt();
        for _ in 0..depth {
            leaves.extend(style.normalisation_leaves(width));
            leaves.push(Leaf::normal([width, width], scale * style.deviation(width)));
            leaves.push(Leaf::zeros([width]));
            leaves.push(Leaf::normal([width, width], down));
            leaves.push(Leaf::zeros([width]));
        }
        leaves.extend(style.normalisation_leaves(width));
        leaves.extend(style.last_leaves(width, classes));
        leaves
    }

    /// `features` is \[batch, features\].
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Tensor],
        features: &Tensor,
        labels: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let count = self.style.normalisation_count();
        let (first, weights) = weights.split_at(2);
        let (blocks, last) = weights.split_at(self.depth * (count + 4));
        let mut x = dense::<T>(features, &first[0], &first[1], Activation::Identity)?;
        for block in blocks.chunks_exact(count + 4) {
            let (normalisation, block) = block.split_at(count);
            let normal = self.style.normalise::<T>(x.clone(), normalisation)?;
            let hidden = dense::<T>(&normal, &block[0], &block[1], Activation::Identity)?;
            let hidden = activate::<T>(&hidden, &self.style.activation)?;
            let more = dense::<T>(&hidden, &block[2], &block[3], Activation::Identity)?;
            x = sum(&x, &more)?;
        }
        let (normalisation, last) = last.split_at(count);
        let x = self.style.normalise::<T>(x, normalisation)?;
        classify::<T>(&x, &last[0], &last[1], labels)
    }
}
