//! Style: what hidden layers have in common whatever their family and size.
//!
//! Invariant: the default is relu without normalisation at the usual initial size, and it is not
//! written to a configuration, so those from before these options read and print as they did.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::layers::Function;

/// The function between layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Activation {
    /// max(0, z).
    #[default]
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// The Gaussian error linear unit, approximated by tanh.
    Gelu,
    /// z / (1 + exp(−z)).
    Silu,
}

/// How the numbers of a layer are brought to one size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Normalisation {
    /// Not at all.
    #[default]
    None,
    /// Layer normalisation: mean 0 and variance 1, then a trained gain and shift.
    Layer,
    /// Mean square 1, then a trained gain.
    Rms,
}

/// What networks apply between layers: an activation that a configuration can name, or an
/// expression, which none can.
#[derive(Clone, Debug)]
pub(crate) enum Between {
    Known(Activation),
    Expression(Arc<Function>),
}

/// The options of a hidden layer.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    pub(crate) activation: Between,
    pub(crate) normalisation: Normalisation,
    /// Factor of the initial weights' size.
    pub(crate) weight_scale: f64,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            activation: Between::Known(Activation::default()),
            normalisation: Normalisation::default(),
            weight_scale: 1.0,
        }
    }
}

pub(super) fn one() -> f64 {
    1.0
}

pub(super) fn is_one(number: &f64) -> bool {
    *number == 1.0
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
