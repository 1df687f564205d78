//! The size of a task: how many numbers its network and its data hold.
//!
//! Invariant: nothing is sized by a number of the configuration before it has passed here, so a slip
//! of a few zeros is refused at its key instead of filling the memory. The estimate is in floating
//! point, where a product of large counts cannot overflow.

use std::num::NonZeroUsize;

use crate::{Cell, DataConfig, EvaluatorError, ModelConfig, TaskConfig};

/// The most numbers a network with its activations, or a generated data set, may hold: 1 GiB of
/// float32.
const MOST_NUMBERS: f64 = (1u64 << 28) as f64;

/// Features assumed of files whose size is not known before they are read (an MNIST image).
const FILE_FEATURES: f64 = 784.0;

impl TaskConfig {
    /// Refuses networks, batches and data too large to be proxies.
    pub(crate) fn check_size(&self) -> Result<(), EvaluatorError> {
        refuse_above("data", self.data.numbers())?;
        refuse_above("model", self.model.parameters(&self.data))?;
        let activations = self.model.activations(&self.data) * self.batch_size.get() as f64;
        refuse_above("batch_size", activations)
    }
}

fn refuse_above(key: &str, numbers: f64) -> Result<(), EvaluatorError> {
    if numbers <= MOST_NUMBERS {
        return Ok(());
    }
    let message = format!("would hold about {numbers:.1e} numbers; at most {MOST_NUMBERS:.1e} fit");
    Err(EvaluatorError::config(key, message))
}

impl DataConfig {
    /// Numbers that are generated.
    fn numbers(&self) -> f64 {
        match self {
            Self::Teacher { inputs, hidden, classes, examples } => {
                let (inputs, hidden) = (inputs.get() as f64, hidden.get() as f64);
                inputs * examples.get() as f64 + hidden * (inputs + classes.get() as f64)
            }
            Self::Mixture { inputs, classes, clusters, examples, .. } => {
                let centres = classes.get() as f64 * clusters.get() as f64;
                inputs.get() as f64 * (examples.get() as f64 + centres)
            }
            Self::Textures { side, channels, examples, .. } => {
                square(*side) * channels.get() as f64 * examples.get() as f64
            }
            Self::Markov { length, .. } | Self::Grammar { length, .. } => length.get() as f64,
            Self::Modular { modulus, .. } => 8.0 * modulus.get() as f64 * modulus.get() as f64,
            Self::Sequences { length, validation_length, examples, .. } => {
                let longest = validation_length.unwrap_or(*length).get() as f64;
                6.0 * longest * examples.get() as f64
            }
            Self::Digits
            | Self::Idx { .. }
            | Self::Cifar { .. }
            | Self::Text { .. }
            | Self::None => 0.0,
        }
    }

    /// Values of a pixel, where the data are images.
    fn channels(&self) -> f64 {
        match self {
            Self::Cifar { .. } => 3.0,
            Self::Textures { channels, .. } => channels.get() as f64,
            _ => 1.0,
        }
    }

    fn pixels(&self) -> f64 {
        self.features() / self.channels()
    }

    /// Features of an example, or symbols of the alphabet.
    fn features(&self) -> f64 {
        match self {
            Self::Digits => 64.0,
            Self::Idx { .. } => FILE_FEATURES,
            Self::Cifar { .. } => 3072.0,
            Self::Text { .. } => 256.0,
            Self::Teacher { inputs, .. } | Self::Mixture { inputs, .. } => inputs.get() as f64,
            Self::Textures { side, channels, .. } => square(*side) * channels.get() as f64,
            Self::Markov { symbols, .. } => symbols.get() as f64,
            Self::Grammar { brackets, fillers, .. } => {
                2.0 * brackets.get() as f64 + fillers.get() as f64
            }
            Self::Modular { modulus, .. } => modulus.get() as f64,
            Self::Sequences { symbols, .. } => symbols.get() as f64,
            Self::None => 0.0,
        }
    }
}

impl ModelConfig {
    fn parameters(&self, data: &DataConfig) -> f64 {
        let features = data.features();
        match self {
            Self::Mlp { hidden, .. } => chain(features, hidden),
            Self::Autoencoder { hidden, .. } => 2.0 * chain(features, hidden),
            Self::Conv { channels, .. } => 9.0 * chain(data.channels(), channels),
            Self::ResidualMlp { width, depth, .. } => {
                let width = width.get() as f64;
                width * features + 2.0 * width * width * depth.get() as f64
            }
            Self::VisionTransformer { patch, width, layers, .. } => {
                let (patch, width) = (patch.get() as f64, width.get() as f64);
                let positions = data.pixels() / (patch * patch);
                width * (patch * patch * data.channels() + positions) + blocks(width, layers.get())
            }
            Self::Transformer { width, layers, context, .. } => {
                let width = width.get() as f64;
                width * (2.0 * features + context.get() as f64) + blocks(width, layers.get())
            }
            Self::Recurrent { width, layers, cell, .. } => {
                let (width, blocks) = (width.get() as f64, cell.projections());
                width * 2.0 * features + 2.0 * blocks * width * width * layers.get() as f64
            }
            Self::Quadratic { dimension, rotated, .. } => {
                let dimension = dimension.get() as f64;
                if *rotated { dimension * dimension } else { dimension }
            }
        }
    }

    /// Numbers kept for one example between the forward and the backward pass.
    fn activations(&self, data: &DataConfig) -> f64 {
        let features = data.features();
        match self {
            Self::Mlp { hidden, .. } => sums(features, hidden),
            Self::Autoencoder { hidden, .. } => 2.0 * sums(features, hidden),
            Self::Conv { channels, .. } => {
                let pixels = data.pixels();
                pairs(data.channels(), channels).map(|(from, to)| pixels * (9.0 * from + to)).sum()
            }
            Self::ResidualMlp { width, depth, .. } => {
                features + 4.0 * width.get() as f64 * depth.get() as f64
            }
            Self::VisionTransformer { patch, width, layers, heads, .. } => {
                let patch = patch.get() as f64;
                let patches = data.pixels() / (patch * patch);
                features + attended(patches, width.get(), heads.get(), layers.get())
            }
            Self::Transformer { width, layers, heads, context, .. } => {
                let context = context.get() as f64;
                context * features + attended(context, width.get(), heads.get(), layers.get())
            }
            Self::Recurrent { width, layers, context, cell, .. } => {
                let step = 4.0 * cell.projections() * width.get() as f64 * layers.get() as f64;
                context.get() as f64 * (features + step)
            }
            // One noise vector serves a whole batch, whatever its size.
            Self::Quadratic { .. } => 0.0,
        }
    }
}

impl Cell {
    fn projections(self) -> f64 {
        match self {
            Self::Elman => 1.0,
            Self::Gated => 3.0,
        }
    }
}

fn square(side: NonZeroUsize) -> f64 {
    side.get() as f64 * side.get() as f64
}

/// Weights of a chain of layers.
fn chain(first: f64, widths: &[NonZeroUsize]) -> f64 {
    pairs(first, widths).map(|(from, to)| from * to).sum()
}

/// Results of a chain of layers and what they are made from.
fn sums(first: f64, widths: &[NonZeroUsize]) -> f64 {
    pairs(first, widths).map(|(from, to)| from + to).sum()
}

/// Weights of blocks of attention and MLP.
fn blocks(width: f64, layers: usize) -> f64 {
    12.0 * width * width * layers as f64
}

/// Numbers kept of blocks of attention and MLP over a sequence.
fn attended(length: f64, width: usize, heads: usize, layers: usize) -> f64 {
    length * (16.0 * width as f64 + heads as f64 * length) * layers as f64
}

/// Neighbouring widths of a chain of layers.
fn pairs(first: f64, widths: &[NonZeroUsize]) -> impl Iterator<Item = (f64, f64)> {
    let widths = widths.iter().map(|width| width.get() as f64);
    let from = std::iter::once(first).chain(widths.clone());
    from.zip(widths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU64;

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
