//! The ops: the 45 functions of the Lion search space and those that today's optimizers need
//! beyond them.
//!
//! Invariant: [`Op::info`] is the one table of facts about an op; the parser, the checker, the
//! engines and `evo ops` all read it, and every op has exactly one row. Meaning follows the
//! paper (arXiv 2302.06675) and its released function library; where the released code departs
//! from its own intent (`interp` checking the wrong argument, `cbrt` returning a function, `power`
//! failing on trees) the intent is implemented.

mod rule;
mod set;
mod table;

pub use rule::ShapeRule;
pub use set::OpSet;
pub use table::OpInfo;
use table::TABLE;

use crate::Type;
use crate::matrix::Schedule;

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
    // Beyond the Lion space. New ops go to the end: structural hashes hold an op's number.
    BiasCorrect,
    RowMean,
    ColumnMean,
    Outer,
    Orthogonalize,
    Where,
    Heaviside,
    Clamp,
    Rows,
    Columns,
    Rms,
    RmsNormalize,
    IsHidden,
    IsEmbedding,
    IsOutput,
    IsVector,
    PolarExpress,
    PolarFactor,
}

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
        if args.len() == info.arity { info.rule.result(args) } else { None }
    }

    /// Whether some arguments fit, so that a float program can use the op at all.
    pub fn is_usable(self) -> bool {
        // A scalar fits every slot of a usable op.
        self.result_type(&[Type::Scalar; 3][..self.arity()]).is_some()
    }

    /// Whether the result at a point depends on the arguments at that point alone, as every op of
    /// an expression must.
    pub fn is_elementwise(self) -> bool {
        matches!(self.info().rule, ShapeRule::Join | ShapeRule::Blend | ShapeRule::Constant)
    }

    /// How the op makes matrices orthogonal, if it does: the quintics `a s + b s^3 + c s^5` of its
    /// steps, as \[a, b, c\], and what the norm is multiplied by before the matrix is divided by it.
    pub fn newton_schulz(self) -> Option<(&'static [[f64; 3]], f64)> {
        Schedule::of(self).map(|schedule| (schedule.steps(), schedule.margin()))
    }

    /// The value of an op that gives the same scalar everywhere.
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
