//! The program: a straight line of statements over typed variables, valid by construction.
//!
//! Invariant: every [`Program`] that exists has passed the checker, so its statements type-check
//! in order and its outputs are defined. Editing goes through [`Program::with_statements`], which
//! checks again. The header (signature, names, outputs) never changes under mutation and is
//! shared, so a clone costs one allocation.

use std::borrow::Cow;
use std::sync::Arc;

use crate::{CheckError, Op, Signature, Type, check};

/// A variable of a program, by its index. Parameters come first, in the order of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(pub u16);

/// An argument of a statement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// The current value of a variable.
    Variable(Variable),
    /// A number of the program's own: a hyperparameter, which evolves.
    Constant(f64),
}

/// One op applied to variables or constants, its result assigned to a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statement {
    /// What is computed.
    pub op: Op,
    /// Where the result goes.
    pub target: Variable,
    operands: [Operand; 3],
}

impl Statement {
    /// The statement `target = op(args…)`; extra arguments of a longer slice are an error of the
    /// caller.
    ///
    /// # Panics
    /// If the number of arguments is not the op's arity.
    pub fn new(op: Op, target: Variable, args: &[Operand]) -> Statement {
        assert_eq!(args.len(), op.arity(), "arguments of {}", op.info().name);
        let mut operands = [Operand::Constant(0.0); 3];
        operands[..args.len()].copy_from_slice(args);
        Statement { op, target, operands }
    }

    /// The arguments, as many as the op takes.
    pub fn args(&self) -> &[Operand] {
        &self.operands[..self.op.arity()]
    }

    /// The arguments, to change.
    pub fn args_mut(&mut self) -> &mut [Operand] {
        let arity = self.op.arity();
        &mut self.operands[..arity]
    }
}

/// What mutation leaves alone: signature, names and outputs.
#[derive(Clone, Debug)]
struct Header {
    signature: Signature,
    names: Vec<Box<str>>,
    outputs: Vec<Variable>,
}

/// A checked program of the searched function: an optimizer `train`, or an expression `f`.
#[derive(Clone, Debug)]
pub struct Program {
    header: Arc<Header>,
    statements: Vec<Statement>,
}

impl Program {
    /// The most statements a program may hold.
    pub const MAX_STATEMENTS: usize = 10_000;

    /// A program from its parts. `names` holds the name of variable 0, 1, …, the parameters
    /// first; variables beyond it get generated names. `outputs` has one variable per output.
    ///
    /// # Errors
    /// The first statement, or the output, that does not check.
    pub fn new(
        signature: Signature,
        names: Vec<Box<str>>,
        outputs: Vec<Variable>,
        statements: Vec<Statement>,
    ) -> Result<Program, CheckError> {
        assert!(names.len() >= signature.parameters().len(), "every parameter has a name");
        assert_eq!(outputs.len(), signature.outputs(), "one variable per output");
        let program =
            Program { header: Arc::new(Header { signature, names, outputs }), statements };
        check::check(&program)?;
        Ok(program)
    }

    /// The same header with other statements.
    ///
    /// # Errors
    /// The first statement, or the output, that does not check.
    pub fn with_statements(&self, statements: Vec<Statement>) -> Result<Program, CheckError> {
        let program = Program { header: Arc::clone(&self.header), statements };
        check::check(&program)?;
        Ok(program)
    }

    /// The same program with only the statements that are live; outputs that are then undefined
    /// belong to dead state slots and return the slot itself.
    pub(crate) fn with_live_statements(&self, statements: Vec<Statement>) -> Program {
        let parameters = self.header.signature.parameters();
        let defined = |variable: Variable| {
            usize::from(variable.0) < parameters.len()
                || statements.iter().any(|statement| statement.target == variable)
        };
        let own = |slot: usize| {
            let index = parameters.iter().position(|role| *role == crate::Role::State(slot));
            let index = index.expect("the signature has a parameter for every state slot");
            Variable(u16::try_from(index).expect("a signature has few parameters"))
        };
        let outputs = self.header.outputs.iter().enumerate();
        let outputs: Vec<Variable> = outputs
            .map(|(output, &variable)| if defined(variable) { variable } else { own(output - 1) })
            .collect();
        let header = if outputs == self.header.outputs {
            Arc::clone(&self.header)
        } else {
            let (signature, names) = (self.header.signature.clone(), self.header.names.clone());
            Arc::new(Header { signature, names, outputs })
        };
        let program = Program { header, statements };
        check::check(&program).expect("live statements read only live statements and parameters");
        program
    }

    /// The same program with a readout that is its update, in a variable of its own so that it can
    /// come to be something else; a program that has a readout stays as it is.
    ///
    /// # Errors
    /// It has as many statements as a program may hold.
    pub fn with_readout(&self) -> Result<Program, CheckError> {
        if self.readout().is_some() {
            return Ok(self.clone());
        }
        let Header { signature, names, outputs } = &*self.header;
        let index = self.variables().max(names.len());
        let numbered = |index: usize| {
            Variable(u16::try_from(index).expect("at most 10,000 statements, so few variables"))
        };
        let own = (0..index).map(|index| Box::from(&*self.name(numbered(index))));
        let mut names: Vec<Box<str>> = own.collect();
        let mut name = "readout".to_owned();
        while names.iter().any(|taken| **taken == *name) {
            name.push('_');
        }
        names.push(name.into());
        let args = [Operand::Variable(outputs[0]), Operand::Constant(1.0)];
        let copy = Statement::new(Op::Mul, numbered(index), &args);
        let outputs = outputs.iter().copied().chain([numbered(index)]).collect();
        let statements = self.statements.iter().copied().chain([copy]).collect();
        Program::new(signature.clone().with_readout(true), names, outputs, statements)
    }

    /// The same program with its update multiplied by a number, and its readout too; what it carries
    /// from call to call stays.
    ///
    /// # Panics
    /// If the multiple is not finite.
    pub fn scaled(&self, multiple: f64) -> Program {
        assert!(multiple.is_finite(), "a program is scaled by a finite number");
        if multiple == 1.0 {
            return self.clone();
        }
        let mut program = self.clone();
        let (update, readout) = (self.header.outputs[0], self.readout());
        program.scale(0, multiple);
        match readout {
            Some(readout) if readout == update => {
                let header = Arc::make_mut(&mut program.header);
                let last = header.outputs.len() - 1;
                header.outputs[last] = header.outputs[0];
            }
            Some(_) => program.scale(self.header.outputs.len() - 1, multiple),
            None => {}
        }
        // Types only: what is scaled is run and not bred, and may be longer by one than what is.
        check::check_types(&program).expect("a value of any type can be multiplied by a number");
        program
    }

    /// Multiplies an output by a number, in a variable of its own: it may be what a state slot is
    /// returned as.
    fn scale(&mut self, output: usize, multiple: f64) {
        let scaled = self.fresh_variable();
        let header = Arc::make_mut(&mut self.header);
        let args = [Operand::Variable(header.outputs[output]), Operand::Constant(multiple)];
        header.outputs[output] = scaled;
        self.statements.push(Statement::new(Op::Mul, scaled, &args));
    }

    /// What the program is given and returns.
    pub fn signature(&self) -> &Signature {
        &self.header.signature
    }

    /// The statements in order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The variable returned for each output: the update, each state slot, and the readout if there
    /// is one.
    pub fn outputs(&self) -> &[Variable] {
        &self.header.outputs
    }

    /// The variable returned as the readout.
    pub fn readout(&self) -> Option<Variable> {
        self.header.signature.has_readout().then(|| self.header.outputs.last().copied()).flatten()
    }

    /// One more than the largest variable in use.
    pub fn variables(&self) -> usize {
        let operands = self.statements.iter().flat_map(Statement::args);
        let read = operands.filter_map(|operand| match operand {
            Operand::Variable(variable) => Some(*variable),
            Operand::Constant(_) => None,
        });
        let written = self.statements.iter().map(|statement| statement.target);
        let largest = read.chain(written).map(|variable| usize::from(variable.0) + 1).max();
        largest.unwrap_or(0).max(self.header.signature.parameters().len())
    }

    /// A variable that no statement writes or reads and that is no parameter and no output.
    pub fn fresh_variable(&self) -> Variable {
        self.fresh_variables().next().expect("at most 10,000 statements, so few variables")
    }

    /// All such variables, lowest first.
    pub(crate) fn fresh_variables(&self) -> impl Iterator<Item = Variable> {
        let parameters = self.header.signature.parameters().len();
        let mut used = vec![false; self.variables() + self.header.outputs.len()];
        let mut mark = |variable: Variable| {
            if let Some(slot) = used.get_mut(usize::from(variable.0)) {
                *slot = true;
            }
        };
        for statement in &self.statements {
            mark(statement.target);
            for operand in statement.args() {
                if let Operand::Variable(variable) = operand {
                    mark(*variable);
                }
            }
        }
        self.header.outputs.iter().copied().for_each(mark);
        let free = (parameters..).filter(move |&index| !used.get(index).is_some_and(|used| *used));
        free.map_while(|index| u16::try_from(index).ok().map(Variable))
    }

    /// The name of a variable in the text form.
    pub fn name(&self, variable: Variable) -> Cow<'_, str> {
        let index = usize::from(variable.0);
        if let Some(name) = self.header.names.get(index) {
            return Cow::Borrowed(name);
        }
        let mut name = format!("v{index}");
        while self.header.names.iter().any(|taken| **taken == *name) {
            name.push('_');
        }
        Cow::Owned(name)
    }

    /// The type of every variable before statement `position` runs (`None`: not yet defined);
    /// at `statements().len()`, when the program returns.
    pub fn types_at(&self, position: usize) -> Vec<Option<Type>> {
        check::types_at(self, position)
    }
}

/// Two programs are equal when they have the same signature and the same text.
impl PartialEq for Program {
    fn eq(&self, other: &Program) -> bool {
        self.signature() == other.signature() && self.to_string() == other.to_string()
    }
}
