//! One attention head: what it does to the queries, keys and values of one sequence.
//!
//! Shapes: in memory of its own a head has \[rows, columns\], its context and width padded by zeros
//! to whole vectors, weights \[rows, rows\], and transposed keys and values \[width, rows\].
//! Invariants: sums run over the inner index in order, with a fused multiply-add each (in software,
//! slowly, where the CPU has none), so bits do not depend on the vector unit; what a causal mask
//! hides is neither computed nor read, but for the rest of a tile, where weights are 0. Six calls
//! of a matrix library would cost twice as much: at 32 × 16 they are mostly setup, and half of the
//! numbers are masked.

use std::ops::Range;

use super::Real;
use super::matrix::zeros;
use super::softmax::Mask;
use super::vector_unit::vectorised;

/// Columns of a tile, and what sizes are padded to.
const COLUMNS: usize = 16;

/// Rows of a tile. With more the compiler keeps the sums in memory.
const ROWS: usize = 4;

/// The sizes of a head.
#[derive(Clone, Copy)]
pub(super) struct HeadSizes {
    pub(super) context: usize,
    pub(super) width: usize,
    pub(super) mask: Mask,
}

/// A head's part of some packed rows: where it starts, and from one row to the next.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) stride: usize,
}

/// Where one head of one sequence lies.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub(super) query_key_value: [Place; 3],
    pub(super) result: Place,
}

/// Memory that a head works in; the next one overwrites it.
pub(super) struct Workplace<T> {
    query: Vec<T>,
    key: Vec<T>,
    value: Vec<T>,
    result: Vec<T>,
    scores: Vec<T>,
}

impl HeadSizes {
    fn rows(self) -> usize {
        self.context.next_multiple_of(COLUMNS)
    }

    fn columns(self) -> usize {
        self.width.next_multiple_of(COLUMNS)
    }

    /// Numbers of a head's weights.
    pub(super) fn weights(self) -> usize {
        self.rows() * self.rows()
    }

    pub(super) fn workplace<T: Real>(self) -> Workplace<T> {
        let size = self.rows() * self.columns();
        Workplace {
            query: zeros(size),
            key: zeros(size),
            value: zeros(size),
            result: zeros(size),
            scores: zeros(self.weights()),
        }
    }

    fn scale<T: Real>(self) -> T {
        T::ONE / T::of(self.width).sqrt()
    }

    /// The keys that the queries of the tile at `row` see.
    fn seen(self, row: usize) -> Range<usize> {
        match self.mask {
            Mask::None => 0..self.context,
            Mask::Causal => 0..self.context.min(row + ROWS),
        }
    }

    /// The queries that see keys of the tile at `row`.
    fn seeing(self, row: usize) -> Range<usize> {
        match self.mask {
            Mask::None => 0..self.context,
            Mask::Causal => row..self.context,
        }
    }
}

vectorised! {
    /// The attention `weights` of a head, and their results to `y`.
    pub(super) fn attend<T>(
        sizes: HeadSizes,
        qkv: &[T],
        places: Places,
        weights: &mut [T],
        y: &mut [T],
        work: &mut Workplace<T>,
    ) = attend_body;
    /// The gradient of `qkv` from that of the results.
    pub(super) fn attend_backward<T>(
        sizes: HeadSizes,
        qkv: &[T],
        places: Places,
        weights: &[T],
        dy: &[T],
        dqkv: &mut [T],
        work: &mut Workplace<T>,
    ) = attend_backward_body;
}

#[inline(always)]
fn attend_body<T: Real>(
    sizes: HeadSizes,
    qkv: &[T],
    places: Places,
    weights: &mut [T],
    y: &mut [T],
    work: &mut Workplace<T>,
) {
    let Places { query_key_value: [query, key, value], result: place } = places;
    let (rows, columns) = (sizes.rows(), sizes.columns());
    gather(sizes, qkv, query, sizes.scale(), &mut work.query);
    transpose(sizes, qkv, key, &mut work.key);
    gather(sizes, qkv, value, T::ONE, &mut work.value);
    for row in (0..sizes.context).step_by(ROWS) {
        let seen = sizes.seen(row);
        for column in seen.clone().step_by(COLUMNS) {
            let left = rows_of(&work.query, columns, row, 0..sizes.width);
            let sums = tile(left, &work.key, rows, column);
            store(weights, rows, row, column, sums);
        }
        softmax(sizes, row, &mut weights[row * rows..]);
        for column in (0..columns).step_by(COLUMNS) {
            let left = rows_of(weights, rows, row, seen.clone());
            store(&mut work.result, columns, row, column, tile(left, &work.value, columns, column));
        }
    }
    scatter(sizes, &work.result, T::ONE, y, place);
}

#[inline(always)]
fn attend_backward_body<T: Real>(
    sizes: HeadSizes,
    qkv: &[T],
    places: Places,
    weights: &[T],
    dy: &[T],
    dqkv: &mut [T],
    work: &mut Workplace<T>,
) {
    let Places { query_key_value: [query, key, value], result: place } = places;
    let (rows, columns) = (sizes.rows(), sizes.columns());
    let tiles = || (0..columns).step_by(COLUMNS);
    let Workplace { query: one, key: other, value: transposed, result, scores } = work;

    gather(sizes, dy, place, T::ONE, one);
    for row in (0..sizes.context).step_by(ROWS) {
        for column in tiles() {
            let sums = tile_of_columns(weights, rows, row, sizes.seeing(row), one, columns, column);
            store(result, columns, row, column, sums);
        }
    }
    scatter(sizes, result, T::ONE, dqkv, value);

    transpose(sizes, qkv, value, transposed);
    gather(sizes, qkv, key, T::ONE, other);
    for row in (0..sizes.context).step_by(ROWS) {
        let seen = sizes.seen(row);
        for column in seen.clone().step_by(COLUMNS) {
            let left = rows_of(one, columns, row, 0..sizes.width);
            store(scores, rows, row, column, tile(left, transposed, rows, column));
        }
        softmax_backward(sizes, row, &mut scores[row * rows..], &weights[row * rows..]);
        for column in tiles() {
            let left = rows_of(scores, rows, row, seen.clone());
            store(result, columns, row, column, tile(left, other, columns, column));
        }
    }
    scatter(sizes, result, sizes.scale(), dqkv, query);

    gather(sizes, qkv, query, sizes.scale(), one);
    for row in (0..sizes.context).step_by(ROWS) {
        for column in tiles() {
            let sums = tile_of_columns(scores, rows, row, sizes.seeing(row), one, columns, column);
            store(result, columns, row, column, sums);
        }
    }
    scatter(sizes, result, T::ONE, dqkv, key);
}

/// Copies a head out of packed rows, multiplied by `scale`. The padding stays 0.
#[inline(always)]
fn gather<T: Real>(sizes: HeadSizes, packed: &[T], place: Place, scale: T, head: &mut [T]) {
    let from = packed[place.start..].chunks(place.stride).take(sizes.context);
    for (to, from) in head.chunks_exact_mut(sizes.columns()).zip(from) {
        for (to, &from) in to.iter_mut().zip(&from[..sizes.width]) {
            *to = from * scale;
        }
    }
}

/// Copies a head out of packed rows, rows and columns exchanged. The padding stays 0.
#[inline(always)]
fn transpose<T: Real>(sizes: HeadSizes, packed: &[T], place: Place, head: &mut [T]) {
    let from = packed[place.start..].chunks(place.stride).take(sizes.context);
    for (index, from) in from.enumerate() {
        let to = head.chunks_exact_mut(sizes.rows());
        for (to, &from) in to.zip(&from[..sizes.width]) {
            to[index] = from;
        }
    }
}

/// Copies a head into packed rows, multiplied by `scale`.
#[inline(always)]
fn scatter<T: Real>(sizes: HeadSizes, head: &[T], scale: T, packed: &mut [T], place: Place) {
    let to = packed[place.start..].chunks_mut(place.stride).take(sizes.context);
    for (to, from) in to.zip(head.chunks_exact(sizes.columns())) {
        for (to, &from) in to[..sizes.width].iter_mut().zip(from) {
            *to = from * scale;
        }
    }
}

/// The left operand of a tile: of its rows the numbers that are summed over.
struct Left<'a, T> {
    rows: [&'a [T]; ROWS],
    inner: Range<usize>,
}

#[inline(always)]
fn rows_of<T>(matrix: &[T], stride: usize, row: usize, inner: Range<usize>) -> Left<'_, T> {
    let rows =
        std::array::from_fn(|index| &matrix[(row + index) * stride + inner.start..][..inner.len()]);
    Left { rows, inner }
}

/// Sums of `left` with `COLUMNS` columns of `right`.
#[inline(always)]
fn tile<T: Real>(left: Left<T>, right: &[T], stride: usize, column: usize) -> [[T; COLUMNS]; ROWS] {
    let Left { rows, inner } = left;
    let mut sums = [[T::ZERO; COLUMNS]; ROWS];
    let right = right[inner.start * stride + column..].chunks(stride);
    for (index, right) in (0..inner.len()).zip(right) {
        let Some(right) = right.first_chunk::<COLUMNS>() else { break };
        for row in 0..ROWS {
            let factor = rows[row][index];
            for lane in 0..COLUMNS {
                sums[row][lane] = factor.mul_add(right[lane], sums[row][lane]);
            }
        }
    }
    sums
}

/// As [`tile`], with `ROWS` columns of `left`, from `row` on, in the place of rows.
#[inline(always)]
fn tile_of_columns<T: Real>(
    left: &[T],
    left_stride: usize,
    row: usize,
    inner: Range<usize>,
    right: &[T],
    stride: usize,
    column: usize,
) -> [[T; COLUMNS]; ROWS] {
    let mut sums = [[T::ZERO; COLUMNS]; ROWS];
    let left = left[inner.start * left_stride + row..].chunks(left_stride);
    let right = right[inner.start * stride + column..].chunks(stride);
    for (left, right) in left.zip(right).take(inner.len()) {
        let (Some(left), Some(right)) =
            (left.first_chunk::<ROWS>(), right.first_chunk::<COLUMNS>())
        else {
            break;
        };
        for row in 0..ROWS {
            for lane in 0..COLUMNS {
                sums[row][lane] = left[row].mul_add(right[lane], sums[row][lane]);
            }
        }
    }
    sums
}

#[inline(always)]
fn store<T: Real>(
    matrix: &mut [T],
    stride: usize,
    row: usize,
    column: usize,
    sums: [[T; COLUMNS]; ROWS],
) {
    let rows = matrix[row * stride + column..].chunks_mut(stride);
    for (to, sums) in rows.zip(sums) {
        if let Some(to) = to.first_chunk_mut::<COLUMNS>() {
            *to = sums;
        }
    }
}

/// The softmax of the rows of a tile, which starts at `row`; `scores` start there too. Each pass
/// is made over all of them: a row alone is one chain of operations that wait for each other.
#[inline(always)]
fn softmax<T: Real>(sizes: HeadSizes, row: usize, scores: &mut [T]) {
    let (stride, seen) = (sizes.rows(), sizes.seen(row).end.next_multiple_of(COLUMNS));
    // Rows of padding behave as the last one: nothing reads them.
    let live = |index: usize| sizes.mask.live((row + index).min(sizes.context - 1), sizes.context);
    for index in 0..ROWS {
        let scores = &mut scores[index * stride..][..seen];
        scores[live(index)..].fill(T::from_f64(f64::NEG_INFINITY));
        let largest = fold(scores, |a, b| if b > a { b } else { a });
        for score in scores {
            *score -= largest;
        }
    }
    for scores in scores.chunks_exact_mut(stride).take(ROWS) {
        for score in &mut scores[..seen] {
            *score = score.exp();
        }
    }
    for index in 0..ROWS {
        let scores = &mut scores[index * stride..][..seen];
        scores[live(index)..].fill(T::ZERO);
        let scale = T::ONE / fold(scores, |a, b| a + b);
        for score in scores {
            *score *= scale;
        }
    }
}

/// `numbers`, whole vectors of them, joined lane by lane and then the lanes in halves.
#[inline(always)]
fn fold<T: Real>(numbers: &[T], join: impl Fn(T, T) -> T) -> T {
    let (vectors, _) = numbers.as_chunks::<COLUMNS>();
    let mut lanes = vectors[0];
    for vector in &vectors[1..] {
        for lane in 0..COLUMNS {
            lanes[lane] = join(lanes[lane], vector[lane]);
        }
    }
    let eight: [T; 8] = std::array::from_fn(|lane| join(lanes[lane], lanes[lane + 8]));
    let four: [T; 4] = std::array::from_fn(|lane| join(eight[lane], eight[lane + 4]));
    join(join(four[0], four[2]), join(four[1], four[3]))
}

/// Turns gradients of weights into gradients of scores, w · (dw − Σ dw·w), in the rows of a tile.
#[inline(always)]
fn softmax_backward<T: Real>(sizes: HeadSizes, row: usize, gradients: &mut [T], weights: &[T]) {
    let seen = sizes.seen(row).end.div_ceil(COLUMNS);
    let rows = gradients.chunks_exact_mut(sizes.rows()).zip(weights.chunks_exact(sizes.rows()));
    for (gradients, weights) in rows.take(ROWS) {
        let (gradients, _) = gradients.as_chunks_mut::<COLUMNS>();
        let (weights, _) = weights.as_chunks::<COLUMNS>();
        let mut lanes = [T::ZERO; COLUMNS];
        for (gradients, weights) in gradients.iter().zip(weights).take(seen) {
            for lane in 0..COLUMNS {
                lanes[lane] += gradients[lane] * weights[lane];
            }
        }
        let common = fold(&lanes, |a, b| a + b);
        for (gradients, weights) in gradients.iter_mut().zip(weights).take(seen) {
            for lane in 0..COLUMNS {
                gradients[lane] = weights[lane] * (gradients[lane] - common);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|index| (index * 37 % 101) as f32 / 25.0 - 2.0).collect()
    }

    #[test]
    fn the_vector_unit_does_not_change_bits() {
        for (context, width, mask) in [
            (32, 16, Mask::Causal),
            (21, 19, Mask::Causal),
            (21, 19, Mask::None),
            (3, 2, Mask::None),
        ] {
            let sizes = HeadSizes { context, width, mask };
            let (qkv, dy) = (numbers(context * 3 * width), numbers(context * width));
            let part = |part| Place { start: part * width, stride: 3 * width };
            let result = Place { start: 0, stride: width };
            let places = Places { query_key_value: [part(0), part(1), part(2)], result };
            let run = |wide: bool| {
                let (mut weights, mut y) = (zeros(sizes.weights()), zeros(dy.len()));
                let (mut dqkv, mut work) = (zeros(qkv.len()), sizes.workplace());
                if wide {
                    attend(sizes, &qkv, places, &mut weights, &mut y, &mut work);
                    work = sizes.workplace();
                    attend_backward(sizes, &qkv, places, &weights, &dy, &mut dqkv, &mut work);
                } else {
                    attend_body(sizes, &qkv, places, &mut weights, &mut y, &mut work);
                    work = sizes.workplace();
                    attend_backward_body(sizes, &qkv, places, &weights, &dy, &mut dqkv, &mut work);
                }
                let all: Vec<f32> = [weights, y, dqkv].concat();
                all.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            assert_eq!(run(true), run(false), "{context} {width} {mask:?}");
        }
    }

    #[test]
    fn a_nan_reaches_every_position_that_sees_it() {
        let sizes = HeadSizes { context: 6, width: 2, mask: Mask::Causal };
        for part in 0..3 {
            let mut qkv = numbers(36);
            qkv[3 * 6 + 2 * part] = f32::NAN;
            let places = Places {
                query_key_value: [0, 2, 4].map(|start| Place { start, stride: 6 }),
                result: Place { start: 0, stride: 2 },
            };
            let (mut weights, mut y) = (zeros(sizes.weights()), vec![0.0; 12]);
            attend(sizes, &qkv, places, &mut weights, &mut y, &mut sizes.workplace());
            // A query is its own position's alone; keys and values are also those of later ones.
            assert!(y[6].is_nan(), "{part}");
            assert_eq!(y[8].is_nan(), part > 0, "{part}");
        }
    }
}
