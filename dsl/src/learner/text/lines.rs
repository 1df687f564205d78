//! One line of a learner's text.
//!
//! Invariant: every character is looked at a bounded number of times, and errors name the column,
//! in characters from 1, of what they are about.

use super::{Form, error};
use crate::learner::{LearnerFunction, LearnerOp, LearnerProgram, LearnerStatement, LearnerType};
use crate::{ParseError, nearest_name};

/// A line, read from left to right.
pub(super) struct Line<'t> {
    /// Without comment and space at the end.
    text: &'t str,
    number: usize,
    /// Bytes read.
    at: usize,
}

/// A type and an address of it.
type Address = (LearnerType, u8);

/// What is called on the right of a statement.
#[derive(Default)]
struct Call<'t> {
    name: &'t str,
    arguments: Vec<Address>,
    constants: Vec<f64>,
    /// As it would be printed behind them.
    rest: String,
}

impl<'t> Line<'t> {
    pub(super) fn new(content: &'t str, number: usize) -> Line<'t> {
        let text = content.split('#').next().unwrap_or_default().trim_end();
        let mut line = Line { text, number, at: 0 };
        line.skip_space();
        line
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn column(&self) -> usize {
        self.text[..self.at].chars().count() + 1
    }

    /// The function that the line begins, if it begins one.
    pub(super) fn header(&mut self) -> Result<Option<LearnerFunction>, ParseError> {
        if !self.rest().starts_with("def ") {
            return Ok(None);
        }
        self.at += "def ".len();
        self.skip_space();
        let column = self.column();
        let name = self.word();
        let known = LearnerFunction::ALL.into_iter().find(|function| function.name() == name);
        let Some(function) = known else {
            let message = "a learner has the functions Setup, Predict and Learn";
            let names = LearnerFunction::ALL.map(LearnerFunction::name);
            let hint = names.into_iter().find(|it| it.eq_ignore_ascii_case(name));
            let hint = hint.map(|name| format!("did you mean `{name}`?"));
            return Err(ParseError { hint, ..error(self.number, column, message) });
        };
        for sign in ["(", ")", ":"] {
            self.expect(sign)?;
        }
        self.end()?;
        Ok(Some(function))
    }

    pub(super) fn statement(&mut self) -> Result<LearnerStatement, ParseError> {
        let column = self.column();
        let mut statement = LearnerStatement::NO_OP;
        if self.rest().starts_with("NoOp") {
            self.at += "NoOp".len();
            self.expect("(")?;
            self.expect(")")?;
        } else {
            let (ty, address) = self.address()?;
            let column = self.column();
            let place = self.place()?;
            self.expect("=")?;
            statement = self.value(ty, (column, &place))?;
            statement.output = address;
        }
        self.end()?;
        match statement.fault() {
            Some(message) => Err(error(self.number, column, message)),
            None => Ok(statement),
        }
    }

    /// The fractions in brackets behind a target.
    fn place(&mut self) -> Result<Vec<f64>, ParseError> {
        let mut place = Vec::new();
        if self.take("[") {
            place.push(self.constant()?);
            if self.take(",") {
                place.push(self.constant()?);
            }
            self.expect("]")?;
        }
        Ok(place)
    }

    /// What stands right of the sign; `place` is what stood in brackets left of it, and the column
    /// of those: a place that the type does not have is a mistake there.
    fn value(
        &mut self,
        ty: LearnerType,
        (brackets, place): (usize, &[f64]),
    ) -> Result<LearnerStatement, ParseError> {
        let column = self.column();
        let starts_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.');
        if !place.is_empty() || self.rest().starts_with(starts_number) || self.is_not_finite() {
            let number = self.constant()?;
            if place.is_empty() && number == 1.0 && self.take("/") {
                let argument = self.address()?;
                return self.find(column, Form::Reciprocal, ty, &[argument], &[]);
            }
            let constants = [place, &[number]].concat();
            let column = if place.is_empty() { column } else { brackets };
            return self.find(column, Form::Set, ty, &[], &constants);
        }
        if self.address_length().is_some() {
            let first = self.address()?;
            let sign = ['+', '-', '*', '/'].into_iter().find(|sign| self.rest().starts_with(*sign));
            let Some(sign) = sign else {
                let message = "one of `+`, `-`, `*` and `/` and an argument are missing";
                return Err(error(self.number, self.column(), message));
            };
            self.expect(&sign.to_string())?;
            let second = self.address()?;
            return self.find(column, Form::Infix(sign), ty, &[first, second], &[]);
        }
        let call = self.call()?;
        let form = |op: LearnerOp| match op.form() {
            Form::Call(name, rest) | Form::Random(name, rest) => {
                (name == call.name && rest == call.rest).then_some(op.form())
            }
            _ => None,
        };
        // Those of one name and ending are of one kind.
        match LearnerOp::all().find_map(form) {
            Some(form) => self.find(column, form, ty, &call.arguments, &call.constants),
            None => Err(self.unknown(column, &call)),
        }
    }

    fn unknown(&self, column: usize, call: &Call<'_>) -> ParseError {
        let names = || {
            LearnerOp::all().filter_map(|op| match op.form() {
                Form::Call(name, _) | Form::Random(name, _) => Some(name),
                _ => None,
            })
        };
        if names().any(|name| name == call.name) {
            let endings = LearnerOp::all().filter_map(|op| match op.form() {
                Form::Call(name, rest) | Form::Random(name, rest) if name == call.name => {
                    Some(rest)
                }
                _ => None,
            });
            let message = match (call.rest.as_str(), endings.min_by_key(|rest| rest.len())) {
                ("", Some(rest)) => format!("`{}` lacks `{rest}` at its end", call.name),
                (rest, _) => format!("`{}` cannot have `{rest}`", call.name),
            };
            return error(self.number, column, message);
        }
        let hint = nearest_name(call.name, names()).map(|name| format!("did you mean `{name}`?"));
        let message = format!("there is no function `{}`", call.name);
        ParseError { hint, ..error(self.number, column, message) }
    }

    /// The op of a form with these types.
    fn find(
        &self,
        column: usize,
        form: Form,
        ty: LearnerType,
        arguments: &[Address],
        constants: &[f64],
    ) -> Result<LearnerStatement, ParseError> {
        let fits = |op: &LearnerOp| {
            let info = op.info();
            op.form() == form
                && info.output == Some(ty)
                && info.inputs.iter().eq(arguments.iter().map(|(ty, _)| ty))
                && info.constants.count() == constants.len()
        };
        let Some(op) = LearnerOp::all().find(fits) else {
            let types = arguments.iter().map(|(ty, _)| ty.to_string());
            let numbers = constants.iter().map(|_| "constant".to_owned());
            let given: Vec<String> = types.chain(numbers).collect();
            let message = format!("no op makes a {ty} of ({}) like this", given.join(", "));
            return Err(error(self.number, column, message));
        };
        let mut statement = LearnerStatement { op, ..LearnerStatement::NO_OP };
        let addresses = arguments.iter().map(|(_, address)| *address);
        statement.inputs.iter_mut().zip(addresses).for_each(|(to, from)| *to = from);
        statement.constants.iter_mut().zip(constants).for_each(|(to, from)| *to = *from);
        Ok(statement)
    }

    fn call(&mut self) -> Result<Call<'t>, ParseError> {
        let column = self.column();
        let name = self.word();
        if name.is_empty() {
            return Err(error(self.number, column, "a value is missing"));
        }
        let mut call = Call { name, ..Call::default() };
        self.expect("(")?;
        loop {
            if self.address_length().is_some() && call.rest.is_empty() {
                call.arguments.push(self.address()?);
            } else if call.arguments.is_empty() && call.constants.len() < 2 {
                call.constants.push(self.constant()?);
            } else {
                self.extra(&mut call)?;
            }
            // More than two of anything make no call, so there is no need to read on.
            let many = call.arguments.len() > 2 || call.rest.len() > super::MATRIX.len();
            if many || !self.take(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(call)
    }

    /// What is no argument: a shape, an axis, or the value of a step at 0.
    fn extra(&mut self, call: &mut Call<'t>) -> Result<(), ParseError> {
        if self.take("(") {
            for sign in ["n_features", ",", "n_features", ")"] {
                self.expect(sign)?;
            }
            call.rest.push_str(super::MATRIX);
        } else if self.take("n_features") {
            call.rest.push_str(super::VECTOR);
        } else if self.take("axis") {
            self.expect("=")?;
            let axis = self.constant()?;
            call.rest.push_str(&format!(", axis={axis}"));
        } else {
            let number = self.constant()?;
            call.rest.push_str(&format!(", {number:?}"));
        }
        Ok(())
    }

    /// How long the address is that the rest starts with, and which; `None` if it starts with none.
    fn address_length(&self) -> Option<(usize, u8)> {
        let rest = self.rest();
        let digits = rest.get(1..)?;
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        let is_type = LearnerType::ALL.iter().any(|ty| rest.starts_with(ty.letter()));
        let ends = |c: char| !(c.is_alphanumeric() || c == '_');
        let whole = digits[length..].chars().next().is_none_or(ends);
        // Out of range is still meant as one.
        let number = digits[..length].parse().unwrap_or(u8::MAX);
        (is_type && length > 0 && whole).then_some((1 + length, number))
    }

    fn address(&mut self) -> Result<Address, ParseError> {
        let column = self.column();
        let ty = LearnerType::ALL.into_iter().find(|ty| self.rest().starts_with(ty.letter()));
        let (Some(ty), Some((length, address))) = (ty, self.address_length()) else {
            let message = "an address is expected, as `s1`, `v0` or `m3`";
            return Err(error(self.number, column, message));
        };
        if address >= LearnerProgram::ADDRESSES {
            let least = LearnerProgram::ADDRESSES;
            return Err(error(self.number, column, format!("addresses must be below {least}")));
        }
        self.at += length;
        self.skip_space();
        Ok((ty, address))
    }

    fn constant(&mut self) -> Result<f64, ParseError> {
        let column = self.column();
        let rest = self.rest();
        let mut previous = ' ';
        let length = rest.find(|c: char| {
            let sign = matches!(c, '+' | '-') && matches!(previous, ' ' | 'e' | 'E');
            previous = c;
            !(sign || c.is_ascii_alphanumeric() || c == '.')
        });
        let word = &rest[..length.unwrap_or(rest.len())];
        let number: Option<f64> = word.parse().ok();
        let Some(number) = number else {
            return Err(error(self.number, column, "a number is expected"));
        };
        if !number.is_finite() {
            return Err(error(self.number, column, "constants must be finite"));
        }
        self.at += word.len();
        self.skip_space();
        Ok(number)
    }

    /// Whether the rest is a number that no statement may have.
    fn is_not_finite(&self) -> bool {
        ["nan", "inf", "infinity"].iter().any(|word| self.rest().eq_ignore_ascii_case(word))
    }

    fn word(&mut self) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let word = &rest[..length.unwrap_or(rest.len())];
        self.at += word.len();
        self.skip_space();
        word
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, sign: &str) -> bool {
        let taken = self.rest().starts_with(sign);
        if taken {
            self.at += sign.len();
            self.skip_space();
        }
        taken
    }

    fn expect(&mut self, sign: &str) -> Result<(), ParseError> {
        if self.take(sign) {
            return Ok(());
        }
        Err(error(self.number, self.column(), format!("`{sign}` is expected")))
    }

    fn end(&self) -> Result<(), ParseError> {
        if self.is_at_end() {
            return Ok(());
        }
        Err(error(self.number, self.column(), "the line should end here"))
    }
}
