//! Expressions in LaTeX, with parentheses where precedence asks for them.

use evo_dsl::{GUARD, LeafRole, Op};

/// How tightly an expression holds together, the loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// A sum, a difference or a negative.
    Sum,
    /// A product.
    Product,
    /// Something with an exponent.
    Power,
    /// A symbol, a call, a fraction.
    Atom,
}

/// An expression and what it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expression {
    pub text: String,
    pub level: Level,
    /// Whether it begins with a digit, so that it may not follow a number directly.
    pub numeric: bool,
}

impl Expression {
    pub(crate) fn new(text: String, level: Level) -> Expression {
        let numeric = text.starts_with(|c: char| c.is_ascii_digit());
        Expression { text, level, numeric }
    }

    pub(crate) fn atom(text: String) -> Expression {
        Expression::new(text, Level::Atom)
    }

    /// The text, in parentheses if it is looser than `level`.
    pub(crate) fn at_least(&self, level: Level) -> String {
        if self.level >= level { self.text.clone() } else { parentheses(&self.text) }
    }
}

fn parentheses(text: &str) -> String {
    format!("\\left( {text} \\right)")
}

/// A number: in decimals, or with a power of ten where those would be long.
pub(crate) fn number(value: f64) -> Expression {
    let plain = format!("{value}");
    let magnitude = value.abs();
    if value == 0.0 || (1e-4..1e6).contains(&magnitude) {
        let level = if plain.starts_with('-') { Level::Sum } else { Level::Atom };
        return Expression::new(plain, level);
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power = format!("10^{{{exponent}}}");
    match mantissa {
        "1" => Expression::new(power, Level::Power),
        "-1" => Expression::new(format!("-{power}"), Level::Sum),
        _ => {
            let level = if mantissa.starts_with('-') { Level::Sum } else { Level::Product };
            Expression::new(format!("{mantissa} \\cdot {power}"), level)
        }
    }
}

/// The square root of what is never negative.
pub(super) fn root(x: &Expression) -> Expression {
    Expression::atom(format!("\\sqrt{{{}}}", x.text))
}

/// An op on expressions.
pub(crate) fn of(op: Op, args: &[Expression]) -> Expression {
    match (op, args) {
        (Op::Add, [a, b]) => {
            // A negative number is not written behind the sign of a sum.
            let b = if b.text.starts_with('-') { parentheses(&b.text) } else { b.text.clone() };
            Expression::new(format!("{} + {b}", a.text), Level::Sum)
        }
        (Op::Sub, [a, b]) => {
            Expression::new(format!("{} - {}", a.text, b.at_least(Level::Product)), Level::Sum)
        }
        (Op::Mul, [a, b]) => product(a, b),
        (Op::Outer, [a, b]) => {
            let (a, b) = (a.at_least(Level::Power), b.at_least(Level::Power));
            Expression::new(format!("{a} \\otimes {b}"), Level::Product)
        }
        (Op::Div, [a, b]) => {
            let guarded = format!("{} + \\epsilon", b.text);
            fraction(a, &Expression::new(guarded, Level::Sum))
        }
        (Op::Reciprocal, [x]) => fraction(&number(1.0), x),
        (Op::BiasCorrect, [x, b]) => {
            let rest = format!("1 - {}^{{t}}", b.at_least(Level::Atom));
            fraction(x, &Expression::new(rest, Level::Sum))
        }
        (Op::Interp, [x, y, a]) => {
            let rest = format!("(1 - {})", a.at_least(Level::Product));
            let (old, new) = (product(a, y), product(&Expression::atom(rest), x));
            Expression::new(format!("{} + {}", old.text, new.text), Level::Sum)
        }
        (Op::Power, [a, b]) => power(a, &b.text),
        (Op::Square, [x]) => power(x, "2"),
        (Op::Cube, [x]) => power(x, "3"),
        (Op::Where, [c, a, b]) => Expression::atom(format!(
            "\\begin{{cases}} {} & \\text{{if }} {} > 0 \\\\ {} & \\text{{otherwise}} \\end{{cases}}",
            a.text, c.text, b.text
        )),
        (Op::Clamp, [x, low, high]) => {
            let inner = call("\\max", &[&x.text, &low.text]);
            Expression::atom(call("\\min", &[&inner, &high.text]))
        }
        (Op::Dot, [a, b]) => {
            Expression::atom(format!("\\left\\langle {}, {} \\right\\rangle", a.text, b.text))
        }
        (_, [x]) => unary(op, x),
        _ => named(op, args),
    }
}

/// A constant, or a function of several arguments that is written by its name.
fn named(op: Op, args: &[Expression]) -> Expression {
    let args: Vec<&str> = args.iter().map(|arg| arg.text.as_str()).collect();
    Expression::atom(match op {
        Op::Pi => "\\pi".to_owned(),
        Op::E => "\\mathrm{e}".to_owned(),
        Op::Eps => return number(GUARD),
        op if let Some(role) = LeafRole::asked_by(op) => {
            format!("\\mathbf{{1}}_\\mathrm{{{}}}", role.name())
        }
        Op::Rows => "\\mathrm{rows}".to_owned(),
        Op::Columns => "\\mathrm{columns}".to_owned(),
        Op::Max => call("\\max", &args),
        Op::Min => call("\\min", &args),
        Op::CosineSim => call("\\operatorname{cosine}", &args),
        _ => call(&operator(op), &args),
    })
}

/// The name of an op as that of a function.
fn operator(op: Op) -> String {
    format!("\\operatorname{{{}}}", op.info().name.replace('_', "\\ "))
}

fn unary(op: Op, x: &Expression) -> Expression {
    let text = &x.text;
    let magnitude = format!("\\left\\lvert {text} \\right\\rvert");
    Expression::atom(match op {
        Op::Negative => {
            return Expression::new(format!("-{}", x.at_least(Level::Product)), Level::Sum);
        }
        Op::Abs => magnitude,
        Op::Sqrt => format!("\\sqrt{{{magnitude}}}"),
        Op::Cbrt => format!("\\sqrt[3]{{{text}}}"),
        Op::Exp => return Expression::new(format!("\\mathrm{{e}}^{{{text}}}"), Level::Power),
        Op::Exp2 => return Expression::new(format!("2^{{{text}}}"), Level::Power),
        Op::Exp10 => return Expression::new(format!("10^{{{text}}}"), Level::Power),
        Op::Expm1 => {
            return Expression::new(format!("\\mathrm{{e}}^{{{text}}} - 1"), Level::Sum);
        }
        Op::Log => format!("\\ln {magnitude}"),
        Op::Log2 => format!("\\log_2 {magnitude}"),
        Op::Log10 => format!("\\log_{{10}} {magnitude}"),
        Op::Log1p => {
            let x = if text.starts_with('-') { parentheses(text) } else { text.clone() };
            format!("\\ln \\left\\lvert 1 + {x} \\right\\rvert")
        }
        Op::Heaviside => format!("\\mathbf{{1}}\\left[ {text} > 0 \\right]"),
        Op::Norm => format!("\\left\\lVert {text} \\right\\rVert"),
        Op::GlobalNorm => format!("\\left\\lVert {text} \\right\\rVert_\\mathrm{{all}}"),
        Op::Cos
        | Op::Sin
        | Op::Tan
        | Op::Arcsin
        | Op::Arccos
        | Op::Arctan
        | Op::Sinh
        | Op::Cosh
        | Op::Tanh => call(&format!("\\{}", op.info().name), &[text]),
        Op::Orthogonalize => call("\\operatorname{orth}", &[text]),
        Op::PolarExpress => call("\\operatorname{polar}_{5}", &[text]),
        Op::PolarFactor => call("\\operatorname{polar}_{10}", &[text]),
        _ => call(&operator(op), &[text]),
    })
}

pub(crate) fn call(function: &str, args: &[&str]) -> String {
    format!("{function}{}", parentheses(&args.join(", ")))
}

/// A quotient without a guard.
pub(crate) fn fraction(above: &Expression, below: &Expression) -> Expression {
    Expression::atom(format!("\\frac{{{}}}{{{}}}", above.text, below.text))
}

fn power(base: &Expression, exponent: &str) -> Expression {
    // What ends with a fraction or a call is easier to read in parentheses.
    let simple =
        base.level == Level::Atom && !base.text.contains("\\left") && !base.text.contains("\\frac");
    let base = if simple { base.text.clone() } else { parentheses(&base.text) };
    Expression::new(format!("{base}^{{{exponent}}}"), Level::Power)
}

pub(crate) fn product(a: &Expression, b: &Expression) -> Expression {
    let (left, right) = (a.at_least(Level::Product), b.at_least(Level::Product));
    let between = if b.numeric { " \\cdot " } else { " " };
    Expression::new(format!("{left}{between}{right}"), Level::Product)
}
