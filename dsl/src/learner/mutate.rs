//! How learners are mutated: the kinds of AutoML-Zero (arXiv 2003.03384), each a random edit of one
//! function, or of all.
//!
//! Invariant: a child is a learner within the limits of its parent's search, whatever is drawn: ops
//! have fixed types, so any op may stand anywhere. Where the drawn kind is impossible in the drawn
//! function the child is its parent, as in the released program.

mod config;

use evo_domain::SettingError;
use evo_hashes::StreamRng;
use rand::RngExt;

use super::functions::Functions;
use super::task::normal;
use super::{LearnerConstants, LearnerFunction, LearnerOp, LearnerProgram, LearnerStatement};
use super::{LearnerTasks, LearnerType};

pub use config::{LearnerFunctionConfig, LearnerMemory, LearnerMutation, LearnerWeights};

/// The share of changed constants that change sign; the others are scaled.
const FLIP: f64 = 0.1;

/// Makes children of learners, and learners from nothing.
#[derive(Clone, Debug)]
pub struct LearnerMutator {
    /// Of the kinds, in the order of [`LearnerWeights::NAMES`].
    weights: [f64; 7],
    /// The probability that a child is changed at all.
    mutate: f64,
    /// How many addresses there are of each type.
    memory: [u8; 3],
    functions: [Space; 3],
    /// The functions that have ops.
    mutable: Vec<LearnerFunction>,
}

/// What a function may consist of.
#[derive(Clone, Debug)]
struct Space {
    ops: Vec<LearnerOp>,
    least: usize,
    most: usize,
    start: usize,
}

impl LearnerMutator {
    /// A mutator with these settings.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn new(config: &LearnerMutation) -> Result<LearnerMutator, SettingError> {
        config.check()?;
        let LearnerMemory { scalars, vectors, matrices } = config.memory;
        let memory = [scalars, vectors, matrices];
        let functions = [&config.setup, &config.predict, &config.learn];
        let mut spaces = Vec::with_capacity(3);
        for (function, config) in LearnerFunction::ALL.into_iter().zip(functions) {
            let ops = config.ops(function, memory)?;
            let LearnerFunctionConfig { least, most, start, .. } = *config;
            spaces.push(Space { ops, least, most, start: start.unwrap_or(least) });
        }
        let functions: [Space; 3] = spaces.try_into().expect("there are three functions");
        let has_ops = |function: &LearnerFunction| !functions[*function as usize].ops.is_empty();
        let mutable: Vec<LearnerFunction> =
            LearnerFunction::ALL.into_iter().filter(has_ops).collect();
        if mutable.is_empty() {
            let message = "no function has an op to write";
            return Err(SettingError::new("mutation", message));
        }
        let (weights, mutate) = (config.weights.by_kind(), config.mutate);
        Ok(LearnerMutator { weights, mutate, memory, functions, mutable })
    }

    /// A learner of random statements.
    pub fn random(&self, rng: &mut StreamRng) -> LearnerProgram {
        let functions = LearnerFunction::ALL.map(|function| {
            let Space { ops, start, .. } = &self.functions[function as usize];
            match ops.is_empty() {
                true => vec![LearnerStatement::NO_OP; *start],
                false => (0..*start).map(|_| self.statement(function, rng)).collect(),
            }
        });
        let [setup, predict, learn] = &functions;
        LearnerProgram::of_valid([setup, predict, learn])
    }

    /// The learner of statements that do nothing.
    pub fn empty(&self) -> LearnerProgram {
        let functions = [0, 1, 2].map(|it| vec![LearnerStatement::NO_OP; self.functions[it].start]);
        let [setup, predict, learn] = &functions;
        LearnerProgram::of_valid([setup, predict, learn])
    }

    /// What of a learner lies outside the limits, if anything does.
    pub fn fault(&self, program: &LearnerProgram) -> Option<String> {
        for function in LearnerFunction::ALL {
            let statements = program.function(function);
            let Space { least, most, .. } = self.functions[function as usize];
            let (name, length) = (function.name(), statements.len());
            if length > most {
                return Some(format!("{name} has {length} statements, and at most {most} fit"));
            }
            if length < least {
                return Some(format!("{name} has {length} statements, and needs {least} or more"));
            }
            let beyond = statements.iter().find_map(|statement| self.beyond(statement));
            if let Some((ty, address)) = beyond {
                let count = self.memory[ty as usize];
                let name = format!("{}{address}", ty.letter());
                return Some(format!("`{name}` is not among the {count} addresses of a {ty}"));
            }
        }
        None
    }

    /// An address that memory does not have.
    fn beyond(&self, statement: &LearnerStatement) -> Option<(LearnerType, u8)> {
        let shape = statement.op.shape();
        let inputs = shape.inputs.into_iter().zip(statement.inputs);
        let mut all = inputs.chain([(shape.output, statement.output)]);
        all.find_map(|(ty, address)| {
            ty.filter(|ty| address >= self.memory[*ty as usize]).map(|ty| (ty, address))
        })
    }

    /// A child, with the index of its kind; the parent where nothing was changed.
    pub(super) fn mutate(
        &self,
        parent: &LearnerProgram,
        rng: &mut StreamRng,
    ) -> (LearnerProgram, Option<usize>) {
        if self.mutate < 1.0 && rng.random::<f64>() >= self.mutate {
            return (parent.clone(), None);
        }
        let total: f64 = self.weights.iter().sum();
        let mut left = rng.random::<f64>() * total;
        let drawn = self.weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        // Rounding may leave a little.
        let last = || self.weights.iter().rposition(|weight| *weight > 0.0);
        let kind = drawn.or_else(last).expect("a weight is above 0");
        let function = self.mutable[rng.random_range(0..self.mutable.len())];
        match self.changed(kind, function, parent, rng) {
            Some(child) => (child, Some(kind)),
            None => (parent.clone(), None),
        }
    }

    /// The child that an edit of a kind leads to, where that is possible.
    fn changed(
        &self,
        kind: usize,
        function: LearnerFunction,
        parent: &LearnerProgram,
        rng: &mut StreamRng,
    ) -> Option<LearnerProgram> {
        let Space { least, most, .. } = self.functions[function as usize];
        let range = parent.range(function);
        let length = range.len();
        if matches!(kind, 0 | 1) && length > 0 {
            let at = range.start + rng.random_range(0..length);
            let mut statement = parent.statements()[at];
            match kind {
                0 => self.alter(&mut statement, rng),
                _ => statement = self.statement(function, rng),
            }
            return Some(parent.with(at, statement));
        }
        let mut child = parent.functions();
        match kind {
            0..=2 if length == 0 => return None,
            2 => self.randomize(function, &mut child, rng),
            3 if length < most => self.insert(function, &mut child, rng),
            4 if length > least => child.remove(function, rng.random_range(0..length)),
            5 if length > 0 || most > 0 => {
                self.insert(function, &mut child, rng);
                child.remove(function, rng.random_range(0..=length));
            }
            6 if !parent.statements().is_empty() => {
                self.mutable.iter().for_each(|it| self.randomize(*it, &mut child, rng));
            }
            _ => return None,
        }
        Some(LearnerProgram::deriving(child))
    }

    /// Draws all statements of a function anew.
    fn randomize(&self, function: LearnerFunction, child: &mut Functions, rng: &mut StreamRng) {
        let range = child.range(function);
        let statements = &mut child.statements_mut()[range];
        statements.iter_mut().for_each(|it| *it = self.statement(function, rng));
    }

    fn insert(&self, function: LearnerFunction, child: &mut Functions, rng: &mut StreamRng) {
        let at = rng.random_range(0..=child.range(function).len());
        child.insert(function, at, self.statement(function, rng));
    }

    /// A statement of an op drawn for a function.
    pub(super) fn statement(
        &self,
        function: LearnerFunction,
        rng: &mut StreamRng,
    ) -> LearnerStatement {
        let ops = &self.functions[function as usize].ops;
        let op = ops[rng.random_range(0..ops.len())];
        let mut statement = LearnerStatement { op, ..LearnerStatement::NO_OP };
        for input in 0..2 {
            self.draw_input(&mut statement, input, rng);
        }
        self.draw_output(&mut statement, rng);
        draw_constants(&mut statement, rng);
        statement
    }

    fn draw_input(&self, statement: &mut LearnerStatement, input: usize, rng: &mut StreamRng) {
        if let Some(ty) = statement.op.shape().inputs[input] {
            statement.inputs[input] = rng.random_range(0..self.memory[ty as usize]);
        }
    }

    fn draw_output(&self, statement: &mut LearnerStatement, rng: &mut StreamRng) {
        if let Some(ty) = statement.op.shape().output {
            let least = u8::from(ty != LearnerType::Matrix);
            statement.output = rng.random_range(least..self.memory[ty as usize]);
        }
    }

    /// Draws one of a statement's addresses anew, or changes a constant.
    fn alter(&self, statement: &mut LearnerStatement, rng: &mut StreamRng) {
        let shape = statement.op.shape();
        let inputs = shape.inputs.iter().flatten().count();
        if shape.output.is_none() {
            return;
        }
        let parts = inputs + usize::from(shape.constants > 0);
        match rng.random_range(0..=parts) {
            part if part == parts => self.draw_output(statement, rng),
            input if input < inputs => self.draw_input(statement, input, rng),
            _ => alter_constants(statement, rng),
        }
    }
}

fn draw_constants(statement: &mut LearnerStatement, rng: &mut StreamRng) {
    let signed = |rng: &mut StreamRng| rng.random_range(-1.0..1.0);
    let share = |rng: &mut StreamRng| rng.random::<f64>();
    statement.constants = match statement.op.info().constants {
        LearnerConstants::None => [0.0; 3],
        LearnerConstants::Value => [signed(rng), 0.0, 0.0],
        LearnerConstants::IndexValue => [share(rng), signed(rng), 0.0],
        LearnerConstants::IndicesValue => [share(rng), share(rng), signed(rng)],
        LearnerConstants::MeanDeviation => [signed(rng), share(rng), 0.0],
        LearnerConstants::LowHigh => [signed(rng), signed(rng), 0.0],
    };
}

fn alter_constants(statement: &mut LearnerStatement, rng: &mut StreamRng) {
    let constants = &mut statement.constants;
    match statement.op.info().constants {
        LearnerConstants::None => {}
        LearnerConstants::Value => scale_or_flip(&mut constants[0], rng),
        LearnerConstants::IndexValue => match rng.random_range(0..2) {
            0 => constants[0] = rng.random(),
            _ => scale_or_flip(&mut constants[1], rng),
        },
        LearnerConstants::IndicesValue => match rng.random_range(0..3) {
            place @ 0..2 => constants[place] = rng.random(),
            _ => scale_or_flip(&mut constants[2], rng),
        },
        LearnerConstants::MeanDeviation => match rng.random_range(0..2) {
            0 => scale_or_flip(&mut constants[0], rng),
            _ => scale(&mut constants[1], rng),
        },
        LearnerConstants::LowHigh => {
            let end = rng.random_range(0..2);
            scale_or_flip(&mut constants[end], rng);
            if constants[0] > constants[1] {
                constants.swap(0, 1);
            }
        }
    }
}

fn scale_or_flip(constant: &mut f64, rng: &mut StreamRng) {
    match rng.random::<f64>() < FLIP {
        true => *constant = -*constant,
        false => scale(constant, rng),
    }
}

fn scale(constant: &mut f64, rng: &mut StreamRng) {
    let scaled = *constant * libm::exp(normal(rng));
    // One beyond all numbers would be none that a learner may have.
    if scaled.is_finite() {
        *constant = scaled;
    }
}

/// The domain of learners.
impl super::Learners {
    /// Learners mutated in this way, and compared by what they predict for the first examples of
    /// these tasks.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn new(
        config: &LearnerMutation,
        probe: LearnerTasks,
    ) -> Result<super::Learners, SettingError> {
        Ok(super::Learners::of(LearnerMutator::new(config)?, probe))
    }
}

#[cfg(test)]
mod tests;
