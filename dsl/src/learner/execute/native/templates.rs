//! What each op is compiled to.
//!
//! Invariant: for every lane the operations of the loop over statements (`kernel`), in its order,
//! none fused. Where factors or terms change places the result has the same bits but those within a
//! NaN, which no fitness and no hash shows.
//!
//! An op writes a row of its result as soon as it has it, unless the result stands where an
//! argument is still to be read: then by way of rows in memory.

use super::super::plan::{Action, Instruction, Origin};
use super::encode::{Assembler, At, Base, Operation, Order};
use super::registers::Registers;
use super::unit::Cut;
use crate::learner::LearnerOp;
use crate::learner::apply::place;

/// Registers to compute in: of a result that stands in none, of an argument, of a second sum, and
/// of a constant.
pub(super) const RESULT: u8 = 0;
pub(super) const ARGUMENT: u8 = 1;
pub(super) const SECOND: u8 = 2;
pub(super) const CONSTANT: u8 = 3;

const ONE: u64 = 1.0_f64.to_bits();
const WITHOUT_SIGN: u64 = !(1 << 63);

/// The first row of a value.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    base: Base,
    row: usize,
}

/// Compiles statements.
pub(super) struct Compiler<'c> {
    pub(super) assembler: Assembler<'c>,
    pub(super) registers: &'c Registers,
    /// The first row of what is kept.
    pub(super) first: usize,
    pub(super) n: usize,
    /// Of a row.
    pub(super) cut: Cut,
    /// The vectors between the first that is kept and that to which its base points.
    pub(super) bias: usize,
}

/// Whether an op is compiled: elementary functions and random draws are not.
pub(super) fn is_compiled(op: LearnerOp) -> bool {
    use LearnerOp as L;
    let is_elementary = matches!(
        op,
        L::ScalarSin
            | L::ScalarCos
            | L::ScalarTan
            | L::ScalarArcsin
            | L::ScalarArccos
            | L::ScalarArctan
            | L::ScalarExp
            | L::ScalarLog
    );
    !is_elementary && !op.shape().draws
}

impl Compiler<'_> {
    /// Where a vector of a row stands.
    #[inline(always)]
    pub(super) fn at(&self, of: Operand, row: usize, vector: usize) -> At {
        let row = of.row + row;
        if of.base != Base::Kept {
            assert!(row <= self.n, "an example has so many rows and no more");
            return At::Memory(of.base, (row * self.cut.stride + vector) as i32);
        }
        match self.registers.of(row) {
            Some(register) => At::Register(register + vector as u8),
            None => self.in_memory(row, vector),
        }
    }

    /// Where a vector of a row stands that is kept in memory.
    pub(super) fn in_memory(&self, row: usize, vector: usize) -> At {
        let vectors = (row - self.first) * self.cut.stride + vector;
        At::Memory(Base::Kept, vectors as i32 - self.bias as i32)
    }

    /// The register that a vector is computed in.
    #[inline(always)]
    pub(super) fn target(&self, out: At) -> u8 {
        if let At::Register(register) = out { register } else { RESULT }
    }

    #[inline(always)]
    pub(super) fn keep(&mut self, out: At) {
        if let At::Memory(..) = out {
            self.assembler.store(RESULT, out);
        }
    }

    /// The register of a vector, into which it is loaded where it stands in none.
    #[inline(always)]
    pub(super) fn loaded(&mut self, vector: At, into: u8) -> u8 {
        match vector {
            At::Register(register) => register,
            At::Memory(..) => {
                self.assembler.load(into, vector);
                into
            }
        }
    }

    pub(super) fn statement(&mut self, instruction: &Instruction) {
        use LearnerOp as L;
        let [a, b, out] = operands(instruction);
        let Action::Op(op) = instruction.action else {
            return self.copy(1, a, out, |_| 0);
        };
        let n = self.n;
        let size = op.shape().output.map_or(0, |ty| ty.size(n));
        if let Some(operation) = elementwise(op) {
            let (a, b) = if is_reversed(op) { (b, a) } else { (a, b) };
            return self.zip(size, operation, [a, b, out]);
        }
        match op {
            L::ScalarAbs | L::VectorAbs | L::MatrixAbs => self.clear_signs(size, a, out),
            L::ScalarReciprocal | L::VectorReciprocal | L::MatrixReciprocal => {
                self.invert(size, a, out);
            }
            L::ScalarHeavyside => self.step(size, Order::LessOrEqual, a, out),
            L::VectorHeavyside | L::MatrixHeavyside => self.step(size, Order::Less, a, out),
            L::ScalarVectorProduct | L::ScalarMatrixProduct => self.scale(size, [a, b, out]),
            L::VectorInnerProduct => self.dot([(a, 0), (b, 0)], 1, (out, 0)),
            L::VectorOuterProduct => self.outer([a, b, out]),
            L::ScalarBroadcast => self.copy(size, a, out, |_| 0),
            L::VectorColumnBroadcast => self.copy(size, a, out, |at| at / n),
            L::VectorRowBroadcast => self.copy(size, a, out, |at| at % n),
            L::MatrixVectorProduct | L::MatrixMatrixProduct | L::MatrixTranspose => {
                self.make(op, size, instruction, [a, b, out]);
            }
            L::ScalarConstSet | L::VectorConstSet | L::MatrixConstSet => {
                self.set(op, instruction.constants, out);
            }
            _ => self.reduce(op, a, out),
        }
    }

    /// Ops whose result may not be written before all of it is known.
    fn make(&mut self, op: LearnerOp, size: usize, of: &Instruction, [a, b, out]: [Operand; 3]) {
        let n = self.n;
        let is_in_place = [a, b].iter().any(|it| it.base == out.base && it.row == out.row);
        let scratch = Operand { base: Base::Kept, row: of.scratch as usize };
        let to = if is_in_place { scratch } else { out };
        match op {
            LearnerOp::MatrixVectorProduct => {
                (0..n).for_each(|row| self.dot([(a, row * n), (b, 0)], 1, (to, row)));
            }
            LearnerOp::MatrixMatrixProduct => {
                (0..size).for_each(|at| self.dot([(a, at / n * n), (b, at % n)], n, (to, at)));
            }
            _ => self.copy(size, a, to, |at| at % n * n + at / n),
        }
        if is_in_place {
            self.copy(size, scratch, out, |at| at);
        }
    }

    fn zip(&mut self, size: usize, operation: Operation, [a, b, out]: [Operand; 3]) {
        for row in 0..size {
            for vector in 0..self.cut.vectors {
                let [mut a, mut b, out] = [a, b, out].map(|it| self.at(it, row, vector));
                if operation.commutes() && matches!(b, At::Register(_)) {
                    (a, b) = (b, a);
                }
                let first = self.loaded(a, RESULT);
                self.assembler.compute(operation, self.target(out), first, b);
                self.keep(out);
            }
        }
    }

    fn scale(&mut self, size: usize, [a, b, out]: [Operand; 3]) {
        for vector in 0..self.cut.vectors {
            let factor = self.loaded(self.at(a, 0, vector), ARGUMENT);
            for row in 0..size {
                let [b, out] = [b, out].map(|it| self.at(it, row, vector));
                self.assembler.compute(Operation::MULTIPLY, self.target(out), factor, b);
                self.keep(out);
            }
        }
    }

    fn outer(&mut self, [a, b, out]: [Operand; 3]) {
        for row in 0..self.n {
            for vector in 0..self.cut.vectors {
                let factor = self.loaded(self.at(a, row, vector), ARGUMENT);
                for column in 0..self.n {
                    let b = self.at(b, column, vector);
                    let out = self.at(out, row * self.n + column, vector);
                    self.assembler.compute(Operation::MULTIPLY, self.target(out), factor, b);
                    self.keep(out);
                }
            }
        }
    }

    /// Copies rows, for each of the result that of the argument which it is made of.
    fn copy(&mut self, size: usize, a: Operand, out: Operand, from: impl Fn(usize) -> usize) {
        for row in 0..size {
            for vector in 0..self.cut.vectors {
                let (a, out) = (self.at(a, from(row), vector), self.at(out, row, vector));
                match (a, out) {
                    (_, At::Register(out)) => self.assembler.load(out, a),
                    (At::Register(a), _) => self.assembler.store(a, out),
                    _ => {
                        self.assembler.load(RESULT, a);
                        self.assembler.store(RESULT, out);
                    }
                }
            }
        }
    }

    fn clear_signs(&mut self, size: usize, a: Operand, out: Operand) {
        self.assembler.splat(CONSTANT, WITHOUT_SIGN);
        for row in 0..size {
            for vector in 0..self.cut.vectors {
                let [a, out] = [a, out].map(|it| self.at(it, row, vector));
                self.assembler.compute(Operation::AND, self.target(out), CONSTANT, a);
                self.keep(out);
            }
        }
    }

    fn invert(&mut self, size: usize, a: Operand, out: Operand) {
        self.assembler.splat(CONSTANT, ONE);
        for row in 0..size {
            for vector in 0..self.cut.vectors {
                let [a, out] = [a, out].map(|it| self.at(it, row, vector));
                self.assembler.compute(Operation::DIVIDE, self.target(out), CONSTANT, a);
                self.keep(out);
            }
        }
    }

    /// 1 where 0 is so ordered before the argument, 0 elsewhere.
    fn step(&mut self, size: usize, order: Order, a: Operand, out: Operand) {
        self.assembler.splat(CONSTANT, ONE);
        self.assembler.zero(SECOND);
        for row in 0..size {
            for vector in 0..self.cut.vectors {
                let [a, out] = [a, out].map(|it| self.at(it, row, vector));
                self.assembler.compare(order, SECOND, a);
                self.assembler.load_where(self.target(out), CONSTANT);
                self.keep(out);
            }
        }
    }

    fn set(&mut self, op: LearnerOp, [first, second, third]: [f64; 3], out: Operand) {
        let n = self.n;
        let (row, value) = match op {
            LearnerOp::ScalarConstSet => (0, first),
            LearnerOp::VectorConstSet => (place(first, n), second),
            _ => (place(first, n) * n + place(second, n), third),
        };
        self.assembler.splat(RESULT, value.to_bits());
        for vector in 0..self.cut.vectors {
            let out = self.at(out, row, vector);
            match out {
                At::Register(out) => self.assembler.load(out, At::Register(RESULT)),
                At::Memory(..) => self.assembler.store(RESULT, out),
            }
        }
    }
}

/// Where the arguments and the result of a statement stand.
fn operands(instruction: &Instruction) -> [Operand; 3] {
    let Instruction { a, b, out, origins, .. } = *instruction;
    let mut operands = [a, b, out].map(|row| Operand { base: Base::Kept, row: row as usize });
    for (operand, origin) in operands.iter_mut().zip(origins) {
        match origin {
            Origin::Memory => {}
            Origin::Example => operand.base = Base::Example,
            Origin::Block => *operand = Operand { base: Base::Prediction, row: 0 },
        }
    }
    operands
}

/// What is done with each pair of numbers, for ops that do one thing with it.
fn elementwise(op: LearnerOp) -> Option<Operation> {
    use LearnerOp as L;
    Some(match op {
        L::ScalarSum | L::VectorSum | L::MatrixSum => Operation::ADD,
        L::ScalarDiff | L::VectorDiff | L::MatrixDiff => Operation::SUBTRACT,
        L::ScalarProduct | L::VectorProduct | L::MatrixProduct => Operation::MULTIPLY,
        L::ScalarDivision | L::VectorDivision | L::MatrixDivision => Operation::DIVIDE,
        L::ScalarMin | L::VectorMin | L::MatrixMin => Operation::MIN,
        L::ScalarMax | L::VectorMax | L::MatrixMax => Operation::MAX,
        _ => return None,
    })
}

/// Whether the second argument is compared with the first: of the two the CPU gives the one that
/// stands second where one is NaN or both are 0, and there the op gives its first.
fn is_reversed(op: LearnerOp) -> bool {
    use LearnerOp as L;
    matches!(op, L::ScalarMin | L::ScalarMax | L::VectorMin | L::VectorMax)
}
