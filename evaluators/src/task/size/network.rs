//! The size of a network: its weights, and what it keeps of one example.
//!
//! Invariant: both are at least what the network comes to hold, and weights not much more; a test
//! holds the estimates against the leaves of every family. They are not counted from the leaves, as
//! a list of those is itself sized by the configuration.

use std::num::NonZeroUsize;

use super::{Reads, number};
use crate::{Cell, ModelConfig};

impl ModelConfig {
    /// Layers one behind the other, a block of several being one.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Mlp { hidden, .. } => hidden.len(),
            Self::Autoencoder { hidden, .. } => 2 * hidden.len(),
            Self::Conv { channels, .. } => channels.len(),
            Self::ResidualMlp { depth, .. } => depth.get(),
            Self::VisionTransformer { layers, .. }
            | Self::Transformer { layers, .. }
            | Self::Recurrent { layers, .. } => layers.get(),
            Self::Quadratic { .. } => 1,
        }
    }

    /// Weights of the network.
    pub(crate) fn weights(&self, reads: &Reads) -> f64 {
        let &Reads { features, classes, image: [height, width, channels] } = reads;
        match self {
            Self::Mlp { hidden, .. } => {
                dense(chain(features, hidden)) + affine(last(features, hidden), classes)
            }
            Self::Autoencoder { hidden, .. } => {
                let back = pairs(chain(features, hidden)).map(|(from, to)| layer(to, from));
                dense(chain(features, hidden)) + back.sum::<f64>()
            }
            Self::Conv { channels: filters, .. } => {
                let filtered = pairs(chain(channels, filters));
                let convolutions: f64 = filtered.map(|(from, to)| layer(9.0 * from, to)).sum();
                let pixels = shrunk(height, filters.len()) * shrunk(width, filters.len());
                convolutions + affine(pixels * last(channels, filters), classes)
            }
            Self::ResidualMlp { width, depth, .. } => {
                let width = number(*width);
                let block = layer(width, width) + layer(width, width);
                layer(features, width) + number(*depth) * block + affine(width, classes)
            }
            Self::VisionTransformer { patch, width: stream, layers, .. } => {
                let (patch, stream) = (number(*patch), number(*stream));
                let patches = height * width / (patch * patch);
                layer(patch * patch * channels, stream)
                    + patches * stream
                    + blocks(stream, layers.get())
                    + affine(stream, classes)
            }
            Self::Transformer { width, layers, context, .. } => {
                let width = number(*width);
                width * (2.0 * features + number(*context) + 2.0) + blocks(width, layers.get())
            }
            Self::Recurrent { width, layers, cell, .. } => {
                let (width, projections) = (number(*width), cell.projections());
                let recurrent = projections * width * (2.0 * width + 1.0);
                width * 2.0 * features + recurrent * number(*layers)
            }
            Self::Quadratic { dimension, rotated, .. } => {
                let dimension = number(*dimension);
                if *rotated { dimension * (dimension + 1.0) } else { dimension }
            }
        }
    }

    /// Numbers kept for one example, itself included, between the forward and the backward pass.
    pub(super) fn activations(&self, reads: &Reads) -> f64 {
        let &Reads { features, classes, image: [height, width, channels] } = reads;
        let inner = |widths: &[NonZeroUsize]| -> f64 { widths.iter().copied().map(number).sum() };
        match self {
            Self::Mlp { hidden, .. } => features + 3.0 * inner(hidden) + classes,
            Self::Autoencoder { hidden, .. } => 2.0 * features + 6.0 * inner(hidden),
            Self::Conv { channels: filters, .. } => {
                let of_layer = |(index, (from, to)): (usize, (f64, f64))| {
                    let pixels = shrunk(height, index + 1) * shrunk(width, index + 1);
                    pixels * (9.0 * from + 3.0 * to)
                };
                let layers = pairs(chain(channels, filters)).enumerate();
                features + layers.map(of_layer).sum::<f64>() + classes
            }
            Self::ResidualMlp { width, depth, .. } => {
                features + 5.0 * number(*width) * (1.0 + number(*depth)) + classes
            }
            Self::VisionTransformer { patch, width: stream, layers, heads, .. } => {
                let patch = number(*patch);
                let patches = height * width / (patch * patch);
                let tokens = attended(patches, stream.get(), heads.get(), layers.get());
                2.0 * features + tokens + classes
            }
            Self::Transformer { width, layers, heads, context, .. } => {
                let context = number(*context);
                let logits = context * features;
                logits + attended(context, width.get(), heads.get(), layers.get())
            }
            Self::Recurrent { width, layers, context, cell, .. } => {
                let step = 4.0 * cell.projections() * number(*width) * number(*layers);
                number(*context) * (features + step)
            }
            // One noise vector serves a whole batch, whatever its size.
            Self::Quadratic { .. } => 0.0,
        }
    }
}

impl Cell {
    fn projections(self) -> f64 {
        match self {
            Self::Elman => 1.0,
            Self::Gated => 3.0,
        }
    }
}

/// Weights of a layer with its bias.
fn affine(from: f64, to: f64) -> f64 {
    (from + 1.0) * to
}

/// And with its normalisation.
fn layer(from: f64, to: f64) -> f64 {
    affine(from + 2.0, to)
}

/// Weights of a chain of layers.
fn dense(widths: impl Iterator<Item = f64> + Clone) -> f64 {
    pairs(widths).map(|(from, to)| layer(from, to)).sum()
}

/// Weights of blocks of attention and MLP.
fn blocks(width: f64, layers: usize) -> f64 {
    (12.0 * width * width + 6.0 * width) * layers as f64
}

/// Numbers kept of blocks of attention and MLP over a sequence.
fn attended(length: f64, width: usize, heads: usize, layers: usize) -> f64 {
    length * (16.0 * width as f64 + heads as f64 * length) * layers as f64
}

/// Pixels of a side behind so many convolutions, of which all but the first halve it.
fn shrunk(side: f64, convolutions: usize) -> f64 {
    (1..convolutions).take(64).fold(side, |side, _| (side / 2.0).ceil())
}

/// Widths from the first on.
fn chain(first: f64, widths: &[NonZeroUsize]) -> impl Iterator<Item = f64> + Clone {
    std::iter::once(first).chain(widths.iter().copied().map(number))
}

fn last(first: f64, widths: &[NonZeroUsize]) -> f64 {
    widths.last().map_or(first, |width| number(*width))
}

/// Neighbouring widths.
fn pairs(widths: impl Iterator<Item = f64> + Clone) -> impl Iterator<Item = (f64, f64)> {
    widths.clone().zip(widths.skip(1))
}
