//! Data sets: what proxy tasks are trained and validated on.
//!
//! Invariant: a data set is a function of its configuration, its files and a seed, and no
//! validation example (or predicted token) is ever trained on. Everything is held in memory in the
//! form the networks read, so that a training step copies rows and decodes nothing.

mod digits;
mod idx;
mod markov;
mod rows;
mod teacher;
mod text;
mod tokens;

use std::path::Path;

use evo_hashes::Seed;

pub(crate) use rows::{ImageShape, RowData, Rows};
pub(crate) use tokens::TokenData;

use crate::{DataConfig, EvaluatorError};

/// The largest data file that is read, in bytes; it is held in memory.
const LARGEST_FILE: u64 = 1 << 30;

/// Most predictions a validation loss is averaged over; it bounds what one validation costs.
pub(crate) const VALIDATION_PREDICTIONS: usize = 2048;

/// One part in this many is set aside for validation.
const VALIDATION_SHARE: usize = 5;

/// A loaded data set, split into training and validation.
#[derive(Clone, Debug)]
pub(crate) enum Dataset {
    /// Feature rows with a class each.
    Rows(RowData),
    /// A token sequence, each token predicted from those before it.
    Tokens(TokenData),
}

impl Dataset {
    /// Loads or generates the data and splits it by `seed`.
    ///
    /// Relative paths start at `base_dir`. `window` is the number of tokens of a text window (its
    /// inputs and the one after them); row data ignores it.
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
        match config {
            DataConfig::Digits => Ok(Self::Rows(digits::rows().split(seed)?)),
            DataConfig::Idx { images, labels } => {
                let rows = idx::rows(&base_dir.join(images), &base_dir.join(labels))?;
                Ok(Self::Rows(rows.split(seed)?))
            }
            DataConfig::Teacher { inputs, hidden, classes, examples } => {
                let teacher =
                    teacher::Teacher::new(inputs.get(), hidden.get(), classes.get(), seed);
                Ok(Self::Rows(teacher.rows(examples.get(), seed).split(seed)?))
            }
            DataConfig::Text { path } => {
                let tokens = text::tokens(&base_dir.join(path))?;
                Ok(Self::Tokens(TokenData::split(tokens, 256, window, seed)?))
            }
            DataConfig::Markov { symbols, order, length } => {
                let tokens =
                    markov::Chain::new(symbols.get(), order.get(), seed).tokens(length.get(), seed);
                let data = TokenData::split(tokens, symbols.get(), window, seed)?;
                Ok(Self::Tokens(data))
            }
        }
    }
}
