//! Modular arithmetic: `a op b = c` for every pair of numbers below a modulus, each once.
//!
//! Invariant: the pairs (a, b) of the validation examples are not trained on; (b, a) may be, as in
//! the experiments this data is known from (arXiv 2201.02177). Tokens are the numbers, the
//! operation's sign and `=`.

use super::answers::{Alphabet, Example};
use crate::Operation;

/// All examples, in the order of their pairs.
pub(super) fn examples(modulus: usize, operation: Operation) -> Vec<Example> {
    let modulus = modulus as u64;
    let pairs = (0..modulus).flat_map(|a| (0..modulus).map(move |b| (a, b)));
    let example = |(a, b)| {
        let result = match operation {
            Operation::Add => (a + b) % modulus,
            Operation::Subtract => (a + modulus - b) % modulus,
            Operation::Multiply => a * b % modulus,
        };
        let [sign, equals] = [modulus, modulus + 1];
        let question = [a, sign, b, equals].map(|token| token as u32);
        Example::new(&question, &[result as u32])
    };
    pairs.map(example).collect()
}

/// The tokens of [`examples`].
pub(super) fn alphabet(modulus: usize) -> Alphabet {
    Alphabet { symbols: modulus, signs: 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_has_its_result() {
        let last = |operation| -> Vec<u32> {
            let examples = examples(5, operation);
            assert_eq!(examples.len(), 25);
            assert_eq!(examples[8].inputs, [1, 5, 3, 6], "the pair (1, 3)");
            [8, 13, 24].map(|index| examples[index].targets[3]).to_vec()
        };
        // The pairs (1, 3), (2, 3) and (4, 4).
        assert_eq!(last(Operation::Add), [4, 0, 3]);
        assert_eq!(last(Operation::Subtract), [3, 4, 0]);
        assert_eq!(last(Operation::Multiply), [3, 1, 1]);
    }
}
