//! Leaves: the parameter tensors of a network and how they start.
//!
//! Invariant: initial weights are drawn leaf after leaf, row by row, from one stream, so they are a
//! function of the network's sizes and the seed. A leaf that is known by what it does has a stream
//! of its own, so that it begins alike wherever it stands.

use evo_dsl::LeafRole;
use evo_hashes::{Hash, Seed, StreamRng};
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
    /// What names its stream, where it has one of its own.
    known_by: Option<Hash>,
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
        Self { role: LeafRole::of_shape(&shape), shape, initial, known_by: None }
    }

    /// The same as a table that is looked up.
    pub(crate) fn embedding(self) -> Self {
        Self { role: LeafRole::Embedding, ..self }
    }

    /// The same with a stream of its own.
    pub(crate) fn known_by(self, name: Hash) -> Self {
        Self { known_by: Some(name), ..self }
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
    let mut seed = None;
    for leaf in leaves {
        let count: usize = leaf.shape.iter().product();
        match (leaf.initial, leaf.known_by) {
            (Initial::Constant(value), _) => weights.extend(std::iter::repeat_n(value, count)),
            (Initial::Normal(deviation), None) => normal(count, deviation, rng, &mut weights),
            (Initial::Normal(deviation), Some(name)) => {
                let seed = *seed.get_or_insert_with(|| Seed(rng.random()));
                let rng = &mut seed.stream(&format!("leaf {name}"), 0);
                normal(count, deviation, rng, &mut weights);
            }
        }
    }
    weights
}

fn normal(count: usize, deviation: f64, rng: &mut StreamRng, weights: &mut Vec<f32>) {
    weights.extend((0..count).map(|_| {
        let normal: f64 = rng.sample(StandardNormal);
        (normal * deviation) as f32
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_known_by_what_they_do_begin_alike_wherever_they_stand() {
        let named = |name: &str| Leaf::normal([2, 3], 1.0).known_by(Hash::of(name.as_bytes()));
        let draw = |leaves: &[Leaf]| initial_weights(leaves, &mut Seed(1).stream("weights", 0));
        let (one, other) = (draw(&[named("a"), named("b")]), draw(&[named("b"), named("a")]));
        assert_eq!((&one[..6], &one[6..]), (&other[6..], &other[..6]));
        assert_ne!(one[..6], one[6..]);
        assert_ne!(
            one,
            initial_weights(&[named("a"), named("b")], &mut Seed(2).stream("weights", 0))
        );
    }
}
