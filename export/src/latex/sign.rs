//! Which values are never negative, so that the magnitude under a root need not be written.
//!
//! Invariant: a value said to be non-negative is, at every step, wherever it is a number. States
//! begin at zero, so they are non-negative if the program keeps them so: all are assumed to be, and
//! those that are not are struck out until none is left.

use evo_dsl::Op;

use crate::listing::{Argument, Line, Listing};

/// What is never negative.
#[derive(Debug)]
pub(super) struct NonNegative {
    lines: Vec<bool>,
    states: Vec<bool>,
}

impl NonNegative {
    pub(super) fn of(listing: &Listing) -> NonNegative {
        let mut known = NonNegative { lines: Vec::new(), states: vec![true; listing.states.len()] };
        loop {
            known.lines.clear();
            for line in &listing.lines {
                let value = known.is_line(listing, line);
                known.lines.push(value);
            }
            let kept =
                |state: usize| known.states[state] && known.is(listing, listing.states[state].next);
            let states: Vec<bool> = (0..listing.states.len()).map(kept).collect();
            if states == known.states {
                return known;
            }
            known.states = states;
        }
    }

    /// Whether an argument is never negative.
    pub(super) fn is(&self, listing: &Listing, argument: Argument) -> bool {
        match argument {
            Argument::State(index) => self.states[index],
            Argument::Line(index) => self.lines[index],
            Argument::Constant(value) => value >= 0.0,
            Argument::Hyperparameter(index) => listing.hyperparameters[index].value >= 0.0,
            Argument::Step => true,
            _ => false,
        }
    }

    fn is_line(&self, listing: &Listing, line: &Line) -> bool {
        let is = |place: usize| self.is(listing, line.args[place]);
        let value = |place: usize| match line.args[place] {
            Argument::Constant(value) => Some(value),
            Argument::Hyperparameter(index) => Some(listing.hyperparameters[index].value),
            _ => None,
        };
        match line.op {
            Op::Mul | Op::Dot if line.args[0] == line.args[1] => true,
            Op::Square
            | Op::Abs
            | Op::Sqrt
            | Op::Norm
            | Op::GlobalNorm
            | Op::Heaviside
            | Op::Cosh => true,
            Op::Exp | Op::Exp2 | Op::Exp10 | Op::Arccos | Op::Arccosh => true,
            op if op.arity() == 0 => true,
            Op::Add | Op::Mul | Op::Div | Op::Min | Op::Outer => is(0) && is(1),
            Op::Max => is(0) || is(1),
            Op::Where => is(1) && is(2),
            Op::Clamp => is(2) && (is(0) || is(1)),
            Op::Cube
            | Op::Cbrt
            | Op::Reciprocal
            | Op::Sign
            | Op::RowMean
            | Op::ColumnMean
            | Op::Power
            | Op::Clip => is(0),
            Op::BiasCorrect => is(0) && value(1).is_some_and(|beta| (0.0..1.0).contains(&beta)),
            // 1 - beta^t
            Op::Sub => value(0) == Some(1.0) && is_power_of_step(listing, line.args[1]),
            Op::Interp => is(0) && is(1) && value(2).is_some_and(|a| (0.0..=1.0).contains(&a)),
            _ => false,
        }
    }
}

/// Whether it is a number from 0 to 1 to the power of the step.
fn is_power_of_step(listing: &Listing, argument: Argument) -> bool {
    let Argument::Line(index) = argument else { return false };
    let line = &listing.lines[index];
    let base = match line.args.first() {
        Some(Argument::Constant(value)) => *value,
        Some(Argument::Hyperparameter(index)) => listing.hyperparameters[*index].value,
        _ => return false,
    };
    line.op == Op::Power && (0.0..=1.0).contains(&base) && line.args[1] == Argument::Step
}
