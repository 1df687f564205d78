//! Expressions: one op on written-down arguments, in float32 or float64.
//!
//! Invariant: the value is the engine's up to the last bits of the functions of the standard
//! library. An op on elements of trees takes float32 arguments; its transcendental functions are
//! taken in float64 and rounded once.

use std::collections::BTreeSet;

use evo_dsl::Op;

use super::support::Support;

/// The numbers that an expression computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// float32, the elements of trees.
    Narrow,
    /// float64, whatever is smaller than a tree.
    Wide,
}

impl Width {
    /// The type in Rust.
    pub(super) fn number(self) -> &'static str {
        match self {
            Width::Narrow => "f32",
            Width::Wide => "f64",
        }
    }
}

/// An argument as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    /// A variable or an element of one, of the expression's width.
    Place(String),
    /// A float64 place that is rounded to float32.
    Rounded(String),
    /// A number.
    Literal(f64),
}

impl Term {
    /// Between operators or as the argument of a function.
    pub(super) fn plain(&self, width: Width) -> String {
        match self {
            Term::Place(place) => place.clone(),
            Term::Rounded(place) => format!("{place} as f32"),
            Term::Literal(value) => literal(*value, width),
        }
    }

    /// Before a dot, and wherever its type must be seen.
    pub(super) fn typed(&self, width: Width) -> String {
        match self {
            Term::Place(place) => place.clone(),
            Term::Rounded(place) => format!("({place} as f32)"),
            Term::Literal(value) => {
                let text = literal(*value, width);
                let text =
                    if text.contains("::") { text } else { format!("{text}_{}", width.number()) };
                if *value < 0.0 || value.is_sign_negative() { format!("({text})") } else { text }
            }
        }
    }

    /// As a float64, before a dot.
    pub(super) fn widened(&self, width: Width) -> String {
        match (width, self) {
            (Width::Wide, _) => self.typed(width),
            (Width::Narrow, Term::Rounded(place)) => format!("f64::from({place} as f32)"),
            (Width::Narrow, Term::Literal(_)) => {
                format!("f64::from({})", self.typed(width).trim_matches(['(', ')']))
            }
            (Width::Narrow, Term::Place(place)) => format!("f64::from({place})"),
        }
    }
}

/// A number as it is written in Rust; what is too large for a float32 becomes infinite.
fn literal(value: f64, width: Width) -> String {
    match width {
        Width::Wide => format!("{value:?}"),
        Width::Narrow if (value as f32).is_infinite() => {
            let sign = if value < 0.0 { "NEG_" } else { "" };
            format!("f32::{sign}INFINITY")
        }
        Width::Narrow => format!("{:?}", value as f32),
    }
}

/// Writes expressions and remembers the functions they call.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    called: BTreeSet<Support>,
}

impl Expressions {
    /// The functions that are called, those that they call included.
    pub(super) fn called(&self) -> BTreeSet<Support> {
        let inner = self.called.iter().flat_map(|support| support.calls().iter().copied());
        self.called.iter().copied().chain(inner).collect()
    }

    /// The path of a function.
    pub(super) fn call(&mut self, support: Support) -> String {
        self.called.insert(support);
        format!("ops::{}", support.name())
    }

    /// An elementwise op. What `clip` and `bias_correct` multiply by is their second argument.
    pub(super) fn of(&mut self, op: Op, args: &[Term], width: Width) -> String {
        let plain: Vec<String> = args.iter().map(|arg| arg.plain(width)).collect();
        match (op, plain.as_slice()) {
            (Op::Add, [a, b]) => format!("{a} + {b}"),
            (Op::Sub, [a, b]) => format!("{a} - {b}"),
            (Op::Mul | Op::Outer | Op::Clip | Op::BiasCorrect, [a, b]) => format!("{a} * {b}"),
            (Op::Div, [a, b]) => format!("{a} / ({b} + 1e-8)"),
            (Op::Power, [..]) => {
                let power =
                    format!("{}.powf({})", args[0].widened(width), float64(&args[1], width));
                rounded(power, width)
            }
            (Op::Interp, [x, y, _]) => {
                let [old, new] = blend(&args[2], width);
                format!("{old} * {x} + {new} * {y}")
            }
            (Op::Where, [c, a, b]) => format!("if {c} > 0.0 {{ {a} }} else {{ {b} }}"),
            (Op::Clamp, [x, low, high]) => {
                let (max, min) = (self.pair(Op::Max, width), self.pair(Op::Min, width));
                format!("{min}({max}({x}, {low}), {high})")
            }
            (Op::Max | Op::Min, [a, b]) => format!("{}({a}, {b})", self.pair(op, width)),
            (Op::Sign | Op::Heaviside, [x]) => format!("{}({x})", self.pair(op, width)),
            (_, [x]) => self.unary(op, &args[0], x, width),
            (op, _) => unreachable!("{} is not elementwise", op.info().name),
        }
    }

    /// The function of an op that the standard library has not, in one of the widths.
    fn pair(&mut self, op: Op, width: Width) -> String {
        let narrow = width == Width::Narrow;
        self.call(match op {
            Op::Max if narrow => Support::MaxF32,
            Op::Max => Support::MaxF64,
            Op::Min if narrow => Support::MinF32,
            Op::Min => Support::MinF64,
            Op::Sign if narrow => Support::SignF32,
            Op::Sign => Support::SignF64,
            _ if narrow => Support::HeavisideF32,
            _ => Support::HeavisideF64,
        })
    }

    fn unary(&mut self, op: Op, x: &Term, plain: &str, width: Width) -> String {
        let typed = x.typed(width);
        match op {
            Op::Abs => format!("{typed}.abs()"),
            Op::Negative => format!("-{typed}"),
            Op::Square => format!("{plain} * {plain}"),
            Op::Cube => format!("{plain} * {plain} * {plain}"),
            Op::Sqrt => format!("{typed}.abs().sqrt()"),
            Op::Reciprocal => format!("1.0 / {plain}"),
            Op::Exp10 => rounded(format!("10.0_f64.powf({})", float64(x, width)), width),
            Op::Log1p => {
                let function = self.call(Support::Log1p);
                rounded(format!("{function}({})", float64(x, width)), width)
            }
            Op::Log | Op::Log2 | Op::Log10 => {
                rounded(format!("{}.abs().{}()", x.widened(width), method(op)), width)
            }
            _ => rounded(format!("{}.{}()", x.widened(width), method(op)), width),
        }
    }
}

/// As a float64 argument of a function.
fn float64(x: &Term, width: Width) -> String {
    match width {
        Width::Wide => x.plain(width),
        Width::Narrow => x.widened(width),
    }
}

fn rounded(text: String, width: Width) -> String {
    match width {
        Width::Wide => text,
        Width::Narrow => format!("{text} as f32"),
    }
}

/// `1 - a` and `a`, the difference taken in float64.
fn blend(a: &Term, width: Width) -> [String; 2] {
    match (a, width) {
        (Term::Literal(value), _) => [literal(1.0 - value, width), literal(*value, width)],
        (Term::Place(a) | Term::Rounded(a), Width::Wide) => [format!("(1.0 - {a})"), a.clone()],
        (Term::Place(a) | Term::Rounded(a), Width::Narrow) => {
            [format!("(1.0 - {a}) as f32"), format!("{a} as f32")]
        }
    }
}

/// The method of the standard library's float64 for a function of one argument.
fn method(op: Op) -> &'static str {
    match op {
        Op::Cos => "cos",
        Op::Sin => "sin",
        Op::Tan => "tan",
        Op::Arcsin => "asin",
        Op::Arccos => "acos",
        Op::Arctan => "atan",
        Op::Sinh => "sinh",
        Op::Cosh => "cosh",
        Op::Tanh => "tanh",
        Op::Arcsinh => "asinh",
        Op::Arccosh => "acosh",
        Op::Arctanh => "atanh",
        Op::Exp => "exp",
        Op::Exp2 => "exp2",
        Op::Expm1 => "exp_m1",
        Op::Log => "ln",
        Op::Log2 => "log2",
        Op::Log10 => "log10",
        Op::Cbrt => "cbrt",
        _ => unreachable!("{} is no function of the standard library", op.info().name),
    }
}
