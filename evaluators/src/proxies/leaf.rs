//! Leaves: the parameter tensors of a network and how they start.
//!
//! Invariant: initial weights are drawn leaf after leaf, row by row, from one stream, so they are a
//! function of the network's sizes and the seed.

use evo_dsl::LeafRole;
use evo_hashes::StreamRng;
use rand::RngExt;
use rand_distr::StandardNormal;

/// One parameter tensor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    /// Its shape; matrices are \[in, out\].
    pub(crate) shape: Vec<usize>,
    /// What it is in the network.
    pub(crate) role: LeafRole,
    initial: Initial,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Initial {
    Constant(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
}

impl Leaf {
    /// Zeros, for biases.
    pub(crate) fn zeros(shape: impl Into<Vec<usize>>) -> Self {
        Self::of(shape.into(), Initial::Constant(0.0))
    }

    /// Ones, for gains.
    pub(crate) fn ones(shape: impl Into<Vec<usize>>) -> Self {
        Self::of(shape.into(), Initial::Constant(1.0))
    }

    /// Normal numbers of standard deviation `deviation`.
    pub(crate) fn normal(shape: impl Into<Vec<usize>>, deviation: f64) -> Self {
        Self::of(shape.into(), Initial::Normal(deviation))
    }

    fn of(shape: Vec<usize>, initial: Initial) -> Self {
        Self { role: LeafRole::of_shape(&shape), shape, initial }
    }

    /// The same as a table that is looked up.
    pub(crate) fn embedding(self) -> Self {
        Self { role: LeafRole::Embedding, ..self }
    }

    /// The same as the matrix of the last layer.
    pub(crate) fn output(self) -> Self {
        Self { role: LeafRole::Output, ..self }
    }

    /// Standard deviation that keeps the size of activations through relu: sqrt(2 / inputs)
    /// (arXiv 1502.01852).
    pub(crate) fn relu_deviation(inputs: usize) -> f64 {
        (2.0 / inputs as f64).sqrt()
    }

    /// Standard deviation that keeps the size of activations through a linear map:
    /// sqrt(1 / inputs).
    pub(crate) fn linear_deviation(inputs: usize) -> f64 {
        (1.0 / inputs as f64).sqrt()
    }
}

/// The flat vector of initial weights.
pub(crate) fn initial_weights(leaves: &[Leaf], rng: &mut StreamRng) -> Vec<f32> {
    let mut weights = Vec::new();
    for leaf in leaves {
        let count: usize = leaf.shape.iter().product();
        match leaf.initial {
            Initial::Constant(value) => weights.extend(std::iter::repeat_n(value, count)),
            Initial::Normal(deviation) => weights.extend((0..count).map(|_| {
                let normal: f64 = rng.sample(StandardNormal);
                (normal * deviation) as f32
            })),
        }
    }
    weights
}
