//! Deletion: a drawn statement goes.
//!
//! Invariant: only statements the rest of the program checks without are drawn from, all of them
//! equally likely. Whether it does is settled by what the target held before wherever possible;
//! the rest of the program is walked only where a read would see another type.

use crate::{Operand, Program, Statement, Variable};
use rand::RngExt;

use super::{Mutator, Stream, Typing};

impl Mutator {
    /// The program with one statement less, or `None` when every statement is needed.
    pub(super) fn delete(parent: &Program, rng: &mut Stream) -> Option<Vec<Statement>> {
        let mut typing = Typing::at_entry(parent);
        let mut deletable = Vec::with_capacity(parent.statements().len());
        for (position, statement) in parent.statements().iter().enumerate() {
            if is_deletable(parent, &typing, position) {
                deletable.push(position);
            }
            typing.run(statement);
        }
        if deletable.is_empty() {
            return None;
        }
        let position = deletable[rng.random_range(0..deletable.len())];
        let mut statements = Vec::with_capacity(parent.statements().len() - 1);
        statements.extend_from_slice(&parent.statements()[..position]);
        statements.extend_from_slice(&parent.statements()[position + 1..]);
        Some(statements)
    }
}

fn is_deletable(parent: &Program, typing: &Typing, position: usize) -> bool {
    let (statement, rest) =
        parent.statements()[position..].split_first().expect("the position is a statement's");
    let before = typing.get(statement.target);
    if before.is_some() && before == typing.result(statement) {
        return true;
    }
    if !is_read(statement.target, rest, parent.outputs()) {
        return true;
    }
    before.is_some() && typing.clone().finishes(rest, parent.outputs())
}

/// Whether the value a variable holds now is read before it is overwritten.
fn is_read(variable: Variable, rest: &[Statement], outputs: &[Variable]) -> bool {
    for statement in rest {
        if statement.args().contains(&Operand::Variable(variable)) {
            return true;
        }
        if statement.target == variable {
            return false;
        }
    }
    outputs.contains(&variable)
}
