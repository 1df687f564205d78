//! Hidden layers of any style: activation(norm(x·w + bias)).
//!
//! Invariant: leaves are weight, bias, then the normalisation's gain, then its shift, as far as the
//! style has them. The default style is one fused operation, as if there were no others.

use candle_core::{Result, Tensor};

use super::Leaf;
use crate::layers::{self, LayerNorm, Real, RmsNorm, activate, dense};
use crate::task::{Between, Style};
use crate::{Activation, Normalisation};

impl Style {
    /// The leaves of a layer whose inputs number `inputs`, in a weight of any shape.
    pub(super) fn leaves(
        &self,
        shape: impl Into<Vec<usize>>,
        inputs: usize,
        outputs: usize,
    ) -> Vec<Leaf> {
        let deviation = self.weight_scale * self.deviation(inputs);
        let mut leaves = vec![Leaf::normal(shape, deviation), Leaf::zeros([outputs])];
        leaves.extend(self.normalisation_leaves(outputs));
        leaves
    }

    /// The leaves of a normalisation of rows of `width` numbers.
    pub(super) fn normalisation_leaves(&self, width: usize) -> Vec<Leaf> {
        let both = [Leaf::ones([width]), Leaf::zeros([width])];
        both.into_iter().take(self.normalisation_count()).collect()
    }

    /// Leaves of a normalisation.
    pub(super) fn normalisation_count(&self) -> usize {
        match self.normalisation {
            Normalisation::None => 0,
            Normalisation::Rms => 1,
            Normalisation::Layer => 2,
        }
    }

    /// Leaves of a layer.
    pub(super) fn count(&self) -> usize {
        2 + self.normalisation_count()
    }

    /// Standard deviation of initial weights that keeps the size of what passes through. Of an
    /// expression it is relu's: what it does to the size of what passes is part of what it is.
    pub(super) fn deviation(&self, inputs: usize) -> f64 {
        match self.activation {
            Between::Known(Activation::Tanh) => Leaf::linear_deviation(inputs),
            Between::Known(Activation::Relu | Activation::Gelu | Activation::Silu)
            | Between::Expression(_) => Leaf::relu_deviation(inputs),
        }
    }

    /// The leaves of a last layer, which starts small so that its results do.
    pub(super) fn last_leaves(&self, inputs: usize, outputs: usize) -> [Leaf; 2] {
        let deviation = self.weight_scale * (0.1 * Leaf::linear_deviation(inputs));
        [Leaf::normal([inputs, outputs], deviation).output(), Leaf::zeros([outputs])]
    }

    /// A fully connected layer; `weights` are its leaves.
    pub(super) fn dense<T: Real>(&self, x: &Tensor, weights: &[Tensor]) -> Result<Tensor> {
        let [w, bias, rest @ ..] = weights else {
            candle_core::bail!("a layer has a weight and a bias");
        };
        let x = dense::<T>(x, w, bias, self.fused())?;
        self.finish::<T>(x, rest)
    }

    /// What is applied together with the sums.
    pub(super) fn fused(&self) -> layers::Activation {
        match (&self.activation, self.normalisation) {
            (Between::Known(Activation::Relu), Normalisation::None) => layers::Activation::Relu,
            _ => layers::Activation::Identity,
        }
    }

    /// What remains to be done to the sums, rows of a matrix.
    pub(super) fn finish<T: Real>(&self, sums: Tensor, normalisation: &[Tensor]) -> Result<Tensor> {
        if self.fused() == layers::Activation::Relu {
            return Ok(sums);
        }
        activate::<T>(&self.normalise::<T>(sums, normalisation)?, &self.activation)
    }

    /// The normalisation alone.
    pub(super) fn normalise<T: Real>(&self, x: Tensor, weights: &[Tensor]) -> Result<Tensor> {
        match (self.normalisation, weights) {
            (Normalisation::None, []) => Ok(x),
            (Normalisation::Rms, [gain]) => RmsNorm::of::<T>(&x, gain),
            (Normalisation::Layer, [gain, shift]) => LayerNorm::of::<T>(&x, gain, shift),
            _ => candle_core::bail!("{} leaves for {:?}", weights.len(), self.normalisation),
        }
    }
}
