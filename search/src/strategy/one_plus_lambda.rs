//! (1+λ): one parent, replaced by the best of a generation of children that is not worse.
//!
//! Invariant: a generation is λ absorbed births in a row, whichever parent they were bred from.
//! With a window the first children of a parent come after those of the parent before it, so a
//! generation told by its parent would have no fixed size; told by what is absorbed it has.
//! Children as fit as the parent replace it: neutral steps are how it leaves a plateau. Of several
//! start programs the one that selection prefers is the first parent.

use std::slice;

use evo_hashes::{Hash, StreamRng};

use super::{Generation, Strategy, StrategyState, restore_populations};
use crate::{Individual, Population, Selection};

/// A parent and the generation being absorbed.
pub(super) struct OnePlusLambda<P> {
    /// A population of one.
    parent: Population<P>,
    lambda: usize,
    selection: Selection,
    generation: Generation<Individual<P>>,
}

/// A generation of which nothing has been absorbed.
fn none_yet<P>() -> Generation<Individual<P>> {
    Generation { absorbed: 0, best: None }
}

/// The first that no later one is preferred to.
fn preferred<P>(individuals: &[Individual<P>], selection: Selection) -> &Individual<P> {
    let (first, others) = individuals.split_first().expect("a search starts from something");
    others.iter().fold(first, |best, it| if selection.prefers(it, best) { it } else { best })
}

impl<P: Clone> OnePlusLambda<P> {
    pub(super) fn new(starts: &[Individual<P>], lambda: usize, selection: Selection) -> Self {
        let parent = Population::filled(slice::from_ref(preferred(starts, selection)), 1);
        OnePlusLambda { parent, lambda, selection, generation: none_yet() }
    }

    fn current(&self) -> &Individual<P> {
        self.parent.iter().next().expect("a population of one has one")
    }
}

impl<P: Clone + Send + Sync> Strategy<P> for OnePlusLambda<P> {
    fn parent(&self, _birth: u64, _rng: &mut StreamRng) -> &Individual<P> {
        self.current()
    }

    fn absorb(&mut self, individual: Individual<P>, _earlier: u64) {
        let (selection, generation) = (self.selection, &mut self.generation);
        if generation.best.as_ref().is_none_or(|best| selection.prefers(&individual, best)) {
            generation.best = Some(individual);
        }
        generation.absorbed += 1;
        if generation.absorbed == self.lambda {
            let generation = std::mem::replace(&mut self.generation, none_yet());
            let stays = |best: &Individual<P>| selection.prefers(self.current(), best);
            if let Some(best) = generation.best.filter(|best| !stays(best)) {
                self.parent.replace_oldest(best);
            }
        }
    }

    fn restart(&mut self, from: &[Individual<P>]) {
        self.parent.refill(slice::from_ref(preferred(from, self.selection)));
        self.generation = none_yet();
    }

    fn refresh(&mut self, behaviour: &Hash, fitness: f64) {
        self.parent.refresh(behaviour, fitness);
        if let Some(best) = self.generation.best.as_mut().filter(|it| it.behaviour == *behaviour) {
            best.fitness = fitness;
        }
    }

    fn populations(&self) -> &[Population<P>] {
        slice::from_ref(&self.parent)
    }

    fn state(&self) -> StrategyState<&Individual<P>> {
        let Generation { absorbed, ref best } = self.generation;
        let generation = Some(Generation { absorbed, best: best.as_ref() });
        StrategyState { populations: vec![self.parent.iter().collect()], generation }
    }

    fn restore(&mut self, state: StrategyState<Individual<P>>) -> bool {
        let Some(generation) = state.generation else { return false };
        self.generation = generation;
        restore_populations(slice::from_mut(&mut self.parent), state.populations)
    }
}
