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
    /// Nothing.
    None,
}

impl Form {
    fn takes(self, data: &DataConfig) -> bool {
        match self {
            Self::Rows => is_images(data) || is_plain_rows(data),
            Self::Images => is_images(data),
            Self::Tokens => is_tokens(data),
            Self::None => *data == DataConfig::None,
        }
    }

    /// The data of this form, for a message.
    fn data(self) -> &'static str {
        match self {
            Self::Rows => {
                "Digits, Fashion, Letter, Mnist1d, Idx, Cifar, Textures, Teacher or Mixture"
            }
            Self::Images => "Digits, Fashion, Mnist1d, Idx, Cifar or Textures",
            Self::Tokens => "Shakespeare, Text, Markov, Grammar, Modular or Sequences",
            Self::None => "None",
        }
    }
}

fn is_images(data: &DataConfig) -> bool {
    use DataConfig::{Cifar, Digits, Fashion, Idx, Mnist1d, Textures};
    matches!(data, Digits | Fashion | Mnist1d { .. } | Idx { .. } | Cifar { .. } | Textures { .. })
}

fn is_plain_rows(data: &DataConfig) -> bool {
    use DataConfig::{Letter, Mixture, Teacher};
    matches!(data, Letter | Teacher { .. } | Mixture { .. })
}

fn is_tokens(data: &DataConfig) -> bool {
    use DataConfig::{Grammar, Markov, Modular, Sequences, Shakespeare, Text};
    matches!(
        data,
        Shakespeare
            | Text { .. }
            | Markov { .. }
            | Grammar { .. }
            | Modular { .. }
            | Sequences { .. }
    )
}

impl ModelConfig {
    fn form(&self) -> Form {
        match self {
            Self::Mlp { .. } | Self::ResidualMlp { .. } | Self::Autoencoder { .. } => Form::Rows,
            Self::Conv { .. } | Self::VisionTransformer { .. } => Form::Images,
            Self::Transformer { .. } | Self::Recurrent { .. } => Form::Tokens,
            Self::Quadratic { .. } => Form::None,
        }
    }

    /// Whether the loss depends on the labels.
    fn reads_labels(&self) -> bool {
        !matches!(self, Self::Autoencoder { .. } | Self::Quadratic { .. })
    }

    /// Whether images of `height` × `width` pixels can be read.
    pub(crate) fn check_image(&self, height: usize, width: usize) -> Result<(), EvaluatorError> {
        match self {
            Self::VisionTransformer { patch, .. }
                if ![height, width].iter().all(|side| side.is_multiple_of(patch.get())) =>
            {
                let message = format!(
                    "patches of {patch}×{patch} pixels do not divide images of {height}×{width}"
                );
                Err(EvaluatorError::config("model.patch", message))
            }
            _ => Ok(()),
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
        if let Some([height, width]) = self.data.image_sides() {
            self.model.check_image(height, width)?;
        }
        self.check_options()?;
        match self.data.longest_example() {
            Some(longest) if self.model.window() < longest - 1 => {
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

    /// Options of the data that the model would not notice.
    fn check_options(&self) -> Result<(), EvaluatorError> {
        let name = self.model.name();
        if self.label_noise > 0.0 && !self.model.reads_labels() {
            return Err(EvaluatorError::config("label_noise", format!("{name} reads no labels")));
        }
        if self.data_fraction < 1.0 && self.data == DataConfig::None {
            return Err(EvaluatorError::config("data_fraction", format!("{name} has no examples")));
        }
        Ok(())
    }
}

impl DataConfig {
    /// Height and width of images whose size is known before they are read.
    fn image_sides(&self) -> Option<[usize; 2]> {
        match self {
            Self::Digits => Some([8; 2]),
            Self::Fashion => Some([28; 2]),
            Self::Mnist1d { .. } => Some([1, 40]),
            Self::Cifar { .. } => Some([32; 2]),
            Self::Textures { side, .. } => Some([side.get(); 2]),
            _ => None,
        }
    }

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
