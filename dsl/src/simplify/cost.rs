//! Cost: what makes one form of a program better than another.
//!
//! Invariant: every statement costs more than whatever else can be saved, so a form is never longer
//! for being cheaper. All parts are in one number, the weightier in the higher bits; the limits of
//! programs that are simplified keep them from running into each other.

use super::term::{Graph, Term, digits};
use crate::{Op, Role, canonical::role_of};

/// What counts, in this order: statements, what they take to run, live state slots, terms that were
/// not in the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost(pub(super) u64);

impl Cost {
    pub(super) const STATEMENT: u64 = 1 << 44;
    pub(super) const WORK: u64 = 1 << 24;
    const SLOT: u64 = 1 << 16;
    const FOREIGN: u64 = 1;
}

/// How long an op takes for one element, roughly, next to an addition.
fn work(op: Op) -> u64 {
    match op {
        Op::Add | Op::Sub | Op::Mul | Op::Abs | Op::Negative | Op::Square => 2,
        Op::Max | Op::Min | Op::Sign | Op::Heaviside | Op::Where | Op::Clamp | Op::Cube => 3,
        Op::Interp | Op::BiasCorrect | Op::Outer => 4,
        Op::Div | Op::Sqrt | Op::Reciprocal => 6,
        op if op.arity() == 0 => 1,
        Op::Norm | Op::GlobalNorm | Op::Dot | Op::CosineSim | Op::Clip => 12,
        Op::RowMean | Op::ColumnMean | Op::Rms | Op::RmsNormalize => 12,
        Op::Orthogonalize | Op::PolarExpress => 100,
        Op::PolarFactor => 200,
        _ => 20,
    }
}

/// The cost of a term without its arguments.
pub(super) fn cost_of(term: &Term) -> u64 {
    match *term {
        Term::Constant(_) => 0,
        Term::Input(rank) => match role_of(rank) {
            Role::State(_) => Cost::SLOT,
            _ => 0,
        },
        Term::Apply(op, _) => Cost::STATEMENT + Cost::WORK * work(op),
    }
}

/// What speaks against a term that is not in the program, everything else being equal: the digits
/// of a constant, a constant in front of what it multiplies, and that a reader has not seen it
/// before.
pub(super) fn strangeness(term: &Term, graph: &Graph) -> u64 {
    match *term {
        Term::Constant(bits) => Cost::FOREIGN * digits(f64::from_bits(bits)).0 as u64,
        Term::Input(_) => 0,
        Term::Apply(op, [first, ..]) => {
            let turned = op.info().commutative && graph[first].data.constant.is_some();
            Cost::FOREIGN * (1 + u64::from(turned))
        }
    }
}
