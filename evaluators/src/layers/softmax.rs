//! Softmax over rows of a matrix, in place, with an optional causal mask.
//!
//! Invariant: NaN in a row makes the whole row NaN, and masked entries are exactly 0. All rows take
//! the exponential together in one pass over the matrix: rows are often shorter than a few vectors,
//! and taking it row by row costs several times as much.

use super::Real;
use super::vector_unit::vectorised;

/// The entries of a row that take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mask {
    /// All of them.
    None,
    /// Those up to the row's own number.
    Causal,
}

impl Mask {
    /// How many leading entries of row `row` take part, of `width`.
    pub(super) fn live(self, row: usize, width: usize) -> usize {
        match self {
            Self::None => width,
            Self::Causal => row + 1,
        }
    }
}

/// Replaces every row by its softmax.
///
/// `each` is told, for every row in order, the logarithmic normaliser in two parts: the largest
/// entry and the sum of exp(entry − largest).
pub(super) fn softmax<T: Real>(
    rows: &mut [T],
    width: usize,
    mask: Mask,
    mut each: impl FnMut(usize, T, T),
) {
    let mut largest = Vec::with_capacity(rows.len() / width);
    for (index, row) in rows.chunks_exact_mut(width).enumerate() {
        let most = max(&row[..mask.live(index, width)]);
        for value in row {
            *value -= most;
        }
        largest.push(most);
    }
    exponentiate(rows);
    for ((index, row), largest) in rows.chunks_exact_mut(width).enumerate().zip(largest) {
        let (live, masked) = row.split_at_mut(mask.live(index, width));
        masked.fill(T::ZERO);
        let sum = sum(live);
        let scale = T::ONE / sum;
        for value in live {
            *value *= scale;
        }
        each(index, largest, sum);
    }
}

vectorised! {
    fn exponentiate<T>(values: &mut [T]) = exponentiate_body;
}

#[inline(always)]
fn exponentiate_body<T: Real>(values: &mut [T]) {
    for value in values {
        *value = value.exp();
    }
}

/// The largest value. A NaN may be passed over here, but it stays in the row and reaches the sum.
fn max<T: Real>(values: &[T]) -> T {
    let mut lanes = [values[0]; 4];
    let (body, tail) = values.as_chunks::<4>();
    let larger = |a: T, b: T| if b > a { b } else { a };
    for chunk in body {
        for lane in 0..4 {
            lanes[lane] = larger(lanes[lane], chunk[lane]);
        }
    }
    for &value in tail {
        lanes[0] = larger(lanes[0], value);
    }
    larger(larger(lanes[0], lanes[2]), larger(lanes[1], lanes[3]))
}

/// The sum, in four interleaved partial sums.
fn sum<T: Real>(values: &[T]) -> T {
    let mut lanes = [T::ZERO; 4];
    let (body, tail) = values.as_chunks::<4>();
    for chunk in body {
        for lane in 0..4 {
            lanes[lane] += chunk[lane];
        }
    }
    for (lane, &value) in tail.iter().enumerate() {
        lanes[lane] += value;
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_sum_to_one_over_their_live_entries() {
        let mut rows: Vec<f64> = (0..49).map(|i| f64::from(i * 5 % 7)).collect();
        softmax(&mut rows, 7, Mask::Causal, |_, _, _| ());
        for (index, row) in rows.chunks_exact(7).enumerate() {
            assert!((row[..=index].iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(row[index + 1..].iter().all(|&value| value == 0.0));
        }
    }

    #[test]
    fn the_normaliser_gives_back_the_logits() {
        let logits = [1000.0_f64, 1002.0, 999.0, -5.0, 1001.0];
        let mut row = logits;
        let mut normaliser = 0.0;
        softmax(&mut row, 5, Mask::None, |_, largest, sum| normaliser = largest + libm::log(sum));
        for (logit, probability) in logits.iter().zip(row).take(3) {
            assert!((logit - normaliser - libm::log(probability)).abs() < 1e-9);
        }
    }
}
