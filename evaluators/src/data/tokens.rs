//! Token data: one long sequence, its split, and the windows cut from it.
//!
//! Invariant: validation tokens form one contiguous stretch at a seeded place, and no training
//! window touches it. Windows scattered over the text would leak their neighbours' words; a stretch
//! at the end would tie validation to how the text ends.

use std::ops::Range;

use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

use super::{VALIDATION_PREDICTIONS, VALIDATION_SHARE};
use crate::EvaluatorError;

/// A token sequence split into training and validation.
#[derive(Clone, Debug)]
pub(crate) struct TokenData {
    tokens: Vec<u32>,
    validation: Range<usize>,
    /// Tokens of a window: the inputs and the one that follows them.
    window: usize,
    /// Number of different tokens.
    pub(crate) vocabulary: usize,
}

impl TokenData {
    /// Sets aside a contiguous fifth of the sequence for validation.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] on `data` when the sequence is shorter than ten windows.
    pub(super) fn split(
        tokens: Vec<u32>,
        vocabulary: usize,
        window: usize,
        seed: Seed,
    ) -> Result<Self, EvaluatorError> {
        let needed = window * VALIDATION_SHARE * 2;
        if tokens.len() < needed {
            return Err(EvaluatorError::config(
                "data",
                format!(
                    "{} tokens are too few: windows of {window} need at least {needed}",
                    tokens.len()
                ),
            ));
        }
        let length = tokens.len() / VALIDATION_SHARE;
        let start = seed.stream("split", 0).random_range(0..=tokens.len() - length);
        Ok(Self { tokens, validation: start..start + length, window, vocabulary })
    }

    /// The validation windows: consecutive, not overlapping, at most 2,048 predictions in all.
    pub(crate) fn validation_windows(&self) -> Vec<&[u32]> {
        let limit = (VALIDATION_PREDICTIONS / (self.window - 1)).max(1);
        self.tokens[self.validation.clone()].chunks_exact(self.window).take(limit).collect()
    }

    /// A training window drawn uniformly from all that lie outside the validation stretch.
    pub(crate) fn draw(&self, rng: &mut StreamRng) -> &[u32] {
        let before = (self.validation.start + 1).saturating_sub(self.window);
        let after = (self.tokens.len() - self.validation.end + 1).saturating_sub(self.window);
        let index = rng.random_range(0..before + after);
        let start = if index < before { index } else { self.validation.end + index - before };
        &self.tokens[start..][..self.window]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_windows_never_touch_validation_and_reach_both_ends() {
        let data = TokenData::split((0..1000).collect(), 1000, 9, Seed(3)).expect("long enough");
        let held: Vec<u32> = data.validation_windows().concat();
        assert_eq!(held.len(), 198);
        let mut rng = Seed(0).stream("batches", 0);
        let mut seen = [false; 1000];
        for _ in 0..20_000 {
            let window = data.draw(&mut rng);
            assert!(window.iter().all(|token| !held.contains(token)));
            assert!(window.windows(2).all(|pair| pair[0] + 1 == pair[1]));
            window.iter().for_each(|&token| seen[token as usize] = true);
        }
        assert!(seen[0] && seen[999]);
        assert_eq!(seen.iter().filter(|&&seen| seen).count(), 800);
    }

    #[test]
    fn a_sequence_shorter_than_ten_windows_is_refused() {
        assert!(TokenData::split(vec![0; 89], 1, 9, Seed(0)).is_err());
    }
}
