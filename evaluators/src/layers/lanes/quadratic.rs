//! A quadratic bowl with lanes: for each, ½ Σ λᵢ (xᵢ − cᵢ)², x being its weights, rotated or not.
//!
//! Shapes: weights \[lanes, n\]; eigenvalues λ and centre \[n\] and rotation \[n, n\] are the same
//! in all lanes; the result is \[lanes\].

use candle_core::{D, Result, Tensor};

use super::node::node;

/// The height of the bowl at each lane's weights.
pub(in super::super) fn height(
    weights: &Tensor,
    eigenvalues: &Tensor,
    rotation: Option<&Tensor>,
    centre: &Tensor,
) -> Result<Tensor> {
    let (lanes, dimension) = weights.dims2()?;
    let rotation = match rotation {
        Some(rotation) => Some(rotation.unsqueeze(0)?.expand((lanes, dimension, dimension))?),
        None => None,
    };
    // The rotation on the left: a product whose right side were shared would join the lanes in one
    // matrix, whose rows' bits depend on how many there are.
    let turn = move |rotation: &Tensor, x: &Tensor| {
        rotation.matmul(&x.reshape((lanes, dimension, 1))?)?.reshape((lanes, dimension))
    };
    let x = match &rotation {
        Some(rotation) => turn(rotation, &weights.detach())?,
        None => weights.detach(),
    };
    let offsets = x.broadcast_sub(centre)?;
    let slopes = offsets.broadcast_mul(eigenvalues)?;
    let heights = (&slopes * &offsets)?.sum(D::Minus1)?.affine(0.5, 0.0)?;
    node([weights], heights, move |_, dheights| {
        let slopes = slopes.broadcast_mul(&dheights.unsqueeze(1)?)?;
        Ok([Some(match &rotation {
            Some(rotation) => turn(&rotation.t()?, &slopes)?,
            None => slopes,
        })])
    })
}
