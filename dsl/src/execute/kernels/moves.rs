//! Bodies of the kernels that move the weights.
//!
//! Invariant: the weights are moved by the float32 operations of the instructions that these kernels
//! stand for, in their order. What is not finite any more is noticed on the way, at the cost of an
//! integer operation for each weight.

use super::{Block, Input, Plain, Read, Root, RootOfScaled, Scale, Square};
use crate::GUARD;
use crate::execute::plan::Modifier;

/// The exponent bits; all of them are set in infinities and NaN.
const EXPONENT: u32 = 0x7f80_0000;

#[inline(always)]
pub(super) fn subtract_body(weights: &mut [f32], update: Input<'_>) -> bool {
    let mut broken = 0;
    let mut move_one = |weight: &mut f32, update| move_one(weight, update, None, &mut broken);
    match update {
        Input::Block(update, modifier) => with_modifier!(modifier, read => {
            for (weight, update) in weights.iter_mut().zip(update) {
                move_one(weight, read.read(*update));
            }
        }),
        Input::Same(update) => weights.iter_mut().for_each(|weight| move_one(weight, update)),
    }
    broken == 0
}

/// Factors of a decayed update `(x + w * weight) * scale`.
#[derive(Clone, Copy, Debug)]
pub(in crate::execute) struct Factors {
    pub weight: f32,
    pub scale: f32,
}

#[inline(always)]
pub(super) fn subtract_decayed_body(
    weights: &mut [f32],
    (x, of_x): Block<'_>,
    factors: Factors,
) -> bool {
    let mut broken = 0;
    with_modifier!(of_x, of_x => {
        for (w, x) in weights.iter_mut().zip(x) {
            move_one(w, of_x.read(*x), Some(factors), &mut broken);
        }
    });
    broken == 0
}

/// `w -= (x + w * weight) * scale`, or without factors `w -= x`; `broken` takes the exponent bits of
/// what is no longer finite.
#[inline(always)]
fn move_one(w: &mut f32, x: f32, factors: Option<Factors>, broken: &mut u32) {
    *w -= match factors {
        Some(Factors { weight, scale }) => (x + *w * weight) * scale,
        None => x,
    };
    *broken |= u32::from(w.to_bits() & EXPONENT == EXPONENT);
}

/// Runs a body with the factors known to be there, or not, so that the loop inside has no branch.
macro_rules! with_factors {
    ($factors:expr, $known:ident => $body:expr) => {
        match $factors {
            Some(factors) => {
                let $known = Some(factors);
                $body
            }
            None => {
                let $known = None;
                $body
            }
        }
    };
}

#[inline(always)]
pub(super) fn subtract_quotient_body(
    weights: &mut [f32],
    (a, of_a): Block<'_>,
    (b, of_b): Block<'_>,
    factors: Option<Factors>,
) -> bool {
    let mut broken = 0;
    with_modifier!(of_a, of_a => with_modifier!(of_b, of_b => with_factors!(factors, factors => {
        for ((w, a), b) in weights.iter_mut().zip(a).zip(b) {
            let quotient = of_a.read(*a) / (of_b.read(*b) + GUARD as f32);
            move_one(w, quotient, factors, &mut broken);
        }
    })));
    broken == 0
}

#[inline(always)]
pub(super) fn subtract_blended_quotient_body(
    weights: &mut [f32],
    (a, of_a): Block<'_>,
    state: &mut [f32],
    (x, of_x): Block<'_>,
    by: f64,
    factors: Option<Factors>,
) -> bool {
    let (for_x, for_y) = ((1.0 - by) as f32, by as f32);
    let mut broken = 0;
    with_modifier!(of_a, of_a => with_modifier!(of_x, of_x => with_factors!(factors, factors => {
        for (((w, a), y), x) in weights.iter_mut().zip(a).zip(state.iter_mut()).zip(x) {
            *y = for_x * of_x.read(*x) + for_y * *y;
            let quotient = of_a.read(*a) / (Root.read(*y) + GUARD as f32);
            move_one(w, quotient, factors, &mut broken);
        }
    })));
    broken == 0
}

#[inline(always)]
pub(super) fn decayed_body(
    out: &mut [f32],
    (x, of_x): Block<'_>,
    weights: &[f32],
    factors: Factors,
) {
    let Factors { weight, scale } = factors;
    with_modifier!(of_x, of_x => {
        zip!(out, x, weights, |x, w| (of_x.read(x) + w * weight) * scale);
    });
}
