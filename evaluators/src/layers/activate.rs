//! Activations as operations of their own, where they are not part of a dense layer.
//!
//! Invariant: NaN stays NaN. Other functions than relu are not fused into the products: their
//! derivative needs the sums, which a fused layer has overwritten by then. gelu is its usual
//! approximation by tanh (arXiv 1606.08415), silu is z·sigmoid(z). Expressions have no form with
//! lanes: candidates of one cohort differ in them, and not in the weights alone.

use candle_core::{Result, Tensor};

use super::function::evaluate;
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::storage::values;
use super::{Real, lanes};
use crate::Activation;
use crate::task::Between;

/// Applies an activation to every number of `x`.
pub(crate) fn activate<T: Real>(x: &Tensor, activation: &Between) -> Result<Tensor> {
    match *activation {
        Between::Known(known) if x.rank() == 3 => lanes::activate(x, known),
        Between::Known(known) => apply::<T, 1>(Activate(known), [x]),
        Between::Expression(ref function) => evaluate::<T>(x, function),
    }
}

struct Activate(Activation);

/// sqrt(2 / pi).
const GELU_SCALE: f64 = 0.797_884_560_802_865_4;
const GELU_CUBE: f64 = 0.044_715;

fn relu<T: Real>(z: T) -> T {
    if z < T::ZERO { T::ZERO } else { z }
}

fn gelu<T: Real>(z: T) -> T {
    let half = T::from_f64(0.5);
    let inner = T::from_f64(GELU_SCALE) * (z + T::from_f64(GELU_CUBE) * z * z * z);
    half * z * (T::ONE + inner.tanh())
}

fn gelu_slope<T: Real>(z: T) -> T {
    let half = T::from_f64(0.5);
    let inner = T::from_f64(GELU_SCALE) * (z + T::from_f64(GELU_CUBE) * z * z * z);
    let inner_slope = T::from_f64(GELU_SCALE) * (T::ONE + T::from_f64(3.0 * GELU_CUBE) * z * z);
    let tanh = inner.tanh();
    half * (T::ONE + tanh) + half * z * (T::ONE - tanh * tanh) * inner_slope
}

fn silu_slope<T: Real>(z: T) -> T {
    let sigmoid = z.sigmoid();
    sigmoid * (T::ONE + z * (T::ONE - sigmoid))
}

impl<T: Real> Operation<T, 1> for Activate {
    type Kept = ();

    const NAME: &'static str = "activate";

    fn forward(&self, [x]: [Operand<'_, T>; 1]) -> Result<Results<T>> {
        let z = x.numbers.iter();
        let y = match self.0 {
            Activation::Relu => z.map(|&z| relu(z)).collect(),
            Activation::Tanh => z.map(|&z| z.tanh()).collect(),
            Activation::Gelu => z.map(|&z| gelu(z)).collect(),
            Activation::Silu => z.map(|&z| z * z.sigmoid()).collect(),
        };
        Ok(Results::new(y, x.shape))
    }

    fn backward(&self, pass: Pass<'_, T, (), 1>) -> Result<[Option<Tensor>; 1]> {
        let [x] = pass.operands;
        let (z, y) = (values::<T>(x)?, values::<T>(pass.y)?);
        let from_sums = z.iter().zip(pass.dy);
        let from_results = y.iter().zip(pass.dy);
        let dx = match self.0 {
            Activation::Relu => {
                from_results.map(|(&y, &dy)| if y > T::ZERO { dy } else { T::ZERO }).collect()
            }
            Activation::Tanh => from_results.map(|(&y, &dy)| dy * (T::ONE - y * y)).collect(),
            Activation::Gelu => from_sums.map(|(&z, &dy)| dy * gelu_slope(z)).collect(),
            Activation::Silu => from_sums.map(|(&z, &dy)| dy * silu_slope(z)).collect(),
        };
        Ok([gradient(x, dx)?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    const ALL: [Activation; 4] =
        [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Silu];

    #[test]
    fn gradients_match_finite_differences() {
        for activation in ALL {
            check(&[&[5, 4]], |t| activate::<f64>(&t[0], &Between::Known(activation)));
        }
    }

    #[test]
    fn results_match_their_definitions_and_keep_nan() {
        let numbers = [-3.0_f32, -0.5, 0.0, 0.01, 2.0, f32::NAN];
        let x = Tensor::new(&numbers, &Device::Cpu).expect("numbers");
        for activation in ALL {
            let y =
                activate::<f32>(&x, &Between::Known(activation)).and_then(|y| y.to_vec1::<f32>());
            let y = y.expect("a vector");
            assert!(y[5].is_nan(), "{activation:?}");
            for (&z, &y) in numbers.iter().zip(&y).take(5) {
                let z = f64::from(z);
                let inner = 0.797_884_560_8 * (z + 0.044_715 * z * z * z);
                let expected = match activation {
                    Activation::Relu => z.max(0.0),
                    Activation::Tanh => libm::tanh(z),
                    Activation::Gelu => 0.5 * z * (1.0 + libm::tanh(inner)),
                    Activation::Silu => z / (1.0 + libm::exp(-z)),
                };
                let error = (f64::from(y) - expected).abs();
                assert!(error < 1e-6, "{activation:?}({z}) = {y}, not {expected}");
            }
        }
    }
}
