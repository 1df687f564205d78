//! The network of a task: its family and its sizes.
//!
//! Invariant: a variant and its fields say everything about the network that its data does not, and
//! a field that is left out has the default stated at it.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::EvaluatorError;

/// The network of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ModelConfig {
    /// Fully connected layers with relu between them.
    Mlp {
        /// Widths of the hidden layers; none gives a linear classifier.
        hidden: Vec<NonZeroUsize>,
    },
    /// 3×3 convolutions with relu, the second and later ones of stride 2, then one dense layer.
    Conv {
        /// Output channels of each convolution.
        channels: Vec<NonZeroUsize>,
    },
    /// A decoder-only language model with RMS normalisation before each block.
    Transformer {
        /// Size of the residual stream.
        width: NonZeroUsize,
        /// Blocks of attention and MLP.
        layers: NonZeroUsize,
        /// Attention heads; divides `width`.
        heads: NonZeroUsize,
        /// Tokens a window holds.
        context: NonZeroUsize,
    },
}

impl ModelConfig {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Mlp { .. } => "Mlp",
            Self::Conv { .. } => "Conv",
            Self::Transformer { .. } => "Transformer",
        }
    }

    /// Tokens the network reads at once, where it reads tokens.
    pub(crate) fn context(&self) -> Option<usize> {
        match self {
            Self::Transformer { context, .. } => Some(context.get()),
            Self::Mlp { .. } | Self::Conv { .. } => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), EvaluatorError> {
        match self {
            Self::Conv { channels } if channels.is_empty() => {
                Err(EvaluatorError::config("model.channels", "needs at least one convolution"))
            }
            Self::Transformer { width, heads, .. } => check_heads(*width, *heads),
            _ => Ok(()),
        }
    }
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
