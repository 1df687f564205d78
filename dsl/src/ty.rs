//! The types of values: one small lattice that orders them by how far they broadcast.
//!
//! Invariant: two types always have a join, and a smaller value always broadcasts into a larger
//! one. Array shapes are left out on purpose: the whole parameter tree is one variable, so every
//! tree in a program has the same shapes, and what a row or a column is follows from the
//! [`Layout`](crate::Layout).

use std::fmt;

/// The type of a value in the optimizer domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// One number, held in float64: a constant, the learning rate, what a whole-tree reduction
    /// gives.
    Scalar,
    /// One float64 number per parameter tensor, what [`Op::Norm`](crate::Op::Norm) gives.
    PerLeaf,
    /// One float64 number for each row of each tensor, what [`Op::RowMean`](crate::Op::RowMean)
    /// gives.
    PerRow,
    /// One float64 number for each column of each tensor, what
    /// [`Op::ColumnMean`](crate::Op::ColumnMean) gives.
    PerColumn,
    /// Shaped like the parameters, held in float32.
    Tree,
}

impl Type {
    /// All types, none before a smaller one.
    pub const ALL: [Type; 5] =
        [Type::Scalar, Type::PerLeaf, Type::PerRow, Type::PerColumn, Type::Tree];

    /// The smallest type both broadcast into. Rows and columns meet in the tree, as an outer
    /// product does.
    pub fn join(self, other: Type) -> Type {
        match (self, other) {
            (Type::PerRow, Type::PerColumn) | (Type::PerColumn, Type::PerRow) => Type::Tree,
            _ if (self as u8) < other as u8 => other,
            _ => self,
        }
    }

    /// Whether a value of this type broadcasts into the other.
    pub fn fits(self, other: Type) -> bool {
        self.join(other) == other
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Scalar => "scalar",
            Type::PerLeaf => "per-leaf",
            Type::PerRow => "per-row",
            Type::PerColumn => "per-column",
            Type::Tree => "tree",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_form_a_lattice_in_which_rows_and_columns_meet_in_the_tree() {
        assert_eq!(Type::PerRow.join(Type::PerColumn), Type::Tree);
        for a in Type::ALL {
            assert!(Type::Scalar.fits(a) && a.fits(Type::Tree) && a.join(a) == a);
            for b in Type::ALL {
                assert_eq!(a.join(b), b.join(a));
                assert!(a.fits(a.join(b)));
                for c in Type::ALL {
                    assert_eq!(a.join(b).join(c), a.join(b.join(c)));
                }
            }
        }
    }
}
