//! Outputs: what becomes of a block once the last stage has run on it.
//!
//! Invariant: the update is taken first, as it may be an old state, and the states are moved then.

use std::ops::Range;

use super::Memory;
use crate::execute::given::{Given, Weights};
use crate::execute::kernels::{self, Blended, Factors, Input};
use crate::execute::plan::{Blend, Blends, Elements, Plan, Quotient, Slot};

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
        let Quotient { a, b, blends } = quotient;
        let mut take = |blend: Blend| std::mem::take(&mut self.states[blend.state]);
        match blends {
            Blends::Neither => {
                let [a, b] = [a, b].map(|it| self.block(it, &[], g, leaf, block));
                kernels::subtract_quotient(weights, a, b, factors)
            }
            Blends::Below(below) => {
                let mut state = take(below);
                let a = self.block(a, &[], g, leaf, block);
                let blended = self.blended(below, &mut state, b, g, leaf, block);
                let finite = kernels::subtract_blended_quotient(weights, a, blended, factors);
                self.states[below.state] = state;
                finite
            }
            Blends::Both(above, below) => {
                let mut states = [above, below].map(take);
                let [of_a, of_b] = &mut states;
                let blended_a = self.blended(above, of_a, a, g, leaf, block);
                let blended_b = self.blended(below, of_b, b, g, leaf, block);
                let finite =
                    kernels::subtract_quotient_of_blended(weights, blended_a, blended_b, factors);
                [self.states[above.state], self.states[below.state]] = states;
                finite
            }
        }
    }

    /// A block of a state that is blended and then read as an operand.
    fn blended<'a>(
        &'a self,
        blend: Blend,
        state: &'a mut [f32],
        operand: Elements,
        g: Given<'a>,
        leaf: usize,
        block: &Range<usize>,
    ) -> Blended<'a> {
        Blended {
            state: &mut state[block.clone()],
            x: self.block(blend.x, &[], g, leaf, block),
            by: blend.by.at(&self.small, leaf),
            read: self.modifier(operand.modifier, leaf),
        }
    }
}
