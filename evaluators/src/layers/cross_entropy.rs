//! Softmax cross-entropy: mean over rows of −ln softmax(logits)\[target\].
//!
//! Shapes: logits \[rows, classes\], one target a row; the result is a scalar in nats. Invariant: the
//! probabilities of the forward pass are kept for the backward one, and a NaN logit gives a NaN
//! loss. Candle's composed form makes six passes over the logits and their gradients.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::Real;
use super::softmax::{Mask, softmax};
use super::storage::{operand, tensor, values};

/// The loss of classification and of next-token prediction.
pub(crate) struct CrossEntropy<T> {
    targets: Arc<[u32]>,
    probabilities: OnceLock<Vec<T>>,
}

impl<T: Real> CrossEntropy<T> {
    /// The loss of `logits` against `targets`, each below the number of classes.
    pub(crate) fn of(logits: &Tensor, targets: &Arc<[u32]>) -> Result<Tensor> {
        logits.apply_op1(Self { targets: Arc::clone(targets), probabilities: OnceLock::new() })
    }
}

impl<T: Real> CustomOp1 for CrossEntropy<T> {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, classes) = layout.shape().dims2()?;
        let logits = operand::<T>(logits, layout)?;
        let mut probabilities = logits.to_vec();
        let mut total = T::ZERO;
        softmax(&mut probabilities, classes, Mask::None, |row, largest, sum| {
            let target = self.targets[row] as usize;
            // In this order: beside large logits the logarithm would be lost, and the loss be 0.
            total += (largest - logits[row * classes + target]) + sum.ln();
        });
        let loss = total / T::of(self.targets.len());
        // A second forward pass of the same node cannot happen: one is made for each call of `of`.
        let _ = self.probabilities.set(probabilities);
        Ok((T::to_cpu_storage_owned(vec![loss]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _loss: &Tensor, dloss: &Tensor) -> Result<Option<Tensor>> {
        let (rows, classes) = logits.dims2()?;
        let scale = values::<T>(dloss)?[0] / T::of(rows);
        let mut gradient = self.probabilities.get().expect("the forward pass kept them").clone();
        for (row, &target) in gradient.chunks_exact_mut(classes).zip(self.targets.iter()) {
            row[target as usize] -= T::ONE;
            for value in row {
                *value *= scale;
            }
        }
        Ok(Some(tensor(gradient, logits.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        let targets: Arc<[u32]> = [0, 3, 1, 3, 2].into();
        check(&[&[5, 4]], |t| CrossEntropy::<f64>::of(&t[0], &targets));
    }

    #[test]
    fn equal_logits_cost_the_logarithm_of_the_classes() {
        let logits = Tensor::from_vec(vec![7.0_f32; 20], (2, 10), &Device::Cpu).expect("sizes");
        let loss = CrossEntropy::<f32>::of(&logits, &[1, 9].into()).expect("valid");
        let loss = loss.to_scalar::<f32>().expect("a scalar");
        assert!((loss - libm::logf(10.0)).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn large_equal_logits_cost_no_less() {
        for size in [4e7_f32, -4e7, 1e30] {
            let logits = Tensor::from_vec(vec![size; 10], (1, 10), &Device::Cpu).expect("sizes");
            let loss = CrossEntropy::<f32>::of(&logits, &[3].into()).expect("valid");
            let loss = loss.to_scalar::<f32>().expect("a scalar");
            assert!((loss - libm::logf(10.0)).abs() < 1e-6, "{loss}");
        }
    }

    #[test]
    fn a_nan_logit_gives_a_nan_loss() {
        for place in 0..3 {
            let mut logits = vec![1.0_f32; 3];
            logits[place] = f32::NAN;
            let logits = Tensor::from_vec(logits, (1, 3), &Device::Cpu).expect("sizes");
            let loss = CrossEntropy::<f32>::of(&logits, &[1].into()).expect("valid");
            assert!(loss.to_scalar::<f32>().expect("a scalar").is_nan());
        }
    }
}
