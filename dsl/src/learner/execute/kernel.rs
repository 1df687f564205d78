//! What each op computes, in all lanes at once.
//!
//! Invariant: for every lane the operations of [`LearnerOp::apply`], in its order. A sum begins
//! with its first term where that begins with -0, which is the same number.
//!
//! Everything is inlined into the loops over examples, which are compiled for each vector unit.

use std::cell::Cell;

use super::cursor::Cursor;
use super::lanes::Line;
use super::plan::{Action, Instruction};
use crate::learner::LearnerOp;
use crate::learner::apply::place;
use crate::learner::task::sigmoid;

/// One number of every task.
pub(super) type Row<const K: usize> = [Line; K];

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

/// Memory whose rows are read and written through shared slices: the result of a statement may
/// stand where an argument does.
pub(super) type Rows<const K: usize> = [Cell<Row<K>>];

/// A statement at work; `N` is the number of features, or 0 where that is not known to the
/// compiler. It may be at work for several examples, one after another (`MANY`).
#[derive(Clone, Copy)]
pub(super) struct Step<'m, const N: usize, const K: usize, const MANY: bool> {
    memory: &'m Rows<K>,
    instruction: &'m Instruction,
    a: usize,
    b: usize,
    out: usize,
    n: usize,
    examples: usize,
}

impl<'m, const N: usize, const K: usize, const MANY: bool> Step<'m, N, K, MANY> {
    #[inline(always)]
    fn n(&self) -> usize {
        if N > 0 { N } else { self.n }
    }

    #[inline(always)]
    fn examples(&self) -> usize {
        if MANY { self.examples } else { 1 }
    }

    /// The same compiled once for all numbers of features.
    #[inline(always)]
    fn of_any_width(&self) -> Step<'m, 0, K, MANY> {
        let Step { memory, instruction, a, b, out, n, examples } = *self;
        Step { memory, instruction, a, b, out, n, examples }
    }

    /// The same for the next example but so many.
    #[inline(always)]
    fn of(&self, example: usize) -> Self {
        if !MANY {
            return *self;
        }
        let [a, b, out] = self.instruction.strides.map(|stride| example * stride as usize);
        Step { a: self.a + a, b: self.b + b, out: self.out + out, ..*self }
    }

    /// Some rows: sliced once, so that no row is asked for its bounds, nor its address worked out
    /// before it is known what is done with it.
    #[inline(always)]
    fn rows(&self, first: usize, count: usize) -> &'m Rows<K> {
        &self.memory[first..first + count]
    }

    #[inline(always)]
    fn row(&self, at: usize) -> Row<K> {
        self.memory[at].get()
    }

    #[inline(always)]
    fn map(&self, count: usize, f: impl Fn(f64) -> f64) {
        for example in 0..self.examples() {
            let step = self.of(example);
            let (x, out) = (step.rows(step.a, count), step.rows(step.out, count));
            for at in 0..count {
                out[at].set(map(&x[at].get(), &f));
            }
        }
    }

    #[inline(always)]
    fn zip(&self, count: usize, f: impl Fn(f64, f64) -> f64) {
        for example in 0..self.examples() {
            let step = self.of(example);
            let (x, y) = (step.rows(step.a, count), step.rows(step.b, count));
            let out = step.rows(step.out, count);
            for at in 0..count {
                out[at].set(zip(&x[at].get(), &y[at].get(), &f));
            }
        }
    }

    /// Sets one row of the result.
    #[inline(always)]
    fn put(&self, row: usize, value: f64) {
        for example in 0..self.examples() {
            let step = self.of(example);
            step.memory[step.out + row].set(splat(value));
        }
    }

    /// Multiplies rows by one.
    #[inline(always)]
    fn scale(&self, count: usize) {
        for example in 0..self.examples() {
            let step = self.of(example);
            let (factor, x) = (step.row(step.a), step.rows(step.b, count));
            let out = step.rows(step.out, count);
            for at in 0..count {
                out[at].set(zip(&factor, &x[at].get(), |a, b| a * b));
            }
        }
    }

    /// The inner product of rows and of those of a vector, or of the column of a matrix, that
    /// begins at a row and goes on at every `stride`th.
    #[inline(always)]
    fn dot(&self, a: usize, b: usize, stride: usize) -> Row<K> {
        let n = self.n();
        let (x, y) = (self.rows(a, n), self.rows(b, (n - 1) * stride + 1));
        let mut sum = zip(&x[0].get(), &y[0].get(), |a, b| a * b);
        for at in 1..n {
            let product = zip(&x[at].get(), &y[at * stride].get(), |a, b| a * b);
            sum = zip(&sum, &product, |a, b| a + b);
        }
        sum
    }

    #[inline(always)]
    fn squares(&self, x: usize, count: usize, stride: usize) -> Row<K> {
        let x = self.rows(x, (count - 1) * stride + 1);
        let mut sum = map(&x[0].get(), |x| x * x);
        for at in 1..count {
            let square = map(&x[at * stride].get(), |x| x * x);
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
        let x = self.rows(x, count);
        let mut sum = x[0].get();
        for next in &x[1..] {
            sum = zip(&sum, &next.get(), |a, b| a + b);
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
        for example in 0..$step.examples() {
            let $step = $step.of(example);
            let out = $step.rows($step.out, $count);
            for $at in 0..$count {
                let value: Row<K> = $value;
                out[$at].set(value);
            }
        }
    };
}

/// The same by way of rows to compute in: the result may stand where an argument does.
macro_rules! make {
    ($step:ident, $count:expr, $at:ident => $value:expr) => {
        for example in 0..$step.examples() {
            let $step = $step.of(example);
            let scratch = $step.rows($step.instruction.scratch as usize, $count);
            for $at in 0..$count {
                let value: Row<K> = $value;
                scratch[$at].set(value);
            }
            let out = $step.rows($step.out, $count);
            for (out, value) in out.iter().zip(scratch) {
                out.set(value.get());
            }
        }
    };
}

/// Runs instructions for the examples of a block, of which the first begins at a row: one example
/// after another; or, for `MANY`, one instruction after another, each for all examples, so that it
/// is told from the others only once. For that, none may look at what one has left of another
/// example.
#[inline(always)]
pub(super) fn run<const N: usize, const K: usize, const MANY: bool>(
    instructions: &[Instruction],
    memory: &Rows<K>,
    n: usize,
    first: usize,
    examples: usize,
    cursor: &mut Cursor<'_, K>,
) {
    let n = if N > 0 { N } else { n };
    let times = if MANY { 1 } else { examples };
    for at in 0..times {
        let from = [0, first + at * (n + 1), at];
        for instruction in instructions {
            let Instruction { action, a, b, out, origins, .. } = *instruction;
            let a = a as usize + from[origins[0] as usize];
            let b = b as usize + from[origins[1] as usize];
            let out = out as usize + from[origins[2] as usize];
            let step = Step::<N, K, MANY> { memory, instruction, a, b, out, n, examples };
            match action {
                Action::Keep => memory[out].set(memory[a].get()),
                Action::Squash => squash(&step),
                Action::Op(op) => {
                    if !arithmetic(op, &step, n) && !products(op, &step, n) {
                        rare(op, &step.of_any_width(), cursor);
                    }
                }
            }
        }
    }
}

#[inline(never)]
fn squash<const N: usize, const K: usize, const MANY: bool>(step: &Step<'_, N, K, MANY>) {
    step.map(1, sigmoid);
}

/// What most learners consist of; whether it was such an op.
#[inline(always)]
fn arithmetic<const N: usize, const K: usize, const MANY: bool>(
    op: LearnerOp,
    step: &Step<'_, N, K, MANY>,
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
fn products<const N: usize, const K: usize, const MANY: bool>(
    op: LearnerOp,
    step: &Step<'_, N, K, MANY>,
    n: usize,
) -> bool {
    use LearnerOp as L;
    match op {
        L::ScalarVectorProduct => step.scale(n),
        L::ScalarMatrixProduct => step.scale(n * n),
        L::VectorInnerProduct => set!(step, 1, _at => step.dot(step.a, step.b, 1)),
        L::MatrixVectorProduct => make!(step, n, row => step.dot(step.a + row * n, step.b, 1)),
        L::VectorOuterProduct => set!(step, n * n, at => {
            zip(&step.row(step.a + at / n), &step.row(step.b + at % n), |a, b| a * b)
        }),
        L::MatrixMatrixProduct => {
            make!(step, n * n, at => step.dot(step.a + at / n * n, step.b + at % n, n));
        }
        L::ScalarBroadcast => set!(step, n, at => step.row(step.a)),
        L::VectorColumnBroadcast => set!(step, n * n, at => step.row(step.a + at / n)),
        L::VectorRowBroadcast => set!(step, n * n, at => step.row(step.a + at % n)),
        L::MatrixTranspose => make!(step, n * n, at => step.row(step.a + at % n * n + at / n)),
        L::VectorNorm => set!(step, 1, _at => step.norm(step.a, n, 1)),
        L::MatrixNorm => set!(step, 1, _at => step.norm(step.a, n * n, 1)),
        L::MatrixRowNorm => set!(step, n, row => step.norm(step.a + row * n, n, 1)),
        L::MatrixColumnNorm => set!(step, n, column => step.norm(step.a + column, n, n)),
        L::VectorMean => set!(step, 1, _at => step.mean(step.a, n)),
        L::MatrixMean => set!(step, 1, _at => step.mean(step.a, n * n)),
        L::MatrixRowMean => set!(step, n, row => step.mean(step.a + row * n, n)),
        L::VectorStDev => set!(step, 1, _at => step.deviation(step.a, n)),
        L::MatrixStDev => set!(step, 1, _at => step.deviation(step.a, n * n)),
        L::MatrixRowStDev => set!(step, n, row => step.deviation(step.a + row * n, n)),
        _ => return false,
    }
    true
}

/// Elementary functions, lane by lane, and ops that set what they are told or draw: not inlined, as
/// no vector unit makes them faster.
#[inline(never)]
fn rare<const K: usize, const MANY: bool>(
    op: LearnerOp,
    step: &Step<'_, 0, K, MANY>,
    cursor: &mut Cursor<'_, K>,
) {
    use LearnerOp as L;
    let [first, second, third] = step.instruction.constants;
    let n = step.n;
    match op {
        L::ScalarSin => step.map(1, libm::sin),
        L::ScalarCos => step.map(1, libm::cos),
        L::ScalarTan => step.map(1, libm::tan),
        L::ScalarArcsin => step.map(1, libm::asin),
        L::ScalarArccos => step.map(1, libm::acos),
        L::ScalarArctan => step.map(1, libm::atan),
        L::ScalarExp => step.map(1, libm::exp),
        L::ScalarLog => step.map(1, libm::log),
        L::ScalarConstSet => set!(step, 1, _at => splat(first)),
        L::VectorConstSet => step.put(place(first, n), second),
        L::MatrixConstSet => step.put(place(first, n) * n + place(second, n), third),
        L::ScalarUniformSet => cursor.uniform(step.rows(step.out, 1), first, second),
        L::VectorUniformSet => cursor.uniform(step.rows(step.out, n), first, second),
        L::MatrixUniformSet => cursor.uniform(step.rows(step.out, n * n), first, second),
        L::ScalarGaussianSet => cursor.normal(step.rows(step.out, 1), first, second),
        L::VectorGaussianSet => cursor.normal(step.rows(step.out, n), first, second),
        L::MatrixGaussianSet => cursor.normal(step.rows(step.out, n * n), first, second),
        _ => {}
    }
}
