//! The element type of trees: float32 as programs run, float64 for the oracle.
//!
//! Invariant: float32 elements go through [`math`](crate::math), the functions the executor
//! vectorises; float64 elements, and every scalar and per-leaf value, through the `libm` crate.
//! Both are pure Rust and give the same bits everywhere.

use std::fmt::Debug;
use std::ops::{Add, Mul};

use crate::{GUARD, Op, math};

/// A number that programs compute with.
pub trait Real: Copy + Default + Debug + Add<Output = Self> + Mul<Output = Self> {
    /// Rounds a float64, as a scalar is rounded when it broadcasts into a tree.
    fn from_f64(value: f64) -> Self;

    /// The value as float64, exactly.
    fn to_f64(self) -> f64;

    /// An elementwise op of one argument.
    ///
    /// # Panics
    /// If `op` is not one.
    fn unary(op: Op, x: Self) -> Self;

    /// An elementwise op of two arguments.
    ///
    /// # Panics
    /// If `op` is not one.
    fn binary(op: Op, a: Self, b: Self) -> Self;

    /// `(1 - a) x + a y`; `1 - a` is taken in float64.
    fn interp(x: Self, y: Self, a: f64) -> Self;

    /// `a / b`, without a guard.
    fn divided(a: Self, b: Self) -> Self;

    /// `a` where `condition` is above zero, else `b`.
    fn choose(condition: Self, a: Self, b: Self) -> Self;
}

impl Real for f32 {
    fn from_f64(value: f64) -> f32 {
        value as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn unary(op: Op, x: f32) -> f32 {
        match op {
            Op::Abs => x.abs(),
            Op::Negative => -x,
            Op::Cos => math::cos(x),
            Op::Sin => math::sin(x),
            Op::Tan => math::tan(x),
            Op::Arcsin => math::arcsin(x),
            Op::Arccos => math::arccos(x),
            Op::Arctan => math::arctan(x),
            Op::Sinh => math::sinh(x),
            Op::Cosh => math::cosh(x),
            Op::Tanh => math::tanh(x),
            Op::Arcsinh => math::arcsinh(x),
            Op::Arccosh => math::arccosh(x),
            Op::Arctanh => math::arctanh(x),
            Op::Exp => math::exp(x),
            Op::Exp2 => math::exp2(x),
            Op::Exp10 => math::exp10(x),
            Op::Expm1 => math::expm1(x),
            Op::Log => math::log(x),
            Op::Log2 => math::log2(x),
            Op::Log10 => math::log10(x),
            Op::Log1p => math::log1p(x),
            Op::Square => x * x,
            Op::Sqrt => x.abs().sqrt(),
            Op::Cube => x * x * x,
            Op::Cbrt => math::cbrt(x),
            Op::Reciprocal => 1.0 / x,
            Op::Sign => math::sign(x),
            Op::Heaviside => math::heaviside(x),
            _ => unreachable!("{} is not elementwise in one argument", op.info().name),
        }
    }

    fn binary(op: Op, a: f32, b: f32) -> f32 {
        match op {
            Op::Add => a + b,
            Op::Sub => a - b,
            Op::Mul => a * b,
            Op::Div => a / (b + GUARD as f32),
            Op::Max => math::max(a, b),
            Op::Min => math::min(a, b),
            Op::Power => math::power(a, b),
            _ => unreachable!("{} is not elementwise in two arguments", op.info().name),
        }
    }

    fn interp(x: f32, y: f32, a: f64) -> f32 {
        (1.0 - a) as f32 * x + a as f32 * y
    }

    fn divided(a: f32, b: f32) -> f32 {
        a / b
    }

    fn choose(condition: f32, a: f32, b: f32) -> f32 {
        if condition > 0.0 { a } else { b }
    }
}

impl Real for f64 {
    fn from_f64(value: f64) -> f64 {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn unary(op: Op, x: f64) -> f64 {
        match op {
            Op::Abs => x.abs(),
            Op::Negative => -x,
            Op::Cos => libm::cos(x),
            Op::Sin => libm::sin(x),
            Op::Tan => libm::tan(x),
            Op::Arcsin => libm::asin(x),
            Op::Arccos => libm::acos(x),
            Op::Arctan => libm::atan(x),
            Op::Sinh => libm::sinh(x),
            Op::Cosh => libm::cosh(x),
            Op::Tanh => libm::tanh(x),
            Op::Arcsinh => libm::asinh(x),
            // libm leaves the result below the domain open.
            Op::Arccosh if x < 1.0 => f64::NAN,
            Op::Arccosh => libm::acosh(x),
            Op::Arctanh => libm::atanh(x),
            Op::Exp => libm::exp(x),
            Op::Exp2 => libm::exp2(x),
            Op::Exp10 => libm::exp10(x),
            Op::Expm1 => libm::expm1(x),
            Op::Log => libm::log(x.abs()),
            Op::Log2 => libm::log2(x.abs()),
            Op::Log10 => libm::log10(x.abs()),
            // |1 + x| below -1 is 1 + (-2 - x), which keeps small digits.
            Op::Log1p => libm::log1p(if x < -1.0 { -2.0 - x } else { x }),
            Op::Square => x * x,
            Op::Sqrt => libm::sqrt(x.abs()),
            Op::Cube => x * x * x,
            Op::Cbrt => libm::cbrt(x),
            Op::Reciprocal => 1.0 / x,
            Op::Sign if x > 0.0 => 1.0,
            Op::Sign if x < 0.0 => -1.0,
            Op::Sign => x,
            Op::Heaviside if x > 0.0 => 1.0,
            Op::Heaviside if x <= 0.0 => 0.0,
            Op::Heaviside => x,
            _ => unreachable!("{} is not elementwise in one argument", op.info().name),
        }
    }

    fn binary(op: Op, a: f64, b: f64) -> f64 {
        match op {
            Op::Add => a + b,
            Op::Sub => a - b,
            Op::Mul => a * b,
            Op::Div => a / (b + GUARD),
            Op::Max => -minimum(-a, -b),
            Op::Min => minimum(a, b),
            Op::Power => libm::pow(a, b),
            _ => unreachable!("{} is not elementwise in two arguments", op.info().name),
        }
    }

    fn interp(x: f64, y: f64, a: f64) -> f64 {
        (1.0 - a) * x + a * y
    }

    fn divided(a: f64, b: f64) -> f64 {
        a / b
    }

    fn choose(condition: f64, a: f64, b: f64) -> f64 {
        if condition > 0.0 { a } else { b }
    }
}

/// As [`math::min`]: NaN if either is, and commutative to the bit.
fn minimum(a: f64, b: f64) -> f64 {
    if a < b {
        a
    } else if b < a {
        b
    } else {
        f64::from_bits(a.to_bits() | b.to_bits())
    }
}
