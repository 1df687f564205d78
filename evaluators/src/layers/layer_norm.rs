//! Layer normalisation: y = gain · (x − mean) / sqrt(variance + eps) + shift, row by row
//! (arXiv 1607.06450).
//!
//! Shapes: x and y \[n, width\], gain and shift \[width\]. Invariant: means and reciprocal
//! deviations of the forward pass are kept for the backward one.

use candle_core::{Result, Tensor};

use super::matrix::{column_sums, dot, zeros};
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::storage::values;
use super::{Real, lanes};

const EPS: f64 = 1e-5;

/// Normalisation by mean and variance.
pub(crate) struct LayerNorm;

impl LayerNorm {
    /// Normalises the rows of `x`.
    pub(crate) fn of<T: Real>(x: &Tensor, gain: &Tensor, shift: &Tensor) -> Result<Tensor> {
        if gain.rank() == 2 {
            return lanes::layer_norm(x, gain, shift, EPS);
        }
        apply::<T, 3>(Self, [x, gain, shift])
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

impl<T: Real> Operation<T, 3> for LayerNorm {
    /// Mean and 1 / sqrt(variance + eps) of each row.
    type Kept = Vec<(T, T)>;

    const NAME: &'static str = "layer_norm";

    fn forward(&self, operands: [Operand<'_, T>; 3]) -> Result<Results<T, Self::Kept>> {
        let shape = operands[0].shape;
        let (_, width) = shape.dims2()?;
        let [x, gain, shift] = operands.map(|operand| operand.numbers);
        let mut y = zeros(x.len());
        let all: Vec<(T, T)> = x.chunks_exact(width).map(moments).collect();
        let rows = x.chunks_exact(width).zip(y.chunks_exact_mut(width));
        for ((x, y), &(mean, scale)) in rows.zip(&all) {
            for (((y, &x), &gain), &shift) in y.iter_mut().zip(x).zip(gain).zip(shift) {
                *y = (x - mean) * scale * gain + shift;
            }
        }
        Ok(Results::new(y, shape).keeping(all))
    }

    /// With n the normalised row, s its scale and a = dy·gain: dx = s·(a − mean(a) − n·mean(a·n)),
    /// dgain = Σ dy·n, dshift = Σ dy.
    fn backward(&self, pass: Pass<'_, T, Self::Kept, 3>) -> Result<[Option<Tensor>; 3]> {
        let Pass { operands: [x, gain, shift], dy, kept: moments, .. } = pass;
        let (_, width) = x.dims2()?;
        let (x_values, gains) = (values::<T>(x)?, values::<T>(gain)?);
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
        let dshift = column_sums(dy, width);
        Ok([gradient(x, dx)?, gradient(gain, dgain)?, gradient(shift, dshift)?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        check(&[&[4, 11], &[11], &[11]], |t| LayerNorm::of::<f64>(&t[0], &t[1], &t[2]));
    }

    #[test]
    fn rows_get_mean_0_and_variance_1() {
        let x: Vec<f64> = (0..30).map(|i| f64::from(i * i % 17) * 5.0 + 3.0).collect();
        let x = Tensor::from_vec(x, (3, 10), &Device::Cpu).expect("sizes");
        let gain = Tensor::ones(10, candle_core::DType::F64, &Device::Cpu).expect("ones");
        let shift = gain.zeros_like().expect("zeros");
        let y = LayerNorm::of::<f64>(&x, &gain, &shift).and_then(|y| y.to_vec2::<f64>());
        for row in y.expect("a matrix") {
            assert!(row.iter().sum::<f64>().abs() < 1e-12);
            assert!((row.iter().map(|y| y * y).sum::<f64>() / 10.0 - 1.0).abs() < 1e-6);
        }
    }
}
