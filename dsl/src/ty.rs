//! The types of values: one small lattice that orders them by how far they broadcast.
//!
//! Invariant: the order is total, so two types always have a join and a smaller value always
//! broadcasts into a larger one. Array shapes are left out on purpose: the whole parameter tree
//! is one variable, so every tree in a program has the same shapes.

use std::fmt;

/// The type of a value in the optimizer domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// One number, held in float64: a constant, the learning rate, what a whole-tree reduction gives.
    Scalar,
    /// One float64 number per parameter tensor, what [`Op::Norm`](crate::Op::Norm) gives.
    PerLeaf,
    /// Shaped like the parameters, held in float32.
    Tree,
}

impl Type {
    /// All types, smallest first.
    pub const ALL: [Type; 3] = [Type::Scalar, Type::PerLeaf, Type::Tree];

    /// The smallest type both broadcast into.
    pub fn join(self, other: Type) -> Type {
        self.max(other)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Scalar => "scalar",
            Type::PerLeaf => "per-leaf",
            Type::Tree => "tree",
        })
    }
}
