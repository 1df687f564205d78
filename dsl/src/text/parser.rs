//! The parser: tokens to a tree of expressions, with the place of everything.
//!
//! Invariant: bounded work on hostile text. Nesting is limited, so recursion cannot overflow the
//! stack; statements and lists are limited, so the tree stays small, and reading stops at the first
//! thing too many; every loop consumes a token.

use super::lexer::{Lexer, Token};
use super::{Kind, ParseError, Position, shorten};
use crate::{Op, Program};

/// The most levels of an expression, in the text's nesting and in the tree made of it.
const MAX_DEPTH: usize = 100;

/// The most parameters, arguments or returned values that are read. More than any program has, so
/// that a few too many are told from what is expected.
const MAX_LIST: usize = 100;

/// A function as written.
#[derive(Debug)]
pub(super) struct Function<'a> {
    pub kind: Kind,
    pub parameters: Vec<(&'a str, Position)>,
    pub assignments: Vec<Assignment<'a>>,
    pub returns: Vec<Expression<'a>>,
    /// What the update is paired with.
    pub readout: Option<Expression<'a>>,
    pub return_position: Position,
}

/// `target = value`.
#[derive(Debug)]
pub(super) struct Assignment<'a> {
    pub target: &'a str,
    pub position: Position,
    pub value: Expression<'a>,
}

/// An expression and where it starts.
#[derive(Debug)]
pub(crate) struct Expression<'a> {
    pub(super) position: Position,
    pub(crate) kind: ExpressionKind<'a>,
    height: usize,
}

/// What an expression is.
#[derive(Debug)]
pub(crate) enum ExpressionKind<'a> {
    Number(f64),
    Name(&'a str),
    Call(Op, Vec<Expression<'a>>),
}

/// Parses one function definition of a kind.
pub(super) fn parse(text: &str, kind: Kind) -> Result<Function<'_>, ParseError> {
    let mut parser = Parser::new(text);
    let parameters = parser.header(kind)?;
    let mut assignments = Vec::new();
    loop {
        let (token, position) = parser.take()?;
        match token {
            Token::Name("return") => {
                let (returns, readout) = parser.returned()?;
                parser.expect_end()?;
                return Ok(Function {
                    kind,
                    parameters,
                    assignments,
                    returns,
                    readout,
                    return_position: position,
                });
            }
            Token::Name(target) => {
                if assignments.len() >= Program::MAX_STATEMENTS {
                    return Err(too_many_statements(position));
                }
                parser.expect_assign()?;
                let value = parser.expression()?;
                parser.expect(Token::Newline, "the end of the line")?;
                assignments.push(Assignment { target, position, value });
            }
            Token::End => {
                return Err(position.error("the program ends without a `return`").hint(kind.end()));
            }
            other => return Err(unexpected(other, position, "an assignment or `return`")),
        }
    }
}

/// Parses what an expression of these inputs returns, and nothing else.
pub(super) fn parse_formula<'a>(
    inputs: &[&'a str],
    text: &'a str,
) -> Result<Function<'a>, ParseError> {
    let mut parser = Parser::new(text);
    let value = parser.expression()?;
    parser.expect(Token::Newline, "the end of the formula")?;
    let (found, position) = parser.take()?;
    if found != Token::End {
        return Err(unexpected(found, position, "nothing behind the formula"));
    }
    Ok(Function {
        kind: Kind::Expression,
        parameters: inputs.iter().map(|name| (*name, Position::START)).collect(),
        assignments: Vec::new(),
        return_position: value.position,
        returns: vec![value],
        readout: None,
    })
}

#[derive(Clone)]
struct Parser<'a> {
    lexer: Lexer<'a>,
    peeked: Option<(Token<'a>, Position)>,
    depth: usize,
    /// Calls and infix operations so far, each of which becomes a statement.
    calls: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Parser<'a> {
        Parser { lexer: Lexer::new(text), peeked: None, depth: 0, calls: 0 }
    }

    fn peek(&mut self) -> Result<(Token<'a>, Position), ParseError> {
        let token = self.take()?;
        self.peeked = Some(token);
        Ok(token)
    }

    fn take(&mut self) -> Result<(Token<'a>, Position), ParseError> {
        match self.peeked.take() {
            Some(token) => Ok(token),
            None => self.lexer.token(),
        }
    }

    fn accept(&mut self, token: Token<'_>) -> Result<bool, ParseError> {
        let found = self.peek()?.0 == token;
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    /// A call; the height is limited because lowering and dropping the tree recurse.
    fn made(
        &mut self,
        op: Op,
        args: Vec<Expression<'a>>,
        position: Position,
    ) -> Result<Expression<'a>, ParseError> {
        let height = 1 + args.iter().map(|arg| arg.height).max().unwrap_or(0);
        if height > MAX_DEPTH {
            return Err(too_deep(position));
        }
        self.calls += 1;
        if self.calls > Program::MAX_STATEMENTS {
            return Err(too_many_statements(position));
        }
        Ok(Expression { position, kind: ExpressionKind::Call(op, args), height })
    }

    fn expect(&mut self, token: Token<'_>, expected: &str) -> Result<(), ParseError> {
        let (found, position) = self.take()?;
        if found == token { Ok(()) } else { Err(unexpected(found, position, expected)) }
    }

    fn expect_assign(&mut self) -> Result<(), ParseError> {
        let (found, position) = self.peek()?;
        self.expect(Token::Symbol("="), "`=`").map_err(|error| match found {
            Token::Symbol("+" | "-" | "*" | "/") => position
                .error("augmented assignment is not part of the language")
                .hint("write `x = x + y`"),
            _ => error,
        })
    }

    fn expect_end(&mut self) -> Result<(), ParseError> {
        let (found, position) = self.take()?;
        if found == Token::End {
            return Ok(());
        }
        Err(position.error("nothing may follow the `return`").hint("a file holds one function"))
    }

    fn header(&mut self, kind: Kind) -> Result<Vec<(&'a str, Position)>, ParseError> {
        self.expect(Token::Name("def"), "`def`").map_err(|error| error.hint(kind.start()))?;
        let (name, position) = self.take()?;
        if name != Token::Name(kind.name()) {
            let other = Kind::ALL.into_iter().find(|other| name == Token::Name(other.name()));
            let error = match other {
                Some(other) => position.error(format!(
                    "`def {}` begins {}, where {} is expected",
                    other.name(),
                    other.noun(),
                    kind.noun()
                )),
                None => unexpected(name, position, &format!("the function name `{}`", kind.name())),
            };
            return Err(error.hint(kind.start()));
        }
        self.expect(Token::Symbol("("), "`(`")?;
        let mut parameters = Vec::new();
        while !self.accept(Token::Symbol(")"))? {
            if !parameters.is_empty() {
                self.expect(Token::Symbol(","), "`,` or `)`")?;
            }
            match self.take()? {
                (Token::Name(_), position) if parameters.len() == MAX_LIST => {
                    return Err(too_many("parameters", position));
                }
                (Token::Name(name), position) => parameters.push((name, position)),
                (other, position) => return Err(unexpected(other, position, "a parameter name")),
            }
        }
        self.expect(Token::Symbol(":"), "`:`")?;
        self.expect(Token::Newline, "the end of the line")?;
        Ok(parameters)
    }

    /// What is returned, to the end of the line, and what the first of it is paired with.
    fn returned(&mut self) -> Result<(Vec<Expression<'a>>, Option<Expression<'a>>), ParseError> {
        let (first, readout) = self.first_returned()?;
        let mut list = vec![first];
        while self.accept(Token::Symbol(","))? {
            if list.len() == MAX_LIST {
                return Err(too_many("returned values", self.peek()?.1));
            }
            list.push(self.expression()?);
        }
        if self.peek()?.0 != Token::End {
            self.expect(Token::Newline, "`,` or the end of the line")?;
        }
        Ok((list, readout))
    }

    /// `update` or `(update, readout)`. A bracket may also begin an expression, which is read once
    /// more then.
    fn first_returned(&mut self) -> Result<(Expression<'a>, Option<Expression<'a>>), ParseError> {
        let before = self.clone();
        if self.accept(Token::Symbol("("))? {
            let update = self.expression()?;
            if self.accept(Token::Symbol(","))? {
                let readout = self.expression()?;
                self.expect(Token::Symbol(")"), "`)` behind update and readout")?;
                return Ok((update, Some(readout)));
            }
            *self = before;
        }
        Ok((self.expression()?, None))
    }

    /// Sums and differences, the loosest level.
    fn expression(&mut self) -> Result<Expression<'a>, ParseError> {
        let position = self.peek()?.1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep(position));
        }
        let result = self.left_associative(&["+", "-"], |parser| {
            parser.left_associative(&["*", "/"], Parser::unary)
        });
        self.depth -= 1;
        result
    }

    fn left_associative(
        &mut self,
        symbols: &[&str],
        mut operand: impl FnMut(&mut Self) -> Result<Expression<'a>, ParseError>,
    ) -> Result<Expression<'a>, ParseError> {
        let mut left = operand(self)?;
        while let (Token::Symbol(symbol), _) = self.peek()?
            && symbols.contains(&symbol)
        {
            self.peeked = None;
            let op = Op::from_name(symbol).expect("every infix symbol names an op");
            let args = vec![left, operand(self)?];
            let position = args[0].position;
            left = self.made(op, args, position)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression<'a>, ParseError> {
        let position = self.peek()?.1;
        let mut negations = 0usize;
        while self.accept(Token::Symbol("-"))? {
            negations += 1;
        }
        let value = self.power()?;
        match value.kind {
            _ if negations.is_multiple_of(2) => Ok(value),
            ExpressionKind::Number(number) => {
                Ok(Expression { position, kind: ExpressionKind::Number(-number), height: 0 })
            }
            _ => self.made(Op::Negative, vec![value], position),
        }
    }

    fn power(&mut self) -> Result<Expression<'a>, ParseError> {
        let base = self.atom()?;
        if !self.accept(Token::Symbol("**"))? {
            return Ok(base);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep(base.position));
        }
        let exponent = self.unary()?;
        self.depth -= 1;
        let position = base.position;
        self.made(Op::Power, vec![base, exponent], position)
    }

    fn atom(&mut self) -> Result<Expression<'a>, ParseError> {
        let (token, position) = self.take()?;
        let kind = match token {
            Token::Number(number) => ExpressionKind::Number(number),
            Token::Name(name) => {
                if self.accept(Token::Symbol("("))? {
                    return self.call(name, position);
                }
                if name == "return" || name == "def" {
                    return Err(unexpected(token, position, "a variable, a number or a call"));
                }
                ExpressionKind::Name(name)
            }
            Token::Symbol("(") => {
                let inner = self.expression()?;
                self.expect(Token::Symbol(")"), "`)`")?;
                return Ok(inner);
            }
            other => return Err(unexpected(other, position, "a variable, a number or a call")),
        };
        Ok(Expression { position, kind, height: 0 })
    }

    fn call(&mut self, name: &str, position: Position) -> Result<Expression<'a>, ParseError> {
        let op = Op::from_name(name).ok_or_else(|| unknown_op(name, position))?;
        let mut args = Vec::new();
        while !self.accept(Token::Symbol(")"))? {
            if !args.is_empty() {
                self.expect(Token::Symbol(","), "`,` or `)`")?;
            }
            if args.len() == MAX_LIST {
                return Err(too_many("arguments", self.peek()?.1));
            }
            args.push(self.expression()?);
        }
        if args.len() != op.arity() {
            let (given, takes) = (args.len(), op.arity());
            let noun = if takes == 1 { "argument" } else { "arguments" };
            let message = format!("`{name}` takes {takes} {noun}, not {given}");
            return Err(position.error(message).hint(op.info().formula));
        }
        self.made(op, args, position)
    }
}

fn too_many(what: &str, position: Position) -> ParseError {
    position.error(format!("more than {MAX_LIST} {what}"))
}

/// Also the lowering's, which counts copies.
pub(super) fn too_many_statements(position: Position) -> ParseError {
    position.error(format!("more than {} statements", Program::MAX_STATEMENTS))
}

fn too_deep(position: Position) -> ParseError {
    position.error(format!("an expression of more than {MAX_DEPTH} levels"))
}

fn unknown_op(name: &str, position: Position) -> ParseError {
    let names = Op::all()
        .flat_map(|op| std::iter::once(op.info().name).chain(op.info().aliases.iter().copied()));
    let nearest = crate::nearest_name(name, names);
    let error = position.error(format!("unknown op `{}`", shorten(name)));
    match nearest {
        Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
        None => error.hint("`evo ops` lists all ops"),
    }
}

fn unexpected(token: Token<'_>, position: Position, expected: &str) -> ParseError {
    let found = match token {
        Token::Name(name) => format!("`{}`", shorten(name)),
        Token::Number(number) => format!("{number}"),
        Token::Symbol(symbol) => format!("`{symbol}`"),
        Token::Newline => "the end of the line".to_owned(),
        Token::End => "the end of the program".to_owned(),
    };
    position.error(format!("expected {expected}, found {found}"))
}
