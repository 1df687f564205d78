//! Mean squared error: the mean over all numbers of (y − target)².
//!
//! Shapes: y and target alike; the result is a scalar. Invariant: it is never negative, and 0 only
//! where every number is met. The target is data and gets no gradient.

use candle_core::{Result, Tensor};

use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::storage::values;
use super::{Real, lanes};

/// The loss of reconstruction.
pub(crate) fn squared_error<T: Real>(y: &Tensor, target: &Tensor) -> Result<Tensor> {
    if y.rank() == 3 {
        return lanes::squared_error(y, target);
    }
    apply::<T, 2>(SquaredError, [y, target])
}

struct SquaredError;

impl<T: Real> Operation<T, 2> for SquaredError {
    type Kept = ();

    const NAME: &'static str = "squared_error";

    fn forward(&self, operands: [Operand<'_, T>; 2]) -> Result<Results<T>> {
        let [y, target] = operands.map(|operand| operand.numbers);
        if y.len() != target.len() {
            candle_core::bail!("{} numbers for {} targets", y.len(), target.len());
        }
        let mut total = T::ZERO;
        for (&y, &target) in y.iter().zip(target) {
            total += (y - target) * (y - target);
        }
        Ok(Results::new(vec![total / T::of(y.len())], ()))
    }

    fn backward(&self, pass: Pass<'_, T, (), 2>) -> Result<[Option<Tensor>; 2]> {
        let [y, target] = pass.operands;
        let (y_values, target) = (values::<T>(y)?, values::<T>(target)?);
        let scale = T::from_f64(2.0) * pass.dy[0] / T::of(y_values.len());
        let dy = y_values.iter().zip(target.iter()).map(|(&y, &t)| scale * (y - t));
        Ok([gradient(y, dy.collect())?, None])
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
