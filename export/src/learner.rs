//! Exports of learners: the live statements of `Setup`, `Predict` and `Learn` in another language.
//!
//! Invariant: an export computes what the engines compute, operation by operation: sums run in
//! order, which of two numbers a minimum takes where one is NaN, what a step is at 0. Only the
//! elementary functions are the target's own, and may differ in the last bit. An address that is
//! carried from function to function is a field, any other a variable of its function; both have
//! the names of the program.
//!
//! The exports of optimizers share their listing, which is of values that broadcast; here values
//! have addresses and fixed types, and the two have nothing in common but the style of names.

mod latex;
mod numpy;
mod rust;

use std::collections::BTreeSet;

use evo_dsl::{LearnerFunction, LearnerOp, LearnerProgram, LearnerStatement, LearnerType};

use crate::names::class_name;

/// What a learner can be exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnerTarget {
    /// A Python class, in a file that needs NumPy alone.
    Numpy,
    /// A Rust structure, in a file that needs the standard library alone.
    Rust,
    /// Equations of the three functions.
    Latex,
}

impl LearnerTarget {
    /// Every target.
    pub const ALL: [LearnerTarget; 3] =
        [LearnerTarget::Numpy, LearnerTarget::Rust, LearnerTarget::Latex];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            LearnerTarget::Numpy => "numpy",
            LearnerTarget::Rust => "rust",
            LearnerTarget::Latex => "latex",
        }
    }

    /// The target of this name; case does not matter.
    pub fn from_name(name: &str) -> Option<LearnerTarget> {
        LearnerTarget::ALL.into_iter().find(|target| target.name().eq_ignore_ascii_case(name))
    }

    /// The usual ending of a file of it.
    pub fn extension(self) -> &'static str {
        match self {
            LearnerTarget::Numpy => "py",
            LearnerTarget::Rust => "rs",
            LearnerTarget::Latex => "tex",
        }
    }
}

/// The learner as the text of a file. The class in it is called `name`, made a valid identifier.
///
/// ```
/// use evo_dsl::LearnerZooEntry;
/// use evo_export::{LearnerTarget, export_learner};
///
/// let entry = LearnerZooEntry::named("linear_learner").expect("it is in the zoo");
/// let text = export_learner(&entry.program(), entry.name, LearnerTarget::Numpy);
/// assert!(text.contains("class LinearLearner:"));
/// ```
pub fn export_learner(program: &LearnerProgram, name: &str, target: LearnerTarget) -> String {
    let memory = Memory::of(program);
    match target {
        LearnerTarget::Numpy => numpy::emit(&memory, &class(name)),
        LearnerTarget::Rust => rust::emit(&memory, &class(name)),
        LearnerTarget::Latex => latex::emit(&memory, name),
    }
}

/// The name of the class; two are taken by exported Rust.
fn class(name: &str) -> String {
    let class = class_name(name);
    if ["N", "Draw"].contains(&class.as_str()) { format!("Evolved{class}") } else { class }
}

/// A type and an address of it.
type Address = (LearnerType, u8);

const LABEL: Address = (LearnerType::Scalar, LearnerProgram::GIVEN);
const FEATURES: Address = (LearnerType::Vector, LearnerProgram::GIVEN);
const PREDICTION: Address = (LearnerType::Scalar, LearnerProgram::PREDICTION);

/// The live statements, and which of their addresses are carried.
struct Memory {
    program: LearnerProgram,
    /// The fields, the prediction first.
    fields: Vec<Address>,
}

impl Memory {
    fn of(program: &LearnerProgram) -> Memory {
        let program = program.live();
        let mut fields = vec![PREDICTION];
        fields.extend(program.carried().into_iter().filter(|it| *it != PREDICTION));
        Memory { program, fields }
    }

    fn statements(&self, function: LearnerFunction) -> &[LearnerStatement] {
        self.program.function(function)
    }

    fn is_field(&self, address: Address) -> bool {
        self.fields.contains(&address)
    }

    /// Whether no statement writes a field, so that it stays zero.
    fn stays_zero(&self, field: Address) -> bool {
        field != PREDICTION && !self.program.statements().iter().any(|it| target(it) == Some(field))
    }

    /// Variables of a function that are read before they are written, and hence zero at first: the
    /// label and the features too where they are not given.
    fn zeros(&self, function: LearnerFunction) -> BTreeSet<Address> {
        let given: &[Address] = match function {
            LearnerFunction::Setup => &[],
            LearnerFunction::Predict => &[FEATURES],
            LearnerFunction::Learn => &[FEATURES, LABEL],
        };
        let (mut written, mut zeros) = (BTreeSet::new(), BTreeSet::new());
        for statement in self.statements(function) {
            let own = target(statement).filter(|_| updates(statement.op));
            for read in arguments(statement).chain(own) {
                if !(given.contains(&read) || self.is_field(read) || written.contains(&read)) {
                    zeros.insert(read);
                }
            }
            written.extend(target(statement));
        }
        zeros
    }

    /// Whether a function reads what stands at an address.
    fn reads(&self, function: LearnerFunction, address: Address) -> bool {
        self.statements(function).iter().any(|it| arguments(it).any(|read| read == address))
    }

    /// Whether a function draws random numbers.
    fn draws(&self, function: LearnerFunction) -> bool {
        self.statements(function).iter().any(|statement| draws(statement.op))
    }

    fn draws_at_all(&self) -> bool {
        LearnerFunction::ALL.into_iter().any(|function| self.draws(function))
    }

    /// The lines of the program's text behind something, as a comment.
    fn quoted(&self, before: &str) -> String {
        let text = self.program.to_string();
        text.lines().map(|line| format!("{before}{line}\n")).collect()
    }
}

/// What a statement writes.
fn target(statement: &LearnerStatement) -> Option<Address> {
    statement.op.info().output.map(|ty| (ty, statement.output))
}

/// What a statement reads as arguments.
fn arguments(statement: &LearnerStatement) -> impl Iterator<Item = Address> + '_ {
    statement.op.info().inputs.iter().copied().zip(statement.inputs)
}

/// Whether an op writes a part of its target and leaves the rest.
fn updates(op: LearnerOp) -> bool {
    matches!(op, LearnerOp::VectorConstSet | LearnerOp::MatrixConstSet)
}

fn draws(op: LearnerOp) -> bool {
    use LearnerOp as L;
    let is_uniform = matches!(op, L::ScalarUniformSet | L::VectorUniformSet | L::MatrixUniformSet);
    is_uniform || matches!(op, L::ScalarGaussianSet | L::VectorGaussianSet | L::MatrixGaussianSet)
}

/// `s1`, `v0` or `m3`.
fn word((ty, address): Address) -> String {
    let letter = match ty {
        LearnerType::Scalar => 's',
        LearnerType::Vector => 'v',
        LearnerType::Matrix => 'm',
    };
    format!("{letter}{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_are_zero_at_first_are_known() {
        let text = "def Setup():\n  v1[0.5] = 1.0\n  s2 = norm(v1)\n  s3 = s2 + s0\n\
                    def Predict():\n  s4 = s0 + s3\n  s1 = s4 * s1\ndef Learn():\n";
        let memory = Memory::of(&LearnerProgram::parse(text).expect("it is one"));
        let (s, v) = (LearnerType::Scalar, LearnerType::Vector);
        assert_eq!(memory.fields, [(s, 1), (s, 3)]);
        assert!(memory.zeros(LearnerFunction::Setup).iter().eq(&[(s, 0), (v, 1)]));
        assert!(memory.zeros(LearnerFunction::Predict).iter().eq(&[(s, 0)]));
        assert!(memory.zeros(LearnerFunction::Learn).is_empty());
    }

    #[test]
    fn a_prediction_that_a_caller_set_as_a_number_of_python_divides_by_zero() {
        let numpy = |factor: &str| {
            let text = format!(
                "def Predict():\n  s1 = dot(v1, v0)\n\
                 def Learn():\n  s2 = s0 / {factor}\n  v1 = s2 * v0\n"
            );
            let program = LearnerProgram::parse(&text).expect("it is one");
            export_learner(&program, "rule", LearnerTarget::Numpy)
        };
        let converted = "        self.s1 = np.float64(self.s1)\n";
        assert!(numpy("s1").contains(converted));
        assert!(!numpy("s0").contains(converted));
    }
}
