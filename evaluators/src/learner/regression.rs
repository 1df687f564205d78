//! Regression tasks: examples drawn from a model that is drawn itself.
//!
//! Invariant: a task is a function of its stream. Labels have no noise, so a learner of the model's
//! form can come as close as its examples let it.

use evo_dsl::{LearnerExamples, draw_normal};
use evo_hashes::StreamRng;

use super::{LearnerProblem, LearnerSet};

/// What labels are made by.
pub(super) struct Model {
    weights: Vec<f64>,
    bias: f64,
    /// Of the first layer, row by row; none where there is none.
    layer: Vec<f64>,
}

impl Model {
    /// Draws the model of a task.
    pub(super) fn new(problem: &LearnerProblem, n: usize, rng: &mut StreamRng) -> Model {
        let mut draw = |count: usize| (0..count).map(|_| draw_normal(rng)).collect::<Vec<f64>>();
        let mut model = Model { weights: draw(n), bias: 0.0, layer: Vec::new() };
        match problem {
            LearnerProblem::Affine => model.bias = draw(1)[0],
            LearnerProblem::Network => {
                model.layer = draw(n * n);
                for unit in [0, 2] {
                    model.weights[unit] = 0.0;
                    model.layer[unit * n..][..n].fill(0.0);
                }
            }
            LearnerProblem::Linear | LearnerProblem::Classes { .. } => {}
        }
        model
    }

    fn label(&self, x: &[f64]) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        if self.layer.is_empty() {
            return dot(&self.weights, x) + self.bias;
        }
        let hidden = self.layer.chunks_exact(x.len()).map(|row| dot(row, x).max(0.0));
        dot(&self.weights, &hidden.collect::<Vec<f64>>()) + self.bias
    }

    /// Draws examples.
    pub(super) fn examples(&self, count: usize, rng: &mut StreamRng) -> LearnerExamples {
        let n = self.weights.len();
        let features: Vec<f64> = (0..count * n).map(|_| draw_normal(rng)).collect();
        let labels = features.chunks_exact(n).map(|x| self.label(x)).collect();
        LearnerExamples { features, labels }
    }
}

/// The same examples in the orders of so many epochs, the first as they are.
pub(super) fn epochs(
    first: LearnerExamples,
    n: usize,
    set: &LearnerSet,
    rng: &mut StreamRng,
) -> Vec<LearnerExamples> {
    let mut epochs = vec![first];
    for _ in 1..set.epochs.get() {
        let first = &epochs[0];
        let order = super::classes::shuffled(first.labels.len(), rng);
        let features = order.iter().flat_map(|&at| &first.features[at * n..][..n]).copied();
        let labels = order.iter().map(|&at| first.labels[at]);
        epochs.push(LearnerExamples { features: features.collect(), labels: labels.collect() });
    }
    epochs
}
