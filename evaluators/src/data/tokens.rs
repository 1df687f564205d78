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
    /// What training predicts at each place, where that is not the token there.
    noisy: Option<Vec<u32>>,
    /// Training windows that are drawn from, counted from the start.
    windows: usize,
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
        let validation = start..start + length;
        let mut data = Self { tokens, noisy: None, windows: 0, validation, window, vocabulary };
        data.windows = data.before() + data.after();
        Ok(data)
    }

    /// The validation windows: consecutive, not overlapping, at most 2,048 predictions in all.
    pub(crate) fn validation_windows(&self) -> Vec<&[u32]> {
        let limit = (VALIDATION_PREDICTIONS / (self.window - 1)).max(1);
        self.tokens[self.validation.clone()].chunks_exact(self.window).take(limit).collect()
    }

    /// Training windows in front of the validation stretch.
    fn before(&self) -> usize {
        (self.validation.start + 1).saturating_sub(self.window)
    }

    /// Training windows behind it.
    fn after(&self) -> usize {
        (self.tokens.len() - self.validation.end + 1).saturating_sub(self.window)
    }

    /// Draws from a share of the training windows, the first ones, from now on.
    pub(super) fn keep_share(&mut self, share: f64) {
        self.windows = super::part(self.before() + self.after(), share);
    }

    /// Redraws a share of what training predicts; what it reads stays.
    pub(super) fn add_label_noise(&mut self, share: f64, seed: Seed) {
        let mut noisy = self.tokens.clone();
        super::redraw(noisy.iter_mut(), self.vocabulary, share, seed);
        self.noisy = Some(noisy);
    }

    /// A training window drawn uniformly from those that lie outside the validation stretch: its
    /// inputs and the token to predict after each.
    pub(crate) fn draw(&self, rng: &mut StreamRng) -> (&[u32], &[u32]) {
        let before = self.before();
        let index = rng.random_range(0..self.windows);
        let start = if index < before { index } else { self.validation.end + index - before };
        let length = self.window - 1;
        let targets = self.noisy.as_ref().unwrap_or(&self.tokens);
        (&self.tokens[start..][..length], &targets[start + 1..][..length])
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
            let (inputs, targets) = data.draw(&mut rng);
            assert_eq!(inputs.len(), 8);
            for (&input, &target) in inputs.iter().zip(targets) {
                assert_eq!(input + 1, target);
                assert!(!held.contains(&input) && !held.contains(&target));
                seen[input as usize] = true;
                seen[target as usize] = true;
            }
        }
        assert!(seen[0] && seen[999]);
        assert_eq!(seen.iter().filter(|&&seen| seen).count(), 800);
    }

    #[test]
    fn a_sequence_shorter_than_ten_windows_is_refused() {
        assert!(TokenData::split(vec![0; 89], 1, 9, Seed(0)).is_err());
    }

    #[test]
    fn a_share_keeps_the_first_windows_and_noise_changes_targets_alone() {
        let split = || TokenData::split((0..1000).collect(), 1000, 9, Seed(3)).expect("enough");
        let mut data = split();
        data.keep_share(0.1);
        data.add_label_noise(0.5, Seed(1));
        assert_eq!(data.validation_windows(), split().validation_windows());
        let mut rng = Seed(0).stream("batches", 0);
        let (mut first, mut wrong) = ([false; 1000], 0);
        for _ in 0..2000 {
            let (inputs, targets) = data.draw(&mut rng);
            first[inputs[0] as usize] = true;
            assert!(inputs.windows(2).all(|pair| pair[0] + 1 == pair[1]));
            wrong +=
                inputs.iter().zip(targets).filter(|(input, target)| *input + 1 != **target).count();
        }
        assert_eq!(first.iter().filter(|&&first| first).count(), data.windows);
        assert!((75..80).contains(&data.windows), "{}", data.windows);
        assert!((6_000..10_000).contains(&wrong), "{wrong} of 16000");
    }
}
