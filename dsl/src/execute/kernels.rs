//! Kernels: one op over one block, compiled for the widest vector unit at hand.
//!
//! Invariant: every kernel is elementwise in plain IEEE operations, so the vector width cannot
//! change a bit, and `out` never overlaps an argument. The choice of unit is made at run time;
//! building for one machine's CPU would tie the binary to it.

use crate::reduce::LeafSum;
use crate::{GUARD, Op, math};

macro_rules! map {
    ($out:expr, $x:expr, $function:expr) => {
        for (out, x) in $out.iter_mut().zip($x) {
            *out = $function(*x);
        }
    };
}

/// Recomputes the elements beyond the reach of a trigonometric fast path.
macro_rules! map_trigonometric {
    ($out:expr, $x:expr, $fast:expr, $any:expr) => {{
        map!($out, $x, $fast);
        if $x.iter().any(|x| x.abs() >= math::TRIG_LIMIT) {
            map!($out, $x, $any);
        }
    }};
}

#[inline(always)]
fn unary_body(op: Op, out: &mut [f32], x: &[f32]) {
    match op {
        Op::Abs => map!(out, x, |x: f32| x.abs()),
        Op::Negative => map!(out, x, |x: f32| -x),
        Op::Cos => map_trigonometric!(out, x, math::cos_fast, math::cos),
        Op::Sin => map_trigonometric!(out, x, math::sin_fast, math::sin),
        Op::Tan => map_trigonometric!(out, x, math::tan_fast, math::tan),
        Op::Arcsin => map!(out, x, math::arcsin),
        Op::Arccos => map!(out, x, math::arccos),
        Op::Arctan => map!(out, x, math::arctan),
        Op::Sinh => map!(out, x, math::sinh),
        Op::Cosh => map!(out, x, math::cosh),
        Op::Tanh => map!(out, x, math::tanh),
        Op::Arcsinh => map!(out, x, math::arcsinh),
        Op::Arccosh => map!(out, x, math::arccosh),
        Op::Arctanh => map!(out, x, math::arctanh),
        Op::Exp => map!(out, x, math::exp),
        Op::Exp2 => map!(out, x, math::exp2),
        Op::Exp10 => map!(out, x, math::exp10),
        Op::Expm1 => map!(out, x, math::expm1),
        Op::Log => map!(out, x, math::log),
        Op::Log2 => map!(out, x, math::log2),
        Op::Log10 => map!(out, x, math::log10),
        Op::Log1p => map!(out, x, math::log1p),
        Op::Square => map!(out, x, |x: f32| x * x),
        Op::Sqrt => map!(out, x, |x: f32| x.abs().sqrt()),
        Op::Cube => map!(out, x, |x: f32| x * x * x),
        Op::Cbrt => map!(out, x, math::cbrt),
        Op::Reciprocal => map!(out, x, |x: f32| 1.0 / x),
        Op::Sign => map!(out, x, math::sign),
        _ => unreachable!("{} is not elementwise in one argument", op.info().name),
    }
}

/// An argument of a binary kernel: a block, or one value for all of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input<'a> {
    Block(&'a [f32]),
    Same(f32),
}

macro_rules! zip {
    ($out:expr, $a:expr, $b:expr, $function:expr) => {
        match ($a, $b) {
            (Input::Block(a), Input::Block(b)) => {
                for ((out, a), b) in $out.iter_mut().zip(a).zip(b) {
                    *out = $function(*a, *b);
                }
            }
            (Input::Block(a), Input::Same(b)) => map!($out, a, |a| $function(a, b)),
            (Input::Same(a), Input::Block(b)) => map!($out, b, |b| $function(a, b)),
            (Input::Same(a), Input::Same(b)) => $out.fill($function(a, b)),
        }
    };
}

#[inline(always)]
fn binary_body(op: Op, out: &mut [f32], a: Input<'_>, b: Input<'_>) {
    match op {
        Op::Add => zip!(out, a, b, |a: f32, b: f32| a + b),
        Op::Sub => zip!(out, a, b, |a: f32, b: f32| a - b),
        Op::Mul => zip!(out, a, b, |a: f32, b: f32| a * b),
        Op::Div => zip!(out, a, b, |a: f32, b: f32| a / (b + GUARD as f32)),
        Op::Max => zip!(out, a, b, math::max),
        Op::Min => zip!(out, a, b, math::min),
        Op::Power => zip!(out, a, b, math::power),
        _ => unreachable!("{} is not elementwise in two arguments", op.info().name),
    }
}

#[inline(always)]
fn interp_body(out: &mut [f32], x: &[f32], y: &[f32], a: f64) {
    let (of_x, of_y) = ((1.0 - a) as f32, a as f32);
    for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
        *out = of_x * *x + of_y * *y;
    }
}

#[inline(always)]
fn subtract_body(weights: &mut [f32], update: Input<'_>) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    let mut broken = 0;
    let mut move_one = |weight: &mut f32, update: f32| {
        *weight -= update;
        broken |= u32::from(weight.to_bits() & EXPONENT == EXPONENT);
    };
    match update {
        Input::Block(update) => {
            weights.iter_mut().zip(update).for_each(|(weight, update)| move_one(weight, *update));
        }
        Input::Same(update) => weights.iter_mut().for_each(|weight| move_one(weight, update)),
    }
    broken == 0
}

#[inline(always)]
fn add_products_body(sum: &mut LeafSum, a: &[f32], b: &[f32]) {
    sum.add_products(a, b, f64::from);
}

/// Defines a kernel that runs its body compiled for AVX2 where the CPU has it.
macro_rules! kernels {
    ($($(#[$doc:meta])* fn $name:ident = $body:ident($($arg:ident: $ty:ty),*) $(-> $result:ty)?;)*) => {
        $($(#[$doc])*
        pub(super) fn $name($($arg: $ty),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                #[target_feature(enable = "avx2")]
                fn with_avx2($($arg: $ty),*) $(-> $result)? {
                    $body($($arg),*)
                }
                #[allow(unsafe_code)]
                // SAFETY: the CPU was just found to have AVX2, the one feature the callee needs.
                return unsafe { with_avx2($($arg),*) };
            }
            $body($($arg),*)
        })*
    };
}

kernels! {
    /// `out = op(x)`.
    fn unary = unary_body(op: Op, out: &mut [f32], x: &[f32]);
    /// `out = op(a, b)`.
    fn binary = binary_body(op: Op, out: &mut [f32], a: Input<'_>, b: Input<'_>);
    /// `out = (1 - a) x + a y`.
    fn interp = interp_body(out: &mut [f32], x: &[f32], y: &[f32], a: f64);
    /// `weights -= update`; whether all weights are still finite.
    fn subtract = subtract_body(weights: &mut [f32], update: Input<'_>) -> bool;
    /// Adds the products of a block to a leaf's sum.
    fn add_products = add_products_body(sum: &mut LeafSum, a: &[f32], b: &[f32]);
}
