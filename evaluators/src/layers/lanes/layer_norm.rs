//! Layer normalisation with lanes: y = gain · (x − mean) / sqrt(variance + eps) + shift, row by
//! row.
//!
//! Shapes: x and y \[lanes, rows, width\], gain and shift \[lanes, width\].

use candle_core::{D, Result, Tensor};

use super::column_sums::column_sums;
use super::node::node;

/// Normalises the rows of `x`.
pub(in super::super) fn layer_norm(
    x: &Tensor,
    gain: &Tensor,
    shift: &Tensor,
    eps: f64,
) -> Result<Tensor> {
    let width = x.dim(D::Minus1)? as f64;
    let mean = move |x: &Tensor| x.sum_keepdim(D::Minus1)?.affine(1.0 / width, 0.0);
    let (rows, gains) = (x.detach(), gain.detach().unsqueeze(1)?);
    let centred = rows.broadcast_sub(&mean(&rows)?)?;
    let squares = centred.sqr()?.sum_keepdim(D::Minus1)?;
    let scale = squares.affine(1.0 / width, eps)?.sqrt()?.recip()?;
    let normal = centred.broadcast_mul(&scale)?;
    let y = normal.broadcast_mul(&gains)?.broadcast_add(&shift.detach().unsqueeze(1)?)?;
    // With n the normalised row, s its scale and a = dy·gain: dx = s·(a − mean(a) − n·mean(a·n)),
    // dgain = Σ dy·n, dshift = Σ dy.
    node([x, gain, shift], y, move |_, dy| {
        let weighted = dy.broadcast_mul(&gains)?;
        let common = mean(&(&weighted * &normal)?)?;
        let dx = weighted.broadcast_sub(&mean(&weighted)?)?;
        let dx = (dx - normal.broadcast_mul(&common)?)?.broadcast_mul(&scale)?;
        Ok([Some(dx), Some(column_sums(&(dy * &normal)?)?), Some(column_sums(dy)?)])
    })
}
