//! Tokens of program text, with their places, made one at a time as the parser asks.
//!
//! Invariant: a line break counts only outside parentheses, and comments and blank lines give no
//! token, so the parser sees one `Newline` after every logical line. Nothing is read ahead: text
//! that is refused at its start costs no more than its start, however long it is.

use super::{ParseError, Position, shorten};

/// One token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Name(&'a str),
    Number(f64),
    Symbol(&'static str),
    Newline,
    End,
}

const SYMBOLS: [&str; 10] = ["**", "+", "-", "*", "/", "(", ")", ",", "=", ":"];

/// Splits a text into tokens.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
    position: Position,
    /// Parentheses open here.
    depth: usize,
    /// Whether the logical line has had a token.
    started: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Lexer<'a> {
        Lexer { rest: text, position: Position::START, depth: 0, started: false }
    }

    /// The next token and its place; [`Token::End`] for ever behind the last one.
    pub(super) fn token(&mut self) -> Result<(Token<'a>, Position), ParseError> {
        loop {
            let position = self.position;
            let Some(first) = self.rest.chars().next() else { return Ok(self.end()) };
            if is_line_break(first) {
                self.rest = &self.rest[line_break_length(self.rest)..];
                self.position = position.next_line();
                if self.ends_logical_line() {
                    return Ok((Token::Newline, position));
                }
            } else if first == '#' {
                self.take(length_while(self.rest, |c| !is_line_break(c)));
            } else if first.is_whitespace() {
                self.take(length_while(self.rest, |c| c.is_whitespace() && !is_line_break(c)));
            } else {
                self.started = true;
                return Ok((self.visible(first, position)?, position));
            }
        }
    }

    /// A token that is seen; `first` is its first character.
    fn visible(&mut self, first: char, position: Position) -> Result<Token<'a>, ParseError> {
        if starts_name(first) {
            let length = length_while(self.rest, continues_name);
            return Ok(Token::Name(self.take(length)));
        }
        if first.is_ascii_digit() || first == '.' {
            let length = number_length(self.rest);
            return number(self.take(length), position);
        }
        let symbol = symbol(self.rest, first, position)?;
        match symbol {
            "(" => self.depth += 1,
            ")" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.take(symbol.len());
        Ok(Token::Symbol(symbol))
    }

    /// Moves behind the next `length` bytes of this line.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.position.column += taken.chars().count();
        self.rest = rest;
        taken
    }

    fn ends_logical_line(&mut self) -> bool {
        self.depth == 0 && std::mem::take(&mut self.started)
    }

    fn end(&mut self) -> (Token<'a>, Position) {
        let position = self.position;
        if self.ends_logical_line() {
            return (Token::Newline, position);
        }
        // The end is below the last line, whether or not a line break closes that.
        if position.column > 1 {
            self.position = position.next_line();
        }
        (Token::End, self.position)
    }
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a text is one name.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(starts_name) && text.chars().all(continues_name)
}

/// As Python has it, a carriage return alone ends a line as well.
pub(super) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// The bytes of the line break that a text starts with.
pub(super) fn line_break_length(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { 1 }
}

fn length_while(text: &str, accept: impl Fn(char) -> bool) -> usize {
    text.find(|c| !accept(c)).unwrap_or(text.len())
}

/// Digits, dots and exponents, and any letters glued to them, so `1.2e3x` is one bad number.
fn number_length(text: &str) -> usize {
    let mut previous = ' ';
    let end = text.find(|c: char| {
        let sign_of_exponent = matches!(c, '+' | '-') && matches!(previous, 'e' | 'E');
        let accept = c.is_alphanumeric() || matches!(c, '.' | '_') || sign_of_exponent;
        previous = c;
        !accept
    });
    end.unwrap_or(text.len())
}

fn number(text: &str, position: Position) -> Result<Token<'static>, ParseError> {
    let value: f64 =
        text.parse().map_err(|_| position.error(format!("`{}` is not a number", shorten(text))))?;
    if value.is_finite() {
        Ok(Token::Number(value))
    } else {
        Err(position.error(format!("{} is too large for a float64", shorten(text))))
    }
}

fn symbol(rest: &str, first: char, position: Position) -> Result<&'static str, ParseError> {
    let known = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
    known.ok_or_else(|| {
        position
            .error(format!("unexpected character `{}`", first.escape_debug()))
            .hint("a program has assignments `x = op(a, b)` or `x = a + b`, and one `return`")
    })
}
