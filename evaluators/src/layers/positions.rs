//! Learned positions: y\[b·length + s\] = x\[b·length + s\] + positions\[s\].
//!
//! Shapes: x and y \[batch · length, width\], positions \[length, width\]. Invariant: gradients of
//! a position are added in batch order. Candle's broadcast would sum them through a strided copy.

use std::marker::PhantomData;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::matrix::{column_sums, zeros};
use super::storage::{operand, tensor, values};
use super::{Real, lanes};

/// Adds its position to every row of `x`.
pub(crate) fn add_positions<T: Real>(x: &Tensor, positions: &Tensor) -> Result<Tensor> {
    if positions.rank() == 3 {
        return lanes::add_positions(x, positions);
    }
    x.apply_op2(positions, Positions::<T>(PhantomData))
}

struct Positions<T>(PhantomData<T>);

impl<T: Real> CustomOp2 for Positions<T> {
    fn name(&self) -> &'static str {
        "positions"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        positions: &CpuStorage,
        positions_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = operand::<T>(x, x_layout)?;
        let positions = operand::<T>(positions, positions_layout)?;
        let mut y = zeros(x.len());
        let sequences = x.chunks_exact(positions.len());
        for (x, y) in sequences.zip(y.chunks_exact_mut(positions.len())) {
            for ((y, &x), &position) in y.iter_mut().zip(x).zip(positions) {
                *y = x + position;
            }
        }
        Ok((T::to_cpu_storage_owned(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        _x: &Tensor,
        positions: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        // A whole sequence is one row here.
        let dpositions = column_sums(&values::<T>(dy)?, positions.elem_count());
        Ok((Some(dy.clone()), Some(tensor(dpositions, positions.shape())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        check(&[&[6, 4], &[3, 4]], |t| add_positions::<f64>(&t[0], &t[1]));
    }
}
