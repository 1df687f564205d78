//! Insertion: a new statement at a drawn place.
//!
//! Invariant: nothing downstream changes type, because the target is a fresh variable or one that
//! already holds the result's type there. Arguments are drawn slot by slot: what a slot takes does
//! not depend on the other slots, so this draws uniformly among all fitting argument lists without
//! listing them.

use crate::{Op, Operand, Program, Statement, Type, Variable};
use rand::RngExt;

use super::{Mutator, Stream, Typing};

impl Mutator {
    /// The program with one statement more, or `None` at the limit of statements.
    pub(super) fn insert(&self, parent: &Program, rng: &mut Stream) -> Option<Vec<Statement>> {
        let length = parent.statements().len();
        if length >= self.max_statements {
            return None;
        }
        let position = rng.random_range(0..=length);
        let typing = Typing::before(parent, position);
        let op = self.ops[rng.random_range(0..self.ops.len())];
        let statement = self.new_statement(parent, &typing, op, rng);
        let mut statements = Vec::with_capacity(length + 1);
        statements.extend_from_slice(&parent.statements()[..position]);
        statements.push(statement);
        statements.extend_from_slice(&parent.statements()[position..]);
        Some(statements)
    }

    fn new_statement(
        &self,
        parent: &Program,
        typing: &Typing,
        op: Op,
        rng: &mut Stream,
    ) -> Statement {
        let mut args = [Operand::Constant(0.0); 3];
        let args = &mut args[..op.arity()];
        for (slot, arg) in args.iter_mut().enumerate() {
            *arg = self.draw_argument(typing, |ty| fits(op, slot, ty), rng);
        }
        let statement = Statement::new(op, Variable(0), args);
        let ty = typing.result(&statement).expect("every argument was drawn to fit its slot");
        Statement::new(op, Mutator::draw_target(parent, typing, ty, rng), statement.args())
    }

    /// Uniform among the defined variables of this type and one fresh variable.
    pub(super) fn draw_target(
        parent: &Program,
        typing: &Typing,
        ty: Type,
        rng: &mut Stream,
    ) -> Variable {
        let existing = typing.count(|held| held == ty);
        let index = rng.random_range(0..=existing);
        if index == existing {
            return parent.fresh_variable();
        }
        typing.nth(index, |held| held == ty)
    }

    /// Uniform among the defined variables that fit and one new constant, which always fits.
    fn draw_argument(
        &self,
        typing: &Typing,
        fits: impl Fn(Type) -> bool,
        rng: &mut Stream,
    ) -> Operand {
        let variables = typing.count(&fits);
        let index = rng.random_range(0..=variables);
        if index == variables {
            return Operand::Constant(self.draw_constant(rng));
        }
        Operand::Variable(typing.nth(index, fits))
    }
}

/// Whether the op takes this type in this slot; scalars fit every slot of a usable op.
fn fits(op: Op, slot: usize, ty: Type) -> bool {
    let mut args = [Type::Scalar; 3];
    args[slot] = ty;
    op.result_type(&args[..op.arity()]).is_some()
}
