//! Which network can be trained on which data.
//!
//! Invariant: what passes here is accepted by the network once the data has been read, except for
//! what only a file can tell (the size of its images). The message names what would fit, since a
//! person who combined two things wants to know which of them to change.

use super::{DataConfig, ModelConfig, TaskConfig};
use crate::EvaluatorError;

/// What a network reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Feature rows with a class each, images among them.
    Rows,
    /// Rows that are images.
    Images,
    /// Tokens, each predicted from those before it.
    Tokens,
}

impl Form {
    fn takes(self, data: &DataConfig) -> bool {
        match self {
            Self::Rows => !is_tokens(data),
            Self::Images => is_images(data),
            Self::Tokens => is_tokens(data),
        }
    }

    /// The data of this form, for a message.
    fn data(self) -> &'static str {
        match self {
            Self::Rows => "Digits, Idx, Cifar, Teacher or Mixture",
            Self::Images => "Digits, Idx or Cifar",
            Self::Tokens => "Text, Markov, Grammar, Modular or Sequences",
        }
    }
}

fn is_images(data: &DataConfig) -> bool {
    matches!(data, DataConfig::Digits | DataConfig::Idx { .. } | DataConfig::Cifar { .. })
}

fn is_tokens(data: &DataConfig) -> bool {
    use DataConfig::{Grammar, Markov, Modular, Sequences, Text};
    matches!(data, Text { .. } | Markov { .. } | Grammar { .. } | Modular { .. } | Sequences { .. })
}

impl ModelConfig {
    fn form(&self) -> Form {
        match self {
            Self::Mlp { .. } => Form::Rows,
            Self::Conv { .. } => Form::Images,
            Self::Transformer { .. } => Form::Tokens,
        }
    }
}

impl TaskConfig {
    pub(super) fn check_fit(&self) -> Result<(), EvaluatorError> {
        let form = self.model.form();
        if !form.takes(&self.data) {
            let (model, data) = (self.model.name(), self.data.name());
            let message =
                format!("{model} cannot be trained on {data} data; it needs {}", form.data());
            return Err(EvaluatorError::config("model", message));
        }
        match (self.model.context(), self.data.longest_example()) {
            (Some(context), Some(longest)) if context < longest - 1 => {
                let message = format!(
                    "must be at least {}: the longest example has {longest} tokens, of which the \
                     last is only predicted",
                    longest - 1
                );
                Err(EvaluatorError::config("model.context", message))
            }
            _ => Ok(()),
        }
    }
}

impl DataConfig {
    /// Tokens of the longest example, question and answer, where examples have an end.
    fn longest_example(&self) -> Option<usize> {
        match *self {
            Self::Modular { .. } => Some(5),
            Self::Sequences { problem, length, validation_length, .. } => {
                let length = validation_length.unwrap_or(length).get();
                Some(problem.question(length).saturating_add(problem.answer(length)))
            }
            _ => None,
        }
    }
}
