//! The second half of a transformer block as one operation: x + relu(norm(x)·up)·down.
//!
//! Shapes: x and the result \[n, width\], gain \[width\], up \[width, hidden\], down \[hidden,
//! width\]; the norm is RMS. Invariant: it gives the bits of the layers it is made of, `RmsNorm`,
//! `project` and `project_onto`. They would cost three gradients more, one of them of the hidden
//! size.

use candle_core::{Result, Shape, Tensor};

use super::Real;
use super::dense::{add, relu, stop_inactive};
use super::join::{join, part};
use super::matrix::{Matrix, multiplied};
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::rms_norm::{normalise, normalise_backward};
use super::storage::values;

/// x + relu(norm(x)·up)·down.
pub(crate) fn mlp_block<T: Real>(
    x: &Tensor,
    gain: &Tensor,
    up: &Tensor,
    down: &Tensor,
) -> Result<Tensor> {
    apply::<T, 3>(MlpBlock, [x, &join::<T>(gain, up)?, down])
}

struct MlpBlock;

/// What the forward pass keeps for the backward one.
struct Kept<T> {
    normal: Vec<T>,
    scales: Vec<T>,
    hidden: Vec<T>,
}

#[derive(Clone, Copy)]
struct Sizes {
    rows: usize,
    width: usize,
    hidden: usize,
}

impl Sizes {
    fn of(x: &Shape, down: &Shape) -> Result<Self> {
        let ((rows, width), (hidden, _)) = (x.dims2()?, down.dims2()?);
        Ok(Self { rows, width, hidden })
    }

    /// A matrix of `up`'s shape.
    fn up<T>(self, numbers: &[T]) -> Matrix<'_, T> {
        Matrix::new(numbers, self.width, self.hidden)
    }

    fn down<T>(self, numbers: &[T]) -> Matrix<'_, T> {
        Matrix::new(numbers, self.hidden, self.width)
    }

    /// Rows of the outer width.
    fn outer<T>(self, numbers: &[T]) -> Matrix<'_, T> {
        Matrix::new(numbers, self.rows, self.width)
    }

    /// Rows of the hidden size.
    fn inner<T>(self, numbers: &[T]) -> Matrix<'_, T> {
        Matrix::new(numbers, self.rows, self.hidden)
    }
}

impl<T: Real> Operation<T, 3> for MlpBlock {
    type Kept = Kept<T>;

    const NAME: &'static str = "mlp_block";

    fn forward(&self, [x, joined, down]: [Operand<'_, T>; 3]) -> Result<Results<T, Kept<T>>> {
        let sizes = Sizes::of(x.shape, down.shape)?;
        let (gain, up) = part(joined.numbers, sizes.width);
        let (normal, scales) = normalise(x.numbers, gain);
        let mut hidden = multiplied(sizes.outer(&normal), sizes.up(up));
        relu(&mut hidden);
        let mut y = multiplied(sizes.inner(&hidden), sizes.down(down.numbers));
        add(&mut y, x.numbers);
        Ok(Results::new(y, x.shape).keeping(Kept { normal, scales, hidden }))
    }

    fn backward(&self, pass: Pass<'_, T, Kept<T>, 3>) -> Result<[Option<Tensor>; 3]> {
        let Pass { operands: [x, joined, down], dy, kept, .. } = pass;
        let Kept { normal, scales, hidden } = kept;
        let sizes = Sizes::of(x.shape(), down.shape())?;
        let joined_values = values(joined)?;
        let (gain, up) = part(&joined_values, sizes.width);
        let ddown = multiplied(sizes.inner(hidden).transposed(), sizes.outer(dy));
        let mut dhidden = multiplied(sizes.outer(dy), sizes.down(&values(down)?).transposed());
        stop_inactive(&mut dhidden, hidden);
        let dup = multiplied(sizes.outer(normal).transposed(), sizes.inner(&dhidden));
        let dnormal = multiplied(sizes.inner(&dhidden), sizes.up(up).transposed());
        let (mut dx, mut djoined) = normalise_backward(&values(x)?, gain, scales, &dnormal);
        add(&mut dx, dy);
        djoined.extend_from_slice(&dup);
        Ok([gradient(x, dx)?, gradient(joined, djoined)?, gradient(down, ddown)?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        check(&[&[5, 4], &[4], &[4, 6], &[6, 4]], |t| mlp_block::<f64>(&t[0], &t[1], &t[2], &t[3]));
    }
}
