//! Shape rules: how the type of a result follows from the types of the arguments.
//!
//! Invariant: what a slot takes does not depend on the other slots, and a scalar fits every slot
//! of an op that any float program can use. Mutation relies on both to draw valid statements.

use std::fmt;

use crate::Type;

/// How the type of the result follows from the types of the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeRule {
    /// Elementwise: the join of all arguments.
    Join,
    /// One number per leaf; a scalar stays one.
    ReduceLeaves,
    /// One number per row: what varies along rows only, or not at all, keeps its type, and one
    /// number per column leaves one per leaf.
    ReduceRows,
    /// One number per column, as [`ShapeRule::ReduceRows`] with the two exchanged.
    ReduceColumns,
    /// One number over everything.
    ReduceAll,
    /// The argument's type.
    Keep,
    /// The first argument's type; the second must be a scalar.
    KeepFirst,
    /// The join of the first two; the third must be a scalar.
    Blend,
    /// A tree from what varies along rows only and what varies along columns only.
    Outer,
    /// A tree, the argument broadcast to one first.
    Matrix,
    /// A scalar from nothing.
    Constant,
    /// One number per leaf from nothing.
    LeafConstant,
    /// Defined on integers only, so no float program can use it.
    IntegersOnly,
}

impl ShapeRule {
    /// The type of the result on arguments of these types, or `None` where they do not fit. The
    /// number of arguments is the op's arity.
    pub(super) fn result(self, args: &[Type]) -> Option<Type> {
        match self {
            ShapeRule::Join => args.iter().copied().reduce(Type::join),
            ShapeRule::ReduceLeaves if args[0] == Type::Scalar => Some(Type::Scalar),
            ShapeRule::ReduceLeaves | ShapeRule::LeafConstant => Some(Type::PerLeaf),
            ShapeRule::ReduceRows => Some(mean_type(args[0], Type::PerRow, Type::PerColumn)),
            ShapeRule::ReduceColumns => Some(mean_type(args[0], Type::PerColumn, Type::PerRow)),
            ShapeRule::ReduceAll | ShapeRule::Constant => Some(Type::Scalar),
            ShapeRule::Keep => Some(args[0]),
            ShapeRule::KeepFirst => (args[1] == Type::Scalar).then_some(args[0]),
            ShapeRule::Blend => (args[2] == Type::Scalar).then(|| args[0].join(args[1])),
            ShapeRule::Outer => {
                let fit = args[0].fits(Type::PerRow) && args[1].fits(Type::PerColumn);
                fit.then_some(Type::Tree)
            }
            ShapeRule::Matrix => Some(Type::Tree),
            ShapeRule::IntegersOnly => None,
        }
    }

    /// What it takes, for an error message.
    pub(crate) fn takes(self) -> &'static str {
        match self {
            ShapeRule::KeepFirst => "(any, scalar)",
            ShapeRule::Blend => "(any, any, scalar)",
            ShapeRule::Outer => "(per-row or smaller, per-column or smaller)",
            ShapeRule::IntegersOnly => "integers only, and programs hold floats",
            _ => "any types",
        }
    }
}

/// The type of the mean along one direction: `kept` varies across it, `lost` along it.
fn mean_type(of: Type, kept: Type, lost: Type) -> Type {
    match of {
        Type::Tree => kept,
        ty if ty == lost => Type::PerLeaf,
        ty => ty,
    }
}

impl fmt::Display for ShapeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ShapeRule::Join => "the larger of the types",
            ShapeRule::ReduceLeaves => "per-leaf; scalar of a scalar",
            ShapeRule::ReduceRows => "per-row of a tree, per-leaf of per-column, else the type",
            ShapeRule::ReduceColumns => "per-column of a tree, per-leaf of per-row, else the type",
            ShapeRule::ReduceAll => "scalar",
            ShapeRule::Keep => "the argument's type",
            ShapeRule::KeepFirst => "the first's type; the second is a scalar",
            ShapeRule::Blend => "the larger of x, y; a is a scalar",
            ShapeRule::Outer => "tree of per-row r and per-column c",
            ShapeRule::Matrix => "tree",
            ShapeRule::Constant => "scalar",
            ShapeRule::LeafConstant => "per-leaf",
            ShapeRule::IntegersOnly => "none",
        })
    }
}
