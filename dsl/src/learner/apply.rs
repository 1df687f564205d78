//! What the learner ops compute, in float64.
//!
//! Invariant: the same bits on every machine, but those within a NaN. Elementary functions come
//! from the `libm` crate, sums run in order in one accumulator, products are rounded before they
//! are added. In the released program the order of a sum and the use of fused multiply-add follow
//! from the compiler and the vector unit, so there are no bits of it to keep; all else is as it
//! computes.
//!
//! Values are plain slices, a matrix row by row, so that an engine can hand out parts of its
//! memory. Arguments are as they were before the op writes, which the type system holds here and an
//! engine has to arrange when a statement overwrites what it reads.

use super::{LearnerConstants, LearnerOp};

/// Where the random ops get their numbers from: the stream of whoever runs the program.
pub trait Draw {
    /// A number drawn uniformly above 0 and below 1.
    fn uniform(&mut self) -> f64;

    /// A number drawn from the normal distribution of mean 0 and variance 1.
    fn normal(&mut self) -> f64;
}

impl LearnerOp {
    /// Computes the op on values for `n` features and writes `out`.
    ///
    /// The number of `inputs` and `constants` is the op's, and a value has the
    /// [size](super::LearnerType::size) of its type; `out` of [`LearnerOp::NoOp`] is empty. Only
    /// the random ops draw, one number for each they write, in the order of memory.
    ///
    /// # Panics
    /// If `n` is 0, or a number of values or the size of one is not the op's.
    pub fn apply(
        self,
        n: usize,
        inputs: &[&[f64]],
        constants: &[f64],
        draw: &mut dyn Draw,
        out: &mut [f64],
    ) {
        let info = self.info();
        let sizes = info.inputs.iter().map(|ty| ty.size(n));
        assert!(n > 0 && sizes.eq(inputs.iter().map(|x| x.len())), "arguments of {}", info.name);
        assert_eq!(out.len(), info.output.map_or(0, |ty| ty.size(n)), "result of {}", info.name);
        assert_eq!(constants.len(), info.constants.count(), "constants of {}", info.name);
        match (info.constants, inputs) {
            (LearnerConstants::None, []) => {}
            (LearnerConstants::None, [x]) => match self.unary() {
                Some(function) => out.iter_mut().zip(*x).for_each(|(out, x)| *out = function(*x)),
                None if self.output_is_smaller() => self.reduce(n, x, out),
                None => self.arrange(n, x, out),
            },
            (LearnerConstants::None, [a, b, ..]) => match self.binary() {
                Some(function) => {
                    let arguments = a.iter().zip(*b);
                    out.iter_mut().zip(arguments).for_each(|(out, (a, b))| *out = function(*a, *b));
                }
                None => self.multiply(n, a, b, out),
            },
            _ => self.set(n, constants, draw, out),
        }
    }

    fn output_is_smaller(self) -> bool {
        let info = self.info();
        info.inputs.first().is_some_and(|input| info.output < Some(*input))
    }

    /// The function that an elementwise op of one argument applies to each number.
    fn unary(self) -> Option<fn(f64) -> f64> {
        use LearnerOp as L;
        Some(match self {
            L::ScalarAbs | L::VectorAbs | L::MatrixAbs => f64::abs,
            L::ScalarReciprocal | L::VectorReciprocal | L::MatrixReciprocal => |x| 1.0 / x,
            L::ScalarSin => libm::sin,
            L::ScalarCos => libm::cos,
            L::ScalarTan => libm::tan,
            L::ScalarArcsin => libm::asin,
            L::ScalarArccos => libm::acos,
            L::ScalarArctan => libm::atan,
            L::ScalarExp => libm::exp,
            L::ScalarLog => libm::log,
            L::ScalarHeavyside => |x| f64::from(u8::from(x >= 0.0)),
            L::VectorHeavyside | L::MatrixHeavyside => |x| f64::from(u8::from(x > 0.0)),
            _ => return None,
        })
    }

    /// The function that an elementwise op of two arguments applies to each pair.
    fn binary(self) -> Option<fn(f64, f64) -> f64> {
        use LearnerOp as L;
        Some(match self {
            L::ScalarSum | L::VectorSum | L::MatrixSum => |a, b| a + b,
            L::ScalarDiff | L::VectorDiff | L::MatrixDiff => |a, b| a - b,
            L::ScalarProduct | L::VectorProduct | L::MatrixProduct => |a, b| a * b,
            L::ScalarDivision | L::VectorDivision | L::MatrixDivision => |a, b| a / b,
            // A comparison with NaN is false, so which number is asked about decides which of the
            // two survives. The released program asks differently for matrices; its vectors are
            // compared by a library that, on x86, keeps to the order of the scalars.
            L::ScalarMin | L::VectorMin => |a, b| if b < a { b } else { a },
            L::ScalarMax | L::VectorMax => |a, b| if a < b { b } else { a },
            L::MatrixMin => |a, b| if a < b { a } else { b },
            L::MatrixMax => |a, b| if a > b { a } else { b },
            _ => return None,
        })
    }

    /// Ops that put the numbers of one argument elsewhere.
    fn arrange(self, n: usize, x: &[f64], out: &mut [f64]) {
        for (at, out) in out.iter_mut().enumerate() {
            let (row, column) = (at / n, at % n);
            *out = match self {
                LearnerOp::ScalarBroadcast => x[0],
                LearnerOp::VectorColumnBroadcast => x[row],
                LearnerOp::VectorRowBroadcast => x[column],
                LearnerOp::MatrixTranspose => x[column * n + row],
                _ => unreachable!("{} computes", self.info().name),
            };
        }
    }

    /// Norms, means and standard deviations.
    fn reduce(self, n: usize, x: &[f64], out: &mut [f64]) {
        use LearnerOp as L;
        let function: fn(&mut dyn Iterator<Item = f64>) -> f64 = match self {
            L::VectorNorm | L::MatrixNorm | L::MatrixRowNorm | L::MatrixColumnNorm => norm,
            L::VectorMean | L::MatrixMean | L::MatrixRowMean => mean,
            L::VectorStDev | L::MatrixStDev | L::MatrixRowStDev => standard_deviation,
            _ => unreachable!("{} does not reduce", self.info().name),
        };
        match self {
            L::MatrixColumnNorm => {
                for (column, out) in out.iter_mut().enumerate() {
                    *out = function(&mut x[column..].iter().step_by(n).copied());
                }
            }
            _ => {
                let length = x.len() / out.len();
                for (x, out) in x.chunks_exact(length).zip(out) {
                    *out = function(&mut x.iter().copied());
                }
            }
        }
    }

    /// Products that are not elementwise in both.
    fn multiply(self, n: usize, a: &[f64], b: &[f64], out: &mut [f64]) {
        for (at, out) in out.iter_mut().enumerate() {
            let (row, column) = (at / n, at % n);
            *out = match self {
                LearnerOp::ScalarVectorProduct | LearnerOp::ScalarMatrixProduct => a[0] * b[at],
                LearnerOp::VectorOuterProduct => a[row] * b[column],
                LearnerOp::VectorInnerProduct => dot(a, b),
                LearnerOp::MatrixVectorProduct => dot(&a[at * n..][..n], b),
                LearnerOp::MatrixMatrixProduct => {
                    dot(&a[row * n..][..n], b[column..].iter().step_by(n))
                }
                _ => unreachable!("{} is no product", self.info().name),
            };
        }
    }

    /// Ops that read no argument.
    fn set(self, n: usize, constants: &[f64], draw: &mut dyn Draw, out: &mut [f64]) {
        match (self.info().constants, constants) {
            (LearnerConstants::Value, [value]) => out.fill(*value),
            (LearnerConstants::IndexValue, [index, value]) => out[place(*index, n)] = *value,
            (LearnerConstants::IndicesValue, [row, column, value]) => {
                out[place(*row, n) * n + place(*column, n)] = *value;
            }
            (LearnerConstants::MeanDeviation, [mean, deviation]) => {
                out.iter_mut().for_each(|out| *out = mean + deviation * draw.normal());
            }
            (LearnerConstants::LowHigh, [low, high]) => {
                out.iter_mut().for_each(|out| *out = between(*low, *high, draw));
            }
            _ => unreachable!("the number of constants of {} was checked", self.info().name),
        }
    }
}

/// The place that a fraction of the size stands for.
///
/// It is computed in float32, in which the released program holds it: for some sizes float64 would
/// give the place before. There a fraction of 1 is never drawn, and would write outside the value;
/// here it is the last place.
pub(super) fn place(fraction: f64, n: usize) -> usize {
    let scaled = fraction as f32 * n as f32;
    // Rounds towards 0, to 0 below 0 and at NaN.
    (scaled as usize).min(n - 1)
}

/// A number between two. The ends of a new statement come in any order; where the low one is not
/// the lower, the released program's library gives it back (off by one bit), and draws nothing.
fn between(low: f64, high: f64, draw: &mut dyn Draw) -> f64 {
    let range = high - low;
    if !(range > 0.0 && range.is_finite()) {
        return low;
    }
    // Rounding could step outside by a bit.
    (low + range * draw.uniform()).clamp(low, high)
}

/// The sum in order. It starts at -0, which changes no number it is added to, 0 of either sign
/// included.
fn sum(x: impl Iterator<Item = f64>) -> f64 {
    x.fold(-0.0, |sum, x| sum + x)
}

fn dot<'a>(a: impl IntoIterator<Item = &'a f64>, b: impl IntoIterator<Item = &'a f64>) -> f64 {
    sum(a.into_iter().zip(b).map(|(a, b)| a * b))
}

fn norm(x: &mut dyn Iterator<Item = f64>) -> f64 {
    sum(x.map(|x| x * x)).sqrt()
}

fn mean(x: &mut dyn Iterator<Item = f64>) -> f64 {
    let (total, count) = x.fold((-0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
    total / count
}

/// Of the whole population, from the means of the numbers and of their squares. The difference of
/// the two can fall below 0 by rounding, and is then NaN, as in the released program.
fn standard_deviation(x: &mut dyn Iterator<Item = f64>) -> f64 {
    let add = |(sum, squares, count): (f64, f64, f64), x| (sum + x, squares + x * x, count + 1.0);
    let (total, squares, count) = x.fold((-0.0, -0.0, 0.0), add);
    let mean = total / count;
    (squares / count - mean * mean).sqrt()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_3, FRAC_PI_6, LN_2};

    use super::*;

    /// Numbers that a test can follow: 0.25, 0.5, 0.75, 0.25 ... and 1, 2, 3 ...
    #[derive(Default)]
    struct Count {
        uniform: u32,
        normal: f64,
    }

    impl Draw for Count {
        fn uniform(&mut self) -> f64 {
            self.uniform = self.uniform % 3 + 1;
            f64::from(self.uniform) / 4.0
        }

        fn normal(&mut self) -> f64 {
            self.normal += 1.0;
            self.normal
        }
    }

    /// Runs an op on a result that held 9 everywhere.
    fn run(op: LearnerOp, n: usize, inputs: &[&[f64]], constants: &[f64]) -> Vec<f64> {
        let mut out = vec![9.0; op.info().output.map_or(0, |ty| ty.size(n))];
        op.apply(n, inputs, constants, &mut Count::default(), &mut out);
        out
    }

    fn named(name: &str) -> LearnerOp {
        LearnerOp::from_name(name).expect("the tests name ops that exist")
    }

    /// Name, arguments, constants, result, for two features.
    type Case = (&'static str, &'static [&'static [f64]], &'static [f64], &'static [f64]);

    const INF: f64 = f64::INFINITY;

    const SCALARS: &[Case] = &[
        ("scalar_sum", &[&[3.0], &[-5.0]], &[], &[-2.0]),
        ("scalar_diff", &[&[3.0], &[-5.0]], &[], &[8.0]),
        ("scalar_product", &[&[3.0], &[-5.0]], &[], &[-15.0]),
        ("scalar_division", &[&[3.0], &[-4.0]], &[], &[-0.75]),
        ("scalar_division", &[&[3.0], &[0.0]], &[], &[INF]),
        ("scalar_abs", &[&[-3.5]], &[], &[3.5]),
        ("scalar_reciprocal", &[&[-4.0]], &[], &[-0.25]),
        ("scalar_reciprocal", &[&[-0.0]], &[], &[-INF]),
        ("scalar_sin", &[&[0.5]], &[], &[0.479_425_538_604_203]),
        ("scalar_cos", &[&[0.5]], &[], &[0.877_582_561_890_372_8]),
        ("scalar_tan", &[&[0.5]], &[], &[0.546_302_489_843_790_5]),
        ("scalar_arcsin", &[&[0.5]], &[], &[FRAC_PI_6]),
        ("scalar_arccos", &[&[0.5]], &[], &[FRAC_PI_3]),
        ("scalar_arctan", &[&[0.5]], &[], &[0.463_647_609_000_806_1]),
        ("scalar_exp", &[&[0.5]], &[], &[1.648_721_270_700_128_2]),
        ("scalar_log", &[&[0.5]], &[], &[-LN_2]),
        ("scalar_log", &[&[0.0]], &[], &[-INF]),
        ("scalar_heavyside", &[&[0.5]], &[], &[1.0]),
        ("scalar_heavyside", &[&[-0.5]], &[], &[0.0]),
        ("scalar_min", &[&[3.0], &[-5.0]], &[], &[-5.0]),
        ("scalar_max", &[&[3.0], &[-5.0]], &[], &[3.0]),
        ("scalar_broadcast", &[&[3.0]], &[], &[3.0, 3.0]),
    ];

    const VECTORS: &[Case] = &[
        ("vector_heavyside", &[&[0.5, -2.0]], &[], &[1.0, 0.0]),
        ("scalar_vector_product", &[&[3.0], &[1.0, -2.0]], &[], &[3.0, -6.0]),
        ("vector_reciprocal", &[&[0.5, -4.0]], &[], &[2.0, -0.25]),
        ("vector_norm", &[&[3.0, -4.0]], &[], &[5.0]),
        ("vector_abs", &[&[3.0, -4.0]], &[], &[3.0, 4.0]),
        ("vector_sum", &[&[3.0, -4.0], &[1.0, 2.0]], &[], &[4.0, -2.0]),
        ("vector_diff", &[&[3.0, -4.0], &[1.0, 2.0]], &[], &[2.0, -6.0]),
        ("vector_product", &[&[3.0, -4.0], &[1.0, 2.0]], &[], &[3.0, -8.0]),
        ("vector_division", &[&[3.0, -4.0], &[0.0, 2.0]], &[], &[INF, -2.0]),
        ("vector_inner_product", &[&[3.0, -4.0], &[1.0, 2.0]], &[], &[-5.0]),
        ("vector_outer_product", &[&[3.0, -4.0], &[1.0, 2.0]], &[], &[3.0, 6.0, -4.0, -8.0]),
        ("vector_column_broadcast", &[&[3.0, -4.0]], &[], &[3.0, 3.0, -4.0, -4.0]),
        ("vector_row_broadcast", &[&[3.0, -4.0]], &[], &[3.0, -4.0, 3.0, -4.0]),
        ("vector_min", &[&[3.0, -4.0], &[1.0, 2.0]], &[], &[1.0, -4.0]),
        ("vector_max", &[&[3.0, -4.0], &[1.0, 2.0]], &[], &[3.0, 2.0]),
        ("vector_mean", &[&[3.0, -4.0]], &[], &[-0.5]),
        // The sample's would be 3.5 * sqrt 2.
        ("vector_st_dev", &[&[3.0, -4.0]], &[], &[3.5]),
    ];

    const A: &[f64] = &[1.0, 2.0, 3.0, -4.0];
    const B: &[f64] = &[5.0, -6.0, 0.5, 8.0];

    const MATRICES: &[Case] = &[
        ("matrix_heavyside", &[&[0.0, 2.0, -3.0, INF]], &[], &[0.0, 1.0, 0.0, 1.0]),
        ("scalar_matrix_product", &[&[-2.0], A], &[], &[-2.0, -4.0, -6.0, 8.0]),
        ("matrix_reciprocal", &[&[1.0, 2.0, -0.5, 0.0]], &[], &[1.0, 0.5, -2.0, INF]),
        ("matrix_vector_product", &[A, &[10.0, 100.0]], &[], &[210.0, -370.0]),
        ("matrix_norm", &[&[1.0, 1.0, 3.0, -5.0]], &[], &[6.0]),
        ("matrix_column_norm", &[&[3.0, 0.0, -4.0, -2.0]], &[], &[5.0, 2.0]),
        ("matrix_row_norm", &[&[3.0, -4.0, 0.0, -2.0]], &[], &[5.0, 2.0]),
        ("matrix_transpose", &[A], &[], &[1.0, 3.0, 2.0, -4.0]),
        ("matrix_abs", &[A], &[], &[1.0, 2.0, 3.0, 4.0]),
        ("matrix_sum", &[A, B], &[], &[6.0, -4.0, 3.5, 4.0]),
        ("matrix_diff", &[A, B], &[], &[-4.0, 8.0, 2.5, -12.0]),
        ("matrix_product", &[A, B], &[], &[5.0, -12.0, 1.5, -32.0]),
        ("matrix_division", &[B, A], &[], &[5.0, -3.0, 0.5 / 3.0, -2.0]),
        ("matrix_matrix_product", &[A, B], &[], &[6.0, 10.0, 13.0, -50.0]),
        ("matrix_min", &[A, B], &[], &[1.0, -6.0, 0.5, -4.0]),
        ("matrix_max", &[A, B], &[], &[5.0, 2.0, 3.0, 8.0]),
        ("matrix_mean", &[A], &[], &[0.5]),
        ("matrix_row_mean", &[A], &[], &[1.5, -0.5]),
        ("matrix_row_st_dev", &[A], &[], &[0.5, 3.5]),
        // Mean 2, mean of squares 13.
        ("matrix_st_dev", &[&[-1.0, -1.0, 5.0, 5.0]], &[], &[3.0]),
    ];

    const SETTERS: &[Case] = &[
        ("no_op", &[], &[], &[]),
        ("scalar_const_set", &[], &[0.1], &[0.1]),
        ("vector_const_set", &[], &[0.5, 0.1], &[9.0, 0.1]),
        ("matrix_const_set", &[], &[0.5, 0.49, 0.1], &[9.0, 9.0, 0.1, 9.0]),
        ("scalar_uniform_set", &[], &[-1.0, 3.0], &[0.0]),
        ("vector_uniform_set", &[], &[-1.0, 3.0], &[0.0, 1.0]),
        ("matrix_uniform_set", &[], &[-1.0, 3.0], &[0.0, 1.0, 2.0, 0.0]),
        ("scalar_gaussian_set", &[], &[10.0, 0.5], &[10.5]),
        ("vector_gaussian_set", &[], &[10.0, 0.5], &[10.5, 11.0]),
        ("matrix_gaussian_set", &[], &[10.0, 0.5], &[10.5, 11.0, 11.5, 12.0]),
    ];

    #[test]
    fn every_op_gives_what_is_expected_of_it() {
        let mut seen = Vec::new();
        for (name, inputs, constants, expected) in [SCALARS, VECTORS, MATRICES, SETTERS].concat() {
            let op = named(name);
            let result = run(op, 2, inputs, constants);
            assert_eq!(result.len(), expected.len(), "{name}");
            for (result, expected) in result.iter().zip(expected) {
                // Only the elementary functions may be off, by the last bit of the expectation.
                let close = (result - expected).abs() <= f64::EPSILON * expected.abs();
                assert!(result == expected || close, "{name}: {result} for {expected}");
            }
            seen.push(op);
        }
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.into_iter().eq(LearnerOp::all()), "an op has no case");
    }

    #[test]
    fn only_the_step_of_scalars_is_one_at_zero_and_none_is_at_nan() {
        let step = |name, x: &[f64]| run(named(name), 2, &[x], &[])[0];
        for zero in [0.0, -0.0] {
            assert_eq!(step("scalar_heavyside", &[zero]), 1.0);
            assert_eq!(step("vector_heavyside", &[zero; 2]), 0.0);
            assert_eq!(step("matrix_heavyside", &[zero; 4]), 0.0);
        }
        assert_eq!(step("scalar_heavyside", &[f64::NAN]), 0.0);
        assert_eq!(step("vector_heavyside", &[f64::NAN; 2]), 0.0);
        assert_eq!(step("matrix_heavyside", &[f64::NAN; 4]), 0.0);
    }

    #[test]
    fn nan_survives_min_and_max_where_the_released_program_keeps_it() {
        let (nan, one) = ([f64::NAN; 4], [1.0; 4]);
        for (kind, size, first) in [("scalar", 1, true), ("vector", 2, true), ("matrix", 4, false)]
        {
            for function in ["min", "max"] {
                let op = named(&format!("{kind}_{function}"));
                let result = run(op, 2, &[&nan[..size], &one[..size]], &[]);
                assert!(result.iter().all(|x| x.is_nan() == first), "{kind}_{function}");
                let result = run(op, 2, &[&one[..size], &nan[..size]], &[]);
                assert!(result.iter().all(|x| x.is_nan() != first), "{kind}_{function}");
            }
        }
    }

    #[test]
    fn nothing_protects_logarithms_arcs_and_divisions() {
        let nan = |name, inputs: &[&[f64]]| run(named(name), 1, inputs, &[])[0].is_nan();
        assert!(nan("scalar_log", &[&[-1.0]]));
        assert!(nan("scalar_arcsin", &[&[1.5]]) && nan("scalar_arccos", &[&[-1.5]]));
        assert!(nan("scalar_division", &[&[0.0], &[0.0]]));
        // The mean of three 0.1 squared is above the mean of their squares.
        assert!(run(LearnerOp::VectorStDev, 3, &[&[0.1; 3]], &[])[0].is_nan());
    }

    #[test]
    fn products_of_three_features_keep_rows_and_columns_apart() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0];
        let b = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let product = run(LearnerOp::MatrixMatrixProduct, 3, &[&a, &b], &[]);
        assert_eq!(product, [3.0, 1.0, 2.0, 6.0, 4.0, 5.0, 10.0, 7.0, 8.0]);
        let product = run(LearnerOp::MatrixVectorProduct, 3, &[&a, &[1.0, 10.0, 100.0]], &[]);
        assert_eq!(product, [321.0, 654.0, 1087.0]);
        let transposed = run(LearnerOp::MatrixTranspose, 3, &[&a], &[]);
        assert_eq!(transposed, [1.0, 4.0, 7.0, 2.0, 5.0, 8.0, 3.0, 6.0, 10.0]);
        assert_eq!(run(LearnerOp::MatrixRowMean, 3, &[&a], &[]), [2.0, 5.0, 25.0 / 3.0]);
    }

    #[test]
    fn places_follow_float32_and_stay_inside() {
        // The middle of every place is that place again.
        for n in 1..40 {
            for at in 0..n {
                assert_eq!(place((at as f64 + 0.5) / n as f64, n), at);
            }
        }
        // 0.7 in float32 lies below 0.7, and ten times it rounds to 7 in float32 alone.
        assert_eq!(place(f64::from(0.7f32), 10), 7);
        assert_eq!(place(0.0, 4), 0);
        for outside in [1.0, 1.5, INF] {
            assert_eq!(place(outside, 4), 3);
        }
        for outside in [-0.5, f64::NAN] {
            assert_eq!(place(outside, 4), 0);
        }
    }

    #[test]
    fn a_range_the_wrong_way_round_gives_its_low_end_and_draws_nothing() {
        let mut draw = Count::default();
        let mut out = [0.0; 2];
        for (low, high) in [(0.5, -0.5), (0.5, 0.5), (-f64::MAX, f64::MAX)] {
            LearnerOp::VectorUniformSet.apply(2, &[], &[low, high], &mut draw, &mut out);
            assert_eq!(out, [low; 2]);
        }
        assert_eq!(draw.uniform, 0);
    }

    #[test]
    #[should_panic(expected = "arguments of matrix_vector_product")]
    fn values_of_other_sizes_are_refused() {
        run(LearnerOp::MatrixVectorProduct, 2, &[&[1.0; 4], &[1.0; 3]], &[]);
    }
}
