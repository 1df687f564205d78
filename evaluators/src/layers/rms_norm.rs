//! RMS normalisation: y = gain · x / sqrt(mean(x²) + eps), row by row (arXiv 1910.07467).
//!
//! Shapes: x and y \[n, width\], gain \[width\]. Invariant: the reciprocal norms of the forward pass
//! are kept for the backward one.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::matrix::{dot, zeros};
use super::storage::{operand, tensor, values};
use super::{Real, lanes};

const EPS: f64 = 1e-6;

/// The normalisation before each block of the transformer.
pub(crate) struct RmsNorm<T> {
    /// 1 / sqrt(mean(x²) + eps) of each row.
    scales: OnceLock<Vec<T>>,
}

impl<T: Real> RmsNorm<T> {
    /// Normalises the rows of `x`.
    pub(crate) fn of(x: &Tensor, gain: &Tensor) -> Result<Tensor> {
        if gain.rank() == 2 {
            return lanes::rms_norm(x, gain, EPS);
        }
        let scales = OnceLock::new();
        x.apply_op2(gain, Self { scales })
    }
}

impl<T: Real> CustomOp2 for RmsNorm<T> {
    fn name(&self) -> &'static str {
        "rms_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gain: &CpuStorage,
        gain_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = x_layout.shape().dims2()?;
        let (x, gain) = (operand::<T>(x, x_layout)?, operand::<T>(gain, gain_layout)?);
        let mut y = zeros(x.len());
        let mut scales = Vec::with_capacity(rows);
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            let mean = dot(x, x) / T::of(width);
            let scale = T::ONE / (mean + T::from_f64(EPS)).sqrt();
            for ((y, &x), &gain) in y.iter_mut().zip(x).zip(gain) {
                *y = x * scale * gain;
            }
            scales.push(scale);
        }
        let _ = self.scales.set(scales);
        Ok((T::to_cpu_storage_owned(y), x_layout.shape().clone()))
    }

    /// With r the scale and c = r²·mean(dy·gain·x): dx = r·(dy·gain − x·c), dgain = Σ dy·x·r.
    fn bwd(
        &self,
        x: &Tensor,
        gain: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (_, width) = x.dims2()?;
        let (x_values, gains, dy) = (values::<T>(x)?, values::<T>(gain)?, values::<T>(dy)?);
        let scales = self.scales.get().expect("the forward pass kept them");
        let mut dx = zeros(x_values.len());
        let mut dgain = zeros::<T>(width);
        let mut weighted = zeros(width);
        let rows = x_values.chunks_exact(width).zip(dy.chunks_exact(width));
        for (((x, dy), dx), &scale) in rows.zip(dx.chunks_exact_mut(width)).zip(scales) {
            for (((weighted, dgain), (&dy, &x)), &gain) in
                weighted.iter_mut().zip(&mut dgain).zip(dy.iter().zip(x)).zip(gains.iter())
            {
                *weighted = dy * gain;
                *dgain += dy * x * scale;
            }
            let common = scale * scale * dot(&weighted, x) / T::of(width);
            for ((dx, &weighted), &x) in dx.iter_mut().zip(&weighted).zip(x) {
                *dx = scale * (weighted - x * common);
            }
        }
        Ok((Some(tensor(dx, x.shape())?), Some(tensor(dgain, gain.shape())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        check(&[&[4, 11], &[11]], |t| RmsNorm::<f64>::of(&t[0], &t[1]));
    }
}
