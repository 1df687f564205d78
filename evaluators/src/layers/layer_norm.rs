//! Layer normalisation: y = gain · (x − mean) / sqrt(variance + eps) + shift, row by row
//! (arXiv 1607.06450).
//!
//! Shapes: x and y \[n, width\], gain and shift \[width\]. Invariant: means and reciprocal
//! deviations of the forward pass are kept for the backward one.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::matrix::{column_sums, dot, zeros};
use super::storage::{operand, tensor, values};
use super::{Real, lanes};

const EPS: f64 = 1e-5;

/// Normalisation by mean and variance.
pub(crate) struct LayerNorm<T> {
    /// Mean and 1 / sqrt(variance + eps) of each row.
    moments: OnceLock<Vec<(T, T)>>,
}

impl<T: Real> LayerNorm<T> {
    /// Normalises the rows of `x`.
    pub(crate) fn of(x: &Tensor, gain: &Tensor, shift: &Tensor) -> Result<Tensor> {
        if gain.rank() == 2 {
            return lanes::layer_norm(x, gain, shift, EPS);
        }
        x.apply_op3(gain, shift, Self { moments: OnceLock::new() })
    }
}

/// Mean and 1 / sqrt(variance + eps).
fn moments<T: Real>(row: &[T]) -> (T, T) {
    let count = T::of(row.len());
    let mut mean = T::ZERO;
    for &value in row {
        mean += value;
    }
    mean /= count;
    let mut variance = T::ZERO;
    for &value in row {
        variance += (value - mean) * (value - mean);
    }
    (mean, T::ONE / (variance / count + T::from_f64(EPS)).sqrt())
}

impl<T: Real> CustomOp3 for LayerNorm<T> {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gain: &CpuStorage,
        gain_layout: &Layout,
        shift: &CpuStorage,
        shift_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, width) = x_layout.shape().dims2()?;
        let x = operand::<T>(x, x_layout)?;
        let (gain, shift) = (operand::<T>(gain, gain_layout)?, operand::<T>(shift, shift_layout)?);
        let mut y = zeros(x.len());
        let all: Vec<(T, T)> = x.chunks_exact(width).map(moments).collect();
        let rows = x.chunks_exact(width).zip(y.chunks_exact_mut(width));
        for ((x, y), &(mean, scale)) in rows.zip(&all) {
            for (((y, &x), &gain), &shift) in y.iter_mut().zip(x).zip(gain).zip(shift) {
                *y = (x - mean) * scale * gain + shift;
            }
        }
        let _ = self.moments.set(all);
        Ok((T::to_cpu_storage_owned(y), x_layout.shape().clone()))
    }

    /// With n the normalised row, s its scale and a = dy·gain: dx = s·(a − mean(a) − n·mean(a·n)),
    /// dgain = Σ dy·n, dshift = Σ dy.
    fn bwd(
        &self,
        x: &Tensor,
        gain: &Tensor,
        shift: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, width) = x.dims2()?;
        let (x_values, gains, dy) = (values::<T>(x)?, values::<T>(gain)?, values::<T>(dy)?);
        let moments = self.moments.get().expect("the forward pass kept them");
        let mut dx = zeros(x_values.len());
        let (mut dgain, ones) = (zeros::<T>(width), vec![T::ONE; width]);
        let (mut normal, mut weighted) = (zeros::<T>(width), zeros::<T>(width));
        let rows = x_values.chunks_exact(width).zip(dy.chunks_exact(width));
        for (((x, dy), dx), &(mean, scale)) in rows.zip(dx.chunks_exact_mut(width)).zip(moments) {
            for (column, (&x, &dy)) in x.iter().zip(dy).enumerate() {
                normal[column] = (x - mean) * scale;
                weighted[column] = dy * gains[column];
                dgain[column] += dy * normal[column];
            }
            let mean = dot(&weighted, &ones) / T::of(width);
            let common = dot(&weighted, &normal) / T::of(width);
            for ((dx, &weighted), &normal) in dx.iter_mut().zip(&weighted).zip(&normal) {
                *dx = scale * (weighted - mean - normal * common);
            }
        }
        let dshift = tensor(column_sums(&dy, width), shift.shape())?;
        Ok((Some(tensor(dx, x.shape())?), Some(tensor(dgain, gain.shape())?), Some(dshift)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        check(&[&[4, 11], &[11], &[11]], |t| LayerNorm::<f64>::of(&t[0], &t[1], &t[2]));
    }

    #[test]
    fn rows_get_mean_0_and_variance_1() {
        let x: Vec<f64> = (0..30).map(|i| f64::from(i * i % 17) * 5.0 + 3.0).collect();
        let x = Tensor::from_vec(x, (3, 10), &Device::Cpu).expect("sizes");
        let gain = Tensor::ones(10, candle_core::DType::F64, &Device::Cpu).expect("ones");
        let shift = gain.zeros_like().expect("zeros");
        let y = LayerNorm::<f64>::of(&x, &gain, &shift).and_then(|y| y.to_vec2::<f64>());
        for row in y.expect("a matrix") {
            assert!(row.iter().sum::<f64>().abs() < 1e-12);
            assert!((row.iter().map(|y| y * y).sum::<f64>() / 10.0 - 1.0).abs() < 1e-6);
        }
    }
}
