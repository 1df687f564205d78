//! Sequence problems: copy, sort, parity and addition, as questions and answers in tokens.
//!
//! Invariant: an answer is a function of its question, so a loss of 0 can be reached. Sequences
//! drawn twice count once, so validation questions are never trained on even where there are few;
//! of the lengths from 1 the short ones run out first. Tokens are the symbols, then `+` and `=`.

use std::collections::BTreeSet;

use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

use super::VALIDATION_PREDICTIONS;
use super::answers::{Alphabet, AnswerData, Example};
use crate::{EvaluatorError, Problem};

/// Everything about the examples but their number.
pub(super) struct Sequences {
    pub(super) problem: Problem,
    pub(super) symbols: usize,
    /// The longest sequence trained on.
    pub(super) length: usize,
    /// The longest one validated on, where those are longer than all trained on.
    pub(super) validation_length: Option<usize>,
}

impl Sequences {
    /// Draws `count` examples and splits them, or draws longer ones for validation.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] on `data` when too few of the examples are different.
    pub(super) fn data(
        &self,
        count: usize,
        context: usize,
        seed: Seed,
    ) -> Result<AnswerData, EvaluatorError> {
        let alphabet = Alphabet { symbols: self.symbols, signs: 2 };
        let train = self.draw(count, 1..=self.length, &mut seed.stream("examples", 0));
        let Some(longest) = self.validation_length else {
            return AnswerData::split(train, alphabet, context, seed);
        };
        let lengths = self.length + 1..=longest;
        let count = VALIDATION_PREDICTIONS / self.problem.answer(self.length + 1);
        let mut rng = seed.stream("validation examples", 0);
        let validation = self.draw(count.max(1), lengths, &mut rng);
        Ok(AnswerData::new(train, validation, alphabet, context))
    }

    fn draw(
        &self,
        count: usize,
        lengths: std::ops::RangeInclusive<usize>,
        rng: &mut StreamRng,
    ) -> Vec<Example> {
        let mut seen = BTreeSet::new();
        let mut examples = Vec::new();
        for _ in 0..count {
            let length = rng.random_range(lengths.clone());
            let example = self.example(length, rng);
            if seen.insert(example.clone()) {
                examples.push(example);
            }
        }
        examples
    }

    fn example(&self, length: usize, rng: &mut StreamRng) -> Example {
        let mut symbols = || -> Vec<u32> {
            (0..length).map(|_| rng.random_range(0..self.symbols) as u32).collect()
        };
        let [plus, equals] = [self.symbols as u32, self.symbols as u32 + 1];
        let sequence = symbols();
        let answer = match self.problem {
            Problem::Copy => sequence.clone(),
            Problem::Sort => {
                let mut sorted = sequence.clone();
                sorted.sort_unstable();
                sorted
            }
            Problem::Parity => {
                let sum: u64 = sequence.iter().map(|&symbol| u64::from(symbol)).sum();
                vec![(sum % self.symbols as u64) as u32]
            }
            Problem::Addition => {
                let other = symbols();
                let sum = sum(&sequence, &other, self.symbols as u32);
                return Example::new(&[&sequence, &[plus][..], &other, &[equals]].concat(), &sum);
            }
        };
        Example::new(&[&sequence[..], &[equals]].concat(), &answer)
    }
}

/// The digits of a + b, lowest first, one more than a and b have.
fn sum(a: &[u32], b: &[u32], base: u32) -> Vec<u32> {
    let mut carry = 0;
    let mut digits = Vec::with_capacity(a.len() + 1);
    for (a, b) in a.iter().zip(b) {
        let total = a + b + carry;
        digits.push(total % base);
        carry = total / base;
    }
    digits.push(carry);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::IGNORED;

    fn sequences(problem: Problem, validation_length: Option<usize>) -> Sequences {
        Sequences { problem, symbols: 10, length: 4, validation_length }
    }

    fn answer(example: &Example) -> Vec<u32> {
        example.targets.iter().copied().filter(|&target| target != IGNORED).collect()
    }

    /// The question's tokens before `=`.
    fn question(example: &Example) -> &[u32] {
        example.inputs.split(|&token| token == 11).next().expect("split gives one at least")
    }

    fn number(digits: &[u32]) -> u32 {
        digits.iter().rev().fold(0, |number, digit| 10 * number + digit)
    }

    #[test]
    fn answers_are_right() {
        use Problem::{Addition, Copy, Parity, Sort};
        for problem in [Copy, Sort, Parity, Addition] {
            let mut rng = Seed(1).stream("examples", 0);
            for example in sequences(problem, None).draw(200, 1..=4, &mut rng) {
                let (question, answer) = (question(&example), answer(&example));
                match problem {
                    Copy => assert_eq!(answer, question),
                    Sort => {
                        assert!(answer.is_sorted());
                        for symbol in 0..10 {
                            let count =
                                |list: &[u32]| list.iter().filter(|&&s| s == symbol).count();
                            assert_eq!(count(&answer), count(question));
                        }
                    }
                    Parity => assert_eq!(answer, [question.iter().sum::<u32>() % 10]),
                    Addition => {
                        let terms: Vec<&[u32]> = question.split(|&token| token == 10).collect();
                        assert_eq!(terms[0].len(), terms[1].len());
                        assert_eq!(number(&answer), number(terms[0]) + number(terms[1]));
                    }
                }
            }
        }
    }

    #[test]
    fn validation_lengths_exceed_training_lengths_where_asked() {
        let context = Problem::Copy.question(6) + Problem::Copy.answer(6) - 1;
        let data = sequences(Problem::Copy, Some(6)).data(300, context, Seed(1)).expect("enough");
        let longest = data.train.iter().map(|example| answer(example).len()).max();
        assert_eq!(longest, Some(4));
        let windows = data.validation_windows();
        let lengths = windows
            .iter()
            .map(|(_, targets)| targets.iter().filter(|&&target| target != IGNORED).count());
        let lengths: BTreeSet<usize> = lengths.collect();
        assert_eq!(lengths, BTreeSet::from([5, 6]));
    }

    #[test]
    fn validation_questions_are_never_trained_on() {
        let data = sequences(Problem::Parity, None).data(3000, 5, Seed(2)).expect("enough");
        let train: BTreeSet<&[u32]> = data.train.iter().map(question).collect();
        assert_eq!(train.len(), data.train.len(), "no question is there twice");
        assert!(data.train.len() < 2400, "some were drawn twice");
        for (inputs, _) in data.validation_windows() {
            let question = inputs.split(|&token| token == 11).next().expect("one at least");
            assert!(!train.contains(question));
        }
    }
}
