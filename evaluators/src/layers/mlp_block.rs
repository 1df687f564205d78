//! The second half of a transformer block as one operation: x + relu(norm(x)·up)·down.
//!
//! Shapes: x and the result \[n, width\], gain \[width\], up \[width, hidden\], down \[hidden,
//! width\]; the norm is RMS. Invariant: it gives the bits of the layers it is made of, `RmsNorm`,
//! `project` and `project_onto`. They would cost three gradients more, one of them of the hidden
//! size.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::Real;
use super::dense::{add, relu, stop_inactive};
use super::join::{join, part};
use super::matrix::{Matrix, multiplied};
use super::rms_norm::{normalise, normalise_backward};
use super::storage::{operand, tensor, values};

/// x + relu(norm(x)·up)·down.
pub(crate) fn mlp_block<T: Real>(
    x: &Tensor,
    gain: &Tensor,
    up: &Tensor,
    down: &Tensor,
) -> Result<Tensor> {
    x.apply_op3(&join::<T>(gain, up)?, down, MlpBlock::<T> { kept: OnceLock::new() })
}

struct MlpBlock<T> {
    kept: OnceLock<Kept<T>>,
}

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

impl<T: Real> CustomOp3 for MlpBlock<T> {
    fn name(&self) -> &'static str {
        "mlp_block"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        joined: &CpuStorage,
        joined_layout: &Layout,
        down: &CpuStorage,
        down_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::of(x_layout.shape(), down_layout.shape())?;
        let (x, down) = (operand::<T>(x, x_layout)?, operand(down, down_layout)?);
        let (gain, up) = part(operand(joined, joined_layout)?, sizes.width);
        let (normal, scales) = normalise(x, gain);
        let mut hidden = multiplied(sizes.outer(&normal), sizes.up(up));
        relu(&mut hidden);
        let mut y = multiplied(sizes.inner(&hidden), sizes.down(down));
        add(&mut y, x);
        let _ = self.kept.set(Kept { normal, scales, hidden });
        Ok((T::to_cpu_storage_owned(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        joined: &Tensor,
        down: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let sizes = Sizes::of(x.shape(), down.shape())?;
        let Kept { normal, scales, hidden } = self.kept.get().expect("the forward pass kept them");
        let (joined_values, down_values) = (values::<T>(joined)?, values::<T>(down)?);
        let (gain, up) = part(&joined_values, sizes.width);
        let dy = values::<T>(dy)?;
        let ddown = multiplied(sizes.inner(hidden).transposed(), sizes.outer(&dy));
        let mut dhidden = multiplied(sizes.outer(&dy), sizes.down(&down_values).transposed());
        stop_inactive(&mut dhidden, hidden);
        let dup = multiplied(sizes.outer(normal).transposed(), sizes.inner(&dhidden));
        let dnormal = multiplied(sizes.inner(&dhidden), sizes.up(up).transposed());
        let (mut dx, mut djoined) = normalise_backward(&values(x)?, gain, scales, &dnormal);
        add(&mut dx, &dy);
        djoined.extend_from_slice(&dup);
        Ok((
            Some(tensor(dx, x.shape())?),
            Some(tensor(djoined, joined.shape())?),
            Some(tensor(ddown, down.shape())?),
        ))
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
