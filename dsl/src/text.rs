//! The text form: a strict subset of Python, one assignment a line.
//!
//! Invariant: printing is canonical and `print(parse(print(p))) == print(p)`. Parsing accepts
//! more than printing writes (nested expressions, other spellings, comments) and flattens it.

mod lexer;
mod lower;
mod parser;
mod print;

use std::borrow::Cow;

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
    const START: Position = Position { line: 1, column: 1 };

    fn next_line(self) -> Position {
        Position { line: self.line + 1, column: 1 }
    }

    /// The place just behind a text.
    fn behind(text: &str) -> Position {
        let (mut position, mut rest) = (Position::START, text);
        while let Some(at) = rest.find(lexer::is_line_break) {
            rest = &rest[at + lexer::line_break_length(&rest[at..])..];
            position = position.next_line();
        }
        Position { column: 1 + rest.chars().count(), ..position }
    }

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

/// What a function of program text is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Optimizer,
    Expression,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Optimizer, Kind::Expression];

    /// The name that a function of this kind has.
    fn name(self) -> &'static str {
        match self {
            Kind::Optimizer => "train",
            Kind::Expression => "f",
        }
    }

    /// How a text of this kind starts, for a hint.
    fn start(self) -> &'static str {
        match self {
            Kind::Optimizer => "a program starts with `def train(w, g, m, v, lr):`",
            Kind::Expression => "an expression starts with `def f(x, y):`",
        }
    }

    /// How it ends.
    fn end(self) -> &'static str {
        match self {
            Kind::Optimizer => "end it with `return update, m, v`",
            Kind::Expression => "end it with `return z`",
        }
    }

    /// What it is, with an article.
    fn noun(self) -> &'static str {
        match self {
            Kind::Optimizer => "an optimizer",
            Kind::Expression => "an expression",
        }
    }
}

/// The expressions that a function of program text returns, as they are written.
pub(crate) fn expressions(text: &str) -> Result<Vec<Expression<'_>>, ParseError> {
    Ok(parser::parse(text, Kind::Optimizer)?.returns)
}

impl Program {
    /// Reads an optimizer from its text.
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
        Program::parse_as(text, Kind::Optimizer)
    }

    /// Reads an expression from its text. Its inputs may have any names.
    ///
    /// ```
    /// let text = "def f(x, y):\n  z = x * y\n  z = sin(z)\n  return z\n";
    /// let program = evo_dsl::Program::parse_expression(text)?;
    /// assert_eq!(program.to_string(), text);
    /// # Ok::<(), evo_dsl::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Program::parse`].
    pub fn parse_expression(text: &str) -> Result<Program, ParseError> {
        Program::parse_as(text, Kind::Expression)
    }

    /// Reads an expression from its formula alone, what stands behind `return`, with inputs of
    /// these names.
    ///
    /// ```
    /// let program = evo_dsl::Program::parse_formula(&["x", "y"], "sin(x * y)")?;
    /// assert_eq!(program.signature().inputs(), 2);
    /// # Ok::<(), evo_dsl::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Program::parse`], and a name that is none.
    pub fn parse_formula(inputs: &[&str], formula: &str) -> Result<Program, ParseError> {
        if let Some(name) = inputs.iter().find(|name| !lexer::is_name(name)) {
            let message = format!("`{}` cannot be the name of an input", shorten(name));
            return Err(Position::START.error(message).hint("a name is letters, digits and `_`"));
        }
        lower::lower(parser::parse_formula(inputs, formula)?)
    }

    /// Reads an optimizer from the bytes of a file, which must be UTF-8.
    ///
    /// # Errors
    /// As [`Program::parse`], and the place of the first byte that is not UTF-8.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Program, ParseError> {
        Program::parse(utf8(bytes)?)
    }

    /// Reads an expression from the bytes of a file, which must be UTF-8.
    ///
    /// # Errors
    /// As [`Program::parse_bytes`].
    pub fn parse_expression_bytes(bytes: &[u8]) -> Result<Program, ParseError> {
        Program::parse_expression(utf8(bytes)?)
    }

    fn parse_as(text: &str, kind: Kind) -> Result<Program, ParseError> {
        lower::lower(parser::parse(text.trim_start_matches(BYTE_ORDER_MARK), kind)?)
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, ParseError> {
    std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))
}

/// What some editors write at the start of a file.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The error for the byte at `index`, everything before which is UTF-8.
fn not_utf8(bytes: &[u8], index: usize) -> ParseError {
    let before = std::str::from_utf8(&bytes[..index]).expect("UTF-8 up to the index");
    let position = Position::behind(before.trim_start_matches(BYTE_ORDER_MARK));
    let message = format!("the byte 0x{:02x} is not UTF-8 text", bytes[index]);
    position.error(message).hint("save the file as UTF-8")
}

/// The start of a text, for a message: names and numbers may be as long as the file.
fn shorten(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
