//! Programs as bytes: what a snapshot holds.
//!
//! Invariant: a program is encoded statement by statement with the very variables it uses. Mutation
//! draws among variables by number, and reading a text may number them anew.

use serde::{Deserialize, Serialize};

use crate::{Op, Operand, Program, Statement, Variable};

/// The statements of a program; the header is that of the start program.
pub(crate) fn encode(program: &Program) -> Vec<u8> {
    let statements: Vec<Encoded> = program.statements().iter().map(Encoded::of).collect();
    postcard::to_stdvec(&statements).expect("plain data can be serialised")
}

/// `None` for bytes that are no program with this header.
pub(crate) fn decode(bytes: &[u8], start: &Program) -> Option<Program> {
    let statements: Vec<Encoded> = postcard::from_bytes(bytes).ok()?;
    let statements = statements.iter().map(Encoded::statement).collect::<Option<_>>();
    start.with_statements(statements?).ok()
}

#[derive(Debug, Serialize, Deserialize)]
struct Encoded {
    /// By name: numbers would change as the table of ops grows.
    op: String,
    target: u16,
    args: Vec<Argument>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Argument {
    Variable(u16),
    Constant(f64),
}

impl Encoded {
    fn of(statement: &Statement) -> Encoded {
        let argument = |operand: &Operand| match *operand {
            Operand::Variable(variable) => Argument::Variable(variable.0),
            Operand::Constant(value) => Argument::Constant(value),
        };
        let args = statement.args().iter().map(argument).collect();
        let op = statement.op.info().name.to_owned();
        Encoded { op, target: statement.target.0, args }
    }

    fn statement(&self) -> Option<Statement> {
        let operand = |argument: &Argument| match *argument {
            Argument::Variable(variable) => Operand::Variable(Variable(variable)),
            Argument::Constant(value) => Operand::Constant(value),
        };
        let op = Op::from_name(&self.op).filter(|op| op.arity() == self.args.len())?;
        let args: Vec<Operand> = self.args.iter().map(operand).collect();
        Some(Statement::new(op, Variable(self.target), &args))
    }
}
