//! Bodies of the kernels that move the weights.
//!
//! Invariant: the weights are moved by the float32 operations of the instructions that these kernels
//! stand for, in their order. What is not finite any more is noticed on the way, at the cost of two
//! integer operations for each weight.

use super::{Block, Input, Plain, Read, Root, RootOfScaled, Scale, Square};
use crate::GUARD;
use crate::execute::plan::Modifier;

/// The exponent bits; all of them are set in infinities and NaN.
const EXPONENT: u32 = 0x7f80_0000;

#[inline(always)]
pub(super) fn subtract_body(weights: &mut [f32], update: Input<'_>) -> bool {
    let mut largest = 0;
    let mut move_one = |weight: &mut f32, update| move_one(weight, update, None, &mut largest);
    match update {
        Input::Block(update, modifier) => with_modifier!(modifier, read => {
            for (weight, update) in weights.iter_mut().zip(update) {
                move_one(weight, read.read(*update));
            }
        }),
        Input::Same(update) => weights.iter_mut().for_each(|weight| move_one(weight, update)),
    }
    largest < EXPONENT
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
    let mut largest = 0;
    with_modifier!(of_x, of_x => {
        for (w, x) in weights.iter_mut().zip(x) {
            move_one(w, of_x.read(*x), Some(factors), &mut largest);
        }
    });
    largest < EXPONENT
}

/// `w -= (x + w * weight) * scale`, or without factors `w -= x`; `largest` takes the exponent bits
/// of the largest weight.
#[inline(always)]
fn move_one(w: &mut f32, x: f32, factors: Option<Factors>, largest: &mut u32) {
    *w -= match factors {
        Some(Factors { weight, scale }) => (x + *w * weight) * scale,
        None => x,
    };
    *largest = (*largest).max(w.to_bits() & EXPONENT);
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
    let mut largest = 0;
    with_modifier!(of_a, of_a => with_modifier!(of_b, of_b => with_factors!(factors, factors => {
        for ((w, a), b) in weights.iter_mut().zip(a).zip(b) {
            let quotient = of_a.read(*a) / (of_b.read(*b) + GUARD as f32);
            move_one(w, quotient, factors, &mut largest);
        }
    })));
    largest < EXPONENT
}

/// A state that is blended in place, `state = (1 - by) x + by state`, and then read.
pub(in crate::execute) struct Blended<'a> {
    pub state: &'a mut [f32],
    pub x: Block<'a>,
    pub by: f64,
    pub read: Modifier<f32>,
}

impl Blended<'_> {
    /// What `x` and the state are multiplied by.
    #[inline(always)]
    fn factors(&self) -> (f32, f32) {
        ((1.0 - self.by) as f32, self.by as f32)
    }
}

/// Runs a body with the modifier as a type, one of those named: a kernel for every mix of all of
/// them would be most of the binary.
macro_rules! with_one_of {
    ([$($name:ident $(($k:ident))?),*], $modifier:expr, $read:ident => $body:expr) => {
        match $modifier {
            $(Modifier::$name $(($k))? => {
                let $read = $name $(($k))?;
                $body
            })*
            _ => unreachable!("quotients are taken in the forms that have a kernel"),
        }
    };
}

#[inline(always)]
pub(super) fn subtract_blended_quotient_body(
    weights: &mut [f32],
    (a, of_a): Block<'_>,
    below: Blended<'_>,
    factors: Option<Factors>,
) -> bool {
    let (for_x, for_y) = below.factors();
    let Blended { state, x: (x, of_x), read, .. } = below;
    let mut largest = 0;
    with_one_of!([Plain, Scale(k)], of_a, of_a => with_one_of!([Plain, Square], of_x, of_x => {
        with_one_of!([Root, RootOfScaled(k)], read, root => with_factors!(factors, factors => {
            for (((w, a), y), x) in weights.iter_mut().zip(a).zip(state.iter_mut()).zip(x) {
                *y = for_x * of_x.read(*x) + for_y * *y;
                let quotient = of_a.read(*a) / (root.read(*y) + GUARD as f32);
                move_one(w, quotient, factors, &mut largest);
            }
        }));
    }));
    largest < EXPONENT
}

#[inline(always)]
pub(super) fn subtract_quotient_of_blended_body(
    weights: &mut [f32],
    above: Blended<'_>,
    below: Blended<'_>,
    factors: Option<Factors>,
) -> bool {
    let ((for_p, for_a), (for_x, for_y)) = (above.factors(), below.factors());
    let Blended { state: a, x: (p, _), read: of_a, .. } = above;
    let Blended { state: y, x: (x, of_x), read, .. } = below;
    let mut largest = 0;
    with_one_of!([Plain, Scale(k)], of_a, of_a => with_one_of!([Plain, Square], of_x, of_x => {
        with_one_of!([Root, RootOfScaled(k)], read, root => with_factors!(factors, factors => {
            let states = a.iter_mut().zip(p).zip(y.iter_mut().zip(x));
            for (w, ((a, p), (y, x))) in weights.iter_mut().zip(states) {
                let blended = for_p * *p + for_a * *a;
                *a = blended;
                *y = for_x * of_x.read(*x) + for_y * *y;
                let quotient = of_a.read(blended) / (root.read(*y) + GUARD as f32);
                move_one(w, quotient, factors, &mut largest);
            }
        }));
    }));
    largest < EXPONENT
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
