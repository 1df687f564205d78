//! The types of all variables at one place of a program, moved along statement by statement.
//!
//! Invariant: `counts` holds how many variables have each type, so whether an argument has an
//! alternative is known without listing the variables. The dsl's own checker is not used here
//! because it answers for whole programs only, and mutation asks about every statement in turn.

use crate::{Operand, Program, Role, Statement, Type, Variable};

/// What every variable holds before the next statement runs.
#[derive(Clone, Debug)]
pub(crate) struct Typing {
    types: Vec<Option<Type>>,
    counts: [usize; Type::ALL.len()],
}

impl Typing {
    /// Before the first statement: the parameters.
    pub(crate) fn at_entry(program: &Program) -> Typing {
        // Room for every variable of any usual program; more are made when they are set.
        let mut typing = Typing { types: vec![None; 32], counts: [0; Type::ALL.len()] };
        for (index, role) in (0u16..).zip(program.signature().parameters()) {
            typing.set(Variable(index), Some(Role::ty(*role)));
        }
        typing
    }

    /// Before statement `position`.
    pub(crate) fn before(program: &Program, position: usize) -> Typing {
        let mut typing = Typing::at_entry(program);
        for statement in &program.statements()[..position] {
            typing.run(statement);
        }
        typing
    }

    /// The type a variable holds, if it is defined.
    pub(crate) fn get(&self, variable: Variable) -> Option<Type> {
        self.types.get(usize::from(variable.0)).copied().flatten()
    }

    /// The type of an operand, if it is defined.
    pub(crate) fn operand(&self, operand: Operand) -> Option<Type> {
        match operand {
            Operand::Constant(_) => Some(Type::Scalar),
            Operand::Variable(variable) => self.get(variable),
        }
    }

    /// The type of a statement's result here, or `None` where its arguments are undefined or do
    /// not fit.
    pub(crate) fn result(&self, statement: &Statement) -> Option<Type> {
        let (args, arity) = self.args(statement)?;
        statement.op.result_type(&args[..arity])
    }

    /// The types of a statement's arguments and how many there are.
    pub(crate) fn args(&self, statement: &Statement) -> Option<([Type; 3], usize)> {
        let mut args = [Type::Scalar; 3];
        for (slot, operand) in args.iter_mut().zip(statement.args()) {
            *slot = self.operand(*operand)?;
        }
        Some((args, statement.args().len()))
    }

    /// Moves past a statement of a checked program.
    pub(crate) fn run(&mut self, statement: &Statement) {
        let ty = self.result(statement).expect("the statements of a program check in order");
        self.set(statement.target, Some(ty));
    }

    /// Moves past a statement that may not check; `false` where it does not.
    pub(crate) fn try_run(&mut self, statement: &Statement) -> bool {
        let ty = self.result(statement);
        if ty.is_some() {
            self.set(statement.target, ty);
        }
        ty.is_some()
    }

    /// Whether the statements and then the outputs check from here.
    pub(crate) fn finishes(mut self, statements: &[Statement], outputs: &[Variable]) -> bool {
        statements.iter().all(|statement| self.try_run(statement))
            && outputs.iter().all(|&output| self.get(output).is_some())
    }

    fn set(&mut self, variable: Variable, ty: Option<Type>) {
        let index = usize::from(variable.0);
        if index >= self.types.len() {
            self.types.resize(2 * index, None);
        }
        let slot = &mut self.types[index];
        if let Some(old) = *slot {
            self.counts[old as usize] -= 1;
        }
        if let Some(new) = ty {
            self.counts[new as usize] += 1;
        }
        *slot = ty;
    }

    /// How many defined variables have a type the predicate accepts.
    pub(crate) fn count(&self, accepts: impl Fn(Type) -> bool) -> usize {
        Type::ALL.iter().filter(|ty| accepts(**ty)).map(|ty| self.counts[*ty as usize]).sum()
    }

    /// The defined variable number `index`, in variable order, among those the predicate accepts.
    pub(crate) fn nth(&self, index: usize, accepts: impl Fn(Type) -> bool) -> Variable {
        let fits = |ty: &Option<Type>| ty.is_some_and(&accepts);
        let mut fitting = (0u16..).zip(&self.types).filter(|(_, ty)| fits(ty));
        let (variable, _) = fitting.nth(index).expect("the index is below the count");
        Variable(variable)
    }
}
