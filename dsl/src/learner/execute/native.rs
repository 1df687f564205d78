//! Learners compiled to machine code of x86-64 with AVX-512 or AVX2.
//!
//! Invariant: a piece of code gives the bits of the loop over statements, which is run where there
//! is none: on other machines, where the system refuses memory for code, for a learner with an op
//! that is not compiled, and for one that is too long.
//!
//! The loop takes some thirty instructions to come to a statement, of which few compute. A learner
//! is run on a few hundred examples and thrown away, so it is compiled in one pass over its
//! statements, by a template for each op; there is no compiler that could be called.
//!
//! The bound: a core stores one vector a cycle and loads two, so a statement on scalars of ten
//! tasks that stand in memory takes two cycles with AVX-512 and three with AVX2; in registers it
//! takes one or one and a half, and the latencies of what is carried from example to example are
//! the bound.

mod code;
mod encode;
mod registers;
mod sums;
mod templates;
mod unit;

use super::kernel::{Row, Rows};
use super::plan::{Action, Plan};
use super::run::Part;
use code::{Code, MOST, Piece};
use encode::{Assembler, Base};
use registers::Registers;
use templates::{Compiler, is_compiled};
use unit::Cut;
pub(super) use unit::Unit;

/// The bytes between the first that is kept and that to which the base points: with AVX-512 as many
/// as are reached with one byte.
const BIAS: usize = 128 * 64;

/// Examples that are worth the compilation.
const LEAST: usize = if cfg!(test) { 1 } else { 64 };

/// What is known of a piece of code.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Unknown,
    None,
    Known(Piece),
}

/// Compiles the learner of a plan, and runs it.
#[derive(Debug, Default)]
pub(super) struct Native {
    code: Option<(Unit, Code)>,
    registers: Registers,
    /// How many tasks a row has a number of.
    tasks: usize,
    /// In validation and in training.
    states: [State; 2],
    /// How many pieces were compiled.
    #[cfg(test)]
    compiled: u64,
}

impl Native {
    /// One that compiles where that is possible, for the widest unit there is.
    pub(super) fn new() -> Native {
        let widest = Unit::ALL.into_iter().rfind(|unit| unit.is_there());
        widest.map_or_else(Native::default, Native::for_unit)
    }

    /// One that compiles for a unit that is there.
    pub(super) fn for_unit(unit: Unit) -> Native {
        Native { code: Code::new().map(|code| (unit, code)), ..Native::default() }
    }

    /// How many pieces it has compiled.
    #[cfg(test)]
    pub(super) fn compiled(&self) -> u64 {
        self.compiled
    }

    /// Forgets what was compiled: the next plan is another, and for so many tasks.
    pub(super) fn begin(&mut self, tasks: usize) {
        (self.states, self.tasks) = ([State::default(); 2], tasks);
    }

    /// Runs a plan for so many examples from a row on, one after another, and keeps the predictions
    /// behind that of the learner; whether it did. It compiles where many are left.
    pub(super) fn run<const K: usize>(
        &mut self,
        plan: &Plan,
        trains: bool,
        memory: &Rows<K>,
        Part { first, examples, left }: Part,
    ) -> bool {
        let state = self.states[usize::from(trains)];
        let piece = match state {
            State::Known(piece) => piece,
            State::None => return false,
            State::Unknown if left < LEAST => return false,
            State::Unknown => match self.compile(plan, trains, K) {
                Some(piece) => piece,
                None => return false,
            },
        };
        let Some((_, code)) = &self.code else { return false };
        let kept = plan.prediction + 1;
        assert!(examples > 0 && kept + examples <= plan.end && plan.end <= memory.len());
        assert!(
            first + examples * (plan.n + 1) <= plan.first(),
            "examples end where memory begins"
        );
        let start = memory.as_ptr().cast::<u8>();
        let row = |row: usize| start.wrapping_add(row * size_of::<Row<K>>());
        let pointers = [row(plan.first()).wrapping_add(BIAS), row(first), row(kept)];
        #[allow(unsafe_code)]
        // SAFETY: the piece was compiled for this plan and this width since `begin`, behind which
        // at most one other has been. It reads and writes rows of the plan, from its first to its
        // end, reads those of the examples, and writes those of the predictions: all within the
        // memory, which is of cells, as was asserted here and, row by row, where it was compiled.
        unsafe {
            code.run(piece, pointers, examples);
        }
        true
    }

    fn compile(&mut self, plan: &Plan, trains: bool, lines: usize) -> Option<Piece> {
        let piece = self.piece(plan, trains, lines);
        self.states[usize::from(trains)] = piece.map_or(State::None, State::Known);
        #[cfg(test)]
        {
            self.compiled += u64::from(piece.is_some());
        }
        piece
    }

    fn piece(&mut self, plan: &Plan, trains: bool, lines: usize) -> Option<Piece> {
        let Native { code, registers, tasks, .. } = self;
        let (unit, code) = code.as_mut()?;
        if !is_possible(plan, trains) {
            return None;
        }
        let cut = Cut::new(*unit, lines, *tasks);
        registers.assign(plan, (unit.registers(), cut.vectors), plan.of_phase(trains));
        if registers.work() * cut.vectors > MOST / 8 {
            return None;
        }
        let assembler = Assembler::new(*unit, code.room());
        let (first, n, bias) = (plan.first(), plan.n, BIAS / unit.bytes());
        let mut compiler = Compiler { assembler, registers, first, n, cut, bias };
        for (row, register) in registers.loaded() {
            for vector in 0..cut.vectors {
                compiler.assembler.load(register + vector as u8, compiler.in_memory(row, vector));
            }
        }
        let start = compiler.assembler.length();
        plan.of_phase(trains).for_each(|instruction| compiler.statement(instruction));
        compiler.assembler.advance(Base::Example, (n + 1) * cut.stride);
        compiler.assembler.advance(Base::Prediction, cut.stride);
        compiler.assembler.repeat_from(start);
        for (row, register) in registers.stored() {
            for vector in 0..cut.vectors {
                compiler.assembler.store(register + vector as u8, compiler.in_memory(row, vector));
            }
        }
        compiler.assembler.finish();
        let assembler = compiler.assembler;
        (!assembler.is_full()).then_some(assembler.length()).map(|length| code.take(length))
    }
}

/// Whether all that is done in a phase is compiled.
fn is_possible(plan: &Plan, trains: bool) -> bool {
    plan.of_phase(trains).all(|instruction| match instruction.action {
        Action::Squash => false,
        Action::Keep => true,
        Action::Op(op) => is_compiled(op),
    })
}
