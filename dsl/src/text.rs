//! The text form: a strict subset of Python, one assignment a line.
//!
//! Invariant: printing is canonical and `print(parse(print(p))) == print(p)`. Parsing accepts
//! more than printing writes (nested expressions, other spellings, comments) and flattens it.

mod lexer;
mod lower;
mod parser;
mod print;

use thiserror::Error;

pub(crate) use parser::{Expression, ExpressionKind};

use crate::Program;

/// Where and why program text is refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{line}:{column}: {message}{}", hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
pub struct ParseError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead, where that is known.
    pub hint: Option<String>,
}

/// A place in the text.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Position {
    line: usize,
    column: usize,
}

impl Position {
    fn error(self, message: impl Into<String>) -> ParseError {
        let Position { line, column } = self;
        ParseError { line, column, message: message.into(), hint: None }
    }
}

impl ParseError {
    fn hint(mut self, hint: impl Into<String>) -> ParseError {
        self.hint = Some(hint.into());
        self
    }
}

/// The expressions that a function of program text returns, as they are written.
pub(crate) fn expressions(text: &str) -> Result<Vec<Expression<'_>>, ParseError> {
    Ok(parser::parse(text)?.returns)
}

impl Program {
    /// Reads a program from its text.
    ///
    /// ```
    /// let text = "def train(w, g, m, lr):\n  update = g * lr\n  return update, m\n";
    /// let program = evo_dsl::Program::parse(text)?;
    /// assert_eq!(program.to_string(), text);
    /// # Ok::<(), evo_dsl::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// The first place where the text is not a program, with a hint where one is known.
    pub fn parse(text: &str) -> Result<Program, ParseError> {
        lower::lower(parser::parse(text)?)
    }
}
