//! Batches: the examples of one training step, or a part of the validation data.
//!
//! Invariant: training batches are drawn with replacement from a stream that only the task and the
//! run choose, so every program sees the same ones. An epoch-wise shuffle would need the whole
//! order in memory, or restart at epochs that differ between tasks.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor};
use evo_hashes::StreamRng;
use rand::RngExt;
use rand_distr::StandardNormal;

use crate::data::{Dataset, Rows};
use crate::layers::counted;

/// Some examples in the form the networks read.
#[derive(Clone, Debug)]
pub(crate) enum Batch {
    Rows {
        /// \[batch, features\].
        features: Tensor,
        /// A class for each row.
        labels: Arc<[u32]>,
    },
    Tokens {
        /// \[batch · context\].
        inputs: Arc<[u32]>,
        /// The token after each input, or `IGNORED`.
        targets: Arc<[u32]>,
    },
    /// The mean of a normal vector for each example, \[dimension\]; none in validation.
    Noise { mean: Tensor },
}

impl Batch {
    /// Draws `size` training examples.
    pub(crate) fn draw(data: &Dataset, size: usize, rng: &mut StreamRng) -> Result<Self> {
        match data {
            Dataset::Rows(rows) => {
                let count = rows.train.labels.len();
                Self::rows(&rows.train, (0..size).map(|_| rng.random_range(0..count)))
            }
            Dataset::Tokens(tokens) => Ok(Self::windows((0..size).map(|_| tokens.draw(rng)))),
            Dataset::Answers(answers) => Ok(Self::windows((0..size).map(|_| answers.draw(rng)))),
            &Dataset::Noise(dimension) => {
                // The mean of `size` normal numbers is one, of a deviation of 1 / sqrt(size).
                let deviation = 1.0 / (size as f64).sqrt();
                Self::noise(dimension, || deviation * rng.sample::<f64, _>(StandardNormal))
            }
        }
    }

    /// All validation examples, in batches of at most `size`, which bounds the memory of one
    /// forward pass.
    pub(crate) fn validation(data: &Dataset, size: usize) -> Result<Vec<Self>> {
        match data {
            Dataset::Rows(rows) => Self::all(&rows.validation, size),
            Dataset::Tokens(tokens) => Ok(tokens
                .validation_windows()
                .chunks(size)
                .map(|windows| {
                    Self::windows(
                        windows.iter().map(|window| (&window[..window.len() - 1], &window[1..])),
                    )
                })
                .collect()),
            Dataset::Answers(answers) => Ok(answers
                .validation_windows()
                .chunks(size)
                .map(|windows| Self::windows(windows.iter().cloned()))
                .collect()),
            &Dataset::Noise(dimension) => Ok(vec![Self::noise(dimension, || 0.0)?]),
        }
    }

    /// All of these examples, in batches of at most `size`.
    pub(crate) fn all(rows: &Rows, size: usize) -> Result<Vec<Self>> {
        let count = rows.labels.len();
        (0..count)
            .step_by(size)
            .map(|start| start..(start + size).min(count))
            .map(|range| Self::rows(rows, range))
            .collect()
    }

    /// The same examples with their numbers on a device. Classes and tokens stay where they are:
    /// they are counted, and made into indices, on the host.
    pub(crate) fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(match self {
            Self::Rows { features, labels } => {
                Self::Rows { features: features.to_device(device)?, labels: Arc::clone(labels) }
            }
            Self::Tokens { .. } => self.clone(),
            Self::Noise { mean } => Self::Noise { mean: mean.to_device(device)? },
        })
    }

    /// Predictions the batch's loss is a mean over.
    pub(crate) fn predictions(&self) -> usize {
        match self {
            Self::Rows { labels, .. } => labels.len(),
            Self::Tokens { targets, .. } => counted(targets),
            Self::Noise { .. } => 1,
        }
    }

    fn rows(rows: &Rows, indices: impl ExactSizeIterator<Item = usize>) -> Result<Self> {
        let count = indices.len();
        let mut features = Vec::with_capacity(count * rows.width);
        let labels = indices
            .map(|index| {
                rows.append_row(index, &mut features);
                rows.labels[index]
            })
            .collect();
        Ok(Self::Rows {
            features: Tensor::from_vec(features, (count, rows.width), &Device::Cpu)?,
            labels,
        })
    }

    fn noise(dimension: usize, mut draw: impl FnMut() -> f64) -> Result<Self> {
        let numbers: Vec<f32> = (0..dimension).map(|_| draw() as f32).collect();
        Ok(Self::Noise { mean: Tensor::from_vec(numbers, dimension, &Device::Cpu)? })
    }

    /// A batch of windows: inputs, and what to predict after each.
    fn windows<W: AsRef<[u32]>>(windows: impl Iterator<Item = (W, W)>) -> Self {
        let (mut all_inputs, mut all_targets) = (Vec::new(), Vec::new());
        for (inputs, targets) in windows {
            all_inputs.extend_from_slice(inputs.as_ref());
            all_targets.extend_from_slice(targets.as_ref());
        }
        Self::Tokens { inputs: all_inputs.into(), targets: all_targets.into() }
    }
}
