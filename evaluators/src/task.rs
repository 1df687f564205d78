//! Proxy task configurations: a model, its data, and how long it is trained.
//!
//! Invariant: a task that passes [`TaskConfig::check`] can be trained as soon as its data files can
//! be read. Counts are unsigned and non-zero types, so that a parser refuses a negative or a zero
//! one at its place in the file; a check afterwards could only say that it was somewhere.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{EvaluatorError, Schedule};

/// The most steps of a task; weeks of training at this size.
const MOST_STEPS: u64 = 1_000_000_000;

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
    /// Peak incoming learning rate; 1 means 0.001 to the AdamW of the zoo. Tuned when absent.
    #[serde(default)]
    pub learning_rate: Option<f64>,
    /// Validation loss (nats) of tuned AdamW on this task. Measured when absent.
    #[serde(default)]
    pub baseline_loss: Option<f64>,
}

/// The network of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ModelConfig {
    /// Fully connected layers with relu between them.
    Mlp {
        /// Widths of the hidden layers; none gives a linear classifier.
        hidden: Vec<NonZeroUsize>,
    },
    /// 3×3 convolutions with relu, the second and later ones of stride 2, then one dense layer.
    Conv {
        /// Output channels of each convolution.
        channels: Vec<NonZeroUsize>,
    },
    /// A decoder-only language model with RMS normalisation before each block.
    Transformer {
        /// Size of the residual stream.
        width: NonZeroUsize,
        /// Blocks of attention and MLP.
        layers: NonZeroUsize,
        /// Attention heads; divides `width`.
        heads: NonZeroUsize,
        /// Tokens a window holds.
        context: NonZeroUsize,
    },
}

/// The data of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum DataConfig {
    /// The embedded UCI digits: 1,797 images of 8×8 pixels in 10 classes.
    Digits,
    /// Images and labels in the two-file IDX format of MNIST.
    Idx {
        /// The image file (magic number 0x00000803).
        images: PathBuf,
        /// The label file (magic number 0x00000801).
        labels: PathBuf,
    },
    /// The bytes of any file, for next-byte prediction.
    Text {
        /// The file.
        path: PathBuf,
    },
    /// Normal inputs labelled by a random two-layer network.
    Teacher {
        /// Features of an example.
        inputs: NonZeroUsize,
        /// Hidden units of the labelling network.
        hidden: NonZeroUsize,
        /// Classes.
        classes: NonZeroUsize,
        /// Examples, training and validation together.
        examples: NonZeroUsize,
    },
    /// A random Markov chain over symbols, for next-symbol prediction.
    Markov {
        /// Size of the alphabet.
        symbols: NonZeroUsize,
        /// Symbols the next one depends on.
        order: NonZeroUsize,
        /// Symbols generated, training and validation together.
        length: NonZeroUsize,
    },
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
        if self.schedule.warmup_steps() >= self.steps.get() {
            return Err(EvaluatorError::config(
                "schedule.warmup_steps",
                format!("must be less than `steps` ({})", self.steps),
            ));
        }
        self.model.check()?;
        self.data.check()?;
        self.check_fit()?;
        self.check_size()
    }

    fn check_fit(&self) -> Result<(), EvaluatorError> {
        let (fits, needs) = match self.model {
            ModelConfig::Mlp { .. } => (!self.data.is_tokens(), "Digits, Idx or Teacher"),
            ModelConfig::Conv { .. } => (self.data.is_images(), "Digits or Idx"),
            ModelConfig::Transformer { .. } => (self.data.is_tokens(), "Text or Markov"),
        };
        if fits {
            return Ok(());
        }
        Err(EvaluatorError::config(
            "model",
            format!(
                "{} cannot be trained on {} data; it needs {needs}",
                self.model.name(),
                self.data.name()
            ),
        ))
    }
}

impl ModelConfig {
    fn name(&self) -> &'static str {
        match self {
            Self::Mlp { .. } => "Mlp",
            Self::Conv { .. } => "Conv",
            Self::Transformer { .. } => "Transformer",
        }
    }

    fn check(&self) -> Result<(), EvaluatorError> {
        match self {
            Self::Conv { channels } if channels.is_empty() => {
                Err(EvaluatorError::config("model.channels", "needs at least one convolution"))
            }
            Self::Transformer { width, heads, .. } if width.get() % heads.get() != 0 => {
                Err(EvaluatorError::config(
                    "model.heads",
                    format!("{heads} heads do not divide a width of {width}"),
                ))
            }
            _ => Ok(()),
        }
    }
}

impl DataConfig {
    fn name(&self) -> &'static str {
        match self {
            Self::Digits => "Digits",
            Self::Idx { .. } => "Idx",
            Self::Text { .. } => "Text",
            Self::Teacher { .. } => "Teacher",
            Self::Markov { .. } => "Markov",
        }
    }

    fn is_tokens(&self) -> bool {
        matches!(self, Self::Text { .. } | Self::Markov { .. })
    }

    fn is_images(&self) -> bool {
        matches!(self, Self::Digits | Self::Idx { .. })
    }

    fn check(&self) -> Result<(), EvaluatorError> {
        match self {
            Self::Teacher { classes, .. } if classes.get() < 2 => {
                Err(EvaluatorError::config("data.classes", "needs at least 2 classes"))
            }
            Self::Markov { symbols, order, .. } => {
                if symbols.get() < 2 {
                    return Err(EvaluatorError::config("data.symbols", "needs at least 2 symbols"));
                }
                check_markov_table(symbols.get(), order.get())
            }
            _ => Ok(()),
        }
    }
}

/// A chain's table has one row per history; this keeps it in memory (`symbols^order` rows).
fn check_markov_table(symbols: usize, order: usize) -> Result<(), EvaluatorError> {
    let rows = u32::try_from(order).ok().and_then(|order| symbols.checked_pow(order));
    match rows {
        Some(rows) if rows <= 1 << 20 => Ok(()),
        _ => Err(EvaluatorError::config(
            "data.order",
            format!("{symbols} symbols to the power {order} exceed 1,048,576 histories"),
        )),
    }
}
