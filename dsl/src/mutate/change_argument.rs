//! Argument change: one variable read by a statement is exchanged for another.
//!
//! Invariant: the statement's result keeps its type, so nothing downstream changes. Variables and
//! constants are never exchanged for each other, as in the Lion work (arXiv 2302.06675 §2.2).

use crate::{Operand, Program, Statement, Type, Variable};
use rand::RngExt;

use super::{Mutator, Stream, Typing};

impl Mutator {
    /// The program with one variable argument exchanged, or `None` when none has an alternative.
    ///
    /// All arguments that have an alternative are equally likely, then all alternatives.
    pub(super) fn change_argument(parent: &Program, rng: &mut Stream) -> Option<Vec<Statement>> {
        let mut typing = Typing::at_entry(parent);
        let mut changeable = Vec::with_capacity(2 * parent.statements().len());
        for (position, statement) in parent.statements().iter().enumerate() {
            for (slot, operand) in statement.args().iter().enumerate() {
                if let Operand::Variable(variable) = *operand
                    && Mutator::has_other_argument(&typing, statement, slot, variable)
                {
                    changeable.push((position, slot));
                }
            }
            typing.run(statement);
        }
        if changeable.is_empty() {
            return None;
        }
        let (position, slot) = changeable[rng.random_range(0..changeable.len())];
        let typing = Typing::before(parent, position);
        let mut statements = parent.statements().to_vec();
        statements[position] =
            Mutator::with_other_argument(&typing, &statements[position], slot, rng);
        Some(statements)
    }

    /// The statement with the variable in this slot exchanged; there must be another that fits.
    pub(super) fn with_other_argument(
        typing: &Typing,
        statement: &Statement,
        slot: usize,
        rng: &mut Stream,
    ) -> Statement {
        let mut changed = *statement;
        let Operand::Variable(old) = statement.args()[slot] else {
            unreachable!("only variable arguments are changeable")
        };
        let accepted = accepted(typing, statement, slot);
        let variable = draw_other(typing, old, |ty| accepted[ty as usize], rng);
        changed.args_mut()[slot] = Operand::Variable(variable);
        changed
    }

    /// Whether another variable fits the slot: surely when another one has the same type.
    pub(super) fn has_other_argument(
        typing: &Typing,
        statement: &Statement,
        slot: usize,
        old: Variable,
    ) -> bool {
        let same = typing.get(old).is_some_and(|own| typing.count(|ty| ty == own) > 1);
        same || {
            let accepted = accepted(typing, statement, slot);
            typing.count(|ty| accepted[ty as usize]) > 1
        }
    }
}

/// Whether the statement's result keeps its type with an argument of each type in this slot.
fn accepted(typing: &Typing, statement: &Statement, slot: usize) -> [bool; Type::ALL.len()] {
    let (mut args, arity) = typing.args(statement).expect("a program's statements are defined");
    let result = statement.op.result_type(&args[..arity]);
    Type::ALL.map(|ty| {
        args[slot] = ty;
        statement.op.result_type(&args[..arity]) == result
    })
}

/// Uniform among the accepted variables other than the old one: the last one stands in for it.
fn draw_other(
    typing: &Typing,
    old: Variable,
    accepts: impl Fn(Type) -> bool,
    rng: &mut Stream,
) -> Variable {
    let last = typing.count(&accepts) - 1;
    let drawn = typing.nth(rng.random_range(0..last), &accepts);
    if drawn == old { typing.nth(last, accepts) } else { drawn }
}
