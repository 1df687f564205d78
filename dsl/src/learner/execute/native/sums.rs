//! What ops that add up are compiled to: inner products, norms, means and deviations.
//!
//! Invariant: as of the other templates. A sum runs in order in one register for each vector.

use super::encode::{At, Operation};
use super::templates::{ARGUMENT, CONSTANT, Compiler, Operand, SECOND};
use crate::learner::LearnerOp;

impl Compiler<'_> {
    /// The inner product of rows and of those that follow one another at a distance.
    pub(super) fn dot(
        &mut self,
        [a, b]: [(Operand, usize); 2],
        stride: usize,
        out: (Operand, usize),
    ) {
        for vector in 0..self.cut.vectors {
            let out = self.at(out.0, out.1, vector);
            let sum = self.target(out);
            for at in 0..self.n {
                let x = self.at(a.0, a.1 + at, vector);
                let y = self.at(b.0, b.1 + at * stride, vector);
                // The one in a register comes first.
                let (x, y) = if let At::Register(_) = y { (y, x) } else { (x, y) };
                let x = self.loaded(x, ARGUMENT);
                self.add_product(sum, x, y, at == 0);
            }
            self.keep(out);
        }
    }

    /// Begins a sum with a product, or adds one to it.
    #[inline(always)]
    fn add_product(&mut self, sum: u8, x: u8, y: At, begins: bool) {
        let to = if begins { sum } else { ARGUMENT };
        self.assembler.compute(Operation::MULTIPLY, to, x, y);
        if !begins {
            self.assembler.compute(Operation::ADD, sum, sum, At::Register(ARGUMENT));
        }
    }

    /// Norms, means and deviations of a value, or of the rows or the columns of one.
    pub(super) fn reduce(&mut self, op: LearnerOp, a: Operand, out: Operand) {
        use LearnerOp as L;
        let n = self.n;
        // How many, and of each how many rows it is made of, from the first of one to that of the
        // next, and from one of them to the next.
        let (size, count, next, stride) = match op {
            L::VectorNorm | L::VectorMean | L::VectorStDev => (1, n, 0, 1),
            L::MatrixNorm | L::MatrixMean | L::MatrixStDev => (1, n * n, 0, 1),
            L::MatrixColumnNorm => (n, n, 1, n),
            _ => (n, n, n, 1),
        };
        let divide = divide(count);
        self.assembler.splat(CONSTANT, divide.1.to_bits());
        for row in 0..size {
            for vector in 0..self.cut.vectors {
                let out = self.at(out, row, vector);
                let of = (0..count).map(|at| row * next + at * stride);
                let sum = self.target(out);
                match op {
                    L::VectorMean | L::MatrixMean | L::MatrixRowMean => {
                        self.add_up(of, a, vector, sum);
                        self.assembler.compute(divide.0, sum, sum, At::Register(CONSTANT));
                    }
                    L::VectorStDev | L::MatrixStDev | L::MatrixRowStDev => {
                        self.add_up(of.clone(), a, vector, sum);
                        self.add_squares(of, a, vector, SECOND);
                        self.deviation(divide.0, sum);
                    }
                    _ => {
                        self.add_squares(of, a, vector, sum);
                        self.assembler.root(sum, sum);
                    }
                }
                self.keep(out);
            }
        }
    }

    fn add_up(&mut self, rows: impl Iterator<Item = usize>, a: Operand, vector: usize, sum: u8) {
        for (at, row) in rows.enumerate() {
            let x = self.at(a, row, vector);
            match at {
                0 => self.assembler.load(sum, x),
                _ => self.assembler.compute(Operation::ADD, sum, sum, x),
            }
        }
    }

    fn add_squares(
        &mut self,
        rows: impl Iterator<Item = usize>,
        a: Operand,
        vector: usize,
        sum: u8,
    ) {
        for (at, row) in rows.enumerate() {
            let x = self.loaded(self.at(a, row, vector), ARGUMENT);
            self.add_product(sum, x, At::Register(x), at == 0);
        }
    }

    /// The deviation of numbers of a sum, which it takes the place of, and of their squares.
    fn deviation(&mut self, divide: Operation, sum: u8) {
        let assembler = &mut self.assembler;
        let (count, mean) = (At::Register(CONSTANT), At::Register(sum));
        assembler.compute(divide, sum, sum, count);
        assembler.compute(divide, SECOND, SECOND, count);
        assembler.compute(Operation::MULTIPLY, sum, sum, mean);
        assembler.compute(Operation::SUBTRACT, sum, SECOND, mean);
        assembler.root(sum, sum);
    }
}

/// How to divide by a number: its inverse is exact where it is a power of 2, and so gives the same.
fn divide(count: usize) -> (Operation, f64) {
    match count.is_power_of_two() {
        true => (Operation::MULTIPLY, 1.0 / count as f64),
        false => (Operation::DIVIDE, count as f64),
    }
}
