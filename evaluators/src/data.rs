//! Data sets: what proxy tasks are trained and validated on.
//!
//! Invariant: a data set is a function of its configuration, its files and a seed, and no
//! validation example (or predicted token) is ever trained on. Everything is held in memory in the
//! form the networks read, so that a training step copies rows and decodes nothing.

mod answers;
mod cifar;
mod compressed;
mod digits;
mod fashion;
mod features;
mod grammar;
mod idx;
mod label_noise;
mod letter;
mod markov;
mod mixture;
mod mnist1d;
mod modular;
mod rows;
mod sequences;
mod shakespeare;
mod teacher;
mod text;
mod textures;
mod tokens;

use std::path::Path;

use evo_hashes::Seed;

pub(crate) use answers::AnswerData;
pub(crate) use features::Features;
pub(crate) use rows::{ImageShape, RowData, Rows};
pub(crate) use tokens::TokenData;

use self::label_noise::redraw;
use self::sequences::Sequences;
use crate::task::Reads;
use crate::{DataConfig, EvaluatorError};

/// The largest data file that is read, in bytes; it is held in memory.
pub(crate) const LARGEST_FILE: u64 = 1 << 31;

/// Most predictions a validation loss is averaged over; it bounds what one validation costs.
pub(crate) const VALIDATION_PREDICTIONS: usize = 2048;

/// Most numbers that the examples of a validation, which are held all the time, come to: 4 GiB.
const VALIDATION_NUMBERS: usize = 1 << 30;

/// One part in this many is set aside for validation.
const VALIDATION_SHARE: usize = 5;

/// A loaded data set, split into training and validation.
#[derive(Clone, Debug)]
pub(crate) enum Dataset {
    /// Feature rows with a class each.
    Rows(RowData),
    /// A token sequence, each token predicted from those before it.
    Tokens(TokenData),
    /// Questions and answers in tokens, the answers predicted.
    Answers(AnswerData),
    /// A fresh vector of this many normal numbers for every batch.
    Noise(usize),
}

impl Dataset {
    /// Loads or generates the data and splits it by `seed`.
    ///
    /// Relative paths start at `base_dir`. `window` is the number of tokens, or of noise values,
    /// that a network reads at once; row data ignores it.
    ///
    /// # Errors
    /// [`EvaluatorError::Data`] for a missing or damaged file, [`EvaluatorError::Config`] for data
    /// too small to split; keys start inside the task (`data.images`).
    pub(crate) fn load(
        config: &DataConfig,
        base_dir: &Path,
        seed: Seed,
        window: usize,
    ) -> Result<Self, EvaluatorError> {
        match *config {
            DataConfig::Modular { modulus, operation } => {
                let examples = modular::examples(modulus.get(), operation);
                let alphabet = modular::alphabet(modulus.get());
                Ok(Self::Answers(AnswerData::split(examples, alphabet, window, seed)?))
            }
            DataConfig::Sequences { problem, symbols, length, validation_length, examples } => {
                let sequences = Sequences {
                    problem,
                    symbols: symbols.get(),
                    length: length.get(),
                    validation_length: validation_length.map(std::num::NonZeroUsize::get),
                };
                Ok(Self::Answers(sequences.data(examples.get(), window, seed)?))
            }
            DataConfig::Shakespeare
            | DataConfig::Text { .. }
            | DataConfig::Markov { .. }
            | DataConfig::Grammar { .. } => {
                let (tokens, vocabulary) = stream(config, base_dir, seed)?;
                Ok(Self::Tokens(TokenData::split(tokens, vocabulary, window + 1, seed)?))
            }
            DataConfig::None => Ok(Self::Noise(window)),
            _ => Ok(Self::Rows(rows(config, base_dir, seed)?)),
        }
    }

    /// Keeps a share of the training examples, the same first ones for every share.
    pub(crate) fn keep_share(&mut self, share: f64) {
        match self {
            Self::Rows(rows) => rows.train.truncate(part(rows.train.labels.len(), share)),
            Self::Tokens(tokens) => tokens.keep_share(share),
            Self::Answers(answers) => answers.train.truncate(part(answers.train.len(), share)),
            Self::Noise(_) => {}
        }
    }

    /// Draws a share of the training labels again.
    pub(crate) fn add_label_noise(&mut self, share: f64, seed: Seed) {
        match self {
            Self::Rows(rows) => redraw(rows.train.labels.iter_mut(), rows.classes, share, seed),
            Self::Tokens(tokens) => tokens.add_label_noise(share, seed),
            Self::Answers(answers) => {
                let targets = answers.train.iter_mut().flat_map(|example| &mut example.targets);
                redraw(targets, answers.answers, share, seed);
            }
            Self::Noise(_) => {}
        }
    }

    /// What a network reads of it.
    pub(crate) fn reads(&self) -> Reads {
        match self {
            Self::Rows(rows) => match rows.image {
                Some(ImageShape { height, width, channels }) => {
                    let sizes = [height, width, channels].map(|size| size as f64);
                    Reads::images(sizes, rows.classes as f64)
                }
                None => Reads::rows(rows.train.width as f64, rows.classes as f64),
            },
            Self::Tokens(TokenData { vocabulary, .. })
            | Self::Answers(AnswerData { vocabulary, .. }) => Reads::tokens(*vocabulary as f64),
            Self::Noise(_) => Reads::rows(0.0, 0.0),
        }
    }

    /// Number of different tokens, where the data are tokens.
    pub(crate) fn vocabulary(&self) -> Option<usize> {
        match self {
            Self::Rows(_) | Self::Noise(_) => None,
            Self::Tokens(tokens) => Some(tokens.vocabulary),
            Self::Answers(answers) => Some(answers.vocabulary),
        }
    }
}

/// A share of `count`, 1 at least.
pub(crate) fn part(count: usize, share: f64) -> usize {
    ((count as f64 * share).round() as usize).clamp(1, count)
}

/// One long token sequence and its vocabulary.
fn stream(
    config: &DataConfig,
    base_dir: &Path,
    seed: Seed,
) -> Result<(Vec<u32>, usize), EvaluatorError> {
    match config {
        DataConfig::Shakespeare => Ok((shakespeare::tokens(), shakespeare::SYMBOLS)),
        DataConfig::Text { path } => Ok((text::tokens(&base_dir.join(path))?, 256)),
        DataConfig::Markov { symbols, order, length } => {
            let chain = markov::Chain::new(symbols.get(), order.get(), seed);
            Ok((chain.tokens(length.get(), seed), symbols.get()))
        }
        DataConfig::Grammar { brackets, fillers, depth, length } => {
            let (brackets, fillers) = (brackets.get(), fillers.get());
            let grammar = grammar::Grammar::new(brackets, fillers, depth.get(), seed);
            Ok((grammar.tokens(length.get(), seed), 2 * brackets + fillers))
        }
        other => Err(not_of_this_form(other)),
    }
}

/// Feature rows, split.
fn rows(config: &DataConfig, base_dir: &Path, seed: Seed) -> Result<RowData, EvaluatorError> {
    match config {
        DataConfig::Digits => digits::rows().split(seed),
        DataConfig::Fashion => fashion::rows().split(seed),
        DataConfig::Letter => letter::rows().split(seed),
        DataConfig::Idx { images, labels } => {
            idx::rows(&base_dir.join(images), &base_dir.join(labels))?.split(seed)
        }
        DataConfig::Cifar { files, validation_files, label_bytes } => {
            let read = |files, key| cifar::rows(files, base_dir, key, label_bytes.get().into());
            let rows = read(files, "data.files")?;
            if validation_files.is_empty() {
                return rows.split(seed);
            }
            let validation = read(validation_files, "data.validation_files")?;
            Ok(rows.validated_by(&validation.rows, seed))
        }
        DataConfig::Mnist1d { examples } => mnist1d::rows(examples.get(), seed).split(seed),
        &DataConfig::Teacher { inputs, hidden, classes, examples } => {
            let teacher = teacher::Teacher::new(inputs.get(), hidden.get(), classes.get(), seed);
            teacher.rows(examples.get(), seed).split(seed)
        }
        &DataConfig::Mixture { inputs, classes, clusters, separation, examples } => {
            let (inputs, classes, clusters) = (inputs.get(), classes.get(), clusters.get());
            let mixture = mixture::Mixture::new(inputs, classes, clusters, separation, seed);
            mixture.rows(examples.get(), seed).split(seed)
        }
        &DataConfig::Textures { side, channels, classes, examples } => {
            let textures = textures::Textures::new(side.get(), channels.get(), classes.get(), seed);
            textures.rows(examples.get(), seed).split(seed)
        }
        other => Err(not_of_this_form(other)),
    }
}

fn not_of_this_form(config: &DataConfig) -> EvaluatorError {
    EvaluatorError::Internal(format!("{} data have no loader", config.name()))
}

#[cfg(test)]
mod tests;
