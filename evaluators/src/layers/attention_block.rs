//! The first half of a transformer block as one operation: x + attention(norm(x)·qkv)·out.
//!
//! Shapes: x and the result \[batch · context, width\], gain \[width\], qkv \[width, 3 · width\],
//! out \[width, width\]; the norm is RMS. Invariant: it gives the bits of the layers it is made of,
//! `RmsNorm`, `project`, `Attention` and `project_onto`. They would cost four gradients more, one
//! of them of three times the width.

use candle_core::{Result, Shape, Tensor};

use super::Real;
use super::attention::{Heads, attention, attention_backward};
use super::dense::add;
use super::join::{join, part};
use super::matrix::{Matrix, multiplied};
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::rms_norm::{normalise, normalise_backward};
use super::storage::values;

/// x + attention(norm(x)·qkv)·out.
pub(crate) fn attention_block<T: Real>(
    x: &Tensor,
    gain: &Tensor,
    qkv: &Tensor,
    out: &Tensor,
    heads: Heads,
) -> Result<Tensor> {
    apply::<T, 3>(AttentionBlock { heads }, [x, &join::<T>(gain, qkv)?, out])
}

struct AttentionBlock {
    heads: Heads,
}

/// What the forward pass keeps for the backward one.
struct Kept<T> {
    normal: Vec<T>,
    scales: Vec<T>,
    packed: Vec<T>,
    weights: Vec<T>,
    mixed: Vec<T>,
}

#[derive(Clone, Copy)]
struct Sizes {
    rows: usize,
    width: usize,
}

impl Sizes {
    fn of(x: &Shape) -> Result<Self> {
        let (rows, width) = x.dims2()?;
        Ok(Self { rows, width })
    }

    /// A matrix of the shape of `qkv`.
    fn qkv<T>(self, numbers: &[T]) -> Matrix<'_, T> {
        Matrix::new(numbers, self.width, 3 * self.width)
    }

    fn out<T>(self, numbers: &[T]) -> Matrix<'_, T> {
        Matrix::new(numbers, self.width, self.width)
    }

    /// Rows of queries, keys and values.
    fn packed<T>(self, numbers: &[T]) -> Matrix<'_, T> {
        Matrix::new(numbers, self.rows, 3 * self.width)
    }

    /// Rows of the block's width.
    fn outer<T>(self, numbers: &[T]) -> Matrix<'_, T> {
        Matrix::new(numbers, self.rows, self.width)
    }
}

impl<T: Real> Operation<T, 3> for AttentionBlock {
    type Kept = Kept<T>;

    const NAME: &'static str = "attention_block";

    fn forward(&self, [x, joined, out]: [Operand<'_, T>; 3]) -> Result<Results<T, Kept<T>>> {
        let sizes = Sizes::of(x.shape)?;
        let (gain, qkv) = part(joined.numbers, sizes.width);
        let (normal, scales) = normalise(x.numbers, gain);
        let packed = multiplied(sizes.outer(&normal), sizes.qkv(qkv));
        let (mixed, weights) = attention(self.heads, sizes.rows, &packed);
        let mut y = multiplied(sizes.outer(&mixed), sizes.out(out.numbers));
        add(&mut y, x.numbers);
        let kept = Kept { normal, scales, packed, weights, mixed };
        Ok(Results::new(y, x.shape).keeping(kept))
    }

    fn backward(&self, pass: Pass<'_, T, Kept<T>, 3>) -> Result<[Option<Tensor>; 3]> {
        let Pass { operands: [x, joined, out], dy, kept, .. } = pass;
        let Kept { normal, scales, packed, weights, mixed } = kept;
        let sizes = Sizes::of(x.shape())?;
        let joined_values = values(joined)?;
        let (gain, qkv) = part(&joined_values, sizes.width);
        let dout = multiplied(sizes.outer(mixed).transposed(), sizes.outer(dy));
        let dmixed = multiplied(sizes.outer(dy), sizes.out(&values(out)?).transposed());
        let dpacked = attention_backward(self.heads, sizes.rows, packed, weights, &dmixed);
        let dqkv = multiplied(sizes.outer(normal).transposed(), sizes.packed(&dpacked));
        let dnormal = multiplied(sizes.packed(&dpacked), sizes.qkv(qkv).transposed());
        let (mut dx, mut djoined) = normalise_backward(&values(x)?, gain, scales, &dnormal);
        add(&mut dx, dy);
        djoined.extend_from_slice(&dqkv);
        Ok([gradient(x, dx)?, gradient(joined, djoined)?, gradient(out, dout)?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mask;
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        for mask in [Mask::Causal, Mask::None] {
            let heads = Heads { context: 3, heads: 2, mask };
            check(&[&[6, 4], &[4], &[4, 12], &[4, 4]], |t| {
                attention_block::<f64>(&t[0], &t[1], &t[2], &t[3], heads)
            });
        }
    }
}
