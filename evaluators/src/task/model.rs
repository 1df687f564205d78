//! The network of a task: its family and its sizes.
//!
//! Invariant: a variant and its fields say everything about the network that its data does not, and
//! a field that is left out has the default stated at it.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::style::{Activation, Between, Normalisation, Style};
use super::style::{is_default, is_one, one};
use crate::EvaluatorError;

/// The network of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ModelConfig {
    /// Fully connected layers.
    Mlp {
        /// Widths of the hidden layers; none gives a linear classifier.
        hidden: Vec<NonZeroUsize>,
        /// Between layers. Default: `Relu`.
        #[serde(default, skip_serializing_if = "is_default")]
        activation: Activation,
        /// Before each activation. Default: `None`.
        #[serde(default, skip_serializing_if = "is_default")]
        normalisation: Normalisation,
        /// Factor of the initial weights' size. Default: 1.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        weight_scale: f64,
    },
    /// 3×3 convolutions, the second and later ones of stride 2, then one dense layer.
    Conv {
        /// Output channels of each convolution.
        channels: Vec<NonZeroUsize>,
        /// Behind each convolution. Default: `Relu`.
        #[serde(default, skip_serializing_if = "is_default")]
        activation: Activation,
        /// Before each activation, over the channels of a pixel. Default: `None`.
        #[serde(default, skip_serializing_if = "is_default")]
        normalisation: Normalisation,
        /// Factor of the initial weights' size. Default: 1.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        weight_scale: f64,
    },
    /// A residual stream that fully connected blocks, each behind a normalisation, add to.
    ResidualMlp {
        /// Size of the residual stream, and of the hidden layer in each block.
        width: NonZeroUsize,
        /// Blocks of two layers.
        depth: NonZeroUsize,
        /// In each block. Default: `Relu`.
        #[serde(default, skip_serializing_if = "is_default")]
        activation: Activation,
        /// In front of each block and of the last layer. Default: `Layer`.
        #[serde(default = "layer", skip_serializing_if = "is_layer")]
        normalisation: Normalisation,
        /// Factor of the initial weights' size. Default: 1.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        weight_scale: f64,
    },
    /// Fully connected layers that give their inputs back through a narrow code; the loss is the
    /// mean squared error, labels are not looked at.
    Autoencoder {
        /// Widths from the first layer to the code, which is linear; the way back mirrors them.
        hidden: Vec<NonZeroUsize>,
        /// Between layers. Default: `Relu`.
        #[serde(default, skip_serializing_if = "is_default")]
        activation: Activation,
        /// Before each activation. Default: `None`.
        #[serde(default, skip_serializing_if = "is_default")]
        normalisation: Normalisation,
        /// Factor of the initial weights' size. Default: 1.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        weight_scale: f64,
    },
    /// An image classifier: patches as tokens, blocks of attention and MLP, their mean.
    VisionTransformer {
        /// Pixels of a patch in each direction; divides the image's height and width.
        patch: NonZeroUsize,
        /// Size of the residual stream.
        width: NonZeroUsize,
        /// Blocks of attention and MLP.
        layers: NonZeroUsize,
        /// Attention heads; divides `width`.
        heads: NonZeroUsize,
        /// In the MLP of each block. Default: `Relu`.
        #[serde(default, skip_serializing_if = "is_default")]
        activation: Activation,
        /// In front of attention, of each MLP and of the last layer. Default: `Rms`.
        #[serde(default = "rms", skip_serializing_if = "is_rms")]
        normalisation: Normalisation,
        /// Factor of the initial weights' size. Default: 1.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        weight_scale: f64,
    },
    /// A decoder-only language model with a normalisation before each block.
    Transformer {
        /// Size of the residual stream.
        width: NonZeroUsize,
        /// Blocks of attention and MLP.
        layers: NonZeroUsize,
        /// Attention heads; divides `width`.
        heads: NonZeroUsize,
        /// Tokens a window holds.
        context: NonZeroUsize,
        /// In the MLP of each block. Default: `Relu`.
        #[serde(default, skip_serializing_if = "is_default")]
        activation: Activation,
        /// In front of attention, of each MLP and of the last layer. Default: `Rms`.
        #[serde(default = "rms", skip_serializing_if = "is_rms")]
        normalisation: Normalisation,
        /// Factor of the initial weights' size. Default: 1.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        weight_scale: f64,
    },
    /// A recurrent language model, unrolled over a window.
    Recurrent {
        /// Size of the state, and of the embeddings.
        width: NonZeroUsize,
        /// Recurrent layers, one above the other. Default: 1.
        #[serde(default = "one_layer", skip_serializing_if = "is_one_layer")]
        layers: NonZeroUsize,
        /// Tokens a window holds.
        context: NonZeroUsize,
        /// How a state follows from the one before. Default: `Gated`.
        #[serde(default, skip_serializing_if = "is_default")]
        cell: Cell,
        /// Factor of the initial weights' size. Default: 1.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        weight_scale: f64,
    },
    /// A quadratic with noisy gradients, without a network; its data is `None`.
    ///
    /// The loss of a batch is `½ Σ λᵢ (xᵢ − oᵢ − cᵢ)²`, each `cᵢ` normal with variance `noise² /
    /// (λᵢ · batch size)`, so that the gradient noise has the curvature as its covariance (arXiv
    /// 1907.04164). The validation loss is that without noise. Weights start normal, and so is the
    /// optimum `o`, fixed for the task: one at the origin would be reached by the update `w`.
    Quadratic {
        /// Weights.
        dimension: NonZeroUsize,
        /// The smallest eigenvalue; the others are evenly spaced in the logarithm.
        smallest: f64,
        /// The largest eigenvalue.
        largest: f64,
        /// Whether the eigenvectors are random directions, or those of the weights. Default: false.
        #[serde(default, skip_serializing_if = "is_default")]
        rotated: bool,
        /// Size of the gradient noise of one example. Default: 0.
        #[serde(default, skip_serializing_if = "is_default")]
        noise: f64,
    },
}

/// How the state of a recurrent network follows from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Cell {
    /// tanh of a sum of projections.
    Elman,
    /// The gated recurrent unit, with an update gate and a reset gate.
    #[default]
    Gated,
}

/// The most weights of a rotated quadratic; making the rotation costs their cube.
const MOST_ROTATED: usize = 1024;

fn layer() -> Normalisation {
    Normalisation::Layer
}

fn is_layer(normalisation: &Normalisation) -> bool {
    *normalisation == Normalisation::Layer
}

fn rms() -> Normalisation {
    Normalisation::Rms
}

fn is_rms(normalisation: &Normalisation) -> bool {
    *normalisation == Normalisation::Rms
}

fn one_layer() -> NonZeroUsize {
    NonZeroUsize::MIN
}

fn is_one_layer(layers: &NonZeroUsize) -> bool {
    *layers == NonZeroUsize::MIN
}

impl ModelConfig {
    /// Fully connected layers with every default.
    pub fn mlp(hidden: Vec<NonZeroUsize>) -> Self {
        let (activation, normalisation) = Default::default();
        Self::Mlp { hidden, activation, normalisation, weight_scale: one() }
    }

    /// Convolutions with every default.
    pub fn conv(channels: Vec<NonZeroUsize>) -> Self {
        let (activation, normalisation) = Default::default();
        Self::Conv { channels, activation, normalisation, weight_scale: one() }
    }

    /// A language model with every default.
    pub fn transformer(
        width: NonZeroUsize,
        layers: NonZeroUsize,
        heads: NonZeroUsize,
        context: NonZeroUsize,
    ) -> Self {
        Self::Transformer {
            width,
            layers,
            heads,
            context,
            activation: Activation::default(),
            normalisation: rms(),
            weight_scale: one(),
        }
    }

    /// A vision transformer with every default.
    pub fn vision_transformer(
        patch: NonZeroUsize,
        width: NonZeroUsize,
        layers: NonZeroUsize,
        heads: NonZeroUsize,
    ) -> Self {
        Self::VisionTransformer {
            patch,
            width,
            layers,
            heads,
            activation: Activation::default(),
            normalisation: rms(),
            weight_scale: one(),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Mlp { .. } => "Mlp",
            Self::Conv { .. } => "Conv",
            Self::ResidualMlp { .. } => "ResidualMlp",
            Self::Autoencoder { .. } => "Autoencoder",
            Self::VisionTransformer { .. } => "VisionTransformer",
            Self::Transformer { .. } => "Transformer",
            Self::Recurrent { .. } => "Recurrent",
            Self::Quadratic { .. } => "Quadratic",
        }
    }

    /// Tokens of a window, or numbers of a noise vector, that the network reads at once; 0 where
    /// the data's own size decides.
    pub(crate) fn window(&self) -> usize {
        match self {
            Self::Transformer { context, .. } | Self::Recurrent { context, .. } => context.get(),
            Self::Quadratic { dimension, .. } => dimension.get(),
            _ => 0,
        }
    }

    /// The options of the families made of hidden layers.
    pub(crate) fn style(&self) -> Option<Style> {
        match *self {
            Self::Mlp { activation, normalisation, weight_scale, .. }
            | Self::Conv { activation, normalisation, weight_scale, .. }
            | Self::ResidualMlp { activation, normalisation, weight_scale, .. }
            | Self::Autoencoder { activation, normalisation, weight_scale, .. }
            | Self::VisionTransformer { activation, normalisation, weight_scale, .. }
            | Self::Transformer { activation, normalisation, weight_scale, .. } => {
                let activation = Between::Known(activation);
                Some(Style { activation, normalisation, weight_scale })
            }
            Self::Recurrent { weight_scale, .. } => {
                Some(Style { weight_scale, ..Style::default() })
            }
            _ => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), EvaluatorError> {
        if self.style().is_some_and(|style| !positive(style.weight_scale)) {
            return Err(EvaluatorError::config("model.weight_scale", "must be a positive number"));
        }
        match self {
            Self::Conv { channels, .. } if channels.is_empty() => {
                Err(EvaluatorError::config("model.channels", "needs at least one convolution"))
            }
            Self::Autoencoder { hidden, .. } if hidden.is_empty() => {
                Err(EvaluatorError::config("model.hidden", "needs at least the code's width"))
            }
            Self::Transformer { width, heads, .. }
            | Self::VisionTransformer { width, heads, .. } => check_heads(*width, *heads),
            &Self::Quadratic { dimension, smallest, largest, rotated, noise } => {
                check_spectrum(smallest, largest)?;
                if !(noise.is_finite() && noise >= 0.0) {
                    let message = "must be a number that is not negative";
                    return Err(EvaluatorError::config("model.noise", message));
                }
                if rotated && dimension.get() > MOST_ROTATED {
                    let message = format!("needs a `dimension` of at most {MOST_ROTATED}");
                    return Err(EvaluatorError::config("model.rotated", message));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn positive(number: f64) -> bool {
    number.is_finite() && number > 0.0
}

fn check_spectrum(smallest: f64, largest: f64) -> Result<(), EvaluatorError> {
    if !positive(smallest) {
        return Err(EvaluatorError::config("model.smallest", "must be a positive number"));
    }
    if !(largest.is_finite() && largest >= smallest) {
        let message = format!("must be a number of at least `smallest` ({smallest})");
        return Err(EvaluatorError::config("model.largest", message));
    }
    Ok(())
}

fn check_heads(width: NonZeroUsize, heads: NonZeroUsize) -> Result<(), EvaluatorError> {
    if width.get().is_multiple_of(heads.get()) {
        return Ok(());
    }
    Err(EvaluatorError::config(
        "model.heads",
        format!("{heads} heads do not divide a width of {width}"),
    ))
}
