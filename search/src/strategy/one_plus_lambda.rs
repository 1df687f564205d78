//! (1+λ): one parent, replaced by the best of a generation of children that is not worse.
//!
//! Invariant: a generation is λ absorbed births in a row, whichever parent they were bred from.
//! With a window the first children of a parent come after those of the parent before it, so a
//! generation told by its parent would have no fixed size; told by what is absorbed it has.
//! Children as fit as the parent replace it: neutral steps are how it leaves a plateau.

use std::slice;

use evo_hashes::StreamRng;

use super::Strategy;
use crate::{Individual, Population};

/// A parent and the generation being absorbed.
pub(super) struct OnePlusLambda {
    /// A population of one.
    parent: Population,
    lambda: usize,
    absorbed: usize,
    /// The fittest of the generation so far, among equals the first.
    best: Option<Individual>,
}

impl OnePlusLambda {
    pub(super) fn new(start: &Individual, lambda: usize) -> Self {
        OnePlusLambda { parent: Population::filled(start, 1), lambda, absorbed: 0, best: None }
    }

    fn current(&self) -> &Individual {
        self.parent.iter().next().expect("a population of one has one")
    }
}

impl Strategy for OnePlusLambda {
    fn parent(&self, _birth: u64, _rng: &mut StreamRng) -> &Individual {
        self.current()
    }

    fn absorb(&mut self, individual: Individual) {
        if individual.birth == 0 {
            self.restart(&individual);
            return;
        }
        if self.best.as_ref().is_none_or(|best| individual.fitness > best.fitness) {
            self.best = Some(individual);
        }
        self.absorbed += 1;
        if self.absorbed == self.lambda {
            self.absorbed = 0;
            let fitness = self.current().fitness;
            if let Some(best) = self.best.take_if(|best| best.fitness >= fitness) {
                self.parent.replace_oldest(best);
            }
            self.best = None;
        }
    }

    fn restart(&mut self, from: &Individual) {
        self.parent.refill(from);
        self.absorbed = 0;
        self.best = None;
    }

    fn populations(&self) -> &[Population] {
        slice::from_ref(&self.parent)
    }
}
