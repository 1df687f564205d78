//! Answer data: separate token sequences, each a question and its answer.
//!
//! Invariant: only the answer's tokens count in the loss, and no validation example is a training
//! example. A window holds one example, the rest being padding. In training it stands at a random
//! place of the window: were it always at the start, positions beyond the longest training example
//! would never be trained, and longer validation examples would measure that and nothing else.

use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

use super::{VALIDATION_NUMBERS, VALIDATION_PREDICTIONS, VALIDATION_SHARE};
use crate::EvaluatorError;
use crate::layers::IGNORED;

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Example {
    /// All tokens but the last of the answer.
    pub(super) inputs: Vec<u32>,
    /// The token after each input where it belongs to the answer, [`IGNORED`] elsewhere.
    pub(super) targets: Vec<u32>,
}

impl Example {
    /// The answer must not be empty.
    pub(super) fn new(question: &[u32], answer: &[u32]) -> Self {
        let inputs = [question, &answer[..answer.len() - 1]].concat();
        let targets = [&vec![IGNORED; question.len() - 1], answer].concat();
        Self { inputs, targets }
    }

    /// Tokens of the answer.
    fn predictions(&self) -> usize {
        self.targets.iter().filter(|&&target| target != IGNORED).count()
    }
}

/// Examples split into training and validation.
#[derive(Clone, Debug)]
pub(crate) struct AnswerData {
    pub(super) train: Vec<Example>,
    validation: Vec<Example>,
    /// Tokens a network reads at once.
    context: usize,
    /// Number of different tokens, the padding included.
    pub(crate) vocabulary: usize,
    /// Number of different tokens of answers; they come first.
    pub(super) answers: usize,
}

/// The tokens an example list is written in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alphabet {
    /// Symbols that answers are made of, numbered from 0.
    pub(super) symbols: usize,
    /// Signs, numbered behind them; one more is the padding.
    pub(super) signs: usize,
}

impl AnswerData {
    /// Sets aside a seeded fifth of `examples` for validation.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] on `data` when there are fewer than 5.
    pub(super) fn split(
        mut examples: Vec<Example>,
        alphabet: Alphabet,
        context: usize,
        seed: Seed,
    ) -> Result<Self, EvaluatorError> {
        let count = examples.len();
        if count < VALIDATION_SHARE {
            let message =
                format!("{count} different examples are too few to set some aside for validation");
            return Err(EvaluatorError::config("data", message));
        }
        let mut rng = seed.stream("split", 0);
        for last in (1..count).rev() {
            examples.swap(last, rng.random_range(0..=last));
        }
        let train = examples.split_off(count / VALIDATION_SHARE);
        Ok(Self::new(train, examples, alphabet, context))
    }

    /// Examples that are split already; validation keeps at most 2,048 predictions, and fewer where
    /// windows are very long.
    pub(super) fn new(
        train: Vec<Example>,
        mut validation: Vec<Example>,
        alphabet: Alphabet,
        context: usize,
    ) -> Self {
        let mut predictions = 0;
        let kept = validation.iter().take_while(|example| {
            predictions += example.predictions();
            predictions <= VALIDATION_PREDICTIONS
        });
        let kept = kept.take(VALIDATION_NUMBERS / context).count().max(1);
        validation.truncate(kept);
        let Alphabet { symbols, signs } = alphabet;
        Self { train, validation, context, vocabulary: symbols + signs + 1, answers: symbols }
    }

    /// The validation examples, each at the start of its window: inputs and targets.
    pub(crate) fn validation_windows(&self) -> Vec<(Vec<u32>, Vec<u32>)> {
        self.validation.iter().map(|example| self.window(example, 0)).collect()
    }

    /// A training example at a random place of its window: inputs and targets.
    pub(crate) fn draw(&self, rng: &mut StreamRng) -> (Vec<u32>, Vec<u32>) {
        let example = &self.train[rng.random_range(0..self.train.len())];
        let start = rng.random_range(0..=self.context - example.inputs.len());
        self.window(example, start)
    }

    fn window(&self, example: &Example, start: usize) -> (Vec<u32>, Vec<u32>) {
        let padding = (self.vocabulary - 1) as u32;
        let mut inputs = vec![padding; self.context];
        let mut targets = vec![IGNORED; self.context];
        inputs[start..][..example.inputs.len()].copy_from_slice(&example.inputs);
        targets[start..][..example.targets.len()].copy_from_slice(&example.targets);
        (inputs, targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: Alphabet = Alphabet { symbols: 10, signs: 1 };

    fn numbered(count: u32) -> Vec<Example> {
        (0..count).map(|n| Example::new(&[n / 10 % 10, n % 10, 10], &[n % 7, 1])).collect()
    }

    #[test]
    fn only_the_answer_counts() {
        let example = Example::new(&[1, 2, 10], &[3, 4]);
        assert_eq!(example.inputs, [1, 2, 10, 3]);
        assert_eq!(example.targets, [IGNORED, IGNORED, 3, 4]);
    }

    #[test]
    fn the_split_is_seeded_disjoint_and_complete() {
        let split = |seed| AnswerData::split(numbered(100), DIGITS, 4, Seed(seed)).expect("many");
        let data = split(1);
        assert_eq!((data.train.len(), data.validation.len()), (80, 20));
        let mut all = [data.train.clone(), data.validation].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 100);
        assert_eq!(data.train, split(1).train);
        assert_ne!(data.train, split(2).train);
        assert!(AnswerData::split(numbered(4), DIGITS, 4, Seed(1)).is_err());
    }

    #[test]
    fn training_examples_stand_anywhere_in_their_window_and_validation_ones_in_front() {
        let data = AnswerData::split(numbered(100), DIGITS, 7, Seed(1)).expect("many");
        let mut rng = Seed(0).stream("batches", 0);
        let mut starts = [0; 4];
        for _ in 0..400 {
            let (inputs, targets) = data.draw(&mut rng);
            let start = inputs.iter().position(|&token| token != 11).expect("an example");
            starts[start] += 1;
            assert_eq!(targets[start..][..2], [IGNORED; 2]);
            assert_eq!(targets[start + 2], inputs[start + 3]);
            assert_eq!(targets.iter().filter(|&&target| target != IGNORED).count(), 2);
        }
        assert!(starts.iter().all(|&count| count > 50), "{starts:?}");
        assert!(data.validation_windows().iter().all(|(inputs, _)| inputs[4..] == [11; 3]));
    }
}
