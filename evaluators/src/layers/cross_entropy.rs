//! Softmax cross-entropy: mean over the rows that count of −ln softmax(logits)\[target\].
//!
//! Shapes: logits \[rows, classes\], one target a row; the result is a scalar in nats. Invariant:
//! the probabilities of the forward pass are kept for the backward one, and a NaN logit gives a NaN
//! loss. Candle's composed form makes six passes over the logits and their gradients.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::softmax::{Mask, softmax};
use super::vector_unit::vectorised;
use super::{Real, lanes};

/// The target of a row that does not count: it adds nothing to the loss and gets no gradient.
pub(crate) const IGNORED: u32 = u32::MAX;

/// The loss of classification and of next-token prediction.
pub(crate) struct CrossEntropy {
    targets: Arc<[u32]>,
}

impl CrossEntropy {
    /// The loss of `logits` against `targets`, each below the number of classes or
    /// [`IGNORED`].
    pub(crate) fn of<T: Real>(logits: &Tensor, targets: &Arc<[u32]>) -> Result<Tensor> {
        if logits.rank() == 3 {
            return lanes::cross_entropy(logits, targets);
        }
        apply::<T, 1>(Self { targets: Arc::clone(targets) }, [logits])
    }
}

impl<T: Real> Operation<T, 1> for CrossEntropy {
    /// The probabilities.
    type Kept = Vec<T>;

    const NAME: &'static str = "cross_entropy";

    fn forward(&self, [logits]: [Operand<'_, T>; 1]) -> Result<Results<T, Vec<T>>> {
        let (_, classes) = logits.shape.dims2()?;
        let (loss, probabilities) = cross_entropy(logits.numbers, classes, &self.targets);
        Ok(Results::new(vec![loss], ()).keeping(probabilities))
    }

    fn backward(&self, pass: Pass<'_, T, Vec<T>, 1>) -> Result<[Option<Tensor>; 1]> {
        let [logits] = pass.operands;
        let (_, classes) = logits.dims2()?;
        let dlogits = cross_entropy_backward(pass.kept, classes, &self.targets, pass.dy[0]);
        Ok([gradient(logits, dlogits)?])
    }
}

/// The loss of `logits` and the probabilities they stand for.
pub(super) fn cross_entropy<T: Real>(logits: &[T], classes: usize, targets: &[u32]) -> (T, Vec<T>) {
    let mut probabilities = logits.to_vec();
    let mut total = T::ZERO;
    softmax(&mut probabilities, classes, Mask::None, |row, largest, sum| {
        let target = match targets[row] {
            IGNORED => return,
            target => target as usize,
        };
        // In this order: beside large logits the logarithm would be lost, and the loss be 0.
        total += (largest - logits[row * classes + target]) + sum.ln();
    });
    (total / T::of(counted(targets)), probabilities)
}

/// The gradient of the logits from that of the loss.
pub(super) fn cross_entropy_backward<T: Real>(
    probabilities: &[T],
    classes: usize,
    targets: &[u32],
    dloss: T,
) -> Vec<T> {
    let mut gradient = probabilities.to_vec();
    for (row, &target) in gradient.chunks_exact_mut(classes).zip(targets) {
        match target {
            IGNORED => row.fill(T::ZERO),
            target => row[target as usize] -= T::ONE,
        }
    }
    scale(&mut gradient, dloss / T::of(counted(targets)));
    gradient
}

vectorised! {
    /// Multiplies all numbers by a factor.
    fn scale<T>(numbers: &mut [T], factor: T) = scale_body;
}

#[inline(always)]
fn scale_body<T: Real>(numbers: &mut [T], factor: T) {
    for number in numbers {
        *number *= factor;
    }
}

/// Targets that count, 1 at least.
pub(crate) fn counted(targets: &[u32]) -> usize {
    targets.iter().filter(|&&target| target != IGNORED).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        let targets: Arc<[u32]> = [0, 3, 1, 3, 2].into();
        check(&[&[5, 4]], |t| CrossEntropy::of::<f64>(&t[0], &targets));
    }

    #[test]
    fn ignored_rows_change_nothing() {
        let targets: Arc<[u32]> = [0, IGNORED, 1, IGNORED, 2].into();
        check(&[&[5, 4]], |t| CrossEntropy::of::<f64>(&t[0], &targets));
        let all: Vec<f32> = (0..20_u8).map(|i| f32::from(i * 7 % 11)).collect();
        let kept = [&all[..4], &all[8..12], &all[16..]].concat();
        let loss = |logits: Vec<f32>, targets: &[u32]| {
            let logits = Tensor::from_vec(logits, (targets.len(), 4), &Device::Cpu);
            let loss = CrossEntropy::of::<f32>(&logits.expect("sizes"), &targets.into());
            loss.expect("valid").to_scalar::<f32>().expect("a scalar")
        };
        assert_eq!(loss(all, &targets), loss(kept, &[0, 1, 2]));
    }

    #[test]
    fn equal_logits_cost_the_logarithm_of_the_classes() {
        let logits = Tensor::from_vec(vec![7.0_f32; 20], (2, 10), &Device::Cpu).expect("sizes");
        let loss = CrossEntropy::of::<f32>(&logits, &[1, 9].into()).expect("valid");
        let loss = loss.to_scalar::<f32>().expect("a scalar");
        assert!((loss - libm::logf(10.0)).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn large_equal_logits_cost_no_less() {
        for size in [4e7_f32, -4e7, 1e30] {
            let logits = Tensor::from_vec(vec![size; 10], (1, 10), &Device::Cpu).expect("sizes");
            let loss = CrossEntropy::of::<f32>(&logits, &[3].into()).expect("valid");
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
            let loss = CrossEntropy::of::<f32>(&logits, &[1].into()).expect("valid");
            assert!(loss.to_scalar::<f32>().expect("a scalar").is_nan());
        }
    }
}
