//! Max-pooling: the largest of the 3×3 pixels around each, channel by channel.
//!
//! Shapes: x and the result \[batch, height, width, channels\]; pixels outside the image do not
//! count. Invariant: of equal numbers the first, row by row, takes the gradient, and NaN stays NaN,
//! so that a broken weight always reaches the loss. candle's pooling starts threads of its own and
//! shares a gradient among equal numbers.

use candle_core::{Result, Tensor};

use super::Real;
use super::matrix::zeros;
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};

/// The largest numbers around each pixel of `x`.
pub(crate) fn max_pool<T: Real>(x: &Tensor) -> Result<Tensor> {
    apply::<T, 1>(MaxPool, [x])
}

struct MaxPool;

impl<T: Real> Operation<T, 1> for MaxPool {
    /// Where each result comes from.
    type Kept = Vec<u32>;

    const NAME: &'static str = "max_pool";

    fn forward(&self, [x]: [Operand<'_, T>; 1]) -> Result<Results<T, Vec<u32>>> {
        let (_, height, width, channels) = x.shape.dims4()?;
        let image = height * width * channels;
        let mut y = Vec::with_capacity(x.numbers.len());
        let mut places = Vec::with_capacity(x.numbers.len());
        for start in (0..x.numbers.len()).step_by(image.max(1)) {
            for (row, column) in (0..height).flat_map(|row| (0..width).map(move |it| (row, it))) {
                let begin = y.len();
                for from in around(row, height).flat_map(|row| {
                    around(column, width).map(move |it| start + (row * width + it) * channels)
                }) {
                    let pixel = &x.numbers[from..from + channels];
                    if y.len() == begin {
                        y.extend_from_slice(pixel);
                        places.extend((from..from + channels).map(|place| place as u32));
                    } else {
                        replace_smaller(&mut y[begin..], &mut places[begin..], pixel, from);
                    }
                }
            }
        }
        Ok(Results::new(y, x.shape).keeping(places))
    }

    fn backward(&self, pass: Pass<'_, T, Vec<u32>, 1>) -> Result<[Option<Tensor>; 1]> {
        let [x] = pass.operands;
        let mut dx = zeros::<T>(x.elem_count());
        for (&place, &dy) in pass.kept.iter().zip(pass.dy) {
            dx[place as usize] += dy;
        }
        Ok([gradient(x, dx)?])
    }
}

/// A place with those next to it, as far as there are any.
fn around(place: usize, length: usize) -> std::ops::Range<usize> {
    place.saturating_sub(1)..(place + 2).min(length)
}

/// Puts every number of a pixel that is larger, or none, in the place of the one before.
fn replace_smaller<T: Real>(largest: &mut [T], places: &mut [u32], pixel: &[T], from: usize) {
    for (channel, (largest, place)) in largest.iter_mut().zip(places).enumerate() {
        let value = pixel[channel];
        let is_nan = value.partial_cmp(&value).is_none();
        if value > *largest || is_nan {
            *largest = value;
            *place = (from + channel) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn gradients_match_finite_differences() {
        for shape in [[2, 5, 4, 3], [1, 1, 1, 2], [3, 2, 1, 1]] {
            check(&[&shape], |t| max_pool::<f64>(&t[0]));
        }
    }

    fn pooled(numbers: &[f32], shape: (usize, usize, usize, usize)) -> Vec<f32> {
        let x = Tensor::from_slice(numbers, shape, &Device::Cpu).expect("sizes");
        let y = max_pool::<f32>(&x).expect("images");
        y.flatten_all().and_then(|y| y.to_vec1()).expect("numbers")
    }

    #[test]
    fn results_are_the_largest_around_and_images_are_apart() {
        let x = [-9., 1., -5., -3., 2., -8., -1., -1., -1., -7., -6., -4.];
        assert_eq!(
            pooled(&x, (2, 2, 3, 1)),
            [2., 2., 2., 2., 2., 2., -1., -1., -1., -1., -1., -1.]
        );
        assert_eq!(pooled(&x[..4], (1, 1, 2, 2)), [-5., 1., -5., 1.]);
        let nan = pooled(&[1.0, f32::NAN, 3.0], (1, 1, 3, 1));
        assert!(nan.iter().all(|it| it.is_nan()), "{nan:?}");
    }

    #[test]
    fn of_equal_numbers_the_first_takes_the_gradient() {
        let x = Var::from_slice(&[1.0_f32; 6], (1, 2, 3, 1), &Device::Cpu).expect("sizes");
        let y = max_pool::<f32>(&x).and_then(|y| y.sum_all()).expect("images");
        let gradients = y.backward().expect("a backward pass");
        let dx = gradients.get(&x).expect("it is read").flatten_all();
        assert_eq!(dx.and_then(|dx| dx.to_vec1::<f32>()).expect("f32"), [4., 2., 0., 0., 0., 0.]);
    }
}
