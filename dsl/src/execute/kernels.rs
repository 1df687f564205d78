//! Kernels: one op over one block, compiled for the widest vector unit at hand.
//!
//! Invariant: every kernel is elementwise in plain IEEE operations, so the vector width cannot
//! change a bit, and `out` never overlaps an argument. The choice of unit is made at run time;
//! building for one machine's CPU would tie the binary to it.

use super::plan::Modifier;
use crate::matrix::{Schedule, Scratch, orthogonalize as orthogonalize_body};
use crate::reduce::{self, LeafSum};
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
        Op::Heaviside => map!(out, x, math::heaviside),
        _ => unreachable!("{} is not elementwise in one argument", op.info().name),
    }
}

/// An argument of a kernel: a block and what is done to its elements, or one value for all of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input<'a> {
    Block(&'a [f32], Modifier<f32>),
    Same(f32),
}

/// A modifier known when the kernel is compiled.
trait Read: Copy {
    fn read(self, x: f32) -> f32;
}

/// Runs a body with the modifier as a type, so that the loop inside has no branch.
macro_rules! with_modifier {
    ($modifier:expr, $read:ident => $body:expr) => {
        match $modifier {
            Modifier::Plain => {
                let $read = Plain;
                $body
            }
            Modifier::Square => {
                let $read = Square;
                $body
            }
            Modifier::Root => {
                let $read = Root;
                $body
            }
            Modifier::Scale(k) => {
                let $read = Scale(k);
                $body
            }
            Modifier::RootOfScaled(k) => {
                let $read = RootOfScaled(k);
                $body
            }
        }
    };
}

macro_rules! reads {
    ($($name:ident $(($field:ty))?: |$self:ident, $x:ident| $value:expr;)*) => {
        $(#[derive(Clone, Copy)]
        struct $name $(($field))?;

        impl Read for $name {
            #[inline(always)]
            fn read($self, $x: f32) -> f32 {
                $value
            }
        })*
    };
}

reads! {
    Plain: |self, x| x;
    Square: |self, x| x * x;
    Root: |self, x| x.abs().sqrt();
    Scale(f32): |self, x| x * self.0;
    RootOfScaled(f32): |self, x| (x * self.0).abs().sqrt();
}

macro_rules! zip {
    ($out:expr, $a:expr, $b:expr, $function:expr) => {
        for ((out, a), b) in $out.iter_mut().zip($a).zip($b) {
            *out = $function(*a, *b);
        }
    };
}

// Behind the macros that it uses.
mod moves;

pub(super) use moves::{Blended, Factors};
use moves::{
    decayed_body, subtract_blended_quotient_body, subtract_body, subtract_decayed_body,
    subtract_quotient_body, subtract_quotient_of_blended_body,
};

#[inline(always)]
fn blocks(op: Op, out: &mut [f32], a: &[f32], of_a: impl Read, b: &[f32], of_b: impl Read) {
    match op {
        Op::Add => zip!(out, a, b, |a, b| of_a.read(a) + of_b.read(b)),
        Op::Sub => zip!(out, a, b, |a, b| of_a.read(a) - of_b.read(b)),
        Op::Mul => zip!(out, a, b, |a, b| of_a.read(a) * of_b.read(b)),
        Op::Div => zip!(out, a, b, |a, b| of_a.read(a) / (of_b.read(b) + GUARD as f32)),
        Op::Max => zip!(out, a, b, |a, b| math::max(of_a.read(a), of_b.read(b))),
        Op::Min => zip!(out, a, b, |a, b| math::min(of_a.read(a), of_b.read(b))),
        _ => unreachable!("{} takes no modified arguments", op.info().name),
    }
}

/// One block and one value; `flipped` where the value is the first argument.
#[inline(always)]
fn block_and_value(op: Op, out: &mut [f32], x: &[f32], of_x: impl Read, k: f32, flipped: bool) {
    match (op, flipped) {
        (Op::Add, _) => map!(out, x, |x| of_x.read(x) + k),
        (Op::Mul, _) => map!(out, x, |x| of_x.read(x) * k),
        (Op::Max, _) => map!(out, x, |x| math::max(of_x.read(x), k)),
        (Op::Min, _) => map!(out, x, |x| math::min(of_x.read(x), k)),
        (Op::Sub, false) => map!(out, x, |x| of_x.read(x) - k),
        (Op::Sub, true) => map!(out, x, |x| k - of_x.read(x)),
        (Op::Div, false) => map!(out, x, |x| of_x.read(x) / (k + GUARD as f32)),
        (Op::Div, true) => map!(out, x, |x| k / (of_x.read(x) + GUARD as f32)),
        _ => unreachable!("{} takes no modified arguments", op.info().name),
    }
}

#[inline(always)]
fn power_body(out: &mut [f32], a: Input<'_>, b: Input<'_>) {
    match (a, b) {
        (Input::Block(a, _), Input::Block(b, _)) => zip!(out, a, b, math::power),
        (Input::Block(a, _), Input::Same(b)) => map!(out, a, |a| math::power(a, b)),
        (Input::Same(a), Input::Block(b, _)) => map!(out, b, |b| math::power(a, b)),
        (Input::Same(a), Input::Same(b)) => out.fill(math::power(a, b)),
    }
}

#[inline(always)]
fn binary_body(op: Op, out: &mut [f32], a: Input<'_>, b: Input<'_>) {
    match (op, a, b) {
        (Op::Power, a, b) => power_body(out, a, b),
        (_, Input::Block(a, of_a), Input::Block(b, of_b)) => {
            with_modifier!(of_a, of_a => with_modifier!(of_b, of_b => blocks(op, out, a, of_a, b, of_b)));
        }
        (_, Input::Block(a, of_a), Input::Same(b)) => {
            with_modifier!(of_a, of_a => block_and_value(op, out, a, of_a, b, false));
        }
        (_, Input::Same(a), Input::Block(b, of_b)) => {
            with_modifier!(of_b, of_b => block_and_value(op, out, b, of_b, a, true));
        }
        (_, Input::Same(_), Input::Same(_)) => {
            unreachable!("small values are not computed in blocks")
        }
    }
}

/// A block and what is done to its elements.
pub(super) type Block<'a> = (&'a [f32], Modifier<f32>);

#[inline(always)]
fn interp_body(out: &mut [f32], (x, of_x): Block<'_>, (y, of_y): Block<'_>, a: f64) {
    let (for_x, for_y) = ((1.0 - a) as f32, a as f32);
    with_modifier!(of_x, of_x => with_modifier!(of_y, of_y => {
        zip!(out, x, y, |x, y| for_x * of_x.read(x) + for_y * of_y.read(y));
    }));
}

#[inline(always)]
fn interp_in_place_body(state: &mut [f32], (x, of_x): Block<'_>, a: f64) {
    let (for_x, for_y) = ((1.0 - a) as f32, a as f32);
    with_modifier!(of_x, of_x => {
        for (y, x) in state.iter_mut().zip(x) {
            *y = for_x * of_x.read(*x) + for_y * *y;
        }
    });
}

#[inline(always)]
fn copy_body(out: &mut [f32], (x, of_x): Block<'_>) {
    with_modifier!(of_x, of_x => map!(out, x, |x| of_x.read(x)));
}

#[inline(always)]
fn add_products_body(sum: &mut LeafSum, a: &[f32], b: &[f32]) {
    sum.add_products(a, b, f64::from);
}

#[inline(always)]
fn add_rows_body(x: &[f32], start: usize, columns: usize, sums: &mut [f64]) {
    reduce::add_rows(x, start, columns, sums, f64::from);
}

#[inline(always)]
fn add_columns_body(x: &[f32], start: usize, sums: &mut [f64]) {
    reduce::add_columns(x, start, sums, f64::from);
}

#[inline(always)]
fn choose_body(out: &mut [f32], c: &[f32], a: &[f32], b: &[f32]) {
    for (((out, c), a), b) in out.iter_mut().zip(c).zip(a).zip(b) {
        *out = if *c > 0.0 { *a } else { *b };
    }
}

/// Fills a block, the first element of which is element `start` of its leaf, with one number for
/// each row.
pub(super) fn fill_rows(out: &mut [f32], start: usize, columns: usize, numbers: &[f64]) {
    let (mut row, mut column, mut rest) = (start / columns.max(1), start % columns.max(1), out);
    while !rest.is_empty() {
        let (of_row, others) = rest.split_at_mut(rest.len().min(columns - column));
        of_row.fill(numbers[row] as f32);
        (row, column, rest) = (row + 1, 0, others);
    }
}

/// As [`fill_rows`], with one number for each column.
pub(super) fn fill_columns(out: &mut [f32], start: usize, numbers: &[f64]) {
    for (out, number) in
        out.iter_mut().zip(numbers.iter().cycle().skip(start % numbers.len().max(1)))
    {
        *out = *number as f32;
    }
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
    fn interp = interp_body(out: &mut [f32], x: Block<'_>, y: Block<'_>, a: f64);
    /// `state = (1 - a) x + a state`.
    fn interp_in_place = interp_in_place_body(state: &mut [f32], x: Block<'_>, a: f64);
    /// `out = x`, modified.
    fn copy = copy_body(out: &mut [f32], x: Block<'_>);
    /// `weights -= update`; whether all weights are still finite.
    fn subtract = subtract_body(weights: &mut [f32], update: Input<'_>) -> bool;
    /// `weights -= (x + weights * weight) * scale`; whether all weights are still finite.
    fn subtract_decayed = subtract_decayed_body(weights: &mut [f32], x: Block<'_>, factors: Factors) -> bool;
    /// `weights -= (a / (b + guard) + weights * weight) * scale`, or without factors the quotient
    /// alone; whether all weights are still finite.
    fn subtract_quotient = subtract_quotient_body(weights: &mut [f32], a: Block<'_>, b: Block<'_>, factors: Option<Factors>) -> bool;
    /// Blends the state below, then as [`subtract_quotient`] with its root as `b`, of a multiple or
    /// of itself.
    fn subtract_blended_quotient = subtract_blended_quotient_body(weights: &mut [f32], a: Block<'_>, below: Blended<'_>, factors: Option<Factors>) -> bool;
    /// As [`subtract_blended_quotient`], with a state as `a` that is blended too.
    fn subtract_quotient_of_blended = subtract_quotient_of_blended_body(weights: &mut [f32], above: Blended<'_>, below: Blended<'_>, factors: Option<Factors>) -> bool;
    /// `out = (x + weights * weight) * scale`.
    fn decayed = decayed_body(out: &mut [f32], x: Block<'_>, weights: &[f32], factors: Factors);
    /// Adds the products of a block to a leaf's sum.
    fn add_products = add_products_body(sum: &mut LeafSum, a: &[f32], b: &[f32]);
    /// Adds a block to the sums of its leaf's rows.
    fn add_rows = add_rows_body(x: &[f32], start: usize, columns: usize, sums: &mut [f64]);
    /// Adds a block to the sums of its leaf's columns.
    fn add_columns = add_columns_body(x: &[f32], start: usize, sums: &mut [f64]);
    /// `out = a` where `c` is above zero, else `b`.
    fn choose = choose_body(out: &mut [f32], c: &[f32], a: &[f32], b: &[f32]);
    /// Replaces a matrix by the nearest orthogonal one.
    fn orthogonalize = orthogonalize_body(x: &mut [f32], rows: usize, columns: usize, schedule: Schedule, scratch: &mut Scratch<f32>);
}
