//! 3×3 convolution with bias and perhaps relu: patches gathered into rows (im2col), then one
//! product.
//!
//! Shapes: x \[batch, height, width, in\], w \[3, 3, in, out\], bias \[out\]; the result is
//! \[batch, ceil(height / stride), ceil(width / stride), out\]. Channels come last so that the
//! product is already the result. Invariant: the patches of the forward pass are kept for the
//! backward one. Candle's own convolution runs on rayon's global pool even with one thread, which
//! makes parallel evaluations queue for each other.

use candle_core::{Result, Shape, Tensor};

use super::dense::Activation;
use super::matrix::{Matrix, column_sums, multiplied};
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::patches::Patches;
use super::storage::values;
use super::{Real, lanes};

/// One convolution of the conv net.
pub(crate) struct Convolution {
    stride: usize,
    activation: Activation,
}

impl Convolution {
    /// activation(x ∗ w + bias), one result pixel for every `stride` input pixels in each
    /// direction.
    pub(crate) fn of<T: Real>(
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        stride: usize,
        activation: Activation,
    ) -> Result<Tensor> {
        if w.rank() == 5 {
            return lanes::convolution(x, w, bias, stride, activation);
        }
        apply::<T, 3>(Self { stride, activation }, [x, w, bias])
    }

    fn sizes(&self, x: &Shape) -> Result<Patches> {
        let (batch, height, width, channels) = x.dims4()?;
        Ok(Patches { batch, height, width, channels, stride: self.stride })
    }
}

impl<T: Real> Operation<T, 3> for Convolution {
    /// The gathered patches, \[batch · out height · out width, 9 · in\].
    type Kept = Vec<T>;

    const NAME: &'static str = "convolution";

    fn forward(&self, [x, w, bias]: [Operand<'_, T>; 3]) -> Result<Results<T, Vec<T>>> {
        let sizes = self.sizes(x.shape)?;
        let outputs = bias.shape.dims1()?;
        let patches = sizes.gather(x.numbers);
        let mut y = multiplied(
            Matrix::new(&patches, sizes.count(), sizes.length()),
            Matrix::new(w.numbers, sizes.length(), outputs),
        );
        self.activation.apply_with_bias(&mut y, bias.numbers);
        let shape = (sizes.batch, sizes.out_height(), sizes.out_width(), outputs);
        Ok(Results::new(y, shape).keeping(patches))
    }

    fn backward(&self, pass: Pass<'_, T, Vec<T>, 3>) -> Result<[Option<Tensor>; 3]> {
        let Pass { operands: [x, w, bias], y, dy, kept: patches, .. } = pass;
        let sizes = self.sizes(x.shape())?;
        let outputs = bias.dims1()?;
        let y = values(y)?;
        let dz = self.activation.backward(&y, dy);
        let dbias = gradient(bias, column_sums(&dz, outputs))?;
        let dz = Matrix::new(&dz, sizes.count(), outputs);
        let patches = Matrix::new(patches, sizes.count(), sizes.length());
        let dw = gradient(w, multiplied(patches.transposed(), dz))?;
        if !x.track_op() {
            return Ok([None, dw, dbias]);
        }
        let w = &values(w)?;
        let dpatches = multiplied(dz, Matrix::new(w, sizes.length(), outputs).transposed());
        Ok([gradient(x, sizes.scatter(&dpatches))?, dw, dbias])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        for stride in [1, 2] {
            check(&[&[2, 5, 4, 2], &[3, 3, 2, 3], &[3]], |t| {
                Convolution::of::<f64>(&t[0], &t[1], &t[2], stride, Activation::Relu)
            });
        }
        check(&[&[2, 1, 1, 2], &[3, 3, 2, 3], &[3]], |t| {
            Convolution::of::<f64>(&t[0], &t[1], &t[2], 2, Activation::Identity)
        });
    }

    #[test]
    fn results_match_candles_own_convolution() {
        let numbers = |count: usize| -> Vec<f32> {
            (0..count).map(|i| (i * 7 % 23) as f32 / 23.0 - 0.4).collect()
        };
        let x =
            Tensor::from_vec(numbers(2 * 5 * 6 * 3), (2, 5, 6, 3), &Device::Cpu).expect("sizes");
        let w = Tensor::from_vec(numbers(108), (3, 3, 3, 4), &Device::Cpu).expect("sizes");
        let bias = Tensor::zeros(4, candle_core::DType::F32, &Device::Cpu).expect("zeros");
        for stride in [1, 2] {
            let ours =
                Convolution::of::<f32>(&x, &w, &bias, stride, Activation::Relu).expect("valid");
            let theirs = || {
                let x = x.permute((0, 3, 1, 2))?.contiguous()?;
                let w = w.permute((3, 2, 0, 1))?.contiguous()?;
                let y = x.conv2d(&w, 1, stride, 1, 1)?.relu()?;
                let y = y.permute((0, 2, 3, 1))?.contiguous()?;
                (ours - y)?.abs()?.max_all()?.to_scalar::<f32>()
            };
            let difference = theirs().expect("candle accepts these shapes");
            assert!(difference < 1e-5, "stride {stride}: {difference}");
        }
    }
}
