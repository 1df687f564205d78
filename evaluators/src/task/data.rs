//! The data of a task: where its examples come from.
//!
//! Invariant: a variant and its fields say everything about the data but its seed, and a field that
//! is left out has the default stated at it. Files are named by path; relative ones start at the
//! folder of whoever reads the configuration ([`DataConfig::paths_mut`]).

use std::num::{NonZeroU8, NonZeroUsize};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::style::is_default;
use crate::EvaluatorError;

/// The data of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum DataConfig {
    /// The embedded UCI digits: 1,797 images of 8×8 pixels from 0 to 1 in 10 classes. E. Alpaydin
    /// and C. Kaynak, CC BY 4.0.
    Digits,
    /// Embedded images of clothes, the first 3,500 for training of Fashion-MNIST (arXiv
    /// 1708.07747): 28×28 pixels from 0 to 1 in 10 classes. Zalando SE, MIT.
    Fashion,
    /// The embedded UCI letters: 20,000 printed capitals in 26 classes by 16 measurements each, of
    /// mean 0 and variance 1; no images. D. Slate, CC BY 4.0.
    Letter,
    /// Embedded plays, for next-symbol prediction: Hamlet, King Lear and Macbeth, 426,778 bytes
    /// of which 69 different ones occur. W. Shakespeare, public domain.
    Shakespeare,
    /// Ten digits as curves in noise (MNIST-1D, arXiv 2011.14439): 40 numbers of variance 1 an
    /// example, which are an image of one row to networks for images. Of a 3×3 convolution on it
    /// only the middle row learns, and patches are of one pixel.
    Mnist1d {
        /// Examples, training and validation together; 5,000 in the paper.
        examples: NonZeroUsize,
    },
    /// Images and labels in the two-file IDX format of MNIST, gzipped or not.
    Idx {
        /// The image file: bytes in three dimensions (0x00000803; count, height, width) or, with
        /// colours, in four (0x00000804; count, height, width, channels).
        images: PathBuf,
        /// The label file: bytes (0x00000801), or where there are more than 256 classes, 16-bit
        /// (0x00000b01) or 32-bit (0x00000c01) big-endian integers.
        labels: PathBuf,
    },
    /// Images of 32×32 pixels in the binary format of CIFAR-10 and CIFAR-100, gzipped or not.
    Cifar {
        /// The batch files of the training images.
        files: Vec<PathBuf>,
        /// The batch files of the test images, for validation. Default: none; a part of `files`
        /// is set aside.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        validation_files: Vec<PathBuf>,
        /// Label bytes in front of each image: 1 for CIFAR-10 (10 classes), 2 for CIFAR-100 (the
        /// second one counts, 100 classes). Default: 1.
        #[serde(default = "one_byte", skip_serializing_if = "is_one_byte")]
        label_bytes: NonZeroU8,
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
    /// Normal clusters around random centres, several to a class.
    Mixture {
        /// Features of an example.
        inputs: NonZeroUsize,
        /// Classes.
        classes: NonZeroUsize,
        /// Clusters of each class.
        clusters: NonZeroUsize,
        /// Distance of each centre from the origin, in standard deviations of a cluster.
        separation: f64,
        /// Examples, training and validation together.
        examples: NonZeroUsize,
    },
    /// Square images of random gratings, a few to a class, under noise.
    Textures {
        /// Pixels of a side.
        side: NonZeroUsize,
        /// Values of a pixel. Default: 3.
        #[serde(default = "three", skip_serializing_if = "is_three")]
        channels: NonZeroUsize,
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
    /// Nested brackets with filler between them, by a random probabilistic context-free grammar,
    /// for next-symbol prediction.
    Grammar {
        /// Kinds of brackets; each kind has likely contents of its own.
        brackets: NonZeroUsize,
        /// Filler symbols.
        fillers: NonZeroUsize,
        /// The most brackets open at once.
        depth: NonZeroUsize,
        /// Symbols generated, training and validation together.
        length: NonZeroUsize,
    },
    /// `a op b = c` modulo a number, every pair once; the loss is that of `c`.
    Modular {
        /// The modulus.
        modulus: NonZeroUsize,
        /// The operation. Default: `Add`.
        #[serde(default, skip_serializing_if = "is_default")]
        operation: Operation,
    },
    /// Questions about random sequences, each followed by its answer; the loss is that of the
    /// answer.
    Sequences {
        /// What is asked.
        problem: Problem,
        /// Size of the alphabet; for `Parity` the modulus, for `Addition` the base.
        symbols: NonZeroUsize,
        /// The longest sequence trained on; lengths are drawn uniformly from 1.
        length: NonZeroUsize,
        /// The longest sequence validated on, above `length`: validation sequences are all longer
        /// than those trained on. Default: none; other sequences of the lengths trained on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        validation_length: Option<NonZeroUsize>,
        /// Sequences drawn; those drawn twice count once.
        examples: NonZeroUsize,
    },
    /// None: the model is a function of its own, a `Quadratic`.
    None,
}

/// An operation on two numbers below a modulus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Operation {
    /// `a + b`.
    #[default]
    Add,
    /// `a - b`.
    Subtract,
    /// `a * b`.
    Multiply,
}

/// A question about a sequence of symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Problem {
    /// The sequence again.
    Copy,
    /// The sequence in rising order.
    Sort,
    /// The sum of the sequence modulo the number of symbols.
    Parity,
    /// The sum of two numbers of as many digits each, the lowest digit first everywhere.
    Addition,
}

impl Problem {
    /// Tokens of a question about `length` symbols, with the sign before its answer.
    pub(crate) fn question(self, length: usize) -> usize {
        match self {
            Self::Copy | Self::Sort | Self::Parity => length.saturating_add(1),
            Self::Addition => length.saturating_mul(2).saturating_add(2),
        }
    }

    /// Tokens of the answer.
    pub(crate) fn answer(self, length: usize) -> usize {
        match self {
            Self::Copy | Self::Sort => length,
            Self::Parity => 1,
            Self::Addition => length.saturating_add(1),
        }
    }
}

fn three() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(2)
}

fn is_three(count: &NonZeroUsize) -> bool {
    *count == three()
}

fn one_byte() -> NonZeroU8 {
    NonZeroU8::MIN
}

fn is_one_byte(bytes: &NonZeroU8) -> bool {
    *bytes == NonZeroU8::MIN
}

impl DataConfig {
    /// The paths of the data's files, so that a front end can make relative ones start at the
    /// configuration's folder.
    pub fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::Idx { images, labels } => vec![images, labels],
            Self::Cifar { files, validation_files, .. } => {
                files.iter_mut().chain(validation_files).collect()
            }
            Self::Text { path } => vec![path],
            _ => Vec::new(),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Digits => "Digits",
            Self::Fashion => "Fashion",
            Self::Letter => "Letter",
            Self::Shakespeare => "Shakespeare",
            Self::Mnist1d { .. } => "Mnist1d",
            Self::Idx { .. } => "Idx",
            Self::Cifar { .. } => "Cifar",
            Self::Text { .. } => "Text",
            Self::Teacher { .. } => "Teacher",
            Self::Mixture { .. } => "Mixture",
            Self::Textures { .. } => "Textures",
            Self::Markov { .. } => "Markov",
            Self::Grammar { .. } => "Grammar",
            Self::Modular { .. } => "Modular",
            Self::Sequences { .. } => "Sequences",
            Self::None => "None",
        }
    }

    /// Checks all of it that can be checked without reading files, its size included.
    pub(crate) fn check(&self) -> Result<(), EvaluatorError> {
        self.check_fields()?;
        self.check_size()
    }

    fn check_fields(&self) -> Result<(), EvaluatorError> {
        match self {
            Self::Cifar { files, label_bytes, .. } => check_cifar(files, label_bytes.get()),
            Self::Teacher { classes, .. } | Self::Textures { classes, .. } => {
                at_least_two("data.classes", "classes", *classes)
            }
            Self::Mixture { classes, separation, .. } => {
                if !(separation.is_finite() && *separation >= 0.0) {
                    let message = "must be a number that is not negative";
                    return Err(EvaluatorError::config("data.separation", message));
                }
                at_least_two("data.classes", "classes", *classes)
            }
            Self::Markov { symbols, order, .. } => {
                at_least_two("data.symbols", "symbols", *symbols)?;
                check_markov_table(symbols.get(), order.get())
            }
            Self::Modular { modulus, .. } => at_least_two("data.modulus", "numbers", *modulus),
            Self::Sequences { symbols, length, validation_length, .. } => {
                at_least_two("data.symbols", "symbols", *symbols)?;
                if validation_length.is_some_and(|validation| validation <= *length) {
                    let message = format!("must be above `length` ({length})");
                    return Err(EvaluatorError::config("data.validation_length", message));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn check_cifar(files: &[PathBuf], label_bytes: u8) -> Result<(), EvaluatorError> {
    if files.is_empty() {
        return Err(EvaluatorError::config("data.files", "needs at least one file"));
    }
    if label_bytes > 2 {
        let message = "must be 1 (CIFAR-10) or 2 (CIFAR-100)";
        return Err(EvaluatorError::config("data.label_bytes", message));
    }
    Ok(())
}

fn at_least_two(key: &str, things: &str, count: NonZeroUsize) -> Result<(), EvaluatorError> {
    if count.get() >= 2 {
        return Ok(());
    }
    Err(EvaluatorError::config(key, format!("needs at least 2 {things}")))
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
