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
        lower::lower(parser::parse(text.trim_start_matches(BYTE_ORDER_MARK))?)
    }

    /// Reads a program from the bytes of a file, which must be UTF-8.
    ///
    /// # Errors
    /// As [`Program::parse`], and the place of the first byte that is not UTF-8.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Program, ParseError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Program::parse(text),
            Err(error) => Err(not_utf8(bytes, error.valid_up_to())),
        }
    }
}

/// What some editors write at the start of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

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
