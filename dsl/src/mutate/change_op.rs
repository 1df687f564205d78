//! Op change: a statement computes something else from the same arguments.
//!
//! Invariant: the new op takes as many arguments and gives a result of the same type on them, so
//! nothing downstream changes.

use crate::{Op, Program, Statement};
use rand::RngExt;

use super::{Mutator, Stream, Typing};

impl Mutator {
    /// The program with one op exchanged, or `None` when no statement has an alternative.
    ///
    /// All statements that have an alternative are equally likely, then all alternatives.
    pub(super) fn change_op(&self, parent: &Program, rng: &mut Stream) -> Option<Vec<Statement>> {
        let has_other =
            |typing: &Typing, it: &Statement| self.alternatives(typing, it).next().is_some();
        let (position, typing) = Mutator::draw_statement(parent, has_other, rng)?;
        let mut statements = parent.statements().to_vec();
        statements[position] = self.with_other_op(&typing, &statements[position], rng);
        Some(statements)
    }

    /// The statement with another op; there must be an alternative.
    pub(super) fn with_other_op(
        &self,
        typing: &Typing,
        statement: &Statement,
        rng: &mut Stream,
    ) -> Statement {
        let count = self.alternatives(typing, statement).count();
        let mut alternatives = self.alternatives(typing, statement);
        let op =
            alternatives.nth(rng.random_range(0..count)).expect("the index is below the count");
        Statement::new(op, statement.target, statement.args())
    }

    pub(super) fn alternatives(
        &self,
        typing: &Typing,
        statement: &Statement,
    ) -> impl Iterator<Item = Op> {
        let (args, arity) = typing.args(statement).expect("a program's statements are defined");
        let (old, result) = (statement.op, statement.op.result_type(&args[..arity]));
        let ops = self.ops_by_arity[arity].iter().copied();
        ops.filter(move |&op| op != old && op.result_type(&args[..arity]) == result)
    }
}
