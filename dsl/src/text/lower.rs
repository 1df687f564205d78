//! Lowering: the parsed function to a checked [`Program`].
//!
//! Invariant: nested expressions become statements in evaluation order, left to right, each on a
//! variable no other statement uses; types are checked by the one checker, and its errors are
//! given the place of the expression at fault. A plain copy `x = y` has no op of its own and
//! becomes `x = y * 1.0`, which keeps every bit.

use std::collections::HashMap;

use super::parser::{Expression, ExpressionKind, Function, too_many_statements};
use super::{Kind, ParseError, Position, shorten};
use crate::{CheckErrorKind, Op, Operand, Program, Role, Signature, Statement, Variable};

/// Builds the program.
pub(super) fn lower(function: Function<'_>) -> Result<Program, ParseError> {
    let signature = match function.kind {
        Kind::Optimizer => optimizer(&function)?,
        Kind::Expression => expression(&function)?,
    };
    let mut lowering = Lowering::default();
    for &(name, position) in &function.parameters {
        if lowering.variables.contains_key(name) {
            return Err(position.error(format!("two parameters are called `{}`", shorten(name))));
        }
        lowering.declare(name, position)?;
    }
    check_roles(&function, &signature)?;
    for assignment in &function.assignments {
        lowering.declare(assignment.target, assignment.position)?;
    }
    // Generated names must not shadow a name the text uses, so all names are known first.
    for assignment in function.assignments {
        let target = lowering.variables[assignment.target];
        lowering.assign(target, assignment.value)?;
    }
    let mut outputs = Vec::new();
    for value in function.returns.into_iter().chain(function.readout) {
        outputs.push(lowering.output(value)?);
    }
    lowering.finish(signature, outputs, function.return_position)
}

/// The parameters are `w, g, states…, lr[, t]`; how many of them are states follows from the
/// number of values returned.
fn optimizer(function: &Function<'_>) -> Result<Signature, ParseError> {
    let (given, returned) = (function.parameters.len(), function.returns.len());
    let fixed = (returned + 2..=returned + 3).contains(&given);
    let signature =
        fixed.then(|| Signature::optimizer(returned - 1, given == returned + 3)).flatten();
    let signature = signature.map(|it| it.with_readout(function.readout.is_some()));
    signature.ok_or_else(|| {
        let message =
            format!("the {given} parameters do not fit the number of returned values, {returned}");
        function.return_position.error(message).hint(format!(
            "`train` takes w, g, one to {} state slots or none, lr, and optionally the step t, \
             and returns the update, or a pair of update and readout, and every state",
            Signature::MAX_STATES
        ))
    })
}

/// The parameters are the inputs.
fn expression(function: &Function<'_>) -> Result<Signature, ParseError> {
    let (given, returned) = (function.parameters.len(), function.returns.len());
    if function.readout.is_some() {
        let message = "an expression returns one value, and no pair";
        return Err(function.return_position.error(message));
    }
    if returned != 1 {
        let message = format!("an expression returns one value, not {returned}");
        return Err(function.return_position.error(message));
    }
    Signature::expression(given).ok_or_else(|| {
        let most = Signature::MAX_INPUTS;
        let message = format!("an expression has 1 to {most} inputs, not {given}");
        function.return_position.error(message)
    })
}

/// The parameters of an optimizer are known by their place. A parameter with the usual name of
/// another place is a slip, such as a forgotten state in the `return`, that would silently train
/// with the wrong values.
fn check_roles(function: &Function<'_>, signature: &Signature) -> Result<(), ParseError> {
    if signature.is_expression() {
        return Ok(());
    }
    let roles = signature.parameters();
    let usual = |name: &str| {
        let fixed = [Role::Weight, Role::Gradient, Role::LearningRate, Role::Step];
        fixed.into_iter().find(|role| Signature::default_name(*role) == name)
    };
    for (&(name, position), &role) in function.parameters.iter().zip(roles) {
        if usual(name).is_some_and(|usual| usual != role) {
            let message = format!("`{name}` stands in the place of {role}");
            return Err(position.error(message).hint(
                "the parameters are w, g, the states, lr, and optionally t, \
                 and the update and every state are returned",
            ));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Lowering<'a> {
    variables: HashMap<&'a str, Variable>,
    names: Vec<Box<str>>,
    temporaries: usize,
    statements: Vec<Statement>,
    positions: Vec<Position>,
}

impl<'a> Lowering<'a> {
    fn declare(&mut self, name: &'a str, position: Position) -> Result<(), ParseError> {
        if Op::from_name(name).is_some() || ["def", "return", "train"].contains(&name) {
            let message = format!("`{name}` is a name of the language and cannot be a variable");
            return Err(position.error(message));
        }
        if !self.variables.contains_key(name) {
            let variable = variable(self.names.len());
            self.variables.insert(name, variable);
            self.names.push(name.into());
        }
        Ok(())
    }

    fn assign(&mut self, target: Variable, value: Expression<'a>) -> Result<(), ParseError> {
        let position = value.position;
        match value.kind {
            ExpressionKind::Call(op, args) => {
                let mut operands = Vec::with_capacity(args.len());
                for arg in args {
                    operands.push(self.operand(arg)?);
                }
                self.push(Statement::new(op, target, &operands), position)
            }
            _ => {
                let copied = self.operand(value)?;
                let args = [copied, Operand::Constant(1.0)];
                self.push(Statement::new(Op::Mul, target, &args), position)
            }
        }
    }

    fn operand(&mut self, value: Expression<'a>) -> Result<Operand, ParseError> {
        match value.kind {
            ExpressionKind::Number(number) => Ok(Operand::Constant(number)),
            ExpressionKind::Name(name) => match self.variables.get(name) {
                Some(&variable) => Ok(Operand::Variable(variable)),
                None => Err(self.unknown(name, value.position)),
            },
            ExpressionKind::Call(..) => Ok(Operand::Variable(self.temporary(value)?)),
        }
    }

    fn output(&mut self, value: Expression<'a>) -> Result<Variable, ParseError> {
        match value.kind {
            ExpressionKind::Name(name) => match self.variables.get(name) {
                Some(&variable) => Ok(variable),
                None => Err(self.unknown(name, value.position)),
            },
            _ => self.temporary(value),
        }
    }

    fn temporary(&mut self, value: Expression<'a>) -> Result<Variable, ParseError> {
        let target = variable(self.names.len() + self.temporaries);
        self.temporaries += 1;
        self.assign(target, value)?;
        Ok(target)
    }

    fn push(&mut self, statement: Statement, position: Position) -> Result<(), ParseError> {
        if self.statements.len() >= Program::MAX_STATEMENTS {
            return Err(too_many_statements(position));
        }
        self.statements.push(statement);
        self.positions.push(position);
        Ok(())
    }

    fn unknown(&self, name: &str, position: Position) -> ParseError {
        let error = position.error(format!("unknown variable `{}`", shorten(name)));
        match crate::nearest_name(name, self.names.iter().map(|name| &**name)) {
            Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
            None => error,
        }
    }

    fn finish(
        self,
        signature: Signature,
        outputs: Vec<Variable>,
        return_position: Position,
    ) -> Result<Program, ParseError> {
        let positions = self.positions;
        Program::new(signature, self.names, outputs, self.statements).map_err(|error| {
            let position = error.statement.map_or(return_position, |index| positions[index]);
            match error.kind {
                CheckErrorKind::Undefined { name } => {
                    let name = shorten(&name).into_owned();
                    let error = position.error(CheckErrorKind::Undefined { name }.to_string());
                    error.hint("assign it on an earlier line")
                }
                kind => position.error(kind.to_string()),
            }
        })
    }
}

fn variable(index: usize) -> Variable {
    Variable(
        u16::try_from(index).expect("at most 10,000 statements and parameters, so few variables"),
    )
}
