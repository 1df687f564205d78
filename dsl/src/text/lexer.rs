//! Tokens of program text, with their places.
//!
//! Invariant: a line break counts only outside parentheses, and comments and blank lines give no
//! token, so the parser sees one `Newline` after every logical line.

use super::{ParseError, Position};

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

/// Splits the text into tokens; the last one is always [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, Position)>, ParseError> {
    let mut tokens = Vec::new();
    let mut depth = 0usize;
    let mut line = 0;
    for (index, content) in text.lines().enumerate() {
        line = index + 1;
        let before = tokens.len();
        scan_line(content, line, &mut depth, &mut tokens)?;
        let column = content.chars().count() + 1;
        if tokens.len() > before && depth == 0 {
            tokens.push((Token::Newline, Position { line, column }));
        }
    }
    tokens.push((Token::End, Position { line: line + 1, column: 1 }));
    Ok(tokens)
}

fn scan_line<'a>(
    content: &'a str,
    line: usize,
    depth: &mut usize,
    tokens: &mut Vec<(Token<'a>, Position)>,
) -> Result<(), ParseError> {
    let mut rest = content;
    let mut column = 1;
    while let Some(first) = rest.chars().next() {
        let position = Position { line, column };
        let (token, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if first == '#' {
            return Ok(());
        } else if first.is_alphabetic() || first == '_' {
            let length = length_while(rest, |c| c.is_alphanumeric() || c == '_');
            (Some(Token::Name(&rest[..length])), length)
        } else if first.is_ascii_digit() || first == '.' {
            let length = number_length(rest);
            (Some(number(&rest[..length], position)?), length)
        } else {
            let symbol = symbol(rest, first, position)?;
            match symbol {
                "(" => *depth += 1,
                ")" => *depth = depth.saturating_sub(1),
                _ => {}
            }
            (Some(Token::Symbol(symbol)), symbol.len())
        };
        tokens.extend(token.map(|token| (token, position)));
        column += rest[..length].chars().count();
        rest = &rest[length..];
    }
    Ok(())
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

fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
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
