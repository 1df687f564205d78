//! The last layer of a classifier and its loss as one operation: the cross-entropy of x·w + bias.
//!
//! Shapes: x \[n, in\], w \[in, classes\], bias \[classes\], one target a row; the result is a
//! scalar in nats. Invariant: it gives the bits of [`dense`] followed by [`CrossEntropy`]. In the
//! smallest networks an operation of candle's graph costs more than what this one computes.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::Real;
use super::cross_entropy::{CrossEntropy, cross_entropy, cross_entropy_backward};
use super::dense::{Activation, Sizes, dense, product, product_gradients};
use super::matrix::column_sums;
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};

/// The loss of x·w + bias against `targets`. Weights of more dimensions take the layers.
pub(crate) fn classify<T: Real>(
    x: &Tensor,
    w: &Tensor,
    bias: &Tensor,
    targets: &Arc<[u32]>,
) -> Result<Tensor> {
    if w.rank() > 2 {
        let logits = dense::<T>(x, w, bias, Activation::Identity)?;
        return CrossEntropy::of::<T>(&logits, targets);
    }
    apply::<T, 3>(Classifier { targets: Arc::clone(targets) }, [x, w, bias])
}

struct Classifier {
    targets: Arc<[u32]>,
}

impl<T: Real> Operation<T, 3> for Classifier {
    /// The probabilities.
    type Kept = Vec<T>;

    const NAME: &'static str = "classifier";

    fn forward(&self, [x, w, bias]: [Operand<'_, T>; 3]) -> Result<Results<T, Vec<T>>> {
        let sizes = Sizes::of(x.shape, w.shape)?;
        let mut logits = product(x.numbers, w.numbers, sizes);
        Activation::Identity.apply_with_bias(&mut logits, bias.numbers);
        let (loss, probabilities) = cross_entropy(&logits, sizes.outputs, &self.targets);
        Ok(Results::new(vec![loss], ()).keeping(probabilities))
    }

    fn backward(&self, pass: Pass<'_, T, Vec<T>, 3>) -> Result<[Option<Tensor>; 3]> {
        let [x, w, bias] = pass.operands;
        let classes = bias.dim(0)?;
        let dlogits = cross_entropy_backward(pass.kept, classes, &self.targets, pass.dy[0]);
        let [dx, dw] = product_gradients(x, w, &dlogits)?;
        Ok([dx, dw, gradient(bias, column_sums(&dlogits, classes))?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        let targets: Arc<[u32]> = [0, 2, 1, 2, 2].into();
        check(&[&[5, 4], &[4, 3], &[3]], |t| classify::<f64>(&t[0], &t[1], &t[2], &targets));
    }

    #[test]
    fn it_is_the_dense_layer_and_the_loss() {
        let numbers = |count: usize, shape: &[usize]| {
            let numbers: Vec<f32> =
                (0..count).map(|index| (index * 7 % 23) as f32 / 23.0 - 0.4).collect();
            Tensor::from_vec(numbers, shape, &Device::Cpu).expect("sizes")
        };
        let (x, w, bias) = (numbers(84, &[12, 7]), numbers(63, &[7, 9]), numbers(9, &[9]));
        let targets: Arc<[u32]> = [0, 8, 3, 3, 1, 2, 7, 5, 0, 4, 6, 2].into();
        let one = classify::<f32>(&x, &w, &bias, &targets);
        let two = dense::<f32>(&x, &w, &bias, Activation::Identity)
            .and_then(|logits| CrossEntropy::of::<f32>(&logits, &targets));
        let number = |loss: Result<Tensor>| loss.and_then(|loss| loss.to_scalar::<f32>());
        assert_eq!(number(one).expect("valid"), number(two).expect("valid"));
    }
}
