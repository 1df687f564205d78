//! Multi-head attention over packed queries, keys and values, all heads in one operation.
//!
//! Shapes: qkv \[batch · context, 3 · width\], each row holding query, key and value side by side,
//! split into heads of width / heads; the result is \[batch · context, width\]. Invariant: a position
//! sees positions of its own sequence only, and with a causal mask none after itself. Heads are read by stride in place;
//! splitting them with candle costs four transposed copies a call and as many backward.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::matrix::{Matrix, MatrixMut, dot, multiply, zeros};
use super::softmax::{Mask, softmax};
use super::storage::{operand, tensor, values};
use super::{Real, lanes};

/// The attention of one transformer block.
pub(crate) struct Attention<T> {
    context: usize,
    heads: usize,
    mask: Mask,
    /// Attention weights, \[batch, heads, context, context\].
    weights: OnceLock<Vec<T>>,
}

/// Sizes one call works with.
#[derive(Clone, Copy)]
struct Sizes {
    rows: usize,
    width: usize,
    context: usize,
    heads: usize,
}

/// One head of one sequence.
#[derive(Clone, Copy)]
struct Head {
    sizes: Sizes,
    sequence: usize,
    head: usize,
}

impl<T: Real> Attention<T> {
    /// Attends within each run of `context` rows of `qkv`.
    pub(crate) fn of(qkv: &Tensor, context: usize, heads: usize, mask: Mask) -> Result<Tensor> {
        if qkv.rank() == 3 {
            return lanes::attention(qkv, context, heads, mask);
        }
        qkv.apply_op1(Self { context, heads, mask, weights: OnceLock::new() })
    }

    fn sizes(&self, qkv: &Shape) -> Result<Sizes> {
        let (rows, packed) = qkv.dims2()?;
        Ok(Sizes { rows, width: packed / 3, context: self.context, heads: self.heads })
    }
}

impl Sizes {
    fn head_width(self) -> usize {
        self.width / self.heads
    }

    fn scale<T: Real>(self) -> T {
        T::ONE / T::of(self.head_width()).sqrt()
    }

    /// Attention weights of one head.
    fn square(self) -> usize {
        self.context * self.context
    }

    fn all_heads(self) -> impl Iterator<Item = Head> {
        (0..self.rows / self.context).flat_map(move |sequence| {
            (0..self.heads).map(move |head| Head { sizes: self, sequence, head })
        })
    }
}

impl Head {
    /// Where part 0 (query), 1 (key) or 2 (value) of this head starts in the packed rows.
    fn packed_start(self, part: usize) -> usize {
        let Sizes { width, context, .. } = self.sizes;
        self.sequence * context * 3 * width + part * width + self.head * self.sizes.head_width()
    }

    fn packed<T>(self, qkv: &[T], part: usize) -> Matrix<'_, T> {
        let Sizes { width, context, .. } = self.sizes;
        let data = &qkv[self.packed_start(part)..];
        Matrix::strided(data, context, self.sizes.head_width(), 3 * width)
    }

    fn packed_mut<T>(self, qkv: &mut [T], part: usize) -> MatrixMut<'_, T> {
        let Sizes { width, context, .. } = self.sizes;
        let data = &mut qkv[self.packed_start(part)..];
        MatrixMut::strided(data, context, self.sizes.head_width(), 3 * width)
    }

    /// Where this head starts in the results.
    fn start(self) -> usize {
        let Sizes { width, context, .. } = self.sizes;
        self.sequence * context * width + self.head * self.sizes.head_width()
    }
}

impl<T: Real> CustomOp1 for Attention<T> {
    fn name(&self) -> &'static str {
        "causal_attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let sizes = self.sizes(layout.shape())?;
        let Sizes { context, width, .. } = sizes;
        let qkv = operand::<T>(qkv, layout)?;
        let mut y = zeros(sizes.rows * width);
        let mut weights = zeros(sizes.rows / context * sizes.heads * sizes.square());
        for (head, weights) in sizes.all_heads().zip(weights.chunks_exact_mut(sizes.square())) {
            multiply(
                MatrixMut::new(weights, context, context),
                head.packed(qkv, 0),
                head.packed(qkv, 1).transposed(),
                sizes.scale(),
            );
            softmax(weights, context, self.mask, |_, _, _| ());
            let out = &mut y[head.start()..];
            multiply(
                MatrixMut::strided(out, context, sizes.head_width(), width),
                Matrix::new(weights, context, context),
                head.packed(qkv, 2),
                T::ONE,
            );
        }
        let _ = self.weights.set(weights);
        Ok((T::to_cpu_storage_owned(y), (sizes.rows, width).into()))
    }

    fn bwd(&self, qkv: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let sizes = self.sizes(qkv.shape())?;
        let Sizes { context, width, .. } = sizes;
        let (qkv_values, dy) = (values::<T>(qkv)?, values::<T>(dy)?);
        let all_weights = self.weights.get().expect("the forward pass kept them");
        let mut dqkv = zeros(qkv_values.len());
        let mut dscores = zeros(sizes.square());
        for (head, weights) in sizes.all_heads().zip(all_weights.chunks_exact(sizes.square())) {
            let dy = &dy[head.start()..];
            let dy = Matrix::strided(dy, context, sizes.head_width(), width);
            let square = Matrix::new(weights, context, context);
            multiply(head.packed_mut(&mut dqkv, 2), square.transposed(), dy, T::ONE);
            multiply(
                MatrixMut::new(&mut dscores, context, context),
                dy,
                head.packed(&qkv_values, 2).transposed(),
                T::ONE,
            );
            softmax_backward(&mut dscores, weights, context);
            let dscores = Matrix::new(&dscores, context, context);
            let (query, key) = (head.packed(&qkv_values, 0), head.packed(&qkv_values, 1));
            multiply(head.packed_mut(&mut dqkv, 0), dscores, key, sizes.scale());
            multiply(head.packed_mut(&mut dqkv, 1), dscores.transposed(), query, sizes.scale());
        }
        Ok(Some(tensor(dqkv, qkv.shape())?))
    }
}

/// Turns gradients of softmax weights into gradients of scores: w · (dw − Σ dw·w), row by row.
fn softmax_backward<T: Real>(gradients: &mut [T], weights: &[T], context: usize) {
    let rows = gradients.chunks_exact_mut(context);
    for (gradients, weights) in rows.zip(weights.chunks_exact(context)) {
        let common = dot(gradients, weights);
        for (gradient, &weight) in gradients.iter_mut().zip(weights) {
            *gradient = weight * (*gradient - common);
        }
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
            check(&[&[6, 12]], |t| Attention::<f64>::of(&t[0], 3, 2, mask));
        }
    }

    #[test]
    fn later_tokens_and_other_sequences_do_not_matter() {
        let attend = |numbers: &[f32], mask| {
            let qkv = Tensor::from_slice(numbers, (6, 12), &Device::Cpu).expect("sizes");
            let y = Attention::<f32>::of(&qkv, 3, 2, mask).expect("valid");
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
