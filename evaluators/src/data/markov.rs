//! Markov text: symbols drawn from a random chain.
//!
//! Invariant: each history of `order` symbols has four possible successors (drawn with repetition)
//! of probabilities 8/15, 4/15, 2/15 and 1/15, so the entropy of the next symbol is at most 1.14
//! nats at any alphabet size and a network's loss can be read against it. Free random rows would
//! be close to uniform, and teach little.

use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

const SUCCESSORS: usize = 4;

/// A random chain.
pub(super) struct Chain {
    /// The successors of each history, the likeliest first.
    successors: Vec<[u32; SUCCESSORS]>,
    symbols: usize,
}

impl Chain {
    /// `symbols^order` must fit in memory.
    pub(super) fn new(symbols: usize, order: usize, seed: Seed) -> Self {
        let mut rng = seed.stream("chain", 0);
        let histories = symbols.pow(order as u32);
        let successors = (0..histories)
            .map(|_| std::array::from_fn(|_| rng.random_range(0..symbols) as u32))
            .collect();
        Self { successors, symbols }
    }

    /// `length` symbols, starting from the history of zeros.
    pub(super) fn tokens(&self, length: usize, seed: Seed) -> Vec<u32> {
        let mut rng = seed.stream("symbols", 0);
        let mut history = 0;
        (0..length)
            .map(|_| {
                let next = self.successors[history][rank(&mut rng)];
                history = (history * self.symbols + next as usize) % self.successors.len();
                next
            })
            .collect()
    }
}

/// 0, 1, 2 or 3 with probability 8/15, 4/15, 2/15, 1/15.
pub(super) fn rank(rng: &mut StreamRng) -> usize {
    match rng.random_range(0..15) {
        0..8 => 0,
        8..12 => 1,
        12..14 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_follow_the_seeded_chain() {
        let draw = |seed| Chain::new(8, 2, Seed(seed)).tokens(2000, Seed(seed));
        let tokens = draw(1);
        assert_eq!(tokens, draw(1));
        assert_ne!(tokens, draw(2));
        let chain = Chain::new(8, 2, Seed(1));
        for three in tokens.windows(3) {
            let history = (three[0] * 8 + three[1]) as usize;
            assert!(chain.successors[history].contains(&three[2]));
        }
    }
}
