//! A space of optimizers small enough to be written out: every program of a few statements from a
//! list of them.
//!
//! Invariant: a program is of the space if each of its statements is one of [`Space::forms`] and
//! there are no more than [`SpaceConfig::length`] of them; programs are numbered by their
//! statements, shorter ones first, and a number that no checked program has is left out. Mutation
//! stays within the space: a child that does not check is drawn again from the same stream. That of
//! other searches makes names and constants of its own, of which there is no end.

use evo_domain::SettingError;
use evo_hashes::StreamRng;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::{Op, OpChoice, Operand, Program, Role, Signature, Statement, Variable};

/// Which optimizers a space holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpaceConfig {
    /// The ops of statements.
    pub ops: OpChoice,
    /// What statements may read: `w`, `g`, states (`m`, `v`, …), `lr` and `update`.
    pub reads: Vec<String>,
    /// The numbers that may stand in place of what is read.
    pub constants: Vec<f64>,
    /// State slots.
    pub states: usize,
    /// The most statements of a program.
    pub length: usize,
}

/// A space of optimizers.
#[derive(Clone, Debug)]
pub struct Space {
    /// Any program of it: all have one header.
    header: Program,
    forms: Vec<Statement>,
    length: usize,
}

/// The most sequences of statements that a space is made of: each is checked when the space is
/// written out.
const MOST_SEQUENCES: u64 = 20_000_000;

/// The most operands to choose from: with more, the statements of one op alone are too many.
const MOST_OPERANDS: usize = 64;

/// How often a child is drawn before its parent stands in for it.
const TRIES: usize = 1_000;

/// The kinds of mutation.
const KINDS: [&str; 3] = ["insert", "delete", "change"];

impl Space {
    /// The space that the settings describe.
    ///
    /// # Errors
    /// An op or a name that is none, too many states, a number that is not finite, or a space that
    /// is empty or too large to be written out.
    pub fn new(config: &SpaceConfig) -> Result<Space, SettingError> {
        let ops = config.ops.resolve()?;
        let signature = Signature::optimizer(config.states, false)
            .ok_or_else(|| error("states", format!("must be at most {}", Signature::MAX_STATES)))?;
        let parameters = signature.parameters().iter().map(|it| Signature::default_name(*it));
        let names: Vec<&str> = parameters.chain([UPDATE]).collect();
        let operands = config.operands(&names)?;
        let update = variable(names.len() - 1);
        let states = signature.parameters().iter().enumerate();
        let states = states.filter(|(_, role)| matches!(role, Role::State(_)));
        let mut targets = vec![update];
        targets.extend(states.map(|(index, _)| variable(index)));
        let forms = forms(&ops, &targets, &operands);
        let sequences = sequences(forms.len() as u64, config.length);
        if sequences.is_none_or(|count| count > MOST_SEQUENCES) {
            let message = format!(
                "{} statements to choose from make more than {MOST_SEQUENCES} programs",
                forms.len()
            );
            return Err(error("length", message));
        }
        let boxed = names.iter().map(|name| Box::from(*name)).collect::<Vec<Box<str>>>();
        let first = forms.iter().find_map(|form| {
            Program::new(signature.clone(), boxed.clone(), targets.clone(), vec![*form]).ok()
        });
        let header = first.filter(|_| config.length > 0).ok_or_else(|| {
            error("length", "no program of these statements is an optimizer".to_owned())
        })?;
        Ok(Space { header, forms, length: config.length })
    }

    /// The statements that programs are made of, in their order.
    pub fn forms(&self) -> &[Statement] {
        &self.forms
    }

    /// The number of all sequences of statements: programs, and what is none.
    pub fn sequences(&self) -> u64 {
        sequences(self.forms.len() as u64, self.length).expect("it was counted before")
    }

    /// The program with a number; `None` where the sequence of that number is none.
    pub fn program(&self, number: u64) -> Option<Program> {
        let count = self.forms.len() as u64;
        let (mut rest, mut length, mut of_length) = (number, 1, count);
        while rest >= of_length {
            if length == self.length {
                return None;
            }
            rest -= of_length;
            of_length *= count;
            length += 1;
        }
        let mut statements = Vec::with_capacity(length);
        for _ in 0..length {
            statements.push(self.forms[usize::try_from(rest % count).expect("it is an index")]);
            rest /= count;
        }
        statements.reverse();
        self.header.with_statements(statements).ok()
    }

    /// Whether a program is of the space, as it stands.
    pub fn contains(&self, program: &Program) -> bool {
        let statements = program.statements();
        let known = |statement: &Statement| self.forms.contains(statement);
        program.signature() == self.header.signature()
            && program.outputs() == self.header.outputs()
            && (1..=self.length).contains(&statements.len())
            && statements.iter().all(known)
    }

    /// The names of the kinds of mutation.
    pub fn mutations(&self) -> &'static [&'static str] {
        &KINDS
    }

    /// A child within the space, with the index of its kind; the parent itself where none is found.
    pub fn mutate(&self, parent: &Program, rng: &mut StreamRng) -> (Program, Option<usize>) {
        for _ in 0..TRIES {
            let kind = rng.random_range(0..KINDS.len());
            let edited = self.edited(kind, parent.statements(), rng);
            if let Some(child) = edited.and_then(|edited| parent.with_statements(edited).ok()) {
                return (child, Some(kind));
            }
        }
        (parent.clone(), None)
    }

    /// The statements of a child, which may be none; `None` where the kind is not possible.
    fn edited(
        &self,
        kind: usize,
        parent: &[Statement],
        rng: &mut StreamRng,
    ) -> Option<Vec<Statement>> {
        let mut statements = parent.to_vec();
        match KINDS[kind] {
            "insert" if statements.len() < self.length => {
                let place = rng.random_range(0..=statements.len());
                statements.insert(place, self.forms[rng.random_range(0..self.forms.len())]);
            }
            "delete" if statements.len() > 1 => {
                statements.remove(rng.random_range(0..statements.len()));
            }
            "change" => {
                let place = rng.random_range(0..statements.len());
                let old = statements[place];
                let near: Vec<&Statement> =
                    self.forms.iter().filter(|it| is_near(it, &old)).collect();
                let chosen = rng.random_range(0..near.len().max(1));
                statements[place] = **near.get(chosen)?;
            }
            _ => return None,
        }
        Some(statements)
    }
}

impl SpaceConfig {
    /// What statements may read, where variables have these names.
    fn operands(&self, names: &[&str]) -> Result<Vec<Operand>, SettingError> {
        if let Some(index) = self.constants.iter().position(|number| !number.is_finite()) {
            return Err(error(&format!("constants[{index}]"), "must be finite".to_owned()));
        }
        if self.reads.len() + self.constants.len() > MOST_OPERANDS {
            let message = format!("with `reads`, must be at most {MOST_OPERANDS}");
            return Err(error("constants", message));
        }
        let mut operands = Vec::new();
        for (index, read) in self.reads.iter().enumerate() {
            let place = names.iter().position(|name| name == read).ok_or_else(|| {
                let message = format!("expected one of {}, not `{read}`", names.join(", "));
                error(&format!("reads[{index}]"), message)
            })?;
            operands.push(Operand::Variable(variable(place)));
        }
        operands.extend(self.constants.iter().map(|number| Operand::Constant(*number)));
        Ok(operands)
    }
}

fn error(key: &str, message: String) -> SettingError {
    SettingError::new(format!("mutation.{key}"), message)
}

fn variable(index: usize) -> Variable {
    Variable(u16::try_from(index).expect("there are few"))
}

/// The name of what is returned.
const UPDATE: &str = "update";

/// Sequences of one to `length` of `count` statements; `None` for too many to count.
fn sequences(count: u64, length: usize) -> Option<u64> {
    (0..length).try_fold(0_u64, |shorter, _| shorter.checked_add(1)?.checked_mul(count))
}

/// Every statement, in order of ops, targets and arguments. Those that read constants alone are
/// left out, and of two that differ in the order of the arguments of a commutative op the second.
fn forms(ops: &[Op], targets: &[Variable], operands: &[Operand]) -> Vec<Statement> {
    let mut forms = Vec::new();
    for &op in ops {
        let arity = op.arity();
        let choices = operands.len().pow(u32::try_from(arity).expect("at most three"));
        for &target in targets {
            for choice in 0..choices {
                let digit = |slot: usize| {
                    let below = operands.len().pow(u32::try_from(slot).expect("at most three"));
                    choice / below % operands.len()
                };
                let places: Vec<usize> = (0..arity).rev().map(digit).collect();
                let args: Vec<Operand> = places.iter().map(|place| operands[*place]).collect();
                let reads = args.iter().any(|it| matches!(it, Operand::Variable(_)));
                let sorted = !op.info().commutative || places.is_sorted();
                if reads && sorted {
                    forms.push(Statement::new(op, target, &args));
                }
            }
        }
    }
    forms
}

/// Whether two statements differ in one part: the target, the op, or an argument.
fn is_near(a: &Statement, b: &Statement) -> bool {
    if a.args().len() != b.args().len() {
        // Another arity: the op is the part, and what both read stays.
        return a.target == b.target && a.args().iter().zip(b.args()).all(|(a, b)| a == b);
    }
    let arguments = a.args().iter().zip(b.args()).filter(|(a, b)| a != b).count();
    usize::from(a.target != b.target) + usize::from(a.op != b.op) + arguments == 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use evo_hashes::Seed;

    use super::*;

    fn config(ops: &[&str], reads: &[&str], constants: &[f64], length: usize) -> SpaceConfig {
        SpaceConfig {
            ops: OpChoice::List(ops.iter().map(|op| (*op).to_owned()).collect()),
            reads: reads.iter().map(|read| (*read).to_owned()).collect(),
            constants: constants.to_vec(),
            states: 1,
            length,
        }
    }

    fn programs(space: &Space) -> Vec<Program> {
        (0..space.sequences()).filter_map(|number| space.program(number)).collect()
    }

    #[test]
    fn the_count_is_that_worked_out_by_hand() {
        // g + g, g + 0.5 and sign(g), each to `update` and to `m`: six statements. Alone three of
        // them are programs; of two, all 36 but the nine that never assign `update`.
        let space = Space::new(&config(&["+", "sign"], &["g"], &[0.5], 2)).expect("it is small");
        assert_eq!((space.forms().len(), space.sequences()), (6, 6 + 36));
        let all = programs(&space);
        assert_eq!(all.len(), 3 + 27);
        assert!(all.iter().all(|program| space.contains(program)));
        let texts: BTreeSet<String> = all.iter().map(Program::to_string).collect();
        assert_eq!(texts.len(), all.len());
        assert!(space.program(space.sequences()).is_none());
    }

    #[test]
    fn what_reads_the_update_before_it_is_there_is_none() {
        let space = Space::new(&config(&["sign"], &["g", "update"], &[], 1)).expect("it is small");
        // sign(g) and sign(update), each to `update` and to `m`; one of the four stands alone.
        assert_eq!((space.forms().len(), programs(&space).len()), (4, 1));
    }

    #[test]
    fn mutation_stays_within_the_space_and_reaches_all_of_it() {
        let space = config(&["+", "-", "sign"], &["g", "m", "update"], &[0.1], 2);
        let space = Space::new(&space).expect("it is small");
        let all: BTreeSet<String> = programs(&space).iter().map(Program::to_string).collect();
        let start = programs(&space).remove(0);
        let mut rng = Seed(1).stream("mutation", 0);
        let (mut seen, mut waiting) = (BTreeSet::from([start.to_string()]), vec![start]);
        while let Some(parent) = waiting.pop() {
            for _ in 0..400 {
                let (child, _) = space.mutate(&parent, &mut rng);
                assert!(space.contains(&child), "{child}");
                if seen.insert(child.to_string()) {
                    waiting.push(child);
                }
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn what_is_no_space_is_refused_at_its_key() {
        let error = |config: &SpaceConfig| Space::new(config).expect_err("it is refused").key;
        let sound = config(&["+"], &["g"], &[0.5], 2);
        assert_eq!(
            error(&SpaceConfig { reads: vec!["x".to_owned()], ..sound.clone() }),
            "mutation.reads[0]"
        );
        assert_eq!(error(&SpaceConfig { states: 9, ..sound.clone() }), "mutation.states");
        assert_eq!(
            error(&SpaceConfig { constants: vec![f64::NAN], ..sound.clone() }),
            "mutation.constants[0]"
        );
        let many = SpaceConfig { constants: vec![0.5; 90], ..sound.clone() };
        assert_eq!(error(&many), "mutation.constants");
        for length in [0, 40] {
            assert_eq!(error(&SpaceConfig { length, ..sound.clone() }), "mutation.length");
        }
        assert_eq!(error(&config(&["+"], &[], &[0.5], 2)), "mutation.length");
    }
}
