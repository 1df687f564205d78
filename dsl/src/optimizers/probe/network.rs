//! The network of the probe: a small classifier with ReLUs on a few fixed examples.
//!
//! Invariant: losses and gradients are a function of weights and batch to the bit, on every
//! machine: plain IEEE arithmetic in one order, and the `libm` crate for the exponential.
//!
//! What it is made to show of an optimizer: gradients that follow from the weights, so that two
//! rules which differ drift apart; exact zeros (a feature that is always 0, a unit that is always
//! off, units that fall silent later), exact ties (two units that start alike and stay so), heavy
//! tails and scales that move as it learns; leaves of four shapes, wide and flat.

use std::ops::Range;

use evo_hashes::Seed;
use rand_distr::{Distribution, StandardNormal};

use crate::{Layout, LeafRole};

const INPUTS: usize = 24;
const HIDDEN: usize = 8;
const CLASSES: usize = 4;
const EXAMPLES: usize = 16;

/// Scales of the features, so that gradients have heavy tails and reach down to where a norm or a
/// root is next to nothing.
const SPREAD: [f32; 6] = [1e-4, 1e-2, 0.25, 1.0, 4.0, 8.0];

/// Examples of one batch.
const BATCH: usize = 4;

/// Where the leaves lie: hidden weights and biases, output weights and biases.
const W1: Range<usize> = 0..HIDDEN * INPUTS;
const B1: Range<usize> = W1.end..W1.end + HIDDEN;
const W2: Range<usize> = B1.end..B1.end + CLASSES * HIDDEN;
const B2: Range<usize> = W2.end..W2.end + CLASSES;

/// The data and the initial weights.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) layout: Layout,
    /// \[examples, inputs\].
    features: Vec<f32>,
    labels: [usize; EXAMPLES],
    weights: Vec<f32>,
}

impl Network {
    pub(super) fn new() -> Network {
        let draw = |purpose: &str, count: usize, scale: f32| -> Vec<f32> {
            let mut rng = Seed(0).stream(purpose, 0);
            let normal = (0..count).map(|_| StandardNormal.sample(&mut rng));
            normal.map(|value: f32| value * scale).collect()
        };
        let mut features = draw("probe features", EXAMPLES * INPUTS, 1.0);
        for (index, feature) in features.iter_mut().enumerate() {
            let always_zero = index % INPUTS == INPUTS - 1;
            if always_zero || *feature < -0.3 {
                *feature = 0.0;
            }
            *feature *= SPREAD[index % INPUTS % SPREAD.len()];
        }
        let mut weights = draw("probe hidden weights", W1.len(), 0.2);
        weights.extend([0.0; HIDDEN]);
        weights.extend(draw("probe output weights", W2.len(), 0.3));
        weights.extend([0.0; CLASSES]);
        make_twins(&mut weights);
        // A unit that no example switches on.
        weights[..INPUTS].iter_mut().for_each(|weight| *weight = -weight.abs());
        weights[B1.start] = -4.0;
        Network {
            layout: Layout::with_roles([
                (vec![HIDDEN, INPUTS], LeafRole::Hidden),
                (vec![HIDDEN], LeafRole::Vector),
                (vec![CLASSES, HIDDEN], LeafRole::Output),
                (vec![CLASSES], LeafRole::Vector),
            ]),
            features,
            labels: std::array::from_fn(|example| example * 7 % CLASSES),
            weights,
        }
    }

    /// The initial weights times `scale`.
    pub(super) fn weights(&self, scale: f32) -> Vec<f32> {
        self.weights.iter().map(|weight| weight * scale).collect()
    }

    /// The gradient of the mean cross-entropy of the batch that step number `step` draws.
    pub(super) fn gradient(&self, step: usize, weights: &[f32], gradient: &mut [f32]) {
        gradient.fill(0.0);
        for example in 0..BATCH {
            self.add_example((step * BATCH + example) % EXAMPLES, weights, gradient);
        }
    }

    fn add_example(&self, example: usize, weights: &[f32], gradient: &mut [f32]) {
        let x = &self.features[example * INPUTS..][..INPUTS];
        let (w1, w2) = (&weights[W1], &weights[W2]);
        let mut hidden = [0.0; HIDDEN];
        for (unit, value) in hidden.iter_mut().enumerate() {
            let sum = weights[B1.start + unit] + dot(&w1[unit * INPUTS..][..INPUTS], x);
            *value = if sum > 0.0 { sum } else { 0.0 };
        }
        let mut logits = [0.0; CLASSES];
        for (class, logit) in logits.iter_mut().enumerate() {
            *logit = weights[B2.start + class] + dot(&w2[class * HIDDEN..][..HIDDEN], &hidden);
        }
        let slopes = slopes(&logits, self.labels[example]);
        let mut back = [0.0; HIDDEN];
        for (class, &slope) in slopes.iter().enumerate() {
            gradient[B2.start + class] += slope;
            let row = class * HIDDEN;
            for unit in 0..HIDDEN {
                gradient[W2.start + row + unit] += slope * hidden[unit];
                back[unit] += slope * w2[row + unit];
            }
        }
        for unit in (0..HIDDEN).filter(|&unit| hidden[unit] > 0.0) {
            gradient[B1.start + unit] += back[unit];
            let row = &mut gradient[unit * INPUTS..][..INPUTS];
            row.iter_mut().zip(x).for_each(|(slope, &input)| *slope += back[unit] * input);
        }
    }
}

/// Makes the last unit the twin of the one before it.
fn make_twins(weights: &mut [f32]) {
    let (one, other) = (HIDDEN - 2, HIDDEN - 1);
    for input in 0..INPUTS {
        weights[other * INPUTS + input] = weights[one * INPUTS + input];
    }
    for class in 0..CLASSES {
        let row = W2.start + class * HIDDEN;
        weights[row + other] = weights[row + one];
    }
}

/// The derivatives of the mean cross-entropy by the logits.
fn slopes(logits: &[f32; CLASSES], label: usize) -> [f32; CLASSES] {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = logits.map(|logit| libm::expf(logit - top));
    let total: f32 = powers.iter().sum();
    let mut slopes = powers.map(|power| power / total / BATCH as f32);
    slopes[label] -= 1.0 / BATCH as f32;
    slopes
}

/// A scalar product in lanes of one order, which the compiler may compute side by side.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(network: &Network, step: usize, weights: &[f32]) -> f64 {
        let mut total = 0.0;
        for example in (step * BATCH..(step + 1) * BATCH).map(|example| example % EXAMPLES) {
            let x = &network.features[example * INPUTS..][..INPUTS];
            let hidden: Vec<f64> = (0..HIDDEN)
                .map(|unit| {
                    let row = &weights[unit * INPUTS..][..INPUTS];
                    let sum: f64 =
                        row.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                    (sum + f64::from(weights[B1.start + unit])).max(0.0)
                })
                .collect();
            let logit = |class: usize| {
                let row = &weights[W2.start + class * HIDDEN..][..HIDDEN];
                let sum: f64 = row.iter().zip(&hidden).map(|(w, h)| f64::from(*w) * h).sum();
                sum + f64::from(weights[B2.start + class])
            };
            let powers: f64 = (0..CLASSES).map(|class| libm::exp(logit(class))).sum();
            total += libm::log(powers) - logit(network.labels[example]);
        }
        total / BATCH as f64
    }

    #[test]
    fn gradients_match_finite_differences() {
        let network = Network::new();
        let weights = network.weights(1.0);
        let mut gradient = vec![0.0; weights.len()];
        for step in 0..4 {
            network.gradient(step, &weights, &mut gradient);
            for (index, &found) in gradient.iter().enumerate() {
                let at = |shift: f32| {
                    let mut moved = weights.clone();
                    moved[index] += shift;
                    (loss(&network, step, &moved), f64::from(moved[index]))
                };
                let ((above, right), (below, left)) = (at(1e-5), at(-1e-5));
                let expected = (above - below) / (right - left);
                assert!((f64::from(found) - expected).abs() < 2e-4, "{index}: {found} {expected}");
            }
        }
    }

    #[test]
    fn gradients_have_exact_zeros_and_exact_ties() {
        let network = Network::new();
        let weights = network.weights(1.0);
        let mut gradient = vec![0.0; weights.len()];
        let mut learns = [false; HIDDEN];
        for step in 0..EXAMPLES / BATCH {
            network.gradient(step, &weights, &mut gradient);
            let unit = |unit: usize| &gradient[unit * INPUTS..][..INPUTS];
            assert!((0..HIDDEN).all(|other| unit(other)[INPUTS - 1] == 0.0), "the empty feature");
            assert_eq!(unit(HIDDEN - 1), unit(HIDDEN - 2), "the twins");
            for (number, learns) in learns.iter_mut().enumerate() {
                *learns |= unit(number).iter().any(|&slope| slope != 0.0);
            }
        }
        let expected: [bool; HIDDEN] = std::array::from_fn(|unit| unit > 0);
        assert_eq!(learns, expected, "all but the unit that is off");
    }
}
