//! Teacher data: normal inputs labelled by a random two-layer relu network.
//!
//! Invariant: labels are a deterministic function of the inputs, so the achievable loss is 0 and
//! the task never stops rewarding a better optimizer. Each output is centred over a sample first;
//! without that one or two classes take nearly all labels.

use evo_hashes::{Seed, StreamRng};
use rand::RngExt;
use rand_distr::StandardNormal;

use super::Features;
use super::rows::{LabelledRows, Rows};

/// Inputs whose mean output centres the classes.
const CENTRING_SAMPLE: usize = 512;

/// The labelling network.
pub(super) struct Teacher {
    /// `hidden` rows of `inputs` weights.
    first: Vec<f32>,
    /// `classes` rows of `hidden` weights.
    second: Vec<f32>,
    /// Subtracted from the outputs, one a class.
    centre: Vec<f32>,
    inputs: usize,
    hidden: usize,
}

impl Teacher {
    pub(super) fn new(inputs: usize, hidden: usize, classes: usize, seed: Seed) -> Self {
        let mut rng = seed.stream("teacher", 0);
        let mut teacher = Self {
            first: normals(inputs * hidden, &mut rng),
            second: normals(hidden * classes, &mut rng),
            centre: vec![0.0; classes],
            inputs,
            hidden,
        };
        let mut mean = vec![0.0; classes];
        for _ in 0..CENTRING_SAMPLE {
            let outputs = teacher.outputs(&normals(inputs, &mut rng));
            for (mean, output) in mean.iter_mut().zip(outputs) {
                *mean += output / CENTRING_SAMPLE as f32;
            }
        }
        teacher.centre = mean;
        teacher
    }

    /// `count` labelled examples.
    pub(super) fn rows(&self, count: usize, seed: Seed) -> LabelledRows {
        let mut rng = seed.stream("examples", 0);
        let features = normals(count * self.inputs, &mut rng);
        let labels = features.chunks_exact(self.inputs).map(|row| self.label(row)).collect();
        LabelledRows {
            rows: Rows { features: Features::Numbers(features), width: self.inputs, labels },
            classes: self.centre.len(),
            image: None,
        }
    }

    fn outputs(&self, row: &[f32]) -> Vec<f32> {
        let hidden: Vec<f32> = self
            .first
            .chunks_exact(self.inputs)
            .map(|weights| dot(weights, row).max(0.0))
            .collect();
        self.second
            .chunks_exact(self.hidden)
            .zip(&self.centre)
            .map(|(weights, centre)| dot(weights, &hidden) - centre)
            .collect()
    }

    fn label(&self, row: &[f32]) -> u32 {
        let outputs = self.outputs(row);
        let mut best = 0;
        for (class, output) in outputs.iter().enumerate() {
            if *output > outputs[best] {
                best = class;
            }
        }
        best as u32
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn normals(count: usize, rng: &mut StreamRng) -> Vec<f32> {
    (0..count).map(|_| rng.sample(StandardNormal)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_seeded_and_use_every_class() {
        let draw = |seed| Teacher::new(16, 16, 4, Seed(seed)).rows(400, Seed(seed)).rows;
        let rows = draw(1);
        assert_eq!(rows, draw(1));
        assert_ne!(rows, draw(2));
        for class in 0..4 {
            let count = rows.labels.iter().filter(|&&label| label == class).count();
            assert!(count > 30, "class {class} has {count} of 400");
        }
    }
}
