//! What each op computes, in all lanes at once.
//!
//! Invariant: for every lane the operations of [`LearnerOp::apply`], in its order. A sum begins with
//! its first term where that begins with -0, which is the same number.
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

    /// The sum in order of what is made of so many numbers, one or more.
    #[inline(always)]
    fn sum(&self, count: usize, term: impl Fn(&[Row<K>], usize) -> Row<K>) -> Row<K> {
        let mut sum = term(self.memory, 0);
        for at in 1..count {
            sum = zip(&sum, &term(self.memory, at), |a, b| a + b);
        }
        sum
    }

    #[inline(always)]
    fn dot(&self, a: usize, b: usize, stride: usize) -> Row<K> {
        self.sum(self.n(), |memory, at| {
            zip(&memory[a + at], &memory[b + at * stride], |a, b| a * b)
        })
    }

    #[inline(always)]
    fn norm(&self, x: usize, count: usize, stride: usize) -> Row<K> {
        let squares = self.sum(count, |memory, at| map(&memory[x + at * stride], |x| x * x));
        map(&squares, f64::sqrt)
    }

    #[inline(always)]
    fn mean(&self, x: usize, count: usize) -> Row<K> {
        let total = self.sum(count, |memory, at| memory[x + at]);
        map(&total, |x| x / count as f64)
    }

    #[inline(always)]
    fn deviation(&self, x: usize, count: usize) -> Row<K> {
        let total = self.sum(count, |memory, at| memory[x + at]);
        let squares = self.sum(count, |memory, at| map(&memory[x + at], |x| x * x));
        zip(&total, &squares, |total, squares| {
            let mean = total / count as f64;
            (squares / count as f64 - mean * mean).sqrt()
        })
    }

    /// Sets so many rows of the result to what is made of their places, by way of the rows to
    /// compute in: the result may stand where an argument does.
    #[inline(always)]
    fn make(&mut self, count: usize, of: impl Fn(&Self, usize) -> Row<K>) {
        for at in 0..count {
            self.memory[at] = of(self, at);
        }
        self.memory.copy_within(..count, self.out);
    }

    /// The same for a result that stands nowhere else.
    #[inline(always)]
    fn set(&mut self, count: usize, of: impl Fn(&Self, usize) -> Row<K>) {
        for at in 0..count {
            self.memory[self.out + at] = of(self, at);
        }
    }
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
        L::VectorInnerProduct => step.set(1, |step, _| step.dot(a, b, 1)),
        L::MatrixVectorProduct => step.make(n, |step, row| step.dot(a + row * n, b, 1)),
        L::VectorOuterProduct => step.set(n * n, |step, at| {
            zip(&step.memory[a + at / n], &step.memory[b + at % n], |a, b| a * b)
        }),
        L::MatrixMatrixProduct => {
            step.make(n * n, |step, at| step.dot(a + at / n * n, b + at % n, n));
        }
        L::ScalarBroadcast => step.set(n, |step, _| step.memory[a]),
        L::VectorColumnBroadcast => step.set(n * n, |step, at| step.memory[a + at / n]),
        L::VectorRowBroadcast => step.set(n * n, |step, at| step.memory[a + at % n]),
        L::MatrixTranspose => step.make(n * n, |step, at| step.memory[a + at % n * n + at / n]),
        L::VectorNorm => step.set(1, |step, _| step.norm(a, n, 1)),
        L::MatrixNorm => step.set(1, |step, _| step.norm(a, n * n, 1)),
        L::MatrixRowNorm => step.set(n, |step, row| step.norm(a + row * n, n, 1)),
        L::MatrixColumnNorm => step.set(n, |step, column| step.norm(a + column, n, n)),
        L::VectorMean => step.set(1, |step, _| step.mean(a, n)),
        L::MatrixMean => step.set(1, |step, _| step.mean(a, n * n)),
        L::MatrixRowMean => step.set(n, |step, row| step.mean(a + row * n, n)),
        L::VectorStDev => step.set(1, |step, _| step.deviation(a, n)),
        L::MatrixStDev => step.set(1, |step, _| step.deviation(a, n * n)),
        L::MatrixRowStDev => step.set(n, |step, row| step.deviation(a + row * n, n)),
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
