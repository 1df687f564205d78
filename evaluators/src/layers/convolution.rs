//! 3×3 convolution with bias and perhaps relu: patches gathered into rows (im2col), then one
//! product.
//!
//! Shapes: x \[batch, height, width, in\], w \[3, 3, in, out\], bias \[out\]; the result is
//! \[batch, ceil(height / stride), ceil(width / stride), out\]. Channels come last so that the
//! product is already the result. Invariant: the patches of the forward pass are kept for the
//! backward one. Candle's own convolution runs on rayon's global pool even with one thread, which
//! makes parallel evaluations queue for each other.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::dense::{Activation, add_bias};
use super::matrix::{Matrix, column_sums, multiplied};
use super::patches::Patches;
use super::storage::{operand, tensor, values};
use super::{Real, lanes};

/// One convolution of the conv net.
pub(crate) struct Convolution<T> {
    stride: usize,
    activation: Activation,
    /// The gathered patches, \[batch · out height · out width, 9 · in\].
    patches: OnceLock<Vec<T>>,
}

impl<T: Real> Convolution<T> {
    /// activation(x ∗ w + bias), one result pixel for every `stride` input pixels in each
    /// direction.
    pub(crate) fn of(
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        stride: usize,
        activation: Activation,
    ) -> Result<Tensor> {
        if w.rank() == 5 {
            return lanes::convolution(x, w, bias, stride, activation);
        }
        let patches = OnceLock::new();
        x.apply_op3(w, bias, Self { stride, activation, patches })
    }

    fn sizes(&self, x: &Shape) -> Result<Patches> {
        let (batch, height, width, channels) = x.dims4()?;
        Ok(Patches { batch, height, width, channels, stride: self.stride })
    }
}

impl<T: Real> CustomOp3 for Convolution<T> {
    fn name(&self) -> &'static str {
        "convolution"
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
        let sizes = self.sizes(x_layout.shape())?;
        let outputs = bias_layout.shape().dims1()?;
        let patches = sizes.gather(operand::<T>(x, x_layout)?);
        let mut y = multiplied(
            Matrix::new(&patches, sizes.count(), sizes.length()),
            Matrix::new(operand(w, w_layout)?, sizes.length(), outputs),
        );
        add_bias(&mut y, operand(bias, bias_layout)?);
        self.activation.apply(&mut y);
        let _ = self.patches.set(patches);
        let shape = (sizes.batch, sizes.out_height(), sizes.out_width(), outputs);
        Ok((T::to_cpu_storage_owned(y), shape.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let sizes = self.sizes(x.shape())?;
        let outputs = bias.dim(0)?;
        let (y, dy) = (values::<T>(y)?, values::<T>(dy)?);
        let dz = self.activation.backward(&y, &dy);
        let db = tensor(column_sums(&dz, outputs), bias.shape())?;
        let dz = Matrix::new(&dz, sizes.count(), outputs);
        let patches = self.patches.get().expect("the forward pass kept them");
        let patches = Matrix::new(patches, sizes.count(), sizes.length());
        let dw = multiplied(patches.transposed(), dz);
        let dw = tensor(dw, w.shape())?;
        if !x.track_op() {
            return Ok((None, Some(dw), Some(db)));
        }
        let w = &values::<T>(w)?;
        let dpatches = multiplied(dz, Matrix::new(w, sizes.length(), outputs).transposed());
        let dx = sizes.scatter(&dpatches);
        Ok((Some(tensor(dx, x.shape())?), Some(dw), Some(db)))
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
                Convolution::<f64>::of(&t[0], &t[1], &t[2], stride, Activation::Relu)
            });
        }
        check(&[&[2, 1, 1, 2], &[3, 3, 2, 3], &[3]], |t| {
            Convolution::<f64>::of(&t[0], &t[1], &t[2], 2, Activation::Identity)
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
                Convolution::<f32>::of(&x, &w, &bias, stride, Activation::Relu).expect("valid");
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
