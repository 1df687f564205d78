//! The last layer of a classifier and its loss as one operation: the cross-entropy of x·w + bias.
//!
//! Shapes: x \[n, in\], w \[in, classes\], bias \[classes\], one target a row; the result is a
//! scalar in nats. Invariant: it gives the bits of [`dense`] followed by [`CrossEntropy`]. In the
//! smallest networks an operation of candle's graph costs more than what this one computes.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::Real;
use super::cross_entropy::{CrossEntropy, cross_entropy, cross_entropy_backward};
use super::dense::{Activation, Sizes, add_bias, dense, product, product_gradients};
use super::matrix::column_sums;
use super::storage::{operand, tensor, values};

/// The loss of x·w + bias against `targets`. Weights of more dimensions take the layers.
pub(crate) fn classify<T: Real>(
    x: &Tensor,
    w: &Tensor,
    bias: &Tensor,
    targets: &Arc<[u32]>,
) -> Result<Tensor> {
    if w.rank() > 2 {
        let logits = dense::<T>(x, w, bias, Activation::Identity)?;
        return CrossEntropy::<T>::of(&logits, targets);
    }
    let probabilities = OnceLock::new();
    x.apply_op3(w, bias, Classifier::<T> { targets: Arc::clone(targets), probabilities })
}

struct Classifier<T> {
    targets: Arc<[u32]>,
    probabilities: OnceLock<Vec<T>>,
}

impl<T: Real> CustomOp3 for Classifier<T> {
    fn name(&self) -> &'static str {
        "classifier"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::of(x_layout.shape(), w_layout.shape())?;
        let mut logits = product(operand::<T>(x, x_layout)?, operand(w, w_layout)?, sizes);
        add_bias(&mut logits, operand(bias, bias_layout)?);
        let (loss, probabilities) = cross_entropy(&logits, sizes.outputs, &self.targets);
        let _ = self.probabilities.set(probabilities);
        Ok((T::to_cpu_storage_owned(vec![loss]), Shape::from(())))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        _loss: &Tensor,
        dloss: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let classes = bias.dim(0)?;
        let probabilities = self.probabilities.get().expect("the forward pass kept them");
        let dloss = values::<T>(dloss)?[0];
        let dlogits = cross_entropy_backward(probabilities, classes, &self.targets, dloss);
        let dbias = tensor(column_sums(&dlogits, classes), bias.shape())?;
        let (dx, dw) = product_gradients::<T>(x, w, &dlogits)?;
        Ok((dx, Some(dw), Some(dbias)))
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
            .and_then(|logits| CrossEntropy::<f32>::of(&logits, &targets));
        let number = |loss: Result<Tensor>| loss.and_then(|loss| loss.to_scalar::<f32>());
        assert_eq!(number(one).expect("valid"), number(two).expect("valid"));
    }
}
