//! The size of a task: how many numbers its network and its data hold.
//!
//! Invariant: nothing is sized by a number of the configuration or of a data file before it has
//! passed here, so a slip of a few zeros is refused at its key instead of filling the memory. What
//! the configuration says is checked before anything is read or generated, and what a file decides
//! as soon as it has been read; until then a file counts as the smallest there can be. Estimates
//! are in floating point, where a product of large counts cannot overflow.

mod network;

use std::num::NonZeroUsize;

use crate::{DataConfig, EvaluatorError, TaskConfig};

/// The most numbers that generated data, or a batch with its activations, may hold: 1 GiB of
/// float32.
const MOST_NUMBERS: f64 = (1u64 << 28) as f64;

/// The most weights of a network. Training holds about a dozen numbers for each: itself, its
/// gradient, candle's copies of both, an optimizer's states, and what that keeps from one pass to
/// the next.
pub(crate) const MOST_WEIGHTS: f64 = (1u64 << 27) as f64;

/// The most layers of a network, blocks of several counted once: differentiation recurses through
/// them, and takes the stack with it at some thousands.
const MOST_LAYERS: usize = 1_000;

/// Examples a validation batch holds, where their activations are not too large for that.
const VALIDATION_BATCH: f64 = 128.0;

/// Numbers that an example of questions and answers takes besides its tokens: it is two lists.
const LISTS: f64 = 32.0;

/// What a network reads, as far as its size depends on that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reads {
    /// Features of an example, or tokens of the vocabulary.
    features: f64,
    /// What is told apart: classes, or the tokens again.
    classes: f64,
    /// Height, width and channels of an image.
    image: [f64; 3],
}

impl Reads {
    /// Examples of so many features and classes.
    pub(crate) fn rows(features: f64, classes: f64) -> Self {
        Self { features, classes, image: [1.0, 1.0, features] }
    }

    /// Images in so many classes.
    pub(crate) fn images([height, width, channels]: [f64; 3], classes: f64) -> Self {
        let features = height * width * channels;
        Self { features, classes, image: [height, width, channels] }
    }

    /// Tokens of a vocabulary.
    pub(crate) fn tokens(vocabulary: f64) -> Self {
        Self::rows(vocabulary, vocabulary)
    }
}

impl TaskConfig {
    /// Refuses networks and batches too large to be proxies, as far as no file decides that.
    pub(super) fn check_size(&self) -> Result<(), EvaluatorError> {
        self.check_network(&self.data.reads())
    }

    /// Refuses a network and batches too large for what they read.
    pub(crate) fn check_network(&self, reads: &Reads) -> Result<(), EvaluatorError> {
        let depth = self.model.depth();
        if depth > MOST_LAYERS {
            let message =
                format!("has {depth} layers, of which there may be at most {MOST_LAYERS}");
            return Err(EvaluatorError::config("model", message));
        }
        let activations = self.model.activations(reads);
        refuse_large_network("model", self.model.weights(reads), activations)?;
        refuse_large_batch(activations, self.batch_size.get())
    }

    /// Examples of a validation batch, so that its activations fit as those of a training batch do.
    pub(crate) fn validation_batch(&self, reads: &Reads) -> usize {
        validation_batch(self.model.activations(reads))
    }
}

/// Examples of a validation batch of a network with so many activations for each.
pub(crate) fn validation_batch(activations: f64) -> usize {
    (MOST_NUMBERS / activations).clamp(1.0, VALIDATION_BATCH) as usize
}

/// Refuses a network at `key` that has too many weights, or too many activations for one example.
pub(crate) fn refuse_large_network(
    key: &str,
    weights: f64,
    activations: f64,
) -> Result<(), EvaluatorError> {
    refuse_above(key, weights, MOST_WEIGHTS)?;
    refuse_above(key, activations, MOST_NUMBERS)
}

/// Refuses batches too large for a network with so many activations for each example.
pub(crate) fn refuse_large_batch(activations: f64, batch: usize) -> Result<(), EvaluatorError> {
    refuse_above("batch_size", activations * batch as f64, MOST_NUMBERS)
}

fn refuse_above(key: &str, numbers: f64, most: f64) -> Result<(), EvaluatorError> {
    if numbers <= most {
        return Ok(());
    }
    let message = format!("would hold about {numbers:.1e} numbers; at most {most:.1e} fit");
    Err(EvaluatorError::config(key, message))
}

impl DataConfig {
    /// Refuses data that are generated and too large.
    pub(super) fn check_size(&self) -> Result<(), EvaluatorError> {
        refuse_above("data", self.numbers(), MOST_NUMBERS)
    }

    /// Numbers that are generated.
    fn numbers(&self) -> f64 {
        match self {
            Self::Teacher { inputs, hidden, classes, examples } => {
                let (inputs, hidden) = (number(*inputs), number(*hidden));
                (inputs + 1.0) * number(*examples) + hidden * (inputs + number(*classes))
            }
            Self::Mixture { inputs, classes, clusters, examples, .. } => {
                let centres = number(*classes) * number(*clusters);
                (number(*inputs) + LISTS) * centres + (number(*inputs) + 1.0) * number(*examples)
            }
            Self::Textures { side, channels, classes, examples } => {
                let (side, channels) = (number(*side), number(*channels));
                (side * side * channels + 1.0) * number(*examples)
                    + (channels + LISTS) * 3.0 * number(*classes)
            }
            // The histories of a chain are limited where it is checked.
            Self::Markov { length, .. } => number(*length),
            Self::Grammar { brackets, length, .. } => number(*length) + 12.0 * number(*brackets),
            Self::Modular { modulus, .. } => (8.0 + LISTS) * number(*modulus) * number(*modulus),
            Self::Sequences { length, validation_length, examples, .. } => {
                let longest = number(validation_length.unwrap_or(*length));
                // Those validated on may be longer, and are few.
                let validation = if validation_length.is_some() { 2048.0 } else { 0.0 };
                (LISTS + 6.0 * number(*length)) * number(*examples)
                    + (LISTS + 6.0 * longest) * validation
            }
            Self::Mnist1d { examples } => 41.0 * number(*examples),
            Self::Digits
            | Self::Fashion
            | Self::Letter
            | Self::Shakespeare
            | Self::Idx { .. }
            | Self::Cifar { .. }
            | Self::Text { .. }
            | Self::None => 0.0,
        }
    }

    /// What a network reads of it; of a file that has its own sizes, the least.
    fn reads(&self) -> Reads {
        match self {
            Self::Digits => Reads::images([8.0, 8.0, 1.0], 10.0),
            Self::Fashion => Reads::images([28.0, 28.0, 1.0], 10.0),
            Self::Letter => Reads::rows(16.0, 26.0),
            Self::Shakespeare => Reads::tokens(69.0),
            Self::Mnist1d { .. } => Reads::images([1.0, 40.0, 1.0], 10.0),
            Self::Idx { .. } => Reads::images([1.0, 1.0, 1.0], 1.0),
            Self::Cifar { label_bytes, .. } => {
                let classes = if label_bytes.get() == 1 { 10.0 } else { 100.0 };
                Reads::images([32.0, 32.0, 3.0], classes)
            }
            Self::Text { .. } => Reads::tokens(256.0),
            Self::Teacher { inputs, classes, .. } | Self::Mixture { inputs, classes, .. } => {
                Reads::rows(number(*inputs), number(*classes))
            }
            Self::Textures { side, channels, classes, .. } => {
                let side = number(*side);
                Reads::images([side, side, number(*channels)], number(*classes))
            }
            Self::Markov { symbols, .. } => Reads::tokens(number(*symbols)),
            Self::Grammar { brackets, fillers, .. } => {
                Reads::tokens(2.0 * number(*brackets) + number(*fillers))
            }
            // Signs and padding are tokens, too.
            Self::Modular { modulus: symbols, .. } | Self::Sequences { symbols, .. } => {
                Reads::tokens(number(*symbols) + 3.0)
            }
            Self::None => Reads::rows(0.0, 0.0),
        }
    }
}

fn number(count: NonZeroUsize) -> f64 {
    count.get() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::{Cell, ModelConfig};
    use evo_hashes::Seed;
    use std::num::NonZeroU64;
    use std::path::Path;

    fn task(model: ModelConfig, data: DataConfig, batch_size: usize) -> TaskConfig {
        TaskConfig {
            name: "task".to_owned(),
            model,
            data,
            batch_size: NonZeroUsize::new(batch_size).expect("not zero"),
            steps: NonZeroU64::MIN,
            schedule: crate::Schedule::default(),
            learning_rate: None,
            baseline_loss: None,
            data_fraction: 1.0,
            label_noise: 0.0,
        }
    }

    fn refused_key(task: &TaskConfig) -> Option<String> {
        match task.check() {
            Err(EvaluatorError::Config { key, .. }) => Some(key),
            other => {
                other.expect("only a configuration error is possible");
                None
            }
        }
    }

    #[test]
    fn data_without_a_file_have_the_sizes_that_are_counted_with() {
        let examples = NonZeroUsize::new(50).expect("not zero");
        for data in [
            DataConfig::Digits,
            DataConfig::Fashion,
            DataConfig::Letter,
            DataConfig::Shakespeare,
            DataConfig::Mnist1d { examples },
        ] {
            let loaded = Dataset::load(&data, Path::new(""), Seed(0), 4).expect("no file is read");
            assert_eq!(loaded.reads(), data.reads(), "{}", data.name());
        }
    }

    #[test]
    fn a_few_zeros_too_many_are_refused_at_their_key() {
        let count = |count| NonZeroUsize::new(count).expect("not zero");
        let mlp = |width| ModelConfig::mlp(vec![count(width)]);
        let transformer = |width, layers| {
            ModelConfig::transformer(count(width), count(layers), count(1), count(64))
        };
        let markov = |length| DataConfig::Markov {
            symbols: count(16),
            order: count(1),
            length: count(length),
        };
        let refused = |model, data, batch| refused_key(&task(model, data, batch));
        assert_eq!(refused(mlp(64), DataConfig::Digits, 32), None);
        assert_eq!(refused(mlp(usize::MAX), DataConfig::Digits, 32).as_deref(), Some("model"));
        assert_eq!(refused(mlp(64), DataConfig::Digits, 1 << 40).as_deref(), Some("batch_size"));
        assert_eq!(refused(transformer(128, 2), markov(100_000), 64), None);
        assert_eq!(refused(transformer(100_000, 1), markov(1_000), 1).as_deref(), Some("model"));
        assert_eq!(refused(transformer(16, 1 << 30), markov(1_000), 1).as_deref(), Some("model"));
        assert_eq!(refused(transformer(16, 1), markov(1 << 40), 1).as_deref(), Some("data"));
        let recurrent = |width| ModelConfig::Recurrent {
            width: count(width),
            layers: count(1),
            context: count(32),
            cell: Cell::Gated,
            weight_scale: 1.0,
        };
        assert_eq!(refused(recurrent(64), markov(1_000), 16), None);
        assert_eq!(refused(recurrent(1 << 20), markov(1_000), 1).as_deref(), Some("model"));
        let quadratic = |dimension| ModelConfig::Quadratic {
            dimension: count(dimension),
            smallest: 0.1,
            largest: 1.0,
            rotated: false,
            noise: 1.0,
        };
        assert_eq!(refused(quadratic(1000), DataConfig::None, usize::MAX), None);
        assert_eq!(refused(quadratic(1 << 40), DataConfig::None, 1).as_deref(), Some("model"));
        let vision = |width, patch| {
            ModelConfig::vision_transformer(count(patch), count(width), count(3), count(3))
        };
        assert_eq!(refused(vision(96, 2), DataConfig::Digits, 64), None);
        assert_eq!(refused(vision(96 << 20, 2), DataConfig::Digits, 1).as_deref(), Some("model"));
        assert_eq!(refused(vision(96, 3), DataConfig::Digits, 1).as_deref(), Some("model.patch"));
    }
}
