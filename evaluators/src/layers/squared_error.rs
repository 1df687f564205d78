//! Mean squared error: the mean over all numbers of (y − target)².
//!
//! Shapes: y and target alike; the result is a scalar. Invariant: it is never negative, and 0 only
//! where every number is met. The target is data and gets no gradient.

use std::marker::PhantomData;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::storage::{operand, tensor, values};
use super::{Real, lanes};

/// The loss of reconstruction.
pub(crate) fn squared_error<T: Real>(y: &Tensor, target: &Tensor) -> Result<Tensor> {
    if y.rank() == 3 {
        return lanes::squared_error(y, target);
    }
    y.apply_op2(target, SquaredError::<T>(PhantomData))
}

struct SquaredError<T>(PhantomData<T>);

impl<T: Real> CustomOp2 for SquaredError<T> {
    fn name(&self) -> &'static str {
        "squared_error"
    }

    fn cpu_fwd(
        &self,
        y: &CpuStorage,
        y_layout: &Layout,
        target: &CpuStorage,
        target_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (y, target) = (operand::<T>(y, y_layout)?, operand::<T>(target, target_layout)?);
        if y.len() != target.len() {
            candle_core::bail!("{} numbers for {} targets", y.len(), target.len());
        }
        let mut total = T::ZERO;
        for (&y, &target) in y.iter().zip(target) {
            total += (y - target) * (y - target);
        }
        Ok((T::to_cpu_storage_owned(vec![total / T::of(y.len())]), Shape::from(())))
    }

    fn bwd(
        &self,
        y: &Tensor,
        target: &Tensor,
        _loss: &Tensor,
        dloss: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (y_values, target) = (values::<T>(y)?, values::<T>(target)?);
        let scale = T::from_f64(2.0) * values::<T>(dloss)?[0] / T::of(y_values.len());
        let gradient = y_values.iter().zip(target.iter()).map(|(&y, &t)| scale * (y - t));
        Ok((Some(tensor(gradient.collect(), y.shape())?), None))
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        let target = Tensor::arange(0.0, 12.0, &Device::Cpu).and_then(|t| t.reshape((4, 3)));
        let target = target.expect("sizes match");
        check(&[&[4, 3]], |t| squared_error::<f64>(&t[0], &target));
    }

    #[test]
    fn the_loss_is_the_mean_of_the_squares() {
        let y = Tensor::new(&[1.0_f32, 2.0, 3.0, 4.0], &Device::Cpu).expect("numbers");
        let target = Tensor::new(&[1.0_f32, 0.0, 3.0, 8.0], &Device::Cpu).expect("numbers");
        let loss = squared_error::<f32>(&y, &target).and_then(|loss| loss.to_scalar::<f32>());
        assert_eq!(loss.expect("a scalar"), 5.0);
    }
}
