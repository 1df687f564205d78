//! LaTeX: the update rule as a paper would print it, in a document of its own.
//!
//! Invariant: the equations are the live program, exactly: what is read once is written where it is
//! read, as long as the equation stays short, and everything else has an equation of its own. `t`
//! is the step: a state is read as of `t - 1` and written as of `t`.

pub(crate) mod expression;
mod sign;
mod symbols;
mod table;

use evo_dsl::Op;

use super::listing::{Argument, Line, Listing};
use expression::{Expression, Level, number};
use sign::NonNegative;
use symbols::Symbols;
pub(crate) use symbols::escaped;
pub use table::{TableRow, latex_table};

/// Most operations that are written inside of another one.
const MOST_INSIDE: usize = 6;

/// The program as text.
pub(super) fn emit(listing: &Listing, name: &str) -> String {
    let equations = Equations::of(listing);
    let lines = equations.all();
    let mut text = format!(
        "% An optimizer exported from evo.\n\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\
         \\allowdisplaybreaks\n\\begin{{document}}\n\n\\section*{{{}}}\n\n{}\n\n\\begin{{align*}}\n",
        escaped(name),
        introduction(listing, &equations.symbols)
    );
    text += &lines.join(" \\\\\n");
    text += "\n\\end{align*}\n";
    let notes = notes(listing);
    if !notes.is_empty() {
        text += &format!("\n\\noindent\nHere {}.\n", notes.join("; "));
    }
    text += &settings(listing, &equations.symbols);
    text + "\n\\end{document}\n"
}

/// The program as equations.
struct Equations<'a> {
    listing: &'a Listing,
    symbols: Symbols,
    non_negative: NonNegative,
    /// Which lines are written where they are read.
    inside: Vec<bool>,
    /// To how many digits numbers are rounded, where they stand in place of settings.
    digits: Option<usize>,
}

impl<'a> Equations<'a> {
    fn of(listing: &'a Listing) -> Equations<'a> {
        let mut sizes = vec![0; listing.lines.len()];
        let mut inside = vec![false; listing.lines.len()];
        for (index, line) in listing.lines.iter().enumerate() {
            let within = |argument: &Argument| match argument {
                Argument::Line(of) if inside[*of] => sizes[*of],
                _ => 0,
            };
            sizes[index] = 1 + line.args.iter().map(within).sum::<usize>();
            let is_state = listing.states.iter().any(|state| state.next == Argument::Line(index));
            inside[index] = times_written(listing, index) == 1
                && sizes[index] <= MOST_INSIDE
                && line.op != Op::Where
                && !is_state;
        }
        let (symbols, non_negative) = (Symbols::of(listing), NonNegative::of(listing));
        Equations { listing, symbols, non_negative, inside, digits: None }
    }

    /// With numbers in place of settings and of the learning rate, which is then what the program
    /// multiplies its schedule by.
    fn with_numbers(self, digits: usize) -> Equations<'a> {
        Equations { digits: Some(digits), ..self }
    }

    fn all(&self) -> Vec<String> {
        let listing = self.listing;
        let mut out = Vec::new();
        if let Some(unit) = listing.learning_rate.unit
            && self.digits.is_none()
            && listing.reads_any(|argument| argument == Argument::NormalizedRate)
        {
            let rate = self.symbols.of_argument(Argument::LearningRate);
            let rate = expression::fraction(&Expression::atom(rate), &number(unit)).text;
            out.push(format!("{} &= {rate}", self.symbols.normalized_rate()));
        }
        for (index, line) in listing.lines.iter().enumerate().filter(|(at, _)| !self.inside[*at]) {
            out.push(format!("{} &= {}", self.symbols.line(index), self.line(line).text));
        }
        for (index, state) in listing.states.iter().enumerate() {
            let (symbol, next) = (self.symbols.state_after(index), self.argument(state.next).text);
            // The line of the state's own value is among the lines.
            if symbol != next {
                out.push(format!("{symbol} &= {next}"));
            }
        }
        let update = self.argument(listing.update).at_least(Level::Product);
        let (before, after) = (self.symbols.weight_before(), self.symbols.weight_after());
        out.push(format!("{after} &= {before} - {update}"));
        out
    }

    fn argument(&self, argument: Argument) -> Expression {
        match argument {
            Argument::Line(index) if self.inside[index] => self.line(&self.listing.lines[index]),
            Argument::Constant(value) => self.number(value),
            Argument::Hyperparameter(setting) if self.digits.is_some() => {
                self.number(self.listing.hyperparameters[setting].value)
            }
            Argument::LearningRate | Argument::NormalizedRate if self.digits.is_some() => {
                let schedule = self.symbols.of_argument(Argument::LearningRate);
                let schedule = Expression::atom(schedule);
                match self.listing.learning_rate.unit.filter(|_| argument == Argument::LearningRate)
                {
                    Some(unit) => expression::of(Op::Mul, &[self.number(unit), schedule]),
                    None => schedule,
                }
            }
            _ => Expression::atom(self.symbols.of_argument(argument)),
        }
    }

    fn number(&self, value: f64) -> Expression {
        let Some(digits) = self.digits else { return number(value) };
        number(rounded(value, digits))
    }

    fn line(&self, line: &Line) -> Expression {
        match (line.op, line.args.as_slice()) {
            (Op::Mul, &[a, b]) if a == b => expression::of(Op::Square, &[self.argument(a)]),
            (Op::Mul, &[a, b]) => match (self.divisor(a), self.divisor(b)) {
                (_, Some(divisor)) => expression::fraction(&self.argument(a), &divisor),
                (Some(divisor), None) => expression::fraction(&self.argument(b), &divisor),
                // Numbers and settings are written before what they multiply.
                _ if rank(a) > rank(b) => self.applied(Op::Mul, &[b, a]),
                _ => self.applied(Op::Mul, &[a, b]),
            },
            (Op::Sqrt, &[x]) if self.non_negative.is(self.listing, x) => {
                expression::root(&self.argument(x))
            }
            (op, args) => self.applied(op, args),
        }
    }

    fn applied(&self, op: Op, args: &[Argument]) -> Expression {
        let args: Vec<Expression> = args.iter().map(|arg| self.argument(*arg)).collect();
        expression::of(op, &args)
    }

    /// What a factor divides by, if it is a reciprocal that is written where it is read.
    fn divisor(&self, factor: Argument) -> Option<Expression> {
        let Argument::Line(index) = factor else { return None };
        let line = &self.listing.lines[index];
        let is = self.inside[index] && line.op == Op::Reciprocal;
        is.then(|| self.argument(line.args[0]))
    }
}

/// A value to as many significant digits; to as many of what it lacks to 1, where it is above a
/// half and lacks some. A decay rate of 0.999 as 1 would be another rule.
fn rounded(value: f64, digits: usize) -> f64 {
    let is_part = value > 0.5 && value < 1.0;
    let size = format!("{:.*e}", digits - 1, if is_part { 1.0 - value } else { value });
    let text = match size.split_once("e-").filter(|_| is_part) {
        Some((_, places)) => {
            let places: usize = places.parse().expect("an exponent is a number");
            format!("{value:.*}", digits - 1 + places)
        }
        None => size,
    };
    text.parse().expect("it was written as a number")
}

/// How often the expression of a line would be written if it were written where it is read.
fn times_written(listing: &Listing, index: usize) -> usize {
    let is_it = |argument: &Argument| *argument == Argument::Line(index);
    let in_lines = listing.lines.iter().map(|line| {
        let places = line.args.iter().enumerate().filter(|(_, argument)| is_it(argument));
        // The weight of a blend is written twice.
        places
            .map(|(place, _)| if line.op == Op::Interp && place == 2 { 2 } else { 1 })
            .sum::<usize>()
    });
    let outputs = listing.states.iter().map(|state| state.next).chain([listing.update]);
    in_lines.sum::<usize>() + outputs.filter(is_it).count()
}

/// Numbers first, then settings, rates and everything else.
fn rank(argument: Argument) -> usize {
    match argument {
        Argument::Constant(_) => 0,
        Argument::LearningRate | Argument::NormalizedRate => 1,
        Argument::Hyperparameter(_) => 2,
        _ => 3,
    }
}

fn introduction(listing: &Listing, symbols: &Symbols) -> String {
    let mut given = vec![format!("the weights ${}$", symbols.weight_before())];
    if listing.reads_any(|argument| argument == Argument::Gradient) {
        given.push(format!("their gradient ${}$", symbols.of_argument(Argument::Gradient)));
    }
    if listing
        .reads_any(|argument| matches!(argument, Argument::LearningRate | Argument::NormalizedRate))
    {
        given.push("the learning rate $\\eta_t$".to_owned());
    }
    let last = given.pop().unwrap_or_default();
    let given = if given.is_empty() { last } else { format!("{} and {last}", given.join(", ")) };
    let zero: Vec<String> = (0..listing.carried().len())
        .map(|index| format!("${}$", symbols.state_at(index, "0")))
        .collect();
    let zero = match zero.as_slice() {
        [] => String::new(),
        [one] => format!(", with {one} zero"),
        [others @ .., last] => format!(", with {} and {last} zero", others.join(", ")),
    };
    format!("\\noindent\nGiven {given}{zero}, step $t = 1, 2, \\dots$ is")
}

/// What the notation means where a reader may not know it.
fn notes(listing: &Listing) -> Vec<&'static str> {
    let known: [(&[Op], &'static str); 12] = [
        (&[Op::Div], "$\\epsilon = 10^{-8}$"),
        (&[Op::Norm], "$\\lVert x \\rVert$ is the 2-norm of each tensor"),
        (&[Op::GlobalNorm], "$\\lVert x \\rVert_\\mathrm{all}$ is the 2-norm over all tensors"),
        (
            &[Op::Dot, Op::CosineSim],
            "$\\langle a, b \\rangle$ is the sum of products over all tensors",
        ),
        (
            &[Op::CosineSim],
            "$\\operatorname{cosine}(a, b) = \\langle a, b \\rangle / \\sqrt{\\langle a, a \\rangle \\langle b, b \\rangle}$, 0 where one is zero",
        ),
        (
            &[Op::Clip],
            "$\\operatorname{clip}(x, c) = x \\min(1, c / \\lVert x \\rVert_\\mathrm{all})$ with the 2-norm over all tensors, $x$ itself at norm 0",
        ),
        (
            &[Op::RowMean, Op::ColumnMean],
            "means are over each row or column of each tensor, as a matrix of its first dimension by the others",
        ),
        (
            &[Op::Orthogonalize],
            "$\\operatorname{orth}(x)$ is five Newton--Schulz steps from each matrix to the nearest semi-orthogonal one",
        ),
        (
            &[Op::PolarExpress, Op::PolarFactor],
            "$\\operatorname{polar}_{k}(x)$ is $k$ steps of Polar Express from each \
             matrix to the nearest semi-orthogonal one",
        ),
        (
            &[Op::IsHidden, Op::IsEmbedding, Op::IsOutput, Op::IsVector],
            "$\\mathbf{1}_\\mathrm{role}$ is 1 for tensors of that role in the network, else 0",
        ),
        (
            &[Op::Rows, Op::Columns],
            "rows and columns are counted in each tensor, as a matrix of its first dimension by the others",
        ),
        (
            &[Op::Outer],
            "$r \\otimes c$ is the product of rows and columns, $(r \\otimes c)_{ij} = r_i c_j$",
        ),
    ];
    let uses = |ops: &[Op]| listing.lines.iter().any(|line| ops.contains(&line.op));
    known.into_iter().filter(|(ops, _)| uses(ops)).map(|(_, note)| note).collect()
}

/// The table of hyperparameters.
fn settings(listing: &Listing, symbols: &Symbols) -> String {
    let mut rows = Vec::new();
    if listing
        .reads_any(|argument| matches!(argument, Argument::LearningRate | Argument::NormalizedRate))
    {
        let value = number(listing.learning_rate.default).text;
        rows.push(format!("$\\eta_t$ & ${value}$ & learning rate, times its schedule"));
    }
    for (index, setting) in listing.hyperparameters.iter().enumerate() {
        let symbol = symbols.of_argument(Argument::Hyperparameter(index));
        let (value, meaning) = (number(setting.value).text, setting.purpose.description());
        rows.push(format!("${symbol}$ & ${value}$ & {meaning}"));
    }
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "\n\\begin{{center}}\n\\begin{{tabular}}{{lll}}\n\\hline\nSymbol & Value & Meaning \\\\\n\\hline\n\
         {} \\\\\n\\hline\n\\end{{tabular}}\n\\end{{center}}\n",
        rows.join(" \\\\\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equations(name: &str) -> Vec<String> {
        let program = evo_dsl::zoo::get(name).expect("it is in the zoo").program();
        Equations::of(&Listing::of(&program, name)).all()
    }

    #[test]
    fn lion_and_adam_are_written_as_in_their_papers() {
        assert_eq!(
            equations("lion"),
            [
                "m_{t} &= \\beta_{2} m_{t-1} + (1 - \\beta_{2}) g_{t}",
                "w_{t} &= w_{t-1} - \\eta_t \\left( \\operatorname{sign}\\left( \\beta_{1} m_{t-1} + (1 - \\beta_{1}) g_{t} \\right) + \\lambda w_{t-1} \\right)",
            ]
        );
        let rmsprop = equations("rmsprop");
        assert_eq!(rmsprop[0], "v_{t} &= \\beta v_{t-1} + (1 - \\beta) g_{t}^{2}");
        assert_eq!(
            rmsprop[1],
            "w_{t} &= w_{t-1} - \\eta_t \\frac{g_{t}}{\\sqrt{v_{t}} + \\epsilon}"
        );
    }
}
