//! Outputs: what becomes of a block once the last stage has run on it.
//!
//! Invariant: the update is taken first, as it may be an old state, and the states are moved then.

use std::ops::Range;

use super::Memory;
use crate::execute::given::{Given, Weights};
use crate::execute::kernels::{self, Factors, Input};
use crate::execute::plan::{Plan, Quotient, Slot};

impl Memory {
    pub(super) fn take_outputs(
        &mut self,
        plan: &Plan,
        weights: &mut Weights<'_>,
        g: Given<'_>,
        leaf: usize,
        block: &Range<usize>,
    ) -> bool {
        let finite = self.take_update(plan, weights, g, leaf, block);
        for &(slot, arg) in &plan.states {
            let mut state = std::mem::take(&mut self.states[slot]);
            let target = &mut state[block.clone()];
            match self.input(arg, weights.read(), g, leaf, block) {
                Input::Block(elements, modifier) => kernels::copy(target, (elements, modifier)),
                Input::Same(value) => target.fill(value),
            }
            self.states[slot] = state;
        }
        finite
    }

    fn take_update(
        &mut self,
        plan: &Plan,
        weights: &mut Weights<'_>,
        g: Given<'_>,
        leaf: usize,
        block: &Range<usize>,
    ) -> bool {
        let factor =
            |slot: Option<Slot>| slot.map_or(1.0, |slot| slot.at(&self.small, leaf) as f32);
        let factors = plan
            .decay
            .map(|decay| Factors { weight: factor(decay.weight), scale: factor(decay.scale) });
        if let (Some(quotient), Weights::Move(weights)) = (plan.quotient, &mut *weights) {
            let weights = &mut weights[block.clone()];
            return self.take_quotient(quotient, weights, factors, g, leaf, block);
        }
        // An update that is the gradient or an old state is read before the states move on.
        // It never is the weights themselves: they are being written, so such an update is a copy.
        match (factors, self.input(plan.update, &[], g, leaf, block)) {
            (Some(factors), Input::Block(x, modifier)) => {
                weights.take_decayed(block.clone(), (x, modifier), factors)
            }
            (_, update) => weights.take(block.clone(), update),
        }
    }

    fn take_quotient(
        &mut self,
        quotient: Quotient,
        weights: &mut [f32],
        factors: Option<Factors>,
        g: Given<'_>,
        leaf: usize,
        block: &Range<usize>,
    ) -> bool {
        let Some((state, x, by)) = quotient.blend else {
            let [a, b] = [quotient.a, quotient.b].map(|it| self.block(it, &[], g, leaf, block));
            return kernels::subtract_quotient(weights, a, b, factors);
        };
        let mut blended = std::mem::take(&mut self.states[state]);
        let [a, x] = [quotient.a, x].map(|it| self.block(it, &[], g, leaf, block));
        let (b, by) = (&mut blended[block.clone()], by.at(&self.small, leaf));
        let finite = kernels::subtract_blended_quotient(weights, a, b, x, by, factors);
        self.states[state] = blended;
        finite
    }
}
