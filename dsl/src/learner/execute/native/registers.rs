//! Which rows of what a learner keeps stand in registers throughout a piece of code.
//!
//! Invariant: a row is in registers everywhere in a piece or nowhere, so a statement is compiled
//! without looking at the others. What a piece reads before it writes it is loaded at its start,
//! and stored at its end if it is written at all. Nothing else need be stored: what `Predict` and
//! `Learn` write before they read it, they write again before anyone reads it.
//!
//! Values that are used the most come first; a large one may stand in registers in part.

use super::super::plan::{Action, Instruction, Origin, Plan};
use crate::learner::{LearnerOp, LearnerType};

/// Registers that belong to no row: 0 to 3, to compute in.
pub(super) const FREE: u8 = 4;

/// A value of the learner in a piece of code.
#[derive(Clone, Copy, Debug)]
struct Value {
    row: u32,
    rows: u32,
    /// How often one of its rows is read or written.
    uses: u32,
    is_loaded: bool,
    is_written: bool,
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Registers {
    /// The row that the vectors below begin at.
    first: usize,
    /// Of every row the register of its first vector, or 0.
    registers: Vec<u8>,
    /// Of every row at which a value begins its place among the values with 1 added, or 0.
    known: Vec<u16>,
    values: Vec<Value>,
    work: usize,
}

impl Registers {
    /// Assigns registers, of which there are so many, for a piece of code that runs instructions on
    /// rows of so many vectors.
    pub(super) fn assign<'p>(
        &mut self,
        plan: &Plan,
        (all, vectors): (u8, usize),
        instructions: impl Iterator<Item = &'p Instruction>,
    ) {
        self.first = plan.first();
        self.values.clear();
        self.work = 0;
        let rows = plan.end - self.first;
        self.registers.clear();
        self.registers.resize(rows, 0);
        self.known.clear();
        self.known.resize(rows, 0);
        instructions.for_each(|instruction| self.note(instruction, plan.n));
        self.values.sort_unstable_by_key(|value| std::cmp::Reverse(value.uses));
        let mut next = FREE;
        for value in &self.values {
            for row in value.row..value.row + value.rows {
                if next + vectors as u8 > all {
                    return;
                }
                self.registers[row as usize - self.first] = next;
                next += vectors as u8;
            }
        }
    }

    fn note(&mut self, instruction: &Instruction, n: usize) {
        let Instruction { a, b, out, origins, .. } = *instruction;
        let Action::Op(op) = instruction.action else {
            return self.add(a, 1, 1, origins[0], false);
        };
        let shape = op.shape();
        for ((ty, row), origin) in shape.inputs.into_iter().zip([a, b]).zip(origins) {
            if let Some(ty) = ty {
                let uses = uses(op, ty, n);
                self.work += 2 * uses * ty.size(n);
                self.add(row, ty.size(n), uses, origin, false);
            }
        }
        if let Some(ty) = shape.output {
            if shape.updates {
                self.add(out, ty.size(n), 1, origins[2], false);
            }
            self.work += 2 * ty.size(n);
            self.add(out, ty.size(n), 1, origins[2], true);
        }
    }

    fn add(&mut self, row: u32, rows: usize, uses: usize, origin: Origin, writes: bool) {
        if !matches!(origin, Origin::Memory) {
            return;
        }
        let known = &mut self.known[row as usize - self.first];
        if *known == 0 {
            let rows = rows as u32;
            let (is_loaded, is_written) = (!writes, false);
            self.values.push(Value { row, rows, uses: 0, is_loaded, is_written });
            *known = self.values.len() as u16;
        }
        let value = &mut self.values[usize::from(*known) - 1];
        value.uses += uses as u32;
        value.is_written |= writes;
    }

    /// About the instructions that the piece takes for each vector of a row.
    pub(super) fn work(&self) -> usize {
        self.work
    }

    /// The register of the first vector of a row, if it stands in one.
    #[inline(always)]
    pub(super) fn of(&self, row: usize) -> Option<u8> {
        let register = self.registers[row - self.first];
        (register != 0).then_some(register)
    }

    /// Rows in registers that are loaded in the beginning.
    pub(super) fn loaded(&self) -> impl Iterator<Item = (usize, u8)> {
        self.held(|value| value.is_loaded)
    }

    /// Rows in registers that are stored in the end.
    pub(super) fn stored(&self) -> impl Iterator<Item = (usize, u8)> {
        self.held(|value| value.is_loaded && value.is_written)
    }

    fn held(&self, which: impl Fn(&Value) -> bool) -> impl Iterator<Item = (usize, u8)> {
        let values = self.values.iter().filter(move |value| which(value));
        let rows = values.flat_map(|value| value.row as usize..(value.row + value.rows) as usize);
        rows.filter_map(|row| self.of(row).map(|register| (row, register)))
    }
}

/// How often an op reads a row of an argument of a type.
fn uses(op: LearnerOp, ty: LearnerType, n: usize) -> usize {
    match op {
        LearnerOp::MatrixVectorProduct if ty == LearnerType::Vector => n,
        LearnerOp::VectorOuterProduct | LearnerOp::MatrixMatrixProduct => n,
        _ => 1,
    }
}
