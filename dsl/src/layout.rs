//! The layout of a parameter tree: leaf tensors laid end to end in one flat vector.
//!
//! Invariant: leaves are contiguous, in order, and cover the vector; reductions visit them in
//! this order. One flat vector is why an update is a single pass over memory.
//!
//! Every leaf is also a matrix, in row-major order: its first dimension by all the others. A
//! vector is one column and a scalar one number, so that a factored second moment, and whatever
//! else is defined by rows and columns, is defined on them too, and exact.
//!
//! And every leaf has a role in its network, since rules are made for some of them: Muon is for the
//! matrices between hidden layers, decay not for gains and biases. A shape tells some of that; what
//! it cannot tell, whoever knows the network says.

use std::ops::Range;

use crate::{Op, Type};

/// What a parameter tensor is in its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeafRole {
    /// A matrix or kernel that maps features to hidden features.
    Hidden,
    /// A table that is looked up: of tokens, of positions.
    Embedding,
    /// The matrix that maps to what the network is for: logits, a reconstruction.
    Output,
    /// Anything of fewer than two dimensions: biases, gains, scalars.
    Vector,
}

impl LeafRole {
    /// Every role.
    pub const ALL: [LeafRole; 4] =
        [LeafRole::Hidden, LeafRole::Embedding, LeafRole::Output, LeafRole::Vector];

    /// The role that a shape suggests, where nobody knows better: hidden from two dimensions on.
    pub fn of_shape(shape: &[usize]) -> LeafRole {
        if shape.len() < 2 { LeafRole::Vector } else { LeafRole::Hidden }
    }

    /// The role that an op asks for, if it asks for one.
    pub fn asked_by(op: Op) -> Option<LeafRole> {
        Some(match op {
            Op::IsHidden => LeafRole::Hidden,
            Op::IsEmbedding => LeafRole::Embedding,
            Op::IsOutput => LeafRole::Output,
            Op::IsVector => LeafRole::Vector,
            _ => return None,
        })
    }

    /// Its name in exports.
    pub fn name(self) -> &'static str {
        match self {
            LeafRole::Hidden => "hidden",
            LeafRole::Embedding => "embedding",
            LeafRole::Output => "output",
            LeafRole::Vector => "vector",
        }
    }
}

/// One parameter tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    shape: Vec<usize>,
    role: LeafRole,
    range: Range<usize>,
    /// Rows and columns of all the leaves before this one.
    before: (usize, usize),
}

impl Leaf {
    /// The tensor's shape; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// What it is in its network.
    pub fn role(&self) -> LeafRole {
        self.role
    }

    /// Where its elements are in the flat vector.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Rows of its matrix: the first dimension, 1 for a scalar.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Columns of its matrix: the product of all dimensions but the first, 1 for a vector.
    pub fn columns(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Where its values are among all values of a type, in the order of the leaves.
    pub(crate) fn places(&self, ty: Type, index: usize) -> Range<usize> {
        match ty {
            Type::Scalar => 0..1,
            Type::PerLeaf => index..index + 1,
            Type::PerRow => self.before.0..self.before.0 + self.rows(),
            Type::PerColumn => self.before.1..self.before.1 + self.columns(),
            Type::Tree => self.range(),
        }
    }
}

/// Where every parameter tensor lies in the flat parameter vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    leaves: Vec<Leaf>,
    len: usize,
}

impl Layout {
    /// Lays tensors of these shapes end to end, in the roles that their shapes suggest.
    pub fn new(shapes: impl IntoIterator<Item = Vec<usize>>) -> Layout {
        Layout::with_roles(shapes.into_iter().map(|shape| {
            let role = LeafRole::of_shape(&shape);
            (shape, role)
        }))
    }

    /// Lays tensors of these shapes and roles end to end.
    pub fn with_roles(tensors: impl IntoIterator<Item = (Vec<usize>, LeafRole)>) -> Layout {
        let (mut len, mut before) = (0, (0, 0));
        let place = |(shape, role): (Vec<usize>, LeafRole)| {
            let start = len;
            len += shape.iter().product::<usize>();
            let leaf = Leaf { shape, role, range: start..len, before };
            before = (before.0 + leaf.rows(), before.1 + leaf.columns());
            leaf
        };
        let leaves = tensors.into_iter().map(place).collect();
        Layout { leaves, len }
    }

    /// The tensors, in order.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The number that an op which takes no arguments gives for each tensor.
    ///
    /// # Panics
    /// If the op is no such one.
    pub(crate) fn leaf_constant(&self, op: Op) -> impl Iterator<Item = f64> {
        let role = LeafRole::asked_by(op);
        assert!(role.is_some() || matches!(op, Op::Rows | Op::Columns), "it is constant in a leaf");
        self.leaves.iter().map(move |leaf| match (role, op) {
            (Some(role), _) => f64::from(u8::from(leaf.role() == role)),
            (None, Op::Rows) => leaf.rows() as f64,
            (None, _) => leaf.columns() as f64,
        })
    }

    /// Number of elements over all tensors.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many numbers a value of this type holds.
    pub(crate) fn count(&self, ty: Type) -> usize {
        match (ty, self.leaves.len().checked_sub(1)) {
            (Type::Scalar, _) => 1,
            (_, None) => 0,
            (ty, Some(last)) => self.leaves[last].places(ty, last).end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_is_a_matrix_of_its_first_dimension_by_the_others() {
        let layout = Layout::new([vec![4, 3, 2, 2], vec![7], vec![], vec![5, 3]]);
        let matrices: Vec<_> =
            layout.leaves().iter().map(|leaf| (leaf.rows(), leaf.columns())).collect();
        assert_eq!(matrices, [(4, 12), (7, 1), (1, 1), (5, 3)]);
        assert_eq!(Type::ALL.map(|ty| layout.count(ty)), [1, 4, 17, 17, 71]);
        assert_eq!(layout.leaves()[3].places(Type::PerRow, 3), 12..17);
        assert_eq!(Layout::new([]).count(Type::PerRow), 0);
    }
}
