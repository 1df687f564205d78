//! Batches: the examples of one training step, or a part of the validation data.
//!
//! Invariant: training batches are drawn with replacement from a stream that only the task and the
//! run choose, so every program sees the same ones. An epoch-wise shuffle would need the whole
//! order in memory, or restart at epochs that differ between tasks.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor};
use evo_hashes::StreamRng;
use rand::RngExt;

use crate::data::{Dataset, Rows};

/// Examples a validation batch holds; it bounds the memory of one forward pass.
const VALIDATION_BATCH: usize = 128;

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
        /// The token after each input.
        targets: Arc<[u32]>,
    },
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
        }
    }

    /// All validation examples, in batches.
    pub(crate) fn validation(data: &Dataset) -> Result<Vec<Self>> {
        match data {
            Dataset::Rows(rows) => {
                let count = rows.validation.labels.len();
                (0..count)
                    .step_by(VALIDATION_BATCH)
                    .map(|start| start..(start + VALIDATION_BATCH).min(count))
                    .map(|range| Self::rows(&rows.validation, range))
                    .collect()
            }
            Dataset::Tokens(tokens) => Ok(tokens
                .validation_windows()
                .chunks(VALIDATION_BATCH)
                .map(|windows| Self::windows(windows.iter().copied()))
                .collect()),
        }
    }

    /// Predictions the batch's loss is a mean over.
    pub(crate) fn predictions(&self) -> usize {
        match self {
            Self::Rows { labels, .. } => labels.len(),
            Self::Tokens { targets, .. } => targets.len(),
        }
    }

    fn rows(rows: &Rows, indices: impl ExactSizeIterator<Item = usize>) -> Result<Self> {
        let count = indices.len();
        let mut features = Vec::with_capacity(count * rows.width);
        let labels = indices
            .map(|index| {
                features.extend_from_slice(rows.row(index));
                rows.labels[index]
            })
            .collect();
        Ok(Self::Rows {
            features: Tensor::from_vec(features, (count, rows.width), &Device::Cpu)?,
            labels,
        })
    }

    fn windows<'a>(windows: impl Iterator<Item = &'a [u32]>) -> Self {
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        for window in windows {
            inputs.extend_from_slice(&window[..window.len() - 1]);
            targets.extend_from_slice(&window[1..]);
        }
        Self::Tokens { inputs: inputs.into(), targets: targets.into() }
    }
}
