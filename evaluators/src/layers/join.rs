//! A gain and the weights behind it as one operand.
//!
//! Shapes: gain \[in\], w \[in, out\]; the result is \[in + in · out\], the gain first. Invariant:
//! joining and parting copy numbers and change none. candle's custom operations take three
//! operands; half a transformer block has four, and is one operation for the sake of the gradients
//! between its parts, which candle would make of zeros and add to.

use std::marker::PhantomData;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::Real;
use super::storage::{operand, tensor, values};

/// `gain` and `w` side by side.
pub(super) fn join<T: Real>(gain: &Tensor, w: &Tensor) -> Result<Tensor> {
    gain.apply_op2(w, Join::<T>(PhantomData))
}

/// The gain and the weights in what [`join`] made of weights with `inputs` inputs.
pub(super) fn part<T>(joined: &[T], inputs: usize) -> (&[T], &[T]) {
    joined.split_at(inputs)
}

struct Join<T>(PhantomData<T>);

impl<T: Real> CustomOp2 for Join<T> {
    fn name(&self) -> &'static str {
        "join"
    }

    fn cpu_fwd(
        &self,
        gain: &CpuStorage,
        gain_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (gain, w) = (operand::<T>(gain, gain_layout)?, operand::<T>(w, w_layout)?);
        let joined = [gain, w].concat();
        let length = joined.len();
        Ok((T::to_cpu_storage_owned(joined), length.into()))
    }

    fn bwd(
        &self,
        gain: &Tensor,
        w: &Tensor,
        _joined: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = values::<T>(gradient)?;
        let (dgain, dw) = part(&gradient, gain.elem_count());
        let dgain = tensor(dgain.to_vec(), gain.shape())?;
        Ok((Some(dgain), Some(tensor(dw.to_vec(), w.shape())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        check(&[&[4], &[4, 3]], |t| join::<f64>(&t[0], &t[1]));
    }
}
