//! Recordings: a run written down with all that went into it, for comparison with other libraries.
//!
//! Invariant: the losses are those of training itself, not of a second implementation, and the
//! numbers recorded are the ones it was given, so another library can start from the same and must
//! agree.

use evo_dsl::{Executor, Program};
use serde::Serialize;

use super::training::Training;
use super::workload::Workload;
use crate::EvaluatorError;
use crate::layers::values;
use crate::proxies::Batch;

/// A run and what went into it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recording {
    /// The initial weights.
    pub leaves: Vec<RecordedLeaf>,
    /// The batch of each step.
    pub batches: Vec<RecordedBatch>,
    /// The loss of each batch before the update that it leads to.
    pub losses: Vec<f64>,
    /// The validation data.
    pub validation: Vec<RecordedBatch>,
    /// The mean validation loss behind every tenth step, with its number.
    pub validated: Vec<(u64, f64)>,
}

/// A parameter tensor before the first step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordedLeaf {
    /// Its shape; matrices are \[in, out\], convolutions \[height, width, in, out\].
    pub shape: Vec<usize>,
    /// Its numbers, row by row.
    pub weights: Vec<f32>,
}

/// The examples of a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum RecordedBatch {
    /// Feature rows, one after another, channels last, and a class for each.
    Rows {
        /// The features.
        features: Vec<f32>,
        /// The classes.
        labels: Vec<u32>,
    },
    /// Windows of tokens, one after another, and the token to predict at each place.
    Tokens {
        /// The tokens read.
        inputs: Vec<u32>,
        /// The tokens to predict; `u32::MAX` where nothing is.
        targets: Vec<u32>,
    },
    /// A mean of normal vectors.
    Noise {
        /// The mean.
        mean: Vec<f32>,
    },
}

impl Workload {
    /// Trains for so many steps with a program and writes down what happens.
    ///
    /// # Errors
    /// [`EvaluatorError::Internal`] when candle refuses an operation.
    pub fn record(&self, program: &Program, steps: u64) -> Result<Recording, EvaluatorError> {
        let mut training = Training::start(&self.task, &self.run)?;
        let mut executor = Executor::new(&self.run.program(program), &self.task.layout);
        let mut rest = training.weights();
        let mut leaves = Vec::new();
        for leaf in &self.task.leaves {
            let (head, tail) = rest.split_at(leaf.shape.iter().product());
            leaves.push(RecordedLeaf { shape: leaf.shape.clone(), weights: head.to_vec() });
            rest = tail;
        }
        let (mut batches, mut losses, mut validated) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..steps {
            let batch = training.draw()?;
            batches.push(RecordedBatch::of(&batch)?);
            let loss = training.forward(&batch)?;
            losses.push(training.backward(&loss)?);
            training.update(&mut executor, self.run.learning_rate(step));
            if (step + 1).is_multiple_of(10) {
                validated.push((step + 1, training.validate(&executor)?));
            }
        }
        let validation = self.task.validation.iter().map(RecordedBatch::of);
        let validation = validation.collect::<Result<_, _>>()?;
        Ok(Recording { leaves, batches, losses, validation, validated })
    }
}

impl RecordedBatch {
    fn of(batch: &Batch) -> Result<Self, EvaluatorError> {
        Ok(match batch {
            Batch::Rows { features, labels } => {
                Self::Rows { features: values::<f32>(features)?.to_vec(), labels: labels.to_vec() }
            }
            Batch::Tokens { inputs, targets } => {
                Self::Tokens { inputs: inputs.to_vec(), targets: targets.to_vec() }
            }
            Batch::Noise { mean } => Self::Noise { mean: values::<f32>(mean)?.to_vec() },
        })
    }
}
