//! Learners as programs: three functions of statements over one memory.
//!
//! Invariant: a learner that exists can be run. Every address is below
//! [`LearnerProgram::ADDRESSES`], no statement writes the label or the features, constants are
//! finite, and what an op does not use is 0, so that equal learners are equal statement by
//! statement.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use evo_hashes::Hash;
use thiserror::Error;

use super::canonical::structure;
use super::functions::Functions;
use super::live::Live;
use super::{LearnerOp, LearnerType};

/// The functions of a learner, in the order of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LearnerFunction {
    /// Runs once, on a memory of zeros.
    Setup,
    /// From the features at `v0` makes the prediction at `s1`.
    Predict,
    /// Runs behind `Predict` in training, with the label at `s0`.
    Learn,
}

impl LearnerFunction {
    /// All of them.
    pub const ALL: [LearnerFunction; 3] =
        [LearnerFunction::Setup, LearnerFunction::Predict, LearnerFunction::Learn];

    /// Its name in the text.
    pub fn name(self) -> &'static str {
        match self {
            LearnerFunction::Setup => "Setup",
            LearnerFunction::Predict => "Predict",
            LearnerFunction::Learn => "Learn",
        }
    }
}

/// One op applied to what stands at addresses, or to constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnerStatement {
    /// What it computes.
    pub op: LearnerOp,
    /// Where its arguments stand; 0 for those that the op does not have.
    pub inputs: [u8; 2],
    /// Where the result goes; 0 for `no_op`.
    pub output: u8,
    /// Its constants, in the order of [`LearnerConstants`](super::LearnerConstants); 0 for those
    /// that the op does not have.
    pub constants: [f64; 3],
}

impl LearnerStatement {
    /// The statement that does nothing.
    pub const NO_OP: LearnerStatement =
        LearnerStatement { op: LearnerOp::NoOp, inputs: [0; 2], output: 0, constants: [0.0; 3] };

    /// What is wrong with it, if anything is.
    pub(super) fn fault(&self) -> Option<String> {
        let info = self.op.info();
        let beyond = |address: &u8| *address >= LearnerProgram::ADDRESSES;
        if self.inputs.iter().chain([&self.output]).any(beyond) {
            let least = LearnerProgram::ADDRESSES;
            return Some(format!("addresses must be below {least}"));
        }
        if self.op.shape().is_given(self.output) {
            let (name, what) = match info.output {
                Some(LearnerType::Scalar) => ("s0", "label"),
                _ => ("v0", "features"),
            };
            return Some(format!("`{name}` holds the {what}, which no statement may write"));
        }
        let constants = info.constants.count();
        if self.constants.iter().any(|constant| !constant.is_finite()) {
            return Some("constants must be finite".to_owned());
        }
        let unused = self.inputs[info.inputs.len()..].iter().any(|input| *input != 0)
            || self.constants[constants..].iter().any(|constant| constant.to_bits() != 0)
            || (info.output.is_none() && self.output != 0);
        unused.then(|| format!("what `{}` does not use must be 0", info.name))
    }
}

/// Why statements are no learner.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}, statement {statement}: {message}", function.name())]
pub struct LearnerError {
    /// The function.
    pub function: LearnerFunction,
    /// The statement in it, from 0.
    pub statement: usize,
    /// What is wrong.
    pub message: String,
}

/// A learning algorithm in the language of AutoML-Zero (arXiv 2003.03384).
///
/// Memory is zero at first. `s0` is the label, 0 wherever it is to be predicted; `s1` the
/// prediction; `v0` the features. How many numbers a vector has is the task's.
#[derive(Clone, Debug)]
pub struct LearnerProgram {
    functions: Functions,
    derived: Arc<Derived>,
}

/// What follows from the statements, as hashes and evaluation need it.
#[derive(Debug)]
struct Derived {
    live: Live,
    structure: OnceLock<Hash>,
}

impl PartialEq for LearnerProgram {
    fn eq(&self, other: &LearnerProgram) -> bool {
        self.functions == other.functions
    }
}

impl LearnerProgram {
    /// How many addresses there are of each type.
    pub const ADDRESSES: u8 = 64;

    /// The most statements of one function.
    pub const MOST_STATEMENTS: usize = 1_000;

    /// The address of the label among scalars, and of the features among vectors.
    pub const GIVEN: u8 = 0;

    /// The address of the prediction among scalars.
    pub const PREDICTION: u8 = 1;

    /// The learner with these functions.
    ///
    /// # Errors
    /// The first statement that cannot be one, or the first too many.
    pub fn new(functions: [&[LearnerStatement]; 3]) -> Result<LearnerProgram, LearnerError> {
        for (function, statements) in LearnerFunction::ALL.into_iter().zip(functions) {
            let error = |statement, message| LearnerError { function, statement, message };
            if statements.len() > Self::MOST_STATEMENTS {
                let most = Self::MOST_STATEMENTS;
                return Err(error(most, format!("a function has at most {most} statements")));
            }
            let faults = statements.iter().enumerate();
            let mut faults = faults.filter_map(|(index, it)| Some((index, it.fault()?)));
            if let Some((statement, message)) = faults.next() {
                return Err(error(statement, message));
            }
        }
        Ok(LearnerProgram::of_valid(functions))
    }

    /// The learner of statements that are known to be sound.
    pub(super) fn of_valid(functions: [&[LearnerStatement]; 3]) -> LearnerProgram {
        LearnerProgram::deriving(Functions::of(functions))
    }

    /// The learner of functions that are known to be sound.
    pub(super) fn deriving(functions: Functions) -> LearnerProgram {
        let derived = Derived { live: Live::of(&functions), structure: OnceLock::new() };
        LearnerProgram { functions, derived: Arc::new(derived) }
    }

    /// The learner without statements.
    pub fn empty() -> LearnerProgram {
        LearnerProgram::of_valid([&[]; 3])
    }

    /// The statements of a function.
    pub fn function(&self, function: LearnerFunction) -> &[LearnerStatement] {
        &self.statements()[self.range(function)]
    }

    /// All statements, function by function.
    pub fn statements(&self) -> &[LearnerStatement] {
        self.functions.statements()
    }

    /// Where the statements of a function are among all.
    pub(super) fn range(&self, function: LearnerFunction) -> Range<usize> {
        self.functions.range(function)
    }

    /// Its functions, to be edited.
    pub(super) fn functions(&self) -> Functions {
        self.functions.clone()
    }

    /// What of it has an effect.
    pub(super) fn effects(&self) -> &Live {
        &self.derived.live
    }

    /// The hash of the structure: of what is live, whatever the addresses.
    pub fn structural_hash(&self) -> Hash {
        *self.derived.structure.get_or_init(|| structure(self))
    }

    /// The learner with a sound statement in place of another. Where neither has an effect,
    /// nothing that follows from the statements changes.
    pub(super) fn with(&self, at: usize, statement: LearnerStatement) -> LearnerProgram {
        let functions = self.functions.with(at, statement);
        match self.effects().is_dead_with(&self.functions, at, &statement) {
            true => LearnerProgram { functions, derived: Arc::clone(&self.derived) },
            false => LearnerProgram::deriving(functions),
        }
    }
}

/// The text, as [`LearnerProgram::parse`] reads it.
impl fmt::Display for LearnerProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for function in LearnerFunction::ALL {
            writeln!(f, "def {}():", function.name())?;
            for statement in self.function(function) {
                writeln!(f, "  {statement}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_cannot_be_run_are_refused_with_their_place() {
        let sum = |inputs, output| LearnerStatement {
            op: LearnerOp::ScalarSum,
            inputs,
            output,
            ..LearnerStatement::NO_OP
        };
        let refused = |statement: LearnerStatement| {
            let predict = [LearnerStatement::NO_OP, statement];
            let error = LearnerProgram::new([&[], &predict, &[]]).expect_err("it is unsound");
            assert_eq!((error.function, error.statement), (LearnerFunction::Predict, 1));
            error.message
        };
        assert!(LearnerProgram::new([&[], &[sum([0, 63], 1)], &[]]).is_ok());
        assert_eq!(refused(sum([0, 64], 1)), "addresses must be below 64");
        assert!(refused(sum([1, 1], 0)).contains("`s0` holds the label"));
        let broadcast = LearnerOp::ScalarBroadcast;
        assert!(refused(LearnerStatement { op: broadcast, ..sum([1, 0], 0) }).contains("`v0`"));
        let set = LearnerStatement { op: LearnerOp::ScalarConstSet, ..sum([0, 0], 2) };
        let nan = LearnerStatement { constants: [f64::NAN, 0.0, 0.0], ..set };
        assert_eq!(refused(nan), "constants must be finite");
        assert!(refused(LearnerStatement { inputs: [1, 0], ..set }).contains("does not use"));
        let long = vec![LearnerStatement::NO_OP; LearnerProgram::MOST_STATEMENTS + 1];
        assert!(LearnerProgram::new([&[], &[], &long]).is_err());
    }
}
