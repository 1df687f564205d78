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

/// Means of a leaf's rows: `x` holds the leaf, `out` one number for each row. Each row is summed in
/// order.
pub(crate) fn row_means<T: Copy>(x: &[T], out: &mut [f64], widen: impl Fn(T) -> f64) {
    let columns = x.len() / out.len().max(1);
    out.fill(0.0);
    add_rows(x, 0, columns, out, &widen);
    out.iter_mut().for_each(|sum| *sum /= columns as f64);
}

/// Adds the elements of a block, the first of which is element `start` of its leaf, to the sums of
/// the leaf's rows.
#[inline(always)]
pub(crate) fn add_rows<T: Copy>(
    x: &[T],
    start: usize,
    columns: usize,
    sums: &mut [f64],
    widen: impl Fn(T) -> f64,
) {
    let (mut row, mut column, mut rest) = (start / columns.max(1), start % columns.max(1), x);
    while !rest.is_empty() {
        let (of_row, others) = rest.split_at(rest.len().min(columns - column));
        sums[row] = of_row.iter().fold(sums[row], |sum, x| sum + widen(*x));
        (row, column, rest) = (row + 1, 0, others);
    }
}

/// Means of a leaf's columns: `x` holds the leaf, `out` one number for each column. Each column is
/// summed in order.
pub(crate) fn column_means<T: Copy>(x: &[T], out: &mut [f64], widen: impl Fn(T) -> f64) {
    out.fill(0.0);
    add_columns(x, 0, out, &widen);
    let rows = x.len() / out.len().max(1);
    out.iter_mut().for_each(|sum| *sum /= rows as f64);
}

/// Adds the elements of a block, the first of which is element `start` of its leaf, to the sums of
/// the leaf's columns.
#[inline(always)]
pub(crate) fn add_columns<T: Copy>(
    x: &[T],
    start: usize,
    sums: &mut [f64],
    widen: impl Fn(T) -> f64,
) {
    let (mut column, mut rest) = (start % sums.len().max(1), x);
    while !rest.is_empty() {
        let (of_row, others) = rest.split_at(rest.len().min(sums.len() - column));
        for (sum, x) in sums[column..].iter_mut().zip(of_row) {
            *sum += widen(*x);
        }
        (column, rest) = (0, others);
    }
}

/// The factor of `bias_correct` at a step: `1 / (1 - beta^step)`.
pub(crate) fn bias_correction(beta: f64, step: f64) -> f64 {
    1.0 / (1.0 - libm::pow(beta, step))
}

/// The cosine of the angle between two trees from their sums of products; 0 where one of them is
/// zero, as it is right angled to everything.
pub(crate) fn cosine(dot: f64, a_square: f64, b_square: f64) -> f64 {
    let norms = a_square.sqrt() * b_square.sqrt();
    if norms == 0.0 { 0.0 } else { dot / norms }
}

/// What `clip` multiplies by: `min(1, limit / norm)`, NaN if either is. What has no norm needs no
/// clipping, whatever the limit: a limit of 0, such as a learning rate in a warm-up, is no 0 / 0.
pub(crate) fn clip_factor(square: f64, limit: f64) -> f64 {
    use crate::{Op, real::Real};
    if square == 0.0 {
        return 1.0;
    }
    <f64 as Real>::binary(Op::Min, 1.0, limit / square.sqrt())
}
