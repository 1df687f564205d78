//! Multi-head attention over packed queries, keys and values, all heads in one operation.
//!
//! Shapes: qkv \[batch · context, 3 · width\], each row holding query, key and value side by side,
//! split into heads of width / heads; the result is \[batch · context, width\]. Invariant: a
//! position sees positions of its own sequence only, and with a causal mask none after itself.
//! Heads are copied out one by one, into memory that stays in the first-level cache; splitting them
//! with candle costs four transposed copies of everything a call, and as many backward.

use candle_core::{Result, Tensor};

use super::head::{HeadSizes, Place, Places, attend, attend_backward};
use super::matrix::zeros;
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::softmax::Mask;
use super::storage::values;
use super::{Real, lanes};

/// The attention of a transformer block as a layer of its own.
pub(crate) struct Attention {
    heads: Heads,
}

/// How rows attend to each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    /// Rows of a sequence.
    pub(crate) context: usize,
    /// Heads, which share the width.
    pub(crate) heads: usize,
    pub(crate) mask: Mask,
}

impl Attention {
    /// Attends within each run of `context` rows of `qkv`.
    pub(crate) fn of<T: Real>(
        qkv: &Tensor,
        context: usize,
        heads: usize,
        mask: Mask,
    ) -> Result<Tensor> {
        if qkv.rank() == 3 {
            return lanes::attention(qkv, context, heads, mask);
        }
        apply::<T, 1>(Self { heads: Heads { context, heads, mask } }, [qkv])
    }
}

impl Heads {
    fn head(self, width: usize) -> HeadSizes {
        HeadSizes { context: self.context, width: width / self.heads, mask: self.mask }
    }

    /// The heads of the first sequence, then those of the next.
    fn places(self, rows: usize, width: usize) -> impl Iterator<Item = Places> {
        let head = self.head(width);
        (0..rows / self.context).flat_map(move |sequence| {
            (0..self.heads).map(move |index| {
                let (row, column) = (sequence * self.context, index * head.width);
                let part =
                    |part| Place { start: (3 * row + part) * width + column, stride: 3 * width };
                let result = Place { start: row * width + column, stride: width };
                Places { query_key_value: [part(0), part(1), part(2)], result }
            })
        })
    }
}

/// What `rows` rows of packed queries, keys and values make of each other, and the attention
/// weights, \[batch, heads, those of a head\].
pub(super) fn attention<T: Real>(heads: Heads, rows: usize, qkv: &[T]) -> (Vec<T>, Vec<T>) {
    let width = qkv.len() / (3 * rows);
    let head = heads.head(width);
    let mut y = zeros(rows * width);
    let mut weights = zeros(rows / heads.context * heads.heads * head.weights());
    let mut work = head.workplace();
    let each = weights.chunks_exact_mut(head.weights());
    for (places, weights) in heads.places(rows, width).zip(each) {
        attend(head, qkv, places, weights, &mut y, &mut work);
    }
    (y, weights)
}

/// The gradient of `qkv` from that of the results.
pub(super) fn attention_backward<T: Real>(
    heads: Heads,
    rows: usize,
    qkv: &[T],
    weights: &[T],
    dy: &[T],
) -> Vec<T> {
    let width = qkv.len() / (3 * rows);
    let head = heads.head(width);
    let mut dqkv = zeros(qkv.len());
    let mut work = head.workplace();
    let each = weights.chunks_exact(head.weights());
    for (places, weights) in heads.places(rows, width).zip(each) {
        attend_backward(head, qkv, places, weights, dy, &mut dqkv, &mut work);
    }
    dqkv
}

impl<T: Real> Operation<T, 1> for Attention {
    /// The attention weights.
    type Kept = Vec<T>;

    const NAME: &'static str = "attention";

    fn forward(&self, [qkv]: [Operand<'_, T>; 1]) -> Result<Results<T, Vec<T>>> {
        let (rows, packed) = qkv.shape.dims2()?;
        let (y, weights) = attention(self.heads, rows, qkv.numbers);
        Ok(Results::new(y, (rows, packed / 3)).keeping(weights))
    }

    fn backward(&self, pass: Pass<'_, T, Vec<T>, 1>) -> Result<[Option<Tensor>; 1]> {
        let [qkv] = pass.operands;
        let (rows, _) = qkv.dims2()?;
        let dqkv = attention_backward(self.heads, rows, &values(qkv)?, pass.kept, pass.dy);
        Ok([gradient(qkv, dqkv)?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        for mask in [Mask::Causal, Mask::None] {
            check(&[&[6, 12]], |t| Attention::of::<f64>(&t[0], 3, 2, mask));
            check(&[&[21, 57]], |t| Attention::of::<f64>(&t[0], 21, 1, mask));
        }
    }

    #[test]
    fn later_tokens_and_other_sequences_do_not_matter() {
        let attend = |numbers: &[f32], mask| {
            let qkv = Tensor::from_slice(numbers, (6, 12), &Device::Cpu).expect("sizes");
            let y = Attention::of::<f32>(&qkv, 3, 2, mask).expect("valid");
            y.to_vec2::<f32>().expect("two dimensions")
        };
        let numbers: Vec<f32> = (0..72).map(|i| (i * 7 % 13) as f32 / 13.0).collect();
        let mut changed = numbers.clone();
        changed[24..36].fill(0.5); // the last row of the first sequence
        let (before, after) = (attend(&numbers, Mask::Causal), attend(&changed, Mask::Causal));
        assert_eq!(before[..2], after[..2]);
        assert_ne!(before[2], after[2]);
        assert_eq!(before[3..], after[3..]);
        let (before, after) = (attend(&numbers, Mask::None), attend(&changed, Mask::None));
        assert!((0..3).all(|row| before[row] != after[row]));
        assert_eq!(before[3..], after[3..]);
    }
}
