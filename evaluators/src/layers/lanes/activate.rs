//! Activations as operations of their own, in every lane.
//!
//! Shapes: any. Invariant: as for a single candidate; see there for the formulas.

use candle_core::{Result, Tensor};

use super::elementary::{sigmoid, tanh};
use super::node::node;
use super::relu::{relu, relu_gradient};
use crate::Activation;

/// sqrt(2 / pi).
const GELU_SCALE: f64 = 0.797_884_560_802_865_4;
const GELU_CUBE: f64 = 0.044_715;

/// Applies an activation to every number of `x`.
pub(in super::super) fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    let z = x.detach();
    let one = |gradient: Result<Tensor>| gradient.map(|gradient| [Some(gradient)]);
    match activation {
        Activation::Relu => node([x], relu(&z)?, move |y, dy| one(relu_gradient(y, dy))),
        Activation::Tanh => node([x], tanh(&z)?, move |y, dy| {
            let y = y.detach();
            one(dy * y.sqr()?.affine(-1.0, 1.0)?)
        }),
        Activation::Gelu => {
            let bent = bend(&z)?;
            let half = bent.affine(0.5, 0.5)?;
            node([x], (&z * &half)?, move |_, dy| one(dy * gelu_slope(&z, &bent, &half)?))
        }
        Activation::Silu => {
            let gate = sigmoid(&z)?;
            node([x], (&z * &gate)?, move |y, dy| {
                // s · (1 + z·(1 − s)) with y = z·s.
                let y = y.detach();
                let slope = (&gate + (&y - (&y * &gate)?)?)?;
                one(dy * slope)
            })
        }
    }
}

/// tanh(sqrt(2/pi) · (z + 0.044715·z³)).
fn bend(z: &Tensor) -> Result<Tensor> {
    let inner = (z * z.sqr()?.affine(GELU_SCALE * GELU_CUBE, GELU_SCALE)?)?;
    tanh(&inner)
}

/// The derivative of gelu at z, `bent` being [`bend`] there and `half` (1 + bent) / 2.
fn gelu_slope(z: &Tensor, bent: &Tensor, half: &Tensor) -> Result<Tensor> {
    let inner = z.sqr()?.affine(3.0 * GELU_SCALE * GELU_CUBE, GELU_SCALE)?;
    let steep = bent.sqr()?.affine(-0.5, 0.5)?;
    half + ((z * steep)? * inner)?
}
