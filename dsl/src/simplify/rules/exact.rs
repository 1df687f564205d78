//! Rules that keep every bit.
//!
//! Invariant: the sides are equal for all inputs, infinities, NaN (of any payload), subnormals and
//! both zeros included, and for every type of the variables. What makes that hard is that scalars
//! are float64 and trees float32: a rule must not move a value from a float64 operation into a
//! float32 one, unless rounding commutes with the operation, as it does with negation and with
//! everything monotone.
//!
//! Left out, though they look exact: `x + 0` is not `x` at -0; `-(x - y)` is not `y - x` where they
//! are equal; `x - x` and `x * 0` are not 0 at infinity.

use crate::Type;
use crate::simplify::rule::{Bound, Rule};

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule::bits("times-one", "x * 1.0", "x"),
    Rule::bits("minus-zero", "x - 0.0", "x"),
    Rule::bits("plus-negative-zero", "x + -0.0", "x"),
    Rule::bits("nonnegative-plus-zero", "n + 0.0", "n"),
    // In float64 the guard shows.
    Rule::bits("over-one", "x / 1.0", "x").when(|bound| bound.result() == Type::Tree),
    Rule::bits("over-power-of-two", "x / c", "x * reciprocal(c)").when(is_power_of_two),

    Rule::bits("times-minus-one", "x * -1.0", "negative(x)"),
    Rule::bits("negative-as-factor", "negative(x)", "x * -1.0"),
    Rule::bits("negative-negative", "negative(negative(x))", "x"),
    Rule::bits("minus-negative", "x - negative(y)", "x + y"),
    Rule::bits("plus-negative", "x + negative(y)", "x - y"),
    Rule::bits("negative-times", "negative(x) * y", "negative(x * y)"),
    Rule::bits("negatives-times", "negative(x) * negative(y)", "x * y"),
    Rule::bits("negative-over", "negative(x) / y", "negative(x / y)"),
    Rule::bits("negative-into-constant", "negative(x) * c", "x * negative(c)"),
    Rule::bits("negative-of-multiple", "negative(x * c)", "x * negative(c)"),
    Rule::bits("minus-constant", "x - c", "x + negative(c)"),
    Rule::bits("minus-multiple", "x - y * c", "x + y * negative(c)"),

    Rule::bits("square-of", "x * x", "square(x)"),
    Rule::bits("square-as-product", "square(x)", "x * x"),
    Rule::bits("cube-of", "square(x) * x", "cube(x)"),
    Rule::bits("twice", "x + x", "x * 2.0"),

    Rule::bits("abs-of-nonnegative", "abs(n)", "n"),
    Rule::bits("abs-of-negative", "abs(negative(x))", "abs(x)"),
    Rule::bits("abs-of-factors", "abs(x) * abs(y)", "abs(x * y)"),
    Rule::bits("sign-times-self", "x * sign(x)", "abs(x)"),
    Rule::bits("sign-times-abs", "abs(x) * sign(x)", "x"),
    Rule::bits("square-of-negative", "square(negative(x))", "square(x)"),
    Rule::bits("square-of-abs", "square(abs(x))", "square(x)"),
    Rule::bits("sqrt-of-negative", "sqrt(negative(x))", "sqrt(x)"),
    Rule::bits("sqrt-of-abs", "sqrt(abs(x))", "sqrt(x)"),
    Rule::bits("log-of-negative", "log(negative(x))", "log(x)"),
    Rule::bits("log-of-abs", "log(abs(x))", "log(x)"),
    Rule::bits("log2-of-negative", "log2(negative(x))", "log2(x)"),
    Rule::bits("log2-of-abs", "log2(abs(x))", "log2(x)"),
    Rule::bits("log10-of-negative", "log10(negative(x))", "log10(x)"),
    Rule::bits("log10-of-abs", "log10(abs(x))", "log10(x)"),
    Rule::bits("cos-of-negative", "cos(negative(x))", "cos(x)"),
    Rule::bits("cos-of-abs", "cos(abs(x))", "cos(x)"),
    Rule::bits("cosh-of-negative", "cosh(negative(x))", "cosh(x)"),
    Rule::bits("cosh-of-abs", "cosh(abs(x))", "cosh(x)"),
    Rule::bits("norm-of-negative", "norm(negative(x))", "norm(x)"),
    Rule::bits("norm-of-abs", "norm(abs(x))", "norm(x)"),
    Rule::bits("global-norm-of-negative", "global_norm(negative(x))", "global_norm(x)"),
    Rule::bits("global-norm-of-abs", "global_norm(abs(x))", "global_norm(x)"),
    Rule::bits("dot-of-negatives", "dot(negative(x), negative(y))", "dot(x, y)"),
    Rule::bits("cosine-of-negatives", "cosine_sim(negative(x), negative(y))", "cosine_sim(x, y)"),

    Rule::bits("sin-of-negative", "sin(negative(x))", "negative(sin(x))"),
    Rule::bits("tan-of-negative", "tan(negative(x))", "negative(tan(x))"),
    Rule::bits("arcsin-of-negative", "arcsin(negative(x))", "negative(arcsin(x))"),
    Rule::bits("arctan-of-negative", "arctan(negative(x))", "negative(arctan(x))"),
    Rule::bits("sinh-of-negative", "sinh(negative(x))", "negative(sinh(x))"),
    Rule::bits("arcsinh-of-negative", "arcsinh(negative(x))", "negative(arcsinh(x))"),
    Rule::bits("cbrt-of-negative", "cbrt(negative(x))", "negative(cbrt(x))"),
    Rule::bits("cube-of-negative", "cube(negative(x))", "negative(cube(x))"),
    Rule::bits("reciprocal-of-negative", "reciprocal(negative(x))", "negative(reciprocal(x))"),
    Rule::bits("sign-of-negative", "sign(negative(x))", "negative(sign(x))"),
    Rule::bits("clip-of-negative", "clip(negative(x), s)", "negative(clip(x, s))"),
    Rule::bits("bias-correct-of-negative", "bias_correct(negative(x), s)", "negative(bias_correct(x, s))"),

    Rule::bits("sign-of-sign", "sign(sign(x))", "sign(x)"),
    Rule::bits("sign-of-heaviside", "sign(heaviside(x))", "heaviside(x)"),
    Rule::bits("heaviside-of-sign", "heaviside(sign(x))", "heaviside(x)"),
    Rule::bits("heaviside-of-heaviside", "heaviside(heaviside(x))", "heaviside(x)"),
    Rule::bits("sign-of-tanh", "sign(tanh(x))", "sign(x)"),
    Rule::bits("sign-of-sinh", "sign(sinh(x))", "sign(x)"),
    Rule::bits("sign-of-arctan", "sign(arctan(x))", "sign(x)"),
    Rule::bits("sign-of-arcsinh", "sign(arcsinh(x))", "sign(x)"),
    Rule::bits("sign-of-cbrt", "sign(cbrt(x))", "sign(x)"),
    Rule::bits("sign-of-expm1", "sign(expm1(x))", "sign(x)"),

    Rule::bits("max-of-same", "max(x, x)", "x"),
    Rule::bits("min-of-same", "min(x, x)", "x"),
    Rule::bits("max-again", "max(x, max(x, y))", "max(x, y)"),
    Rule::bits("min-again", "min(x, min(x, y))", "min(x, y)"),
    Rule::bits("max-of-constants", "max(max(x, c), d)", "max(x, max(c, d))"),
    Rule::bits("min-of-constants", "min(min(x, c), d)", "min(x, min(c, d))"),
    Rule::bits("nonnegative-above", "max(n, c)", "n").when(|bound| bound.constant('c') <= 0.0),
    Rule::bits("max-of-negatives", "max(negative(x), negative(y))", "negative(min(x, y))"),
    Rule::bits("min-of-negatives", "min(negative(x), negative(y))", "negative(max(x, y))"),
    Rule::bits("clamp-of", "min(max(x, y), z)", "clamp(x, y, z)"),
    Rule::bits("clamp-from-below", "max(min(x, d), c)", "clamp(x, c, d)").when(|bound| bound.constant('c').total_cmp(&bound.constant('d')).is_le()),
    Rule::bits("clamp-again", "clamp(clamp(x, y, z), y, z)", "clamp(x, y, z)"),
    Rule::bits("where-same", "where(z, x, x)", "x"),
    Rule::bits("where-always", "where(c, x, y)", "x").when(|bound| is_above_zero(bound) == Some(true)),
    Rule::bits("where-never", "where(c, x, y)", "y").when(|bound| is_above_zero(bound) == Some(false)),
    Rule::bits("where-heaviside", "where(heaviside(z), x, y)", "where(z, x, y)").when(keeps_condition),
    Rule::bits("where-sign", "where(sign(z), x, y)", "where(z, x, y)").when(keeps_condition),

    Rule::bits("blend", "x * c + y * d", "interp(x, y, d)").when(|bound| {
        are_blended(bound) && bound.same_factor(bound.constant('c'), 1.0 - bound.constant('d'))
    }),
    Rule::bits("blend-by-scalar", "x * (1.0 - s) + y * s", "interp(x, y, s)").when(are_blended),
    Rule::bits("interp-turned", "interp(x, y, c)", "interp(y, x, 1.0 - c)").when(|bound| {
        bound.same_factor(1.0 - (1.0 - bound.constant('c')), bound.constant('c'))
    }),

    Rule::bits("row-mean-again", "row_mean(row_mean(x))", "row_mean(x)"),
    Rule::bits("column-mean-again", "column_mean(column_mean(x))", "column_mean(x)"),
    Rule::bits("row-mean-of-constant-rows", "row_mean(x)", "x"),
    Rule::bits("column-mean-of-constant-columns", "column_mean(x)", "x"),
    Rule::bits("norm-of-one-number", "norm(x)", "abs(x)"),
    Rule::bits("norm-by-dot", "sqrt(dot(x, x))", "global_norm(x)"),
    Rule::bits("outer-by-product", "outer(x, y)", "x * y"),
    Rule::bits("bias-correct-at-zero", "bias_correct(x, 0.0)", "x"),
    Rule::bits("power-zero", "power(s, 0.0)", "1.0"),
    Rule::bits("power-of-one", "power(1.0, s)", "1.0"),
];

/// Whether dividing a tree by the constant is multiplying by its inverse, guard and rounding
/// included.
fn is_power_of_two(bound: &Bound<'_>) -> bool {
    const MANTISSA: u64 = (1 << 52) - 1;
    let c = bound.constant('c');
    let plain = c as f32 + crate::GUARD as f32 == c as f32 && c.to_bits() & MANTISSA == 0;
    // Beyond, the inverse is not a normal float32.
    bound.result() == Type::Tree && plain && (1e-30..1e30).contains(&c.abs())
}

/// Whether the condition `c` holds, where rounding it to the type of the whole does not matter.
fn is_above_zero(bound: &Bound<'_>) -> Option<bool> {
    let c = bound.constant('c');
    let rounded = match bound.result() {
        Type::Tree => f64::from(c as f32),
        _ => c,
    };
    Some(rounded > 0.0)
}

/// Whether `z` is compared with zero as it is, not rounded to a float32 that may be zero.
fn keeps_condition(bound: &Bound<'_>) -> bool {
    bound.ty('z') == Type::Tree || bound.result() != Type::Tree
}

/// Whether both products of a blend are computed in the type of the whole.
fn are_blended(bound: &Bound<'_>) -> bool {
    bound.ty('x') == bound.result() && bound.ty('y') == bound.result()
}
