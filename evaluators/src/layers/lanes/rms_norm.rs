//! RMS normalisation with lanes: y = gain · x / sqrt(mean(x²) + eps), row by row.
//!
//! Shapes: x and y \[lanes, rows, width\], gain \[lanes, width\].

use candle_core::{D, Result, Tensor};

use super::column_sums::column_sums;
use super::node::node;

/// Normalises the rows of `x`.
pub(in super::super) fn rms_norm(x: &Tensor, gain: &Tensor, eps: f64) -> Result<Tensor> {
    let width = x.dim(D::Minus1)? as f64;
    let (rows, gains) = (x.detach(), gain.detach().unsqueeze(1)?);
    let squares = rows.sqr()?.sum_keepdim(D::Minus1)?;
    let scale = squares.affine(1.0 / width, eps)?.sqrt()?.recip()?;
    let normal = rows.broadcast_mul(&scale)?;
    let y = normal.broadcast_mul(&gains)?;
    // With n the normalised row and a = dy·gain: dx = scale · (a − n·mean(a·n)), dgain = Σ dy·n.
    node([x, gain], y, move |_, dy| {
        let weighted = dy.broadcast_mul(&gains)?;
        let common = (&weighted * &normal)?.sum_keepdim(D::Minus1)?.affine(1.0 / width, 0.0)?;
        let dx = (weighted - normal.broadcast_mul(&common)?)?.broadcast_mul(&scale)?;
        Ok([Some(dx), Some(column_sums(&(dy * &normal)?)?)])
    })
}
