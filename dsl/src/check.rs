//! Checking by abstract execution: types are inferred statement by statement without running.
//!
//! Invariant: a program that passes can be interpreted and compiled without a type error. Values
//! (division by zero, NaN) are not looked at: a program that blows up is data, not an error.

use thiserror::Error;

use crate::{Operand, Program, Role, Statement, Type, Variable};

/// Why a program does not check.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{kind}")]
pub struct CheckError {
    /// The statement at fault; `None` where the program returns.
    pub statement: Option<usize>,
    /// What is wrong with it.
    pub kind: CheckErrorKind,
}

/// What is wrong with a statement or an output.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CheckErrorKind {
    /// A variable is read before anything was assigned to it.
    #[error("`{name}` is read before it is assigned")]
    Undefined {
        /// The variable's name.
        name: String,
    },
    /// The op does not take arguments of these types.
    #[error("`{op}` does not take ({types}); it takes {expected}")]
    ArgumentTypes {
        /// The op's name.
        op: &'static str,
        /// The types it was given.
        types: String,
        /// What it would take.
        expected: &'static str,
    },
    /// An expression with an op that does not work point by point.
    #[error("`{op}` is no op of an expression, whose value at a point depends on that point alone")]
    NotElementwise {
        /// The op's name.
        op: &'static str,
    },
    /// A constant is infinite or NaN.
    #[error("a constant must be finite, not {value}")]
    NonFiniteConstant {
        /// The constant.
        value: f64,
    },
    /// More statements than a program may hold.
    #[error("a program holds at most {limit} statements, not {count}")]
    TooManyStatements {
        /// The limit.
        limit: usize,
        /// How many there are.
        count: usize,
    },
}

impl CheckErrorKind {
    fn at(self, statement: impl Into<Option<usize>>) -> CheckError {
        CheckError { statement: statement.into(), kind: self }
    }
}

/// Checks a whole program.
pub(crate) fn check(program: &Program) -> Result<(), CheckError> {
    let (limit, count) = (Program::MAX_STATEMENTS, program.statements().len());
    if count > limit {
        return Err(CheckErrorKind::TooManyStatements { limit, count }.at(None));
    }
    check_types(program)
}

/// Checks that statements type-check in order and that outputs are defined.
pub(crate) fn check_types(program: &Program) -> Result<(), CheckError> {
    let mut types = parameter_types(program);
    for (index, statement) in program.statements().iter().enumerate() {
        let ty = statement_type(program, &types, statement).map_err(|kind| kind.at(index))?;
        types[usize::from(statement.target.0)] = Some(ty);
    }
    for &output in program.outputs() {
        if types.get(usize::from(output.0)).copied().flatten().is_none() {
            return Err(undefined(program, output).at(None));
        }
    }
    Ok(())
}

/// The types of all variables before `position`, for a program that checks.
pub(crate) fn types_at(program: &Program, position: usize) -> Vec<Option<Type>> {
    let mut types = parameter_types(program);
    for statement in &program.statements()[..position] {
        let ty =
            statement_type(program, &types, statement).expect("a program is checked when made");
        types[usize::from(statement.target.0)] = Some(ty);
    }
    types
}

fn parameter_types(program: &Program) -> Vec<Option<Type>> {
    let parameters = program.signature().parameters();
    let mut types = vec![None; program.variables()];
    for (slot, role) in types.iter_mut().zip(parameters.iter().copied().map(Role::ty)) {
        *slot = Some(role);
    }
    types
}

fn statement_type(
    program: &Program,
    types: &[Option<Type>],
    statement: &Statement,
) -> Result<Type, CheckErrorKind> {
    let mut args = [Type::Scalar; 3];
    for (slot, operand) in args.iter_mut().zip(statement.args()) {
        *slot = operand_type(program, types, *operand)?;
    }
    if program.signature().is_expression() && !statement.op.is_elementwise() {
        return Err(CheckErrorKind::NotElementwise { op: statement.op.info().name });
    }
    let args = &args[..statement.op.arity()];
    statement.op.result_type(args).ok_or_else(|| argument_types(statement, args))
}

fn operand_type(
    program: &Program,
    types: &[Option<Type>],
    operand: Operand,
) -> Result<Type, CheckErrorKind> {
    match operand {
        Operand::Constant(value) if value.is_finite() => Ok(Type::Scalar),
        Operand::Constant(value) => Err(CheckErrorKind::NonFiniteConstant { value }),
        Operand::Variable(variable) => {
            let ty = types.get(usize::from(variable.0)).copied().flatten();
            ty.ok_or_else(|| undefined(program, variable))
        }
    }
}

fn undefined(program: &Program, variable: Variable) -> CheckErrorKind {
    CheckErrorKind::Undefined { name: program.name(variable).into_owned() }
}

fn argument_types(statement: &Statement, args: &[Type]) -> CheckErrorKind {
    let info = statement.op.info();
    let types: Vec<String> = args.iter().map(Type::to_string).collect();
    CheckErrorKind::ArgumentTypes {
        op: info.name,
        types: types.join(", "),
        expected: info.rule.takes(),
    }
}
