//! Names: the result as a program in the words of the original.
//!
//! Invariant: a variable is assigned again only where nothing reads the value it held any more, so
//! the statements compute the graph whatever the names. A value keeps the name it had in the
//! original where that is free, the update is called `update`, and the next value of a state slot
//! has the slot's own name if no later statement reads the old one. A dead slot returns itself, and
//! a readout that is the update is left out.

use super::extract::Extracted;
use crate::{Op, Operand, Program, Role, Statement, Value, Variable};

/// Who a variable belongs to while statements are written down.
struct Names {
    names: Vec<Box<str>>,
    /// What each variable holds.
    holds: Vec<Value>,
    /// Whether statements may assign the variable at all.
    reserved: Vec<bool>,
}

/// The program that the steps compute, `origins` giving for each step the statement of the
/// original that computed the same.
pub(super) fn named(
    original: &Program,
    extracted: &Extracted,
    origins: &[Option<usize>],
) -> Program {
    let signature = original.signature();
    let parameters = signature.parameters();
    let mut names = Names {
        names: (0..parameters.len()).map(|index| original.name(numbered(index)).into()).collect(),
        holds: parameters.iter().map(|role| Value::Input(*role)).collect(),
        reserved: parameters.iter().map(|role| is_dead_slot(*role, &extracted.outputs)).collect(),
    };
    let last_read = LastReads::of(extracted);
    let mut statements: Vec<Statement> = Vec::with_capacity(extracted.steps.len());
    for (index, step) in extracted.steps.iter().enumerate() {
        let operands = step.args.map(|value| match value {
            Value::Constant(constant) => Operand::Constant(constant),
            value => Operand::Variable(names.variable_of(value)),
        });
        let wanted = wanted(original, extracted, index, origins[index]);
        let target = names.target(index, &wanted, &last_read, original);
        statements.push(Statement::new(step.op, target, &operands[..step.op.arity()]));
    }
    let outputs = extracted.outputs.iter().enumerate().map(|(output, value)| {
        let value = value.unwrap_or_else(|| Value::Input(Role::State(output - 1)));
        names.variable_of(value)
    });
    let outputs: Vec<Variable> = outputs.collect();
    let signature = signature.clone().with_readout(outputs.len() > 1 + signature.states());
    Program::new(signature, names.names, outputs, statements)
        .expect("terms are typed, and steps come after what they read")
}

fn is_dead_slot(role: Role, outputs: &[Option<Value>]) -> bool {
    matches!(role, Role::State(slot) if outputs[1 + slot].is_none())
}

/// The names a step would like, the dearest first.
fn wanted(
    original: &Program,
    extracted: &Extracted,
    step: usize,
    origin: Option<usize>,
) -> Vec<String> {
    let mut wanted = Vec::new();
    for (output, value) in extracted.outputs.iter().enumerate().rev() {
        if *value == Some(Value::Node(step)) {
            wanted.push(match output {
                0 if original.signature().is_expression() => {
                    original.name(original.outputs()[0]).into_owned()
                }
                0 => "update".to_owned(),
                output if output > original.signature().states() => "readout".to_owned(),
                output => {
                    let role = Role::State(output - 1);
                    let parameters = original.signature().parameters();
                    let index = parameters.iter().position(|other| *other == role);
                    let index = index.expect("the signature has a parameter for every state slot");
                    original.name(numbered(index)).into_owned()
                }
            });
        }
    }
    if let Some(origin) = origin {
        wanted.push(original.name(original.statements()[origin].target).into_owned());
    }
    if wanted.is_empty() {
        wanted.push("x".to_owned());
    }
    wanted
}

impl Names {
    fn variable_of(&self, value: Value) -> Variable {
        let index = self.holds.iter().position(|held| *held == value);
        numbered(index.expect("a value is kept as long as it is read"))
    }

    /// The variable that step `index` assigns.
    fn target(
        &mut self,
        index: usize,
        wanted: &[String],
        last_read: &LastReads,
        original: &Program,
    ) -> Variable {
        let targets = original.statements().iter().map(|statement| statement.target);
        let used: Vec<_> = targets.map(|target| original.name(target)).collect();
        let suffixed = (2..).map(|suffix| {
            let last = wanted.last().expect("a step wants a name");
            let separator =
                if last.ends_with(|letter: char| letter.is_ascii_digit()) { "_" } else { "" };
            format!("{last}{separator}{suffix}")
        });
        // A name that means something else in the original would mislead.
        let suffixed = suffixed.filter(|name| !used.iter().any(|used| used == name));
        for name in wanted.iter().cloned().chain(suffixed) {
            match self.names.iter().position(|taken| **taken == *name) {
                None if is_word(&name) => {
                    self.names.push(name.into());
                    self.holds.push(Value::Node(index));
                    self.reserved.push(false);
                    return numbered(self.names.len() - 1);
                }
                Some(taken)
                    if !self.reserved[taken]
                        && wanted.contains(&name)
                        && last_read.of_value(self.holds[taken]) <= index =>
                {
                    self.holds[taken] = Value::Node(index);
                    return numbered(taken);
                }
                _ => {}
            }
        }
        unreachable!("suffixes do not end")
    }
}

/// Whether a name can be that of a variable.
fn is_word(name: &str) -> bool {
    Op::from_name(name).is_none() && !["def", "return", "train"].contains(&name)
}

/// The last step that reads each value; for what is returned, one that never comes.
struct LastReads(Vec<(Value, usize)>);

impl LastReads {
    fn of(extracted: &Extracted) -> LastReads {
        let mut reads = Vec::new();
        for (index, step) in extracted.steps.iter().enumerate() {
            reads.extend(step.args[..step.op.arity()].iter().map(|value| (*value, index)));
        }
        reads.extend(extracted.outputs.iter().flatten().map(|value| (*value, usize::MAX)));
        LastReads(reads)
    }

    fn of_value(&self, value: Value) -> usize {
        let reads = self.0.iter().filter(|(read, _)| *read == value);
        reads.map(|(_, step)| *step).max().unwrap_or(0)
    }
}

fn numbered(index: usize) -> Variable {
    Variable(u16::try_from(index).expect("a simplified program is no longer than the original"))
}
