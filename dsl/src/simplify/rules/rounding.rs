//! Rules that hold over the real numbers.
//!
//! Invariant: the sides of a plain rule differ by rounding, overflow and underflow only. Those that
//! hold within a domain say where they differ; they are used where the result is shorter for it,
//! and what was assumed is reported.

use crate::Type;
use crate::simplify::rule::{Bound, Rule};

const GUARD_SHOWS: &str = "where the divisor is small and the guard 1e-8 counts";
const SIGN: &str = "the same at 0; differs for |x| below about 1e-3, where the guard 1e-8 is more than 1e-5 of |x|";
const CANCELS: &str =
    "where the one is so much larger than the other that the other is lost in rounding";
const FINITE: &str = "where the other is infinite or NaN";

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    // Constants and scalars move outwards, where they meet.
    Rule::rounding("merge-factors", "x * c * d", "x * (c * d)").when(has_plain_product),
    Rule::rounding("merge-scalars", "x * s * t", "x * (s * t)").when(|bound| bound.ty('x') != Type::Scalar),
    Rule::rounding("factor-outwards", "x * c * y", "x * y * c").when(|bound| !bound.is_constant('y')),
    Rule::rounding("scalar-outwards", "x * s * y", "x * y * s").when(|bound| bound.ty('y') != Type::Scalar),
    Rule::rounding("factor-of-dividend", "x * s / y", "x / y * s"),
    Rule::within("factor-of-divisor", "x / (y * c)", "x / y * (1.0 / c)", GUARD_SHOWS).when(has_plain_inverse),
    // One over one, with the guard.
    Rule::rounding("times-nearly-one", "x * c", "x").when(|bound| (bound.constant('c') - 1.0).abs() < 3e-8),
    Rule::rounding("divide-by-constant", "x / c", "x * (1.0 / c)").when(has_plain_inverse),
    Rule::rounding("merge-terms", "x + c + d", "x + (c + d)"),

    // Factoring.
    Rule::rounding("factor-constants", "x * c + x * d", "x * (c + d)"),
    Rule::rounding("factor-out", "x * y + x * z", "x * (y + z)"),
    Rule::rounding("factor-out-of-difference", "x * y - x * z", "x * (y - z)"),
    Rule::rounding("factor-one-more", "x * s + x", "x * (s + 1.0)"),
    Rule::rounding("factor-one-less", "x * s - x", "x * (s - 1.0)"),
    Rule::rounding("factor-less-from-one", "x - x * s", "x * (1.0 - s)"),
    Rule::rounding("common-divisor", "x / z + y / z", "(x + y) / z"),
    Rule::rounding("common-divisor-of-difference", "x / z - y / z", "(x - y) / z"),
    Rule::rounding("negative-difference", "negative(x - y)", "y - x"),
    Rule::rounding("negative-sum", "negative(x) - y", "negative(x + y)"),
    Rule::within("sum-less-term", "x + y - x", "y", CANCELS),
    Rule::within("difference-plus-term", "x - y + y", "x", CANCELS),
    Rule::within("difference-from", "x - (x - y)", "y", CANCELS),

    // Roots and powers.
    Rule::rounding("sqrt-of-square", "sqrt(square(x))", "abs(x)"),
    Rule::rounding("square-of-sqrt", "square(sqrt(x))", "abs(x)"),
    Rule::rounding("cube-of-cbrt", "cube(cbrt(x))", "x"),
    Rule::rounding("cbrt-of-cube", "cbrt(cube(x))", "x"),
    Rule::rounding("reciprocal-of-reciprocal", "reciprocal(reciprocal(x))", "x"),
    Rule::rounding("square-of-reciprocal", "reciprocal(square(x))", "square(reciprocal(x))"),
    Rule::rounding("power-one", "power(x, 1.0)", "x"),
    Rule::rounding("power-two", "power(x, 2.0)", "square(x)"),
    Rule::rounding("power-three", "power(x, 3.0)", "cube(x)"),
    Rule::rounding("power-minus-one", "power(x, -1.0)", "reciprocal(x)"),
    Rule::rounding("power-half", "power(n, 0.5)", "sqrt(n)"),
    Rule::within("power-half-of-any", "power(x, 0.5)", "sqrt(x)", "below 0, where the power is NaN"),
    Rule::rounding("power-of-power", "power(power(n, c), d)", "power(n, c * d)"),
    Rule::rounding("square-of-multiple", "square(x * c)", "square(x) * square(c)"),
    Rule::rounding("sqrt-of-multiple", "sqrt(x * c)", "sqrt(x) * sqrt(c)"),
    Rule::rounding("abs-of-multiple", "abs(x * c)", "abs(x) * abs(c)"),
    Rule::rounding("product-of-squares", "square(x) * square(y)", "square(x * y)"),
    Rule::rounding("product-of-sqrts", "sqrt(x) * sqrt(y)", "sqrt(x * y)"),
    Rule::within("times-reciprocal", "x * reciprocal(y)", "x / y", GUARD_SHOWS),

    // Inverse functions.
    Rule::rounding("log-of-exp", "log(exp(x))", "x"),
    Rule::rounding("log2-of-exp2", "log2(exp2(x))", "x"),
    Rule::rounding("log10-of-exp10", "log10(exp10(x))", "x"),
    Rule::rounding("exp-of-log", "exp(log(x))", "abs(x)"),
    Rule::rounding("exp2-of-log2", "exp2(log2(x))", "abs(x)"),
    Rule::rounding("exp10-of-log10", "exp10(log10(x))", "abs(x)"),
    Rule::rounding("product-of-exps", "exp(x) * exp(y)", "exp(x + y)"),
    Rule::rounding("sinh-of-arcsinh", "sinh(arcsinh(x))", "x"),
    Rule::rounding("arcsinh-of-sinh", "arcsinh(sinh(x))", "x"),
    Rule::rounding("tan-of-arctan", "tan(arctan(x))", "x"),
    Rule::within("sin-of-arcsin", "sin(arcsin(x))", "x", "outside [-1, 1]"),
    Rule::within("tanh-of-arctanh", "tanh(arctanh(x))", "x", "outside [-1, 1]"),
    Rule::within("expm1-of-log1p", "expm1(log1p(x))", "x", "below -1"),
    Rule::rounding("tanh-of-negative", "tanh(negative(x))", "negative(tanh(x))"),
    Rule::rounding("arctanh-of-negative", "arctanh(negative(x))", "negative(arctanh(x))"),

    // Signs.
    Rule::within("over-own-abs", "x / abs(x)", "sign(x)", SIGN),
    Rule::within("abs-over-own", "abs(x) / x", "sign(x)", SIGN),
    Rule::within("square-over-abs", "square(x) / abs(x)", "abs(x)", GUARD_SHOWS),
    Rule::rounding("sign-of-multiple", "sign(x * p)", "sign(x)"),
    Rule::rounding("sign-of-negative-multiple", "sign(x * c)", "negative(sign(x))").when(|bound| bound.constant('c') < 0.0),
    Rule::rounding("heaviside-of-multiple", "heaviside(x * p)", "heaviside(x)"),
    Rule::rounding("sign-of-cube", "sign(cube(x))", "sign(x)"),
    Rule::rounding("sign-of-clip", "sign(clip(x, p))", "sign(x)"),
    Rule::rounding("sign-of-bias-correct", "sign(bias_correct(x, p))", "sign(x)").when(|bound| bound.constant('p') < 1.0),
    Rule::within("sign-of-arcsin", "sign(arcsin(x))", "sign(x)", "outside [-1, 1]"),
    Rule::rounding("product-of-signs", "sign(x) * sign(y)", "sign(x * y)"),

    // Blends.
    Rule::rounding("interp-of-same", "interp(x, x, s)", "x"),
    Rule::rounding("interp-at-first", "interp(x, y, 0.0)", "x"),
    Rule::rounding("interp-at-second", "interp(x, y, 1.0)", "y"),
    Rule::rounding("interp-of-interp", "interp(x, interp(x, y, s), t)", "interp(x, y, s * t)"),
    Rule::rounding("interp-into-interp", "interp(interp(x, y, c), y, d)", "interp(x, y, 1.0 - (1.0 - c) * (1.0 - d))"),
    Rule::rounding("interp-of-multiples", "interp(x * s, y * s, t)", "interp(x, y, t) * s"),
    Rule::rounding("interp-of-negatives", "interp(negative(x), negative(y), s)", "negative(interp(x, y, s))"),
    Rule::rounding("blend-by-step", "x + (y - x) * s", "interp(x, y, s)"),
    Rule::rounding("blend-by-step-back", "x - (x - y) * s", "interp(x, y, s)"),
    Rule::rounding("nearly-blend", "x * c + y * d", "interp(x, y, d)").when(|bound| {
        let c = bound.constant('c');
        (1.0 - bound.constant('d') - c).abs() <= 1e-7 * c.abs()
    }),

    // Reductions are homogeneous.
    Rule::rounding("norm-of-multiple", "norm(x * s)", "norm(x) * abs(s)"),
    Rule::rounding("global-norm-of-multiple", "global_norm(x * s)", "global_norm(x) * abs(s)"),
    Rule::rounding("global-norm-of-scalar", "global_norm(s)", "abs(s)"),
    Rule::rounding("square-of-global-norm", "square(global_norm(x))", "dot(x, x)"),
    Rule::rounding("dot-of-multiple", "dot(x * s, y)", "dot(x, y) * s").when(|bound| bound.ty('x').join(bound.ty('y')) == bound.ty('x')),
    Rule::rounding("dot-of-negative", "dot(negative(x), y)", "negative(dot(x, y))"),
    Rule::rounding("cosine-of-multiple", "cosine_sim(x * p, y)", "cosine_sim(x, y)").when(|bound| bound.ty('x').join(bound.ty('y')) == bound.ty('x')),
    Rule::rounding("row-mean-of-multiple", "row_mean(x * s)", "row_mean(x) * s"),
    Rule::rounding("column-mean-of-multiple", "column_mean(x * s)", "column_mean(x) * s"),
    Rule::rounding("row-mean-of-negative", "row_mean(negative(x))", "negative(row_mean(x))"),
    Rule::rounding("column-mean-of-negative", "column_mean(negative(x))", "negative(column_mean(x))"),
    Rule::rounding("means-exchanged", "row_mean(column_mean(x))", "column_mean(row_mean(x))"),
    Rule::rounding("outer-of-multiple", "outer(x * s, y)", "outer(x, y) * s"),
    Rule::rounding("outer-of-multiple-columns", "outer(x, y * s)", "outer(x, y) * s"),
    Rule::rounding("bias-correct-of-multiple", "bias_correct(x * s, t)", "bias_correct(x, t) * s"),
    Rule::rounding("orthogonalize-of-negative", "orthogonalize(negative(x))", "negative(orthogonalize(x))"),
    Rule::within("orthogonalize-of-multiple", "orthogonalize(x * p)", "orthogonalize(x)", "where a tensor's norm is below 1e-7"),
    Rule::rounding("polar-express-of-negative", "polar_express(negative(x))", "negative(polar_express(x))"),
    Rule::within("polar-express-of-multiple", "polar_express(x * p)", "polar_express(x)", "where a tensor's norm is below 1e-7"),
    Rule::rounding("polar-factor-of-negative", "polar_factor(negative(x))", "negative(polar_factor(x))"),
    Rule::within("polar-factor-of-multiple", "polar_factor(x * p)", "polar_factor(x)", "where a tensor's norm is below 1e-7"),
    Rule::rounding("clip-of-clip", "clip(clip(x, p), q)", "clip(x, min(p, q))"),
    Rule::within("bias-correct-by-hand", "x / (1.0 - power(s, step))", "bias_correct(x, s)", GUARD_SHOWS),

    // State slots that stay zero.
    Rule::rounding("plus-nothing", "x + o", "x"),
    Rule::rounding("minus-nothing", "x - o", "x"),
    Rule::rounding("from-nothing", "o - x", "negative(x)"),
    Rule::within("times-nothing", "x * o", "o", FINITE),
    Rule::within("nothing-over", "o / x", "o", FINITE),
    Rule::rounding("interp-to-nothing", "interp(x, o, s)", "x * (1.0 - s)"),
    Rule::rounding("interp-from-nothing", "interp(o, y, s)", "y * s"),
];

/// Whether the product of the constants neither overflows nor vanishes.
fn has_plain_product(bound: &Bound<'_>) -> bool {
    is_plain(bound.constant('c') * bound.constant('d'))
}

/// Whether the guarded inverse of the constant neither overflows nor vanishes.
fn has_plain_inverse(bound: &Bound<'_>) -> bool {
    is_plain(1.0 / (bound.constant('c') + crate::GUARD))
}

/// Whether a number is an ordinary one as float32 as well.
fn is_plain(value: f64) -> bool {
    (1e-30..1e30).contains(&value.abs())
}
