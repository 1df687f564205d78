//! Grammar text: nested brackets with filler between them, by a random probabilistic grammar.
//!
//! Each bracket kind k is a nonterminal, with S_k → close_k | filler S_k | open_j S_j S_k; the
//! text's own one never closes. Shares of the three, and the likely fillers and inner brackets, are
//! drawn for each kind. Invariant: a closing bracket is the innermost open one's, and closing is
//! likelier than opening, so that nesting has an end. To predict well, a network has to remember
//! the kind of a bracket for as long as what stands inside, which no fixed number of symbols
//! bounds.

use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

use super::markov::rank;

const LIKELY: usize = 4;

/// Shares of a rule, out of this.
const ALL: u32 = 64;

/// What may stand inside a bracket of one kind, or outside of all.
struct Rule {
    /// Shares of opening and of closing a bracket; the rest is filler.
    open: u32,
    close: u32,
    /// Inner brackets, the likeliest first.
    inner: [u32; LIKELY],
    /// Fillers, the likeliest first.
    fillers: [u32; LIKELY],
}

/// A random grammar. Tokens are the opening brackets, the closing ones, then the fillers.
pub(super) struct Grammar {
    /// The text's own rule, then one for each kind of bracket.
    rules: Vec<Rule>,
    brackets: u32,
    depth: usize,
}

impl Grammar {
    pub(super) fn new(brackets: usize, fillers: usize, depth: usize, seed: Seed) -> Self {
        let mut rng = seed.stream("grammar", 0);
        let (brackets, fillers) = (brackets as u32, fillers as u32);
        let rules = (0..=brackets)
            .map(|kind| Rule {
                open: if kind == 0 { 24 } else { rng.random_range(10..18) },
                close: if kind == 0 { 0 } else { rng.random_range(20..28) },
                inner: std::array::from_fn(|_| rng.random_range(0..brackets)),
                fillers: std::array::from_fn(|_| rng.random_range(0..fillers)),
            })
            .collect();
        Self { rules, brackets, depth }
    }

    /// `length` symbols.
    pub(super) fn tokens(&self, length: usize, seed: Seed) -> Vec<u32> {
        let mut rng = seed.stream("symbols", 0);
        let mut open: Vec<u32> = Vec::new();
        (0..length).map(|_| self.next(&mut open, &mut rng)).collect()
    }

    /// One symbol, with the kinds of the brackets open around it.
    fn next(&self, open: &mut Vec<u32>, rng: &mut StreamRng) -> u32 {
        let rule = &self.rules[open.last().map_or(0, |&kind| kind as usize + 1)];
        let draw = rng.random_range(0..ALL);
        if draw < rule.close {
            let kind = open.pop().expect("only a bracket's rule has a share of closing");
            self.brackets + kind
        } else if draw < rule.close + rule.open && open.len() < self.depth {
            let kind = rule.inner[rank(rng)];
            open.push(kind);
            kind
        } else {
            2 * self.brackets + rule.fillers[rank(rng)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_close_in_order_and_nest_up_to_the_depth() {
        let tokens = Grammar::new(3, 5, 4, Seed(2)).tokens(5000, Seed(2));
        let (mut open, mut deepest, mut used) = (Vec::new(), 0, [false; 11]);
        for &token in &tokens {
            used[token as usize] = true;
            match token {
                0..3 => open.push(token),
                3..6 => assert_eq!(open.pop(), Some(token - 3)),
                _ => {}
            }
            deepest = deepest.max(open.len());
        }
        assert_eq!(deepest, 4);
        assert!(used.iter().filter(|&&used| used).count() > 8, "{used:?}");
    }

    #[test]
    fn text_is_seeded() {
        let draw = |seed| Grammar::new(3, 5, 4, Seed(seed)).tokens(500, Seed(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
