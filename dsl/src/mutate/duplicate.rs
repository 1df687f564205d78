//! Duplication: a copy of a statement, changed in one place, goes in front of it.
//!
//! Invariant: nothing downstream changes type, as for an insertion. The copy stands before its
//! original because there, and in general only there, its arguments have the types they have for
//! the original. A second, slightly different use of a computation is two insertions or more away
//! without this; a copy alone would change nothing that matters.

use crate::{Operand, Program, Statement};
use rand::RngExt;

use super::{Mutator, Stream, Typing};

/// What of a copied statement is changed.
#[derive(Clone, Copy)]
enum Edit {
    Op,
    Argument(usize),
    Constant(usize),
}

impl Mutator {
    /// The program with one statement more, or `None` at the limit of statements or when no
    /// statement can be changed.
    ///
    /// All statements that can be changed are equally likely, then all places to change, then all
    /// targets an insertion could have.
    pub(super) fn duplicate(&self, parent: &Program, rng: &mut Stream) -> Option<Vec<Statement>> {
        if parent.statements().len() >= self.max_statements {
            return None;
        }
        let can_change = |typing: &Typing, it: &Statement| self.edits(typing, it).next().is_some();
        let (position, typing) = Mutator::draw_statement(parent, can_change, rng)?;
        let edited = self.edited(&typing, parent.statements()[position], rng);
        let ty = typing.result(&edited).expect("every edit keeps the type of the result");
        let target = Mutator::draw_target(parent, &typing, ty, rng);
        let mut statements = parent.statements().to_vec();
        statements.insert(position, Statement::new(edited.op, target, edited.args()));
        Some(statements)
    }

    fn edits(&self, typing: &Typing, statement: &Statement) -> impl Iterator<Item = Edit> {
        let arguments = statement.args().iter().enumerate();
        let arguments = arguments.filter_map(|(slot, operand)| match *operand {
            Operand::Constant(_) => Some(Edit::Constant(slot)),
            Operand::Variable(variable) => {
                let other = Mutator::has_other_argument(typing, statement, slot, variable);
                other.then_some(Edit::Argument(slot))
            }
        });
        let op = self.alternatives(typing, statement).next().map(|_| Edit::Op);
        arguments.chain(op)
    }

    /// The statement with one of its edits made.
    fn edited(&self, typing: &Typing, mut statement: Statement, rng: &mut Stream) -> Statement {
        let count = self.edits(typing, &statement).count();
        let drawn = self.edits(typing, &statement).nth(rng.random_range(0..count));
        match drawn.expect("the index is below the count") {
            Edit::Op => self.with_other_op(typing, &statement, rng),
            Edit::Argument(slot) => Mutator::with_other_argument(typing, &statement, slot, rng),
            Edit::Constant(slot) => {
                if let Operand::Constant(value) = &mut statement.args_mut()[slot] {
                    *value = self.changed(*value, rng);
                }
                statement
            }
        }
    }
}
