//! What each op computes, in all lanes at once.
//!
//! Invariant: for every lane the operations of [`LearnerOp::apply`], in its order. A sum begins
//! with its first term where that begins with -0, which is the same number.
//!
//! Everything is inlined into the loops over examples, which are compiled for each vector unit.

use super::lanes::Line;
use super::plan::Instruction;
use crate::learner::LearnerOp;
use crate::learner::apply::place;
use crate::learner::task::DRAWS;

/// One number of every task.
pub(super) type Row<const K: usize> = [Line; K];

/// Where random ops have come to in the sequences of the tasks.
pub(super) struct Cursor<'t, const K: usize> {
    pub(super) uniform: &'t [Row<K>],
    pub(super) normal: &'t [Row<K>],
    pub(super) uniform_at: usize,
    pub(super) normal_at: usize,
}

#[inline(always)]
pub(super) fn map<const K: usize>(x: &Row<K>, f: impl Fn(f64) -> f64) -> Row<K> {
    let mut out = *x;
    for line in &mut out {
        for lane in &mut line.0 {
            *lane = f(*lane);
        }
    }
    out
}

#[inline(always)]
pub(super) fn zip<const K: usize>(x: &Row<K>, y: &Row<K>, f: impl Fn(f64, f64) -> f64) -> Row<K> {
    let mut out = *x;
    for (line, other) in out.iter_mut().zip(y) {
        for (lane, other) in line.0.iter_mut().zip(&other.0) {
            *lane = f(*lane, *other);
        }
    }
    out
}

#[inline(always)]
pub(super) fn splat<const K: usize>(x: f64) -> Row<K> {
    [Line([x; Line::LANES]); K]
}

/// A statement at work; `N` is the number of features, or 0 where that is not known to the
/// compiler.
pub(super) struct Step<'m, const N: usize, const K: usize> {
    memory: &'m mut [Row<K>],
    a: usize,
    b: usize,
    out: usize,
    n: usize,
}

impl<const N: usize, const K: usize> Step<'_, N, K> {
    #[inline(always)]
    fn n(&self) -> usize {
        if N > 0 { N } else { self.n }
    }

    #[inline(always)]
    fn map(&mut self, count: usize, f: impl Fn(f64) -> f64) {
        for at in 0..count {
            self.memory[self.out + at] = map(&self.memory[self.a + at], &f);
        }
    }

    #[inline(always)]
    fn zip(&mut self, count: usize, f: impl Fn(f64, f64) -> f64) {
        for at in 0..count {
            self.memory[self.out + at] =
                zip(&self.memory[self.a + at], &self.memory[self.b + at], &f);
        }
    }

    /// Multiplies rows by one.
    #[inline(always)]
    fn scale(&mut self, count: usize) {
        let factor = self.memory[self.a];
        for at in 0..count {
            self.memory[self.out + at] = zip(&factor, &self.memory[self.b + at], |a, b| a * b);
        }
    }

    #[inline(always)]
    fn dot(&self, a: usize, b: usize, stride: usize) -> Row<K> {
        let mut sum = zip(&self.memory[a], &self.memory[b], |a, b| a * b);
        for at in 1..self.n() {
            let product = zip(&self.memory[a + at], &self.memory[b + at * stride], |a, b| a * b);
            sum = zip(&sum, &product, |a, b| a + b);
        }
        sum
    }

    #[inline(always)]
    fn squares(&self, x: usize, count: usize, stride: usize) -> Row<K> {
        let mut sum = map(&self.memory[x], |x| x * x);
        for at in 1..count {
            let square = map(&self.memory[x + at * stride], |x| x * x);
            sum = zip(&sum, &square, |a, b| a + b);
        }
        sum
    }

    #[inline(always)]
    fn norm(&self, x: usize, count: usize, stride: usize) -> Row<K> {
        map(&self.squares(x, count, stride), f64::sqrt)
    }

    #[inline(always)]
    fn total(&self, x: usize, count: usize) -> Row<K> {
        let mut sum = self.memory[x];
        for at in 1..count {
            sum = zip(&sum, &self.memory[x + at], |a, b| a + b);
        }
        sum
    }

    #[inline(always)]
    fn mean(&self, x: usize, count: usize) -> Row<K> {
        map(&self.total(x, count), |x| x / count as f64)
    }

    #[inline(always)]
    fn deviation(&self, x: usize, count: usize) -> Row<K> {
        let (total, squares) = (self.total(x, count), self.squares(x, count, 1));
        zip(&total, &squares, |total, squares| {
            let mean = total / count as f64;
            (squares / count as f64 - mean * mean).sqrt()
        })
    }
}

/// Sets rows of the result, of which each is what its number makes. No closure: what is not inlined
/// is compiled for no vector unit, and there is no way to insist on it.
macro_rules! set {
    ($step:ident, $count:expr, $at:ident => $value:expr) => {
        for $at in 0..$count {
            let value: Row<K> = $value;
            $step.memory[$step.out + $at] = value;
        }
    };
}

/// The same by way of the rows to compute in: the result may stand where an argument does.
macro_rules! make {
    ($step:ident, $count:expr, $at:ident => $value:expr) => {{
        for $at in 0..$count {
            let value: Row<K> = $value;
            $step.memory[$at] = value;
        }
        $step.memory.copy_within(..$count, $step.out);
    }};
}

/// Runs instructions.
#[inline(always)]
pub(super) fn run<const N: usize, const K: usize>(
    instructions: &[Instruction],
    memory: &mut [Row<K>],
    n: usize,
    cursor: &mut Cursor<'_, K>,
) {
    for instruction in instructions {
        let Instruction { op, a, b, out, ref constants } = *instruction;
        let (a, b, out) = (a as usize, b as usize, out as usize);
        let mut step = Step::<N, K> { memory: &mut *memory, a, b, out, n };
        let n = step.n();
        if !arithmetic(op, &mut step, n) && !products(op, &mut step, n) {
            rare(op, &mut Step { memory: step.memory, a, b, out, n }, constants, cursor);
        }
    }
}

/// What most learners consist of; whether it was such an op.
#[inline(always)]
fn arithmetic<const N: usize, const K: usize>(
    op: LearnerOp,
    step: &mut Step<'_, N, K>,
    n: usize,
) -> bool {
    use LearnerOp as L;
    match op {
        L::ScalarSum => step.zip(1, |a, b| a + b),
        L::ScalarDiff => step.zip(1, |a, b| a - b),
        L::ScalarProduct => step.zip(1, |a, b| a * b),
        L::ScalarDivision => step.zip(1, |a, b| a / b),
        L::ScalarMin => step.zip(1, |a, b| if b < a { b } else { a }),
        L::ScalarMax => step.zip(1, |a, b| if a < b { b } else { a }),
        L::VectorSum => step.zip(n, |a, b| a + b),
        L::VectorDiff => step.zip(n, |a, b| a - b),
        L::VectorProduct => step.zip(n, |a, b| a * b),
        L::VectorDivision => step.zip(n, |a, b| a / b),
        L::VectorMin => step.zip(n, |a, b| if b < a { b } else { a }),
        L::VectorMax => step.zip(n, |a, b| if a < b { b } else { a }),
        L::MatrixSum => step.zip(n * n, |a, b| a + b),
        L::MatrixDiff => step.zip(n * n, |a, b| a - b),
        L::MatrixProduct => step.zip(n * n, |a, b| a * b),
        L::MatrixDivision => step.zip(n * n, |a, b| a / b),
        L::MatrixMin => step.zip(n * n, |a, b| if a < b { a } else { b }),
        L::MatrixMax => step.zip(n * n, |a, b| if a > b { a } else { b }),
        L::ScalarAbs => step.map(1, f64::abs),
        L::VectorAbs => step.map(n, f64::abs),
        L::MatrixAbs => step.map(n * n, f64::abs),
        L::ScalarReciprocal => step.map(1, |x| 1.0 / x),
        L::VectorReciprocal => step.map(n, |x| 1.0 / x),
        L::MatrixReciprocal => step.map(n * n, |x| 1.0 / x),
        L::ScalarHeavyside => step.map(1, |x| if x >= 0.0 { 1.0 } else { 0.0 }),
        L::VectorHeavyside => step.map(n, |x| if x > 0.0 { 1.0 } else { 0.0 }),
        L::MatrixHeavyside => step.map(n * n, |x| if x > 0.0 { 1.0 } else { 0.0 }),
        _ => return false,
    }
    true
}

/// Products, and what makes one type of another; whether it was such an op.
#[inline(always)]
fn products<const N: usize, const K: usize>(
    op: LearnerOp,
    step: &mut Step<'_, N, K>,
    n: usize,
) -> bool {
    use LearnerOp as L;
    let (a, b) = (step.a, step.b);
    match op {
        L::ScalarVectorProduct => step.scale(n),
        L::ScalarMatrixProduct => step.scale(n * n),
        L::VectorInnerProduct => step.memory[step.out] = step.dot(a, b, 1),
        L::MatrixVectorProduct => make!(step, n, row => step.dot(a + row * n, b, 1)),
        L::VectorOuterProduct => set!(step, n * n, at => {
            zip(&step.memory[a + at / n], &step.memory[b + at % n], |a, b| a * b)
        }),
        L::MatrixMatrixProduct => {
            make!(step, n * n, at => step.dot(a + at / n * n, b + at % n, n));
        }
        L::ScalarBroadcast => set!(step, n, at => step.memory[a]),
        L::VectorColumnBroadcast => set!(step, n * n, at => step.memory[a + at / n]),
        L::VectorRowBroadcast => set!(step, n * n, at => step.memory[a + at % n]),
        L::MatrixTranspose => make!(step, n * n, at => step.memory[a + at % n * n + at / n]),
        L::VectorNorm => step.memory[step.out] = step.norm(a, n, 1),
        L::MatrixNorm => step.memory[step.out] = step.norm(a, n * n, 1),
        L::MatrixRowNorm => set!(step, n, row => step.norm(a + row * n, n, 1)),
        L::MatrixColumnNorm => set!(step, n, column => step.norm(a + column, n, n)),
        L::VectorMean => step.memory[step.out] = step.mean(a, n),
        L::MatrixMean => step.memory[step.out] = step.mean(a, n * n),
        L::MatrixRowMean => set!(step, n, row => step.mean(a + row * n, n)),
        L::VectorStDev => step.memory[step.out] = step.deviation(a, n),
        L::MatrixStDev => step.memory[step.out] = step.deviation(a, n * n),
        L::MatrixRowStDev => set!(step, n, row => step.deviation(a + row * n, n)),
        _ => return false,
    }
    true
}

/// Elementary functions, lane by lane, and ops that set what they are told or draw: not inlined, as
/// no vector unit makes them faster.
#[inline(never)]
fn rare<const K: usize>(
    op: LearnerOp,
    step: &mut Step<'_, 0, K>,
    constants: &[f64; 3],
    cursor: &mut Cursor<'_, K>,
) {
    use LearnerOp as L;
    let [first, second, third] = *constants;
    let (out, n) = (step.out, step.n);
    match op {
        L::ScalarSin => step.map(1, libm::sin),
        L::ScalarCos => step.map(1, libm::cos),
        L::ScalarTan => step.map(1, libm::tan),
        L::ScalarArcsin => step.map(1, libm::asin),
        L::ScalarArccos => step.map(1, libm::acos),
        L::ScalarArctan => step.map(1, libm::atan),
        L::ScalarExp => step.map(1, libm::exp),
        L::ScalarLog => step.map(1, libm::log),
        L::ScalarConstSet => step.memory[out] = splat(first),
        L::VectorConstSet => step.memory[out + place(first, n)] = splat(second),
        L::MatrixConstSet => {
            step.memory[out + place(first, n) * n + place(second, n)] = splat(third);
        }
        L::ScalarUniformSet => cursor.uniform(&mut step.memory[out..][..1], first, second),
        L::VectorUniformSet => cursor.uniform(&mut step.memory[out..][..n], first, second),
        L::MatrixUniformSet => cursor.uniform(&mut step.memory[out..][..n * n], first, second),
        L::ScalarGaussianSet => cursor.normal(&mut step.memory[out..][..1], first, second),
        L::VectorGaussianSet => cursor.normal(&mut step.memory[out..][..n], first, second),
        L::MatrixGaussianSet => cursor.normal(&mut step.memory[out..][..n * n], first, second),
        _ => {}
    }
}

impl<const K: usize> Cursor<'_, K> {
    fn uniform(&mut self, out: &mut [Row<K>], low: f64, high: f64) {
        let range = high - low;
        if !(range > 0.0 && range.is_finite()) {
            return out.fill(splat(low));
        }
        for out in out {
            let drawn = &self.uniform[self.uniform_at % DRAWS];
            *out = map(drawn, |x| (low + range * x).clamp(low, high));
            self.uniform_at += 1;
        }
    }

    fn normal(&mut self, out: &mut [Row<K>], mean: f64, deviation: f64) {
        for out in out {
            let drawn = &self.normal[self.normal_at % DRAWS];
            *out = map(drawn, |x| mean + deviation * x);
            self.normal_at += 1;
        }
    }
}
