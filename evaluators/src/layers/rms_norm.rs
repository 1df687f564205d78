//! RMS normalisation: y = gain · x / sqrt(mean(x²) + eps), row by row (arXiv 1910.07467).
//!
//! Shapes: x and y \[n, width\], gain \[width\]. Invariant: the reciprocal norms of the forward
//! pass are kept for the backward one.

use candle_core::{Result, Tensor};

use super::matrix::{dot, zeros};
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::storage::values;
use super::vector_unit::vectorised;
use super::{Real, lanes};

const EPS: f64 = 1e-6;

/// The normalisation as a layer of its own.
pub(crate) struct RmsNorm;

impl RmsNorm {
    /// Normalises the rows of `x`.
    pub(crate) fn of<T: Real>(x: &Tensor, gain: &Tensor) -> Result<Tensor> {
        if gain.rank() == 2 {
            return lanes::rms_norm(x, gain, EPS);
        }
        apply::<T, 2>(Self, [x, gain])
    }
}

/// The rows of `x` normalised, and the scale 1 / sqrt(mean(x²) + eps) of each.
pub(super) fn normalise<T: Real>(x: &[T], gain: &[T]) -> (Vec<T>, Vec<T>) {
    let mut y = Vec::with_capacity(x.len());
    let mut scales = Vec::with_capacity(x.len() / gain.len());
    normalise_rows(x, gain, &mut y, &mut scales);
    (y, scales)
}

/// From the gradient of the normalised rows those of `x` and the gain.
pub(super) fn normalise_backward<T: Real>(
    x: &[T],
    gain: &[T],
    scales: &[T],
    dy: &[T],
) -> (Vec<T>, Vec<T>) {
    let (mut dx, mut dgain) = (Vec::with_capacity(x.len()), zeros(gain.len()));
    normalise_rows_backward(x, gain, scales, dy, &mut dx, &mut dgain);
    (dx, dgain)
}

vectorised! {
    fn normalise_rows<T>(x: &[T], gain: &[T], y: &mut Vec<T>, scales: &mut Vec<T>) = forward;
    fn normalise_rows_backward<T>(
        x: &[T],
        gain: &[T],
        scales: &[T],
        dy: &[T],
        dx: &mut Vec<T>,
        dgain: &mut [T],
    ) = backward;
}

#[inline(always)]
fn forward<T: Real>(x: &[T], gain: &[T], y: &mut Vec<T>, scales: &mut Vec<T>) {
    let width = gain.len();
    for x in x.chunks_exact(width) {
        let mean = dot(x, x) / T::of(width);
        let scale = T::ONE / (mean + T::from_f64(EPS)).sqrt();
        y.extend(x.iter().zip(gain).map(|(&x, &gain)| x * scale * gain));
        scales.push(scale);
    }
}

/// With r the scale and c = r²·mean(dy·gain·x): dx = r·(dy·gain − x·c), dgain = Σ dy·x·r.
#[inline(always)]
fn backward<T: Real>(
    x: &[T],
    gain: &[T],
    scales: &[T],
    dy: &[T],
    dx: &mut Vec<T>,
    dgain: &mut [T],
) {
    let width = gain.len();
    let mut weighted = zeros(width);
    let rows = x.chunks_exact(width).zip(dy.chunks_exact(width));
    for ((x, dy), &scale) in rows.zip(scales) {
        for (((weighted, dgain), (&dy, &x)), &gain) in
            weighted.iter_mut().zip(&mut *dgain).zip(dy.iter().zip(x)).zip(gain)
        {
            *weighted = dy * gain;
            *dgain += dy * x * scale;
        }
        let common = scale * scale * dot(&weighted, x) / T::of(width);
        dx.extend(weighted.iter().zip(x).map(|(&weighted, &x)| scale * (weighted - x * common)));
    }
}

impl<T: Real> Operation<T, 2> for RmsNorm {
    /// The scale of each row.
    type Kept = Vec<T>;

    const NAME: &'static str = "rms_norm";

    fn forward(&self, [x, gain]: [Operand<'_, T>; 2]) -> Result<Results<T, Vec<T>>> {
        let (y, scales) = normalise(x.numbers, gain.numbers);
        Ok(Results::new(y, x.shape).keeping(scales))
    }

    fn backward(&self, pass: Pass<'_, T, Vec<T>, 2>) -> Result<[Option<Tensor>; 2]> {
        let [x, gain] = pass.operands;
        let (dx, dgain) = normalise_backward(&values(x)?, &values(gain)?, pass.kept, pass.dy);
        Ok([gradient(x, dx)?, gradient(gain, dgain)?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        check(&[&[4, 11], &[11]], |t| RmsNorm::of::<f64>(&t[0], &t[1]));
    }

    #[test]
    fn the_vector_unit_does_not_change_bits() {
        let numbers = |count: usize| -> Vec<f32> {
            (0..count).map(|index| (index * 37 % 101) as f32 / 25.0 - 2.0).collect()
        };
        let (x, gain, dy) = (numbers(5 * 67), numbers(67), numbers(5 * 67));
        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let (wide, scales) = normalise(&x, &gain);
        let (mut narrow, mut narrow_scales) = (Vec::new(), Vec::new());
        forward(&x, &gain, &mut narrow, &mut narrow_scales);
        assert_eq!((bits(&wide), bits(&scales)), (bits(&narrow), bits(&narrow_scales)));
        let (dx, dgain) = normalise_backward(&x, &gain, &scales, &dy);
        let (mut narrow_dx, mut narrow_dgain) = (Vec::new(), zeros(67));
        backward(&x, &gain, &scales, &dy, &mut narrow_dx, &mut narrow_dgain);
        assert_eq!((bits(&dx), bits(&dgain)), (bits(&narrow_dx), bits(&narrow_dgain)));
    }
}
