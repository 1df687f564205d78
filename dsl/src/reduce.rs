//! Sums over leaves in a fixed order.
//!
//! Invariant: a sum depends on the elements of the leaf alone, not on how the leaf is cut into
//! blocks: element `i` always goes to accumulator `i mod LANES`, in order, and the accumulators
//! are added up in a fixed tree. Blocks must therefore start at multiples of [`LANES`] within
//! their leaf. Products and sums are float64, so a product of float32 values is exact and cannot
//! overflow.

/// Number of independent accumulators.
pub(crate) const LANES: usize = 16;

/// The sum of products over one leaf, in the making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeafSum {
    lanes: [f64; LANES],
}

impl LeafSum {
    pub(crate) const ZERO: LeafSum = LeafSum { lanes: [0.0; LANES] };

    /// Adds `a[i] * b[i]` for a block that starts at a multiple of [`LANES`].
    #[inline(always)]
    pub(crate) fn add_products<T: Copy>(&mut self, a: &[T], b: &[T], widen: impl Fn(T) -> f64) {
        let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
        let (a_rest, b_rest) = (a_chunks.remainder(), b_chunks.remainder());
        for (a, b) in a_chunks.zip(b_chunks) {
            for lane in 0..LANES {
                self.lanes[lane] += widen(a[lane]) * widen(b[lane]);
            }
        }
        for (lane, (a, b)) in self.lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
            *lane += widen(*a) * widen(*b);
        }
    }

    /// The sum of all products added so far.
    pub(crate) fn total(&self) -> f64 {
        let mut lanes = self.lanes;
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            for lane in 0..width {
                lanes[lane] += lanes[lane + width];
            }
        }
        lanes[0]
    }
}

/// The cosine of the angle between two trees from their sums of products.
pub(crate) fn cosine(dot: f64, a_square: f64, b_square: f64) -> f64 {
    dot / (a_square.sqrt() * b_square.sqrt())
}

/// What `clip` multiplies by: `min(1, limit / norm)`, NaN if either is.
pub(crate) fn clip_factor(square: f64, limit: f64) -> f64 {
    use crate::{Op, real::Real};
    <f64 as Real>::binary(Op::Min, 1.0, limit / square.sqrt())
}
