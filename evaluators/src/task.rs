//! Proxy task configurations: a model, its data, and how long it is trained.
//!
//! Invariant: a task that passes [`TaskConfig::check`] can be trained as soon as its data files can
//! be read. Counts are unsigned and non-zero types, so that a parser refuses a negative or a zero
//! one at its place in the file; a check afterwards could only say that it was somewhere.

mod data;
mod fit;
mod model;
mod size;
mod style;

use std::num::{NonZeroU64, NonZeroUsize};

use serde::{Deserialize, Serialize};

pub use data::{DataConfig, Operation, Problem};
pub use model::{Cell, ModelConfig};
pub(crate) use size::{
    MOST_WEIGHTS, Reads, refuse_large_batch, refuse_large_network, validation_batch,
};
pub use style::{Activation, Normalisation};
pub(crate) use style::{Between, Style};

use self::style::{is_default, is_one, one};
use crate::{EvaluatorError, Schedule};

/// The most steps of a task; weeks of training at this size.
pub(crate) const MOST_STEPS: u64 = 1_000_000_000;

/// One proxy task: a small network trained on small data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskConfig {
    /// The task's name; also seeds its data, initial weights and batches.
    pub name: String,
    /// The network.
    pub model: ModelConfig,
    /// What it is trained on.
    pub data: DataConfig,
    /// Examples (for text: windows) a training step.
    pub batch_size: NonZeroUsize,
    /// Training steps.
    pub steps: NonZeroU64,
    /// How the learning rate changes over the steps.
    #[serde(default)]
    pub schedule: Schedule,
    /// What the updates of every program are multiplied by; 1 means a peak of 0.001 to the AdamW of
    /// the zoo. Programs are given the schedule alone. When absent, AdamW's best, as measured.
    #[serde(default)]
    pub learning_rate: Option<f64>,
    /// Validation loss of tuned AdamW on this task, in the model's own measure (mostly nats). When
    /// absent, as measured.
    #[serde(default)]
    pub baseline_loss: Option<f64>,
    /// Share of the training examples that training draws from, in (0, 1]. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub data_fraction: f64,
    /// Share of the training labels that are drawn again from all labels alike, in \[0, 1\]; the
    /// validation examples keep theirs. Default: 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub label_noise: f64,
}

impl TaskConfig {
    /// Checks everything that can be checked without reading the data.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] with a key path that starts inside the task, such as `model`.
    pub fn check(&self) -> Result<(), EvaluatorError> {
        if self.name.is_empty() || self.name.contains(char::is_control) {
            return Err(EvaluatorError::config(
                "name",
                "a task needs a name of printable characters",
            ));
        }
        if self.steps.get() > MOST_STEPS {
            return Err(EvaluatorError::config("steps", format!("must be at most {MOST_STEPS}")));
        }
        for (key, value) in
            [("learning_rate", self.learning_rate), ("baseline_loss", self.baseline_loss)]
        {
            if value.is_some_and(|value| !(value.is_finite() && value > 0.0)) {
                return Err(EvaluatorError::config(key, "must be a positive number"));
            }
        }
        if !(self.data_fraction > 0.0 && self.data_fraction <= 1.0) {
            let message = "must be above 0 and at most 1";
            return Err(EvaluatorError::config("data_fraction", message));
        }
        if !(0.0..=1.0).contains(&self.label_noise) {
            return Err(EvaluatorError::config("label_noise", "must be from 0 to 1"));
        }
        self.schedule.check(self.steps.get())?;
        self.model.check()?;
        self.data.check()?;
        self.check_fit()?;
        self.check_size()
    }
}
