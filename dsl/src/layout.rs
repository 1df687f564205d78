//! The layout of a parameter tree: leaf tensors laid end to end in one flat vector.
//!
//! Invariant: leaves are contiguous, in order, and cover the vector; reductions visit them in
//! this order. One flat vector is why an update is a single pass over memory.

use std::ops::Range;

/// One parameter tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    shape: Vec<usize>,
    range: Range<usize>,
}

impl Leaf {
    /// The tensor's shape; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Where its elements are in the flat vector.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }
}

/// Where every parameter tensor lies in the flat parameter vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    leaves: Vec<Leaf>,
    len: usize,
}

impl Layout {
    /// Lays tensors of these shapes end to end.
    pub fn new(shapes: impl IntoIterator<Item = Vec<usize>>) -> Layout {
        let mut len = 0;
        let place = |shape: Vec<usize>| {
            let start = len;
            len += shape.iter().product::<usize>();
            Leaf { shape, range: start..len }
        };
        let leaves = shapes.into_iter().map(place).collect();
        Layout { leaves, len }
    }

    /// The tensors, in order.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// Number of elements over all tensors.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
