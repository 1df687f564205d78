//! Proxy networks: the small models whose training scores a program.
//!
//! Invariant: a network is a list of leaves in a fixed order of its own and a loss over them; all
//! its parameters live in one flat vector, which is what programs update. candle's `VarMap` is not
//! used: it orders leaves by hash and draws weights from a generator that cannot be seeded.

mod autoencoder;
mod batch;
mod block;
mod cell_net;
mod conv_net;
mod hidden;
mod lane_parameters;
mod leaf;
mod mlp;
mod parameters;
mod quadratic;
mod recurrent;
mod residual_mlp;
mod transformer;
mod vision_transformer;

use std::sync::Arc;

use candle_core::{Device, Tensor};
use evo_hashes::Seed;

use autoencoder::Autoencoder;
pub(crate) use batch::Batch;
pub(crate) use cell_net::CellNet;
use conv_net::ConvNet;
pub(crate) use lane_parameters::LaneParameters;
pub(crate) use leaf::{Leaf, initial_weights};
use mlp::Mlp;
pub(crate) use parameters::Parameters;
use quadratic::Quadratic;
use recurrent::Recurrent;
use residual_mlp::ResidualMlp;
use transformer::Transformer;
use vision_transformer::VisionTransformer;

use crate::data::{Dataset, ImageShape, RowData};
use crate::layers::{Function, Real};
use crate::task::{Between, Style};
use crate::{EvaluatorError, ModelConfig};

/// A network with its sizes, without weights.
#[derive(Clone, Debug)]
pub(crate) enum Proxy {
    Mlp(Mlp),
    ConvNet(ConvNet),
    ResidualMlp(ResidualMlp),
    Autoencoder(Autoencoder),
    VisionTransformer(VisionTransformer),
    Transformer(Transformer),
    Recurrent(Recurrent),
    Quadratic(Quadratic),
    Cell(CellNet),
}

impl Proxy {
    /// The network `model` describes, sized for `data`; `seed` draws what is part of the task
    /// rather than of a run.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] on `model` or a part of it where the two do not go together.
    pub(crate) fn new(
        model: &ModelConfig,
        data: &Dataset,
        seed: Seed,
    ) -> Result<Self, EvaluatorError> {
        let style = model.style().unwrap_or_default();
        let proxy = match (model, data) {
            (_, Dataset::Rows(rows)) => Self::of_rows(model, rows, style)?,
            (_, Dataset::Tokens(_) | Dataset::Answers(_)) => {
                data.vocabulary().and_then(|vocabulary| Self::of_tokens(model, vocabulary))
            }
            (
                &ModelConfig::Quadratic { dimension, smallest, largest, rotated, noise },
                Dataset::Noise(_),
            ) => {
                let spectrum = (smallest, largest);
                let bowl = Quadratic::new(dimension.get(), spectrum, noise, rotated, seed)?;
                Some(Self::Quadratic(bowl))
            }
            _ => None,
        };
        proxy.ok_or_else(|| EvaluatorError::config("model", "does not fit the data"))
    }

    fn of_rows(
        model: &ModelConfig,
        rows: &RowData,
        style: Style,
    ) -> Result<Option<Self>, EvaluatorError> {
        let (features, classes) = (rows.train.width, rows.classes);
        if let Some(ImageShape { height, width, .. }) = rows.image {
            model.check_image(height, width)?;
        }
        Ok(match *model {
            ModelConfig::Mlp { ref hidden, .. } => {
                Some(Self::Mlp(Mlp::new(features, hidden, classes, style)))
            }
            ModelConfig::Autoencoder { ref hidden, .. } => {
                Some(Self::Autoencoder(Autoencoder::new(features, hidden, style)))
            }
            ModelConfig::ResidualMlp { width, depth, .. } => {
                let (width, depth) = (width.get(), depth.get());
                Some(Self::ResidualMlp(ResidualMlp { features, width, depth, classes, style }))
            }
            ModelConfig::Conv { ref channels, .. } => {
                rows.image.map(|image| Self::ConvNet(ConvNet::new(image, channels, classes, style)))
            }
            ModelConfig::VisionTransformer { patch, width, layers, heads, .. } => {
                rows.image.map(|image| {
                    Self::VisionTransformer(VisionTransformer {
                        image,
                        patch: patch.get(),
                        width: width.get(),
                        layers: layers.get(),
                        heads: heads.get(),
                        classes,
                        style,
                    })
                })
            }
            _ => None,
        })
    }

    fn of_tokens(model: &ModelConfig, vocabulary: usize) -> Option<Self> {
        match *model {
            ModelConfig::Transformer { width, layers, heads, context, .. } => {
                Some(Self::Transformer(Transformer {
                    width: width.get(),
                    layers: layers.get(),
                    heads: heads.get(),
                    context: context.get(),
                    vocabulary,
                    style: model.style().unwrap_or_default(),
                }))
            }
            ModelConfig::Recurrent { width, layers, context, cell, weight_scale } => {
                Some(Self::Recurrent(Recurrent {
                    width: width.get(),
                    layers: layers.get(),
                    context: context.get(),
                    cell,
                    vocabulary,
                    weight_scale,
                }))
            }
            _ => None,
        }
    }

    /// The same network with an expression between its layers; one that has nothing there stays as
    /// it is.
    pub(crate) fn with_activation(&self, function: &Arc<Function>) -> Self {
        let mut network = self.clone();
        match &mut network {
            Self::Mlp(Mlp { style, .. })
            | Self::ConvNet(ConvNet { style, .. })
            | Self::ResidualMlp(ResidualMlp { style, .. })
            | Self::Autoencoder(Autoencoder { style, .. })
            | Self::VisionTransformer(VisionTransformer { style, .. })
            | Self::Transformer(Transformer { style, .. }) => {
                style.activation = Between::Expression(Arc::clone(function));
            }
            Self::Recurrent(_) | Self::Quadratic(_) | Self::Cell(_) => {}
        }
        network
    }

    /// The same network with whatever numbers are part of it on a device.
    ///
    /// # Errors
    /// Candle refuses the copy.
    pub(crate) fn to_device(&self, device: &Device) -> candle_core::Result<Self> {
        Ok(match self {
            Self::Quadratic(network) => Self::Quadratic(network.to_device(device)?),
            others => others.clone(),
        })
    }

    /// The parameter tensors in the order of the flat vector.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        match self {
            Self::Mlp(network) => network.leaves(),
            Self::ConvNet(network) => network.leaves(),
            Self::ResidualMlp(network) => network.leaves(),
            Self::Autoencoder(network) => network.leaves(),
            Self::VisionTransformer(network) => network.leaves(),
            Self::Transformer(network) => network.leaves(),
            Self::Recurrent(network) => network.leaves(),
            Self::Quadratic(network) => network.leaves(),
            Self::Cell(network) => network.leaves(),
        }
    }

    /// Mean loss of a batch, a scalar; `weights` are the leaves in order. It is the cross-entropy
    /// in nats, but for the autoencoder the mean squared error and for the quadratic its value.
    /// Leaves with a dimension for the lanes in front give the loss of every lane, \[lanes\].
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Tensor],
        batch: &Batch,
    ) -> candle_core::Result<Tensor> {
        match batch {
            Batch::Rows { features, labels } => match self {
                Self::Mlp(network) => network.loss::<T>(weights, features, labels),
                Self::ConvNet(network) => network.loss::<T>(weights, features, labels),
                Self::ResidualMlp(network) => network.loss::<T>(weights, features, labels),
                Self::VisionTransformer(network) => network.loss::<T>(weights, features, labels),
                Self::Autoencoder(network) => network.loss::<T>(weights, features),
                Self::Cell(network) => network.loss::<T>(weights, features, labels),
                _ => candle_core::bail!("the network does not read rows"),
            },
            Batch::Tokens { inputs, targets } => match self {
                Self::Transformer(network) => network.loss::<T>(weights, inputs, targets),
                Self::Recurrent(network) => network.loss::<T>(weights, inputs, targets),
                _ => candle_core::bail!("the network does not read tokens"),
            },
            Batch::Noise { mean } => match self {
                Self::Quadratic(network) => network.loss::<T>(weights, mean),
                _ => candle_core::bail!("the network reads data"),
            },
        }
    }
}

#[cfg(test)]
mod tests;
