//! RMS normalisation and the linear map behind it as one operation: activation(norm(x)·w).
//!
//! Shapes: x \[n, in\], gain \[in\], w \[in, out\]; the result is \[n, out\]. Invariant: it gives
//! the bits of [`RmsNorm`](super::RmsNorm) followed by [`project`](super::project). As two
//! operations they cost the normalised rows a gradient of their own, which candle makes of zeros
//! and adds to.

use candle_core::{Result, Tensor};

use super::Real;
use super::dense::{Activation, project};
use super::matrix::{Matrix, multiplied};
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::rms_norm::{RmsNorm, normalise, normalise_backward};
use super::storage::values;

/// activation(norm(x)·w), norm being RMS with `gain`. Weights of more dimensions take the layers.
pub(crate) fn normed_project<T: Real>(
    x: &Tensor,
    gain: &Tensor,
    w: &Tensor,
    activation: Activation,
) -> Result<Tensor> {
    if w.rank() > 2 {
        return project::<T>(&RmsNorm::of::<T>(x, gain)?, w, activation);
    }
    apply::<T, 3>(NormedProjection { activation }, [x, gain, w])
}

struct NormedProjection {
    activation: Activation,
}

impl<T: Real> Operation<T, 3> for NormedProjection {
    /// The normalised rows and the scale of each.
    type Kept = (Vec<T>, Vec<T>);

    const NAME: &'static str = "normed_projection";

    fn forward(&self, [x, gain, w]: [Operand<'_, T>; 3]) -> Result<Results<T, Self::Kept>> {
        let ((rows, inputs), (_, outputs)) = (x.shape.dims2()?, w.shape.dims2()?);
        let (normal, scales) = normalise(x.numbers, gain.numbers);
        let w = Matrix::new(w.numbers, inputs, outputs);
        let mut y = multiplied(Matrix::new(&normal, rows, inputs), w);
        self.activation.apply(&mut y);
        Ok(Results::new(y, (rows, outputs)).keeping((normal, scales)))
    }

    fn backward(&self, pass: Pass<'_, T, Self::Kept, 3>) -> Result<[Option<Tensor>; 3]> {
        let Pass { operands: [x, gain, w], y, dy, kept: (normal, scales), .. } = pass;
        let ((rows, inputs), (_, outputs)) = (x.dims2()?, w.dims2()?);
        let y = values(y)?;
        let dz = self.activation.backward(&y, dy);
        let dz = Matrix::new(&dz, rows, outputs);
        let dw = multiplied(Matrix::new(normal, rows, inputs).transposed(), dz);
        let dnormal = multiplied(dz, Matrix::new(&values(w)?, inputs, outputs).transposed());
        let (dx, dgain) = normalise_backward(&values(x)?, &values(gain)?, scales, &dnormal);
        Ok([gradient(x, dx)?, gradient(gain, dgain)?, gradient(w, dw)?])
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
            let two = RmsNorm::of::<f32>(&x, &gain)
                .and_then(|normal| project::<f32>(&normal, &w, activation));
            let numbers = |y: Result<Tensor>| y.and_then(|y| y.to_vec2::<f32>()).expect("valid");
            assert_eq!(numbers(one), numbers(two), "{activation:?}");
        }
    }
}
