//! The ops: the 45 functions of the Lion search space, with names, arity and shape rule.
//!
//! Invariant: [`Op::info`] is the one table of facts about an op; the parser, the checker, the
//! executors and `evo ops` all read it, and every op has exactly one row. Meaning follows the
//! paper (arXiv 2302.06675) and its released function library; where the released code departs
//! from its own intent (`interp` checking the wrong argument, `cbrt` returning a function, `power`
//! failing on trees) the intent is implemented.

use std::fmt;

use crate::Type;

/// What a statement computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each op's formula is its row in the table")]
#[repr(u8)]
pub enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    Abs,
    Negative,
    Cos,
    Sin,
    Tan,
    Arcsin,
    Arccos,
    Arctan,
    Sinh,
    Cosh,
    Tanh,
    Arcsinh,
    Arccosh,
    Arctanh,
    Exp,
    Exp2,
    Exp10,
    Expm1,
    Log,
    Log2,
    Log10,
    Log1p,
    Square,
    Sqrt,
    Cube,
    Cbrt,
    Reciprocal,
    Sign,
    Invert,
    Norm,
    GlobalNorm,
    Dot,
    CosineSim,
    Clip,
    Interp,
    Power,
    Pi,
    E,
    Eps,
}

/// How the type of the result follows from the types of the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeRule {
    /// Elementwise: the join of all arguments.
    Join,
    /// A tree gives one number per leaf; smaller types keep their type.
    ReduceLeaves,
    /// One number over everything.
    ReduceAll,
    /// The first argument's type; the second must be a scalar.
    KeepFirst,
    /// The join of the first two; the third must be a scalar.
    Blend,
    /// A scalar from nothing.
    Constant,
    /// Defined on integers only, so no float program can use it.
    IntegersOnly,
}

impl fmt::Display for ShapeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ShapeRule::Join => "the larger of the types",
            ShapeRule::ReduceLeaves => "per-leaf of a tree, else the type",
            ShapeRule::ReduceAll => "scalar",
            ShapeRule::KeepFirst => "the first's type; c is a scalar",
            ShapeRule::Blend => "the larger of x, y; a is a scalar",
            ShapeRule::Constant => "scalar",
            ShapeRule::IntegersOnly => "none",
        })
    }
}

/// The facts about one op.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// The op.
    pub op: Op,
    /// Its name in program text; for infix ops the symbol.
    pub name: &'static str,
    /// Other accepted spellings.
    pub aliases: &'static [&'static str],
    /// Number of arguments, 0 to 3.
    pub arity: usize,
    /// How the result's type follows from the arguments'.
    pub rule: ShapeRule,
    /// Whether the first two arguments can be exchanged without changing the result.
    pub commutative: bool,
    /// What it computes, guards included.
    pub formula: &'static str,
}

const fn row(
    op: Op,
    name: &'static str,
    aliases: &'static [&'static str],
    arity: usize,
    rule: ShapeRule,
    formula: &'static str,
) -> OpInfo {
    let commutative = matches!(op, Op::Add | Op::Mul | Op::Max | Op::Min | Op::Dot | Op::CosineSim);
    OpInfo { op, name, aliases, arity, rule, commutative, formula }
}

const fn elementwise(op: Op, name: &'static str, formula: &'static str) -> OpInfo {
    row(op, name, &[], 1, ShapeRule::Join, formula)
}

/// Every op, in the order of [`Op`].
#[rustfmt::skip]
const TABLE: [OpInfo; 45] = [
    row(Op::Add, "+", &["add"], 2, ShapeRule::Join, "a + b"),
    row(Op::Sub, "-", &["subtract"], 2, ShapeRule::Join, "a - b"),
    row(Op::Mul, "*", &["multiply"], 2, ShapeRule::Join, "a * b"),
    row(Op::Div, "/", &["divide"], 2, ShapeRule::Join, "a / (b + 1e-8)"),
    row(Op::Max, "max", &["maximum"], 2, ShapeRule::Join, "larger of a and b; NaN if either is"),
    row(Op::Min, "min", &["minimum"], 2, ShapeRule::Join, "smaller of a and b; NaN if either is"),
    elementwise(Op::Abs, "abs", "|x|"),
    row(Op::Negative, "negative", &["neg"], 1, ShapeRule::Join, "-x"),
    elementwise(Op::Cos, "cos", "cos x"),
    elementwise(Op::Sin, "sin", "sin x"),
    elementwise(Op::Tan, "tan", "tan x"),
    elementwise(Op::Arcsin, "arcsin", "arcsin x; NaN outside [-1, 1]"),
    elementwise(Op::Arccos, "arccos", "arccos x; NaN outside [-1, 1]"),
    elementwise(Op::Arctan, "arctan", "arctan x"),
    elementwise(Op::Sinh, "sinh", "sinh x"),
    elementwise(Op::Cosh, "cosh", "cosh x"),
    elementwise(Op::Tanh, "tanh", "tanh x"),
    elementwise(Op::Arcsinh, "arcsinh", "arcsinh x"),
    elementwise(Op::Arccosh, "arccosh", "arccosh x; NaN below 1"),
    elementwise(Op::Arctanh, "arctanh", "arctanh x; NaN outside [-1, 1]"),
    elementwise(Op::Exp, "exp", "e^x"),
    elementwise(Op::Exp2, "exp2", "2^x"),
    elementwise(Op::Exp10, "exp10", "10^x"),
    elementwise(Op::Expm1, "expm1", "e^x - 1"),
    elementwise(Op::Log, "log", "ln |x|"),
    elementwise(Op::Log2, "log2", "log2 |x|"),
    elementwise(Op::Log10, "log10", "log10 |x|"),
    elementwise(Op::Log1p, "log1p", "ln |1 + x|"),
    elementwise(Op::Square, "square", "x * x"),
    elementwise(Op::Sqrt, "sqrt", "sqrt |x|"),
    elementwise(Op::Cube, "cube", "x * x * x"),
    elementwise(Op::Cbrt, "cbrt", "real cube root of x"),
    elementwise(Op::Reciprocal, "reciprocal", "1 / x, unguarded"),
    elementwise(Op::Sign, "sign", "1 above zero, -1 below, x itself at 0 and NaN"),
    row(Op::Invert, "invert", &[], 1, ShapeRule::IntegersOnly, "bitwise not; never valid on floats"),
    row(Op::Norm, "norm", &[], 1, ShapeRule::ReduceLeaves, "2-norm of each tensor"),
    row(Op::GlobalNorm, "global_norm", &[], 1, ShapeRule::ReduceAll, "2-norm over all tensors"),
    row(Op::Dot, "dot", &[], 2, ShapeRule::ReduceAll, "sum of a * b over all tensors"),
    row(Op::CosineSim, "cosine_sim", &[], 2, ShapeRule::ReduceAll, "dot(a, b) / (|a| |b|), unguarded"),
    row(Op::Clip, "clip", &["clip_by_global_norm"], 2, ShapeRule::KeepFirst, "x * min(1, c / global_norm(x))"),
    row(Op::Interp, "interp", &["interpolate"], 3, ShapeRule::Blend, "(1 - a) * x + a * y"),
    row(Op::Power, "power", &["pow"], 2, ShapeRule::Join, "a^b; NaN for a < 0 and fractional b"),
    row(Op::Pi, "get_pi", &[], 0, ShapeRule::Constant, "3.14159..."),
    row(Op::E, "get_e", &[], 0, ShapeRule::Constant, "2.71828..."),
    row(Op::Eps, "get_eps", &[], 0, ShapeRule::Constant, "1e-8"),
];

impl Op {
    /// Every op, in a fixed order.
    pub fn all() -> impl Iterator<Item = Op> {
        TABLE.iter().map(|info| info.op)
    }

    /// The row of facts about this op.
    pub fn info(self) -> &'static OpInfo {
        &TABLE[self as usize]
    }

    /// Number of arguments, 0 to 3.
    pub fn arity(self) -> usize {
        self.info().arity
    }

    /// The op with this name, alias or infix symbol.
    pub fn from_name(name: &str) -> Option<Op> {
        let known = |info: &&OpInfo| info.name == name || info.aliases.contains(&name);
        TABLE.iter().find(known).map(|info| info.op)
    }

    /// The symbol, for an op written between its arguments.
    pub fn infix(self) -> Option<&'static str> {
        matches!(self, Op::Add | Op::Sub | Op::Mul | Op::Div).then(|| self.info().name)
    }

    /// The type of the result on arguments of these types, or `None` where they do not fit.
    pub fn result_type(self, args: &[Type]) -> Option<Type> {
        let info = self.info();
        if args.len() != info.arity {
            return None;
        }
        match info.rule {
            ShapeRule::Join => args.iter().copied().reduce(Type::join),
            ShapeRule::ReduceLeaves => Some(args[0].min(Type::PerLeaf)),
            ShapeRule::ReduceAll | ShapeRule::Constant => Some(Type::Scalar),
            ShapeRule::KeepFirst => (args[1] == Type::Scalar).then_some(args[0]),
            ShapeRule::Blend => (args[2] == Type::Scalar).then(|| args[0].join(args[1])),
            ShapeRule::IntegersOnly => None,
        }
    }

    /// The value of an op without arguments.
    pub fn constant(self) -> Option<f64> {
        match self {
            Op::Pi => Some(std::f64::consts::PI),
            Op::E => Some(std::f64::consts::E),
            Op::Eps => Some(GUARD),
            _ => None,
        }
    }
}

/// What [`Op::Div`] adds to its divisor, and the value of [`Op::Eps`].
pub const GUARD: f64 = 1e-8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_follows_the_enum_and_names_are_unique() {
        let mut names = Vec::new();
        for (index, info) in TABLE.iter().enumerate() {
            assert_eq!(info.op as usize, index, "{}", info.name);
            names.push(info.name);
            names.extend(info.aliases);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
