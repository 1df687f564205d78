//! RMS normalisation and the linear map behind it as one operation: activation(norm(x)·w).
//!
//! Shapes: x \[n, in\], gain \[in\], w \[in, out\]; the result is \[n, out\]. Invariant: it gives
//! the bits of [`RmsNorm`](super::RmsNorm) followed by [`project`](super::project). As two
//! operations they cost the normalised rows a gradient of their own, which candle makes of zeros
//! and adds to.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::Real;
use super::dense::{Activation, project};
use super::matrix::{Matrix, multiplied};
use super::rms_norm::{RmsNorm, normalise, normalise_backward};
use super::storage::{operand, tensor, values};

/// activation(norm(x)·w), norm being RMS with `gain`. Weights of more dimensions take the layers.
pub(crate) fn normed_project<T: Real>(
    x: &Tensor,
    gain: &Tensor,
    w: &Tensor,
    activation: Activation,
) -> Result<Tensor> {
    if w.rank() > 2 {
        return project::<T>(&RmsNorm::<T>::of(x, gain)?, w, activation);
    }
    x.apply_op3(gain, w, NormedProjection::<T> { activation, normal: OnceLock::new() })
}

struct NormedProjection<T> {
    activation: Activation,
    /// The normalised rows and the scale of each.
    normal: OnceLock<(Vec<T>, Vec<T>)>,
}

impl<T: Real> CustomOp3 for NormedProjection<T> {
    fn name(&self) -> &'static str {
        "normed_projection"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gain: &CpuStorage,
        gain_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((rows, inputs), (_, outputs)) = (x_layout.shape().dims2()?, w_layout.shape().dims2()?);
        let (normal, scales) = normalise(operand::<T>(x, x_layout)?, operand(gain, gain_layout)?);
        let w = Matrix::new(operand(w, w_layout)?, inputs, outputs);
        let mut y = multiplied(Matrix::new(&normal, rows, inputs), w);
        self.activation.apply(&mut y);
        let _ = self.normal.set((normal, scales));
        Ok((T::to_cpu_storage_owned(y), (rows, outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gain: &Tensor,
        w: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((rows, inputs), (_, outputs)) = (x.dims2()?, w.dims2()?);
        let (normal, scales) = self.normal.get().expect("the forward pass kept them");
        let (y, dy, w_values) = (values::<T>(y)?, values::<T>(dy)?, values::<T>(w)?);
        let dz = self.activation.backward(&y, &dy);
        let dz = Matrix::new(&dz, rows, outputs);
        let dw = multiplied(Matrix::new(normal, rows, inputs).transposed(), dz);
        let dnormal = multiplied(dz, Matrix::new(&w_values, inputs, outputs).transposed());
        let (dx, dgain) = normalise_backward(&values(x)?, &values(gain)?, scales, &dnormal);
        Ok((
            Some(tensor(dx, x.shape())?),
            Some(tensor(dgain, gain.shape())?),
            Some(tensor(dw, w.shape())?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        for activation in [Activation::Identity, Activation::Relu] {
            check(&[&[5, 4], &[4], &[4, 3]], |t| {
                normed_project::<f64>(&t[0], &t[1], &t[2], activation)
            });
        }
    }

    #[test]
    fn it_is_the_normalisation_and_the_projection() {
        let numbers = |count: usize, shape: &[usize]| {
            let numbers: Vec<f32> =
                (0..count).map(|index| (index * 7 % 23) as f32 / 23.0 - 0.4).collect();
            Tensor::from_vec(numbers, shape, &Device::Cpu).expect("sizes")
        };
        let (x, gain, w) = (numbers(84, &[12, 7]), numbers(7, &[7]), numbers(63, &[7, 9]));
        for activation in [Activation::Identity, Activation::Relu] {
            let one = normed_project::<f32>(&x, &gain, &w, activation);
            let two = RmsNorm::<f32>::of(&x, &gain)
                .and_then(|normal| project::<f32>(&normal, &w, activation));
            let numbers = |y: Result<Tensor>| y.and_then(|y| y.to_vec2::<f32>()).expect("valid");
            assert_eq!(numbers(one), numbers(two), "{activation:?}");
        }
    }
}
