//! Proxy networks: the small models whose training scores a program.
//!
//! Invariant: a network is a list of leaves in a fixed order of its own and a loss over them; all its
//! parameters live in one flat vector, which is what programs update. candle's `VarMap` is not
//! used: it orders leaves by hash and draws weights from a generator that cannot be seeded.

mod batch;
mod conv_net;
mod leaf;
mod mlp;
mod parameters;
mod transformer;

use candle_core::{Result, Tensor, Var};

pub(crate) use batch::Batch;
use conv_net::ConvNet;
pub(crate) use leaf::{Leaf, initial_weights};
use mlp::Mlp;
pub(crate) use parameters::Parameters;
use transformer::Transformer;

use crate::ModelConfig;
use crate::data::Dataset;
use crate::layers::Real;

/// A network with its sizes, without weights.
#[derive(Clone, Debug)]
pub(crate) enum Proxy {
    Mlp(Mlp),
    ConvNet(ConvNet),
    Transformer(Transformer),
}

impl Proxy {
    /// The network `model` describes, sized for `data`; `None` where the two do not go together.
    pub(crate) fn new(model: &ModelConfig, data: &Dataset) -> Option<Self> {
        match (model, data) {
            (ModelConfig::Mlp { hidden }, Dataset::Rows(rows)) => {
                Some(Self::Mlp(Mlp::new(rows.train.width, hidden, rows.classes)))
            }
            (ModelConfig::Conv { channels }, Dataset::Rows(rows)) => {
                rows.image.map(|image| Self::ConvNet(ConvNet::new(image, channels, rows.classes)))
            }
            (&ModelConfig::Transformer { width, layers, heads, context }, data) => {
                Some(Self::Transformer(Transformer {
                    width: width.get(),
                    layers: layers.get(),
                    heads: heads.get(),
                    context: context.get(),
                    vocabulary: data.vocabulary()?,
                }))
            }
            _ => None,
        }
    }

    /// The parameter tensors in the order of the flat vector.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        match self {
            Self::Mlp(mlp) => mlp.leaves(),
            Self::ConvNet(conv_net) => conv_net.leaves(),
            Self::Transformer(transformer) => transformer.leaves(),
        }
    }

    /// Mean cross-entropy of a batch in nats, a scalar; `weights` are the leaves in order.
    pub(crate) fn loss<T: Real>(&self, weights: &[Var], batch: &Batch) -> Result<Tensor> {
        match (self, batch) {
            (Self::Mlp(mlp), Batch::Rows { features, labels }) => {
                mlp.loss::<T>(weights, features, labels)
            }
            (Self::ConvNet(conv_net), Batch::Rows { features, labels }) => {
                conv_net.loss::<T>(weights, features, labels)
            }
            (Self::Transformer(transformer), Batch::Tokens { inputs, targets }) => {
                transformer.loss::<T>(weights, inputs, targets)
            }
            _ => candle_core::bail!("the batch does not fit the network"),
        }
    }
}

#[cfg(test)]
mod tests;
