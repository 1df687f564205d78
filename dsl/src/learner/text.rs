//! The text of learners: what the released program of AutoML-Zero prints, read as it stands.
//!
//! Invariant: a printed learner reads back to the bit. Numbers are printed in the shortest form
//! that does, where the released program prints six digits. Reading takes one pass over the text, a
//! line at a time, so a hostile one costs time and memory in proportion to its length.

mod lines;

use std::fmt;

use super::{LearnerFunction, LearnerOp, LearnerProgram, LearnerStatement, LearnerType};
use crate::ParseError;
use crate::text::BYTE_ORDER_MARK;

use lines::Line;

/// The longest text that is read, in bytes: several times what the most statements take.
const LONGEST: usize = 1 << 20;

impl LearnerProgram {
    /// Reads a learner: `def Setup():`, `def Predict():` and `def Learn():` in this order, each
    /// with its statements, one a line. A function that is left out has none. What follows `#` on a
    /// line is a comment.
    ///
    /// ```
    /// use evo_dsl::LearnerProgram;
    ///
    /// let text = "def Setup():\n  s2 = 0.1\ndef Predict():\n  s1 = dot(v1, v0)\ndef Learn():\n";
    /// assert_eq!(LearnerProgram::parse(text)?.to_string(), text);
    /// # Ok::<(), evo_dsl::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// Where and why the text is none.
    pub fn parse(text: &str) -> Result<LearnerProgram, ParseError> {
        if text.len() > LONGEST {
            return Err(error(1, 1, format!("a learner has at most {LONGEST} bytes")));
        }
        let mut functions: [Vec<LearnerStatement>; 3] = [const { Vec::new() }; 3];
        let mut current: Option<LearnerFunction> = None;
        let text = text.trim_start_matches(BYTE_ORDER_MARK);
        for (index, content) in text.lines().enumerate() {
            let number = index + 1;
            let mut line = Line::new(content, number);
            if line.is_at_end() {
                continue;
            }
            if let Some(function) = line.header()? {
                if current.is_some_and(|current| current >= function) {
                    let order = "the order is Setup, Predict, Learn, each once";
                    return Err(error(number, 1, order));
                }
                current = Some(function);
                continue;
            }
            let Some(function) = current else {
                let message = "a learner starts with `def Setup():`";
                return Err(error(number, line.column(), message));
            };
            let column = line.column();
            let statement = line.statement()?;
            let statements = &mut functions[function as usize];
            if statements.len() == LearnerProgram::MOST_STATEMENTS {
                let most = LearnerProgram::MOST_STATEMENTS;
                let message = format!("a function has at most {most} statements");
                return Err(error(number, column, message));
            }
            statements.push(statement);
        }
        if current.is_none() {
            return Err(error(1, 1, "there is no function; a learner starts with `def Setup():`"));
        }
        let functions: [&[LearnerStatement]; 3] =
            std::array::from_fn(|index| &functions[index][..]);
        Ok(LearnerProgram::of_valid(functions))
    }

    /// Whether a text is meant as a learner: its first function is one of a learner's, in capitals
    /// or not.
    pub fn is_meant_by(text: &str) -> bool {
        let text = text.trim_start_matches(BYTE_ORDER_MARK);
        let header = text.lines().find_map(|line| line.trim_start().strip_prefix("def "));
        let name = header.and_then(|header| header.split('(').next()).map(str::trim);
        name.is_some_and(|name| {
            LearnerFunction::ALL.iter().any(|it| it.name().eq_ignore_ascii_case(name))
        })
    }
}

fn error(line: usize, column: usize, message: impl Into<String>) -> ParseError {
    ParseError { line, column, message: message.into(), hint: None }
}

impl LearnerType {
    /// The letter of its addresses.
    pub(super) fn letter(self) -> char {
        match self {
            LearnerType::Scalar => 's',
            LearnerType::Vector => 'v',
            LearnerType::Matrix => 'm',
        }
    }
}

/// How an op is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    NoOp,
    /// Between its arguments.
    Infix(char),
    /// `1 / x`.
    Reciprocal,
    /// A function, with what follows the arguments.
    Call(&'static str, &'static str),
    /// A number, set at a place of the target or all of it.
    Set,
    /// A function of constants.
    Random(&'static str, &'static str),
}

impl LearnerOp {
    fn form(self) -> Form {
        use Form as F;
        use LearnerOp as L;
        match self {
            L::NoOp => F::NoOp,
            L::ScalarSum | L::VectorSum | L::MatrixSum => F::Infix('+'),
            L::ScalarDiff | L::VectorDiff | L::MatrixDiff => F::Infix('-'),
            L::ScalarProduct | L::VectorProduct | L::MatrixProduct => F::Infix('*'),
            L::ScalarVectorProduct | L::ScalarMatrixProduct => F::Infix('*'),
            L::ScalarDivision | L::VectorDivision | L::MatrixDivision => F::Infix('/'),
            L::ScalarReciprocal | L::VectorReciprocal | L::MatrixReciprocal => F::Reciprocal,
            L::ScalarAbs | L::VectorAbs | L::MatrixAbs => F::Call("abs", ""),
            L::ScalarSin => F::Call("sin", ""),
            L::ScalarCos => F::Call("cos", ""),
            L::ScalarTan => F::Call("tan", ""),
            L::ScalarArcsin => F::Call("arcsin", ""),
            L::ScalarArccos => F::Call("arccos", ""),
            L::ScalarArctan => F::Call("arctan", ""),
            L::ScalarExp => F::Call("exp", ""),
            L::ScalarLog => F::Call("log", ""),
            L::ScalarHeavyside | L::VectorHeavyside | L::MatrixHeavyside => {
                F::Call("heaviside", ", 1.0")
            }
            L::ScalarBroadcast => F::Call("bcast", ""),
            L::VectorColumnBroadcast => F::Call("bcast", ", axis=0"),
            L::VectorRowBroadcast => F::Call("bcast", ", axis=1"),
            L::VectorNorm | L::MatrixNorm => F::Call("norm", ""),
            L::MatrixColumnNorm => F::Call("norm", ", axis=0"),
            L::MatrixRowNorm => F::Call("norm", ", axis=1"),
            L::VectorInnerProduct | L::MatrixVectorProduct => F::Call("dot", ""),
            L::VectorOuterProduct => F::Call("outer", ""),
            L::MatrixMatrixProduct => F::Call("matmul", ""),
            L::MatrixTranspose => F::Call("transpose", ""),
            L::ScalarMin | L::VectorMin | L::MatrixMin => F::Call("minimum", ""),
            L::ScalarMax | L::VectorMax | L::MatrixMax => F::Call("maximum", ""),
            L::VectorMean | L::MatrixMean => F::Call("mean", ""),
            L::MatrixRowMean => F::Call("mean", ", axis=1"),
            L::VectorStDev | L::MatrixStDev => F::Call("std", ""),
            L::MatrixRowStDev => F::Call("std", ", axis=1"),
            L::ScalarConstSet | L::VectorConstSet | L::MatrixConstSet => F::Set,
            L::ScalarUniformSet => F::Random("uniform", ""),
            L::VectorUniformSet => F::Random("uniform", VECTOR),
            L::MatrixUniformSet => F::Random("uniform", MATRIX),
            L::ScalarGaussianSet => F::Random("gaussian", ""),
            L::VectorGaussianSet => F::Random("gaussian", VECTOR),
            L::MatrixGaussianSet => F::Random("gaussian", MATRIX),
        }
    }
}

/// What random vectors and matrices have behind their constants.
const VECTOR: &str = ", n_features";
const MATRIX: &str = ", (n_features, n_features)";

impl fmt::Display for LearnerStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.op.info();
        let Some(output) = info.output else { return f.write_str("NoOp()") };
        let target = format!("{}{}", output.letter(), self.output);
        let argument =
            |index: usize| format!("{}{}", info.inputs[index].letter(), self.inputs[index]);
        let [a, b, c] = self.constants;
        match self.op.form() {
            Form::NoOp => Ok(()),
            Form::Infix(sign) => write!(f, "{target} = {} {sign} {}", argument(0), argument(1)),
            Form::Reciprocal => write!(f, "{target} = 1 / {}", argument(0)),
            Form::Call(name, rest) if info.inputs.len() == 1 => {
                write!(f, "{target} = {name}({}{rest})", argument(0))
            }
            Form::Call(name, rest) => {
                write!(f, "{target} = {name}({}, {}{rest})", argument(0), argument(1))
            }
            Form::Set => match info.constants.count() {
                1 => write!(f, "{target} = {a:?}"),
                2 => write!(f, "{target}[{a:?}] = {b:?}"),
                _ => write!(f, "{target}[{a:?}, {b:?}] = {c:?}"),
            },
            Form::Random(name, rest) => write!(f, "{target} = {name}({a:?}, {b:?}{rest})"),
        }
    }
}

#[cfg(test)]
mod tests;
