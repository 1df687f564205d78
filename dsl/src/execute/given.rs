//! What a step is given, and what becomes of its update.

use std::ops::Range;

use super::kernels::{self, Block, Factors, Input};

/// What a program is given besides the weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    /// An optimizer's gradient.
    pub gradient: &'a [f32],
    /// An expression's inputs.
    pub inputs: &'a [&'a [f32]],
}

/// What becomes of the update.
#[derive(Debug)]
pub(super) enum Weights<'a> {
    /// `w -= update`.
    Move(&'a mut [f32]),
    /// Written out, the weights left alone.
    Observe(&'a [f32], &'a mut [f32]),
}

impl<'a> Given<'a> {
    pub(super) fn gradient(gradient: &'a [f32]) -> Given<'a> {
        Given { gradient, inputs: &[] }
    }
}

impl Weights<'_> {
    pub(super) fn read(&self) -> &[f32] {
        match self {
            Weights::Move(weights) => weights,
            Weights::Observe(weights, _) => weights,
        }
    }

    pub(super) fn are_moved(&self) -> bool {
        matches!(self, Weights::Move(_))
    }

    pub(super) fn take(&mut self, range: Range<usize>, update: Input<'_>) -> bool {
        match (self, update) {
            (Weights::Move(weights), update) => {
                return kernels::subtract(&mut weights[range], update);
            }
            (Weights::Observe(_, out), Input::Block(update, modifier)) => {
                kernels::copy(&mut out[range], (update, modifier));
            }
            (Weights::Observe(_, out), Input::Same(update)) => out[range].fill(update),
        }
        true
    }

    pub(super) fn take_decayed(
        &mut self,
        range: Range<usize>,
        x: Block<'_>,
        factors: Factors,
    ) -> bool {
        match self {
            Weights::Move(weights) => kernels::subtract_decayed(&mut weights[range], x, factors),
            Weights::Observe(weights, out) => {
                kernels::decayed(&mut out[range.clone()], x, &weights[range], factors);
                true
            }
        }
    }
}
