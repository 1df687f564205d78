//! Dense layers with lanes: x·w with bias and relu, or added to a residual.
//!
//! Shapes: x \[rows, in\], shared by all lanes, or \[lanes, rows, in\], or images, each a row; w
//! \[lanes, in, out\], bias \[lanes, out\], residual and the result \[lanes, rows, out\].

use candle_core::{Result, Tensor};

use super::super::Activation;
use super::super::images::flat_images;
use super::column_sums::column_sums;
use super::node::node;
use super::product::Inputs;
use super::relu::{relu, relu_gradient};

fn activated(z: Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Identity => Ok(z),
        Activation::Relu => relu(&z),
    }
}

fn sums_gradient(y: &Tensor, dy: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Identity => Ok(dy.clone()),
        Activation::Relu => relu_gradient(y, dy),
    }
}

/// activation(x·w + bias).
pub(in super::super) fn dense(
    x: &Tensor,
    w: &Tensor,
    bias: &Tensor,
    activation: Activation,
) -> Result<Tensor> {
    let x = &if x.rank() > 3 { flat_images(x)? } else { x.clone() };
    let inputs = Inputs::new(x, w)?;
    let z = inputs.multiply()?.broadcast_add(&bias.detach().unsqueeze(1)?)?;
    node([x, w, bias], activated(z, activation)?, move |y, dy| {
        let dz = sums_gradient(y, dy, activation)?;
        let (dx, dw) = inputs.gradients(&dz)?;
        Ok([dx, Some(dw), Some(column_sums(&dz)?)])
    })
}

/// activation(x·w).
pub(in super::super) fn project(x: &Tensor, w: &Tensor, activation: Activation) -> Result<Tensor> {
    let inputs = Inputs::new(x, w)?;
    node([x, w], activated(inputs.multiply()?, activation)?, move |y, dy| {
        let (dx, dw) = inputs.gradients(&sums_gradient(y, dy, activation)?)?;
        Ok([dx, Some(dw)])
    })
}

/// residual + x·w.
pub(in super::super) fn project_onto(residual: &Tensor, x: &Tensor, w: &Tensor) -> Result<Tensor> {
    let inputs = Inputs::new(x, w)?;
    let y = inputs.multiply()?.add(&residual.detach())?;
    node([x, w, residual], y, move |_, dy| {
        let (dx, dw) = inputs.gradients(dy)?;
        Ok([dx, Some(dw), Some(dy.clone())])
    })
}
