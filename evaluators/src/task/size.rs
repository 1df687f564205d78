//! The size of a task: how many numbers its network and its data hold.
//!
//! Invariant: nothing is sized by a number of the configuration before it has passed here, so a slip
//! of a few zeros is refused at its key instead of filling the memory. The estimate is in floating
//! point, where a product of large counts cannot overflow.

use crate::{DataConfig, EvaluatorError, ModelConfig, TaskConfig};

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
            Self::Markov { length, .. } | Self::Grammar { length, .. } => length.get() as f64,
            Self::Modular { modulus, .. } => 8.0 * modulus.get() as f64 * modulus.get() as f64,
            Self::Sequences { length, validation_length, examples, .. } => {
                let longest = validation_length.unwrap_or(*length).get() as f64;
                6.0 * longest * examples.get() as f64
            }
            Self::Digits | Self::Idx { .. } | Self::Cifar { .. } | Self::Text { .. } => 0.0,
        }
    }

    /// Features of an example, or symbols of the alphabet.
    fn features(&self) -> f64 {
        match self {
            Self::Digits => 64.0,
            Self::Idx { .. } => FILE_FEATURES,
            Self::Cifar { .. } => 3072.0,
            Self::Text { .. } => 256.0,
            Self::Teacher { inputs, .. } | Self::Mixture { inputs, .. } => inputs.get() as f64,
            Self::Markov { symbols, .. } => symbols.get() as f64,
            Self::Grammar { brackets, fillers, .. } => {
                2.0 * brackets.get() as f64 + fillers.get() as f64
            }
            Self::Modular { modulus, .. } => modulus.get() as f64,
            Self::Sequences { symbols, .. } => symbols.get() as f64,
        }
    }
}

impl ModelConfig {
    fn parameters(&self, data: &DataConfig) -> f64 {
        match self {
            Self::Mlp { hidden } => {
                pairs(data.features(), hidden).map(|(from, to)| from * to).sum()
            }
            Self::Conv { channels } => pairs(1.0, channels).map(|(from, to)| 9.0 * from * to).sum(),
            Self::Transformer { width, layers, context, .. } => {
                let width = width.get() as f64;
                let embeddings = width * (2.0 * data.features() + context.get() as f64);
                embeddings + 12.0 * width * width * layers.get() as f64
            }
        }
    }

    /// Numbers kept for one example between the forward and the backward pass.
    fn activations(&self, data: &DataConfig) -> f64 {
        match self {
            Self::Mlp { hidden } => {
                pairs(data.features(), hidden).map(|(from, to)| from + to).sum()
            }
            Self::Conv { channels } => {
                let pixels = data.features();
                pairs(1.0, channels).map(|(from, to)| pixels * (9.0 * from + to)).sum()
            }
            Self::Transformer { width, layers, heads, context } => {
                let (context, width) = (context.get() as f64, width.get() as f64);
                let attention = heads.get() as f64 * context;
                let layer = context * (16.0 * width + attention);
                layer * layers.get() as f64 + context * data.features()
            }
        }
    }
}

/// Neighbouring widths of a chain of layers.
fn pairs(first: f64, widths: &[std::num::NonZeroUsize]) -> impl Iterator<Item = (f64, f64)> {
    let widths = widths.iter().map(|width| width.get() as f64);
    let from = std::iter::once(first).chain(widths.clone());
    from.zip(widths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::{NonZeroU64, NonZeroUsize};

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
        let mlp = |width| ModelConfig::Mlp { hidden: vec![count(width)] };
        let transformer = |width, layers| ModelConfig::Transformer {
            width: count(width),
            layers: count(layers),
            heads: count(1),
            context: count(64),
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
    }
}
