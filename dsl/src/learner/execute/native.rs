//! Learners compiled to machine code of x86-64 with AVX-512.
//!
//! Invariant: a piece of code gives the bits of the loop over statements, which is run where there
//! is none: on other machines, where the system refuses memory for code, for a learner with an op
//! that is not compiled, and for one that is too long.
//!
//! The loop takes some thirty instructions to come to a statement, of which few compute. A learner
//! is run on a few hundred examples and thrown away, so it is compiled in one pass over its
//! statements, by a template for each op; there is no compiler that could be called.
//!
//! The bound: a core stores one line a cycle and loads two, so a statement on scalars of two lines
//! that stand in memory takes two cycles; in registers it takes one, and the latencies of what is
//! carried from example to example are the bound.

mod code;
mod encode;
mod registers;
mod sums;
mod templates;

use super::kernel::Rows;
use super::plan::{Action, Plan};
use super::run::{Part, has_avx512};
use code::{Code, MOST, Piece};
use encode::{Assembler, Base};
use registers::Registers;
use templates::{Compiler, is_compiled};

/// The lines between the first that is kept and that to which the base points: as many as are
/// reached with one byte.
const BIAS: usize = 128;

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
    code: Option<Code>,
    registers: Registers,
    /// In validation and in training.
    states: [State; 2],
    /// How many pieces were compiled.
    #[cfg(test)]
    compiled: u64,
}

impl Native {
    /// One that compiles where that is possible.
    pub(super) fn new() -> Native {
        let code = if has_avx512() { Code::new() } else { None };
        Native { code, ..Native::default() }
    }

    /// Whether it compiles.
    #[cfg(test)]
    pub(super) fn is_able(&self) -> bool {
        self.code.is_some()
    }

    /// How many pieces it has compiled.
    #[cfg(test)]
    pub(super) fn compiled(&self) -> u64 {
        self.compiled
    }

    /// Forgets what was compiled: the next plan is another.
    pub(super) fn begin(&mut self) {
        self.states = [State::default(); 2];
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
        let Some(code) = &self.code else { return false };
        let kept = plan.prediction + 1;
        assert!(examples > 0 && kept + examples <= plan.end && plan.end <= memory.len());
        assert!(
            first + examples * (plan.n + 1) <= plan.first(),
            "examples end where memory begins"
        );
        let start = memory.as_ptr().cast::<u8>();
        let line = |line: usize| start.wrapping_add(line * 64);
        let pointers = [line(plan.first() * K + BIAS), line(first * K), line(kept * K)];
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
        let Native { code, registers, .. } = self;
        let code = code.as_mut()?;
        if !is_possible(plan, trains) {
            return None;
        }
        registers.assign(plan, lines, plan.of_phase(trains));
        if registers.work() * lines > MOST / 8 {
            return None;
        }
        let assembler = Assembler::new(code.room());
        let (first, n) = (plan.first(), plan.n);
        let mut compiler = Compiler { assembler, registers, first, n, lines };
        for (row, register) in registers.loaded() {
            for line in 0..lines {
                compiler.assembler.load(register + line as u8, compiler.in_memory(row, line));
            }
        }
        let start = compiler.assembler.length();
        plan.of_phase(trains).for_each(|instruction| compiler.statement(instruction));
        compiler.assembler.advance(Base::Example, (n + 1) * lines);
        compiler.assembler.advance(Base::Prediction, lines);
        compiler.assembler.repeat_from(start);
        for (row, register) in registers.stored() {
            for line in 0..lines {
                compiler.assembler.store(register + line as u8, compiler.in_memory(row, line));
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
