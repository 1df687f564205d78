//! A quadratic bowl: ½ Σ λᵢ (xᵢ − cᵢ)², with x the weights, rotated or not, and c a centre.
//!
//! Shapes: weights, eigenvalues λ and centre \[n\], rotation \[n, n\] with x = rotation · weights;
//! the result is a scalar. Invariant: it is never negative as long as no eigenvalue is; all but the
//! weights is data and gets no gradient.

use candle_core::{Result, Tensor};

use super::matrix::dot;
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::storage::values;
use super::{Real, lanes};

/// The bowl of one batch, its tensors of type `T`.
pub(crate) struct Bowl<'a> {
    pub(crate) eigenvalues: &'a Tensor,
    pub(crate) rotation: Option<&'a Tensor>,
    pub(crate) centre: &'a Tensor,
}

impl Bowl<'_> {
    /// The height of the bowl at `weights`.
    pub(crate) fn height<T: Real>(&self, weights: &Tensor) -> Result<Tensor> {
        if weights.rank() == 2 {
            return lanes::height(weights, self.eigenvalues, self.rotation, self.centre);
        }
        let height = Height {
            eigenvalues: self.eigenvalues.clone(),
            rotation: self.rotation.cloned(),
            centre: self.centre.clone(),
        };
        apply::<T, 1>(height, [weights])
    }
}

struct Height {
    eigenvalues: Tensor,
    rotation: Option<Tensor>,
    centre: Tensor,
}

impl Height {
    /// xᵢ − cᵢ.
    fn offsets<T: Real>(&self, weights: &[T]) -> Result<Vec<T>> {
        let mut x = weights.to_vec();
        if let Some(rotation) = &self.rotation {
            let rotation = values::<T>(rotation)?;
            x = rotation.chunks_exact(weights.len()).map(|row| dot(row, weights)).collect();
        }
        for (x, &centre) in x.iter_mut().zip(values::<T>(&self.centre)?.iter()) {
            *x -= centre;
        }
        Ok(x)
    }
}

impl<T: Real> Operation<T, 1> for Height {
    type Kept = ();

    const NAME: &'static str = "quadratic";

    fn forward(&self, [weights]: [Operand<'_, T>; 1]) -> Result<Results<T>> {
        let mut total = T::ZERO;
        let offsets = self.offsets(weights.numbers)?;
        for (&offset, &eigenvalue) in offsets.iter().zip(values::<T>(&self.eigenvalues)?.iter()) {
            total += eigenvalue * offset * offset;
        }
        Ok(Results::new(vec![T::from_f64(0.5) * total], ()))
    }

    fn backward(&self, pass: Pass<'_, T, (), 1>) -> Result<[Option<Tensor>; 1]> {
        let [weights] = pass.operands;
        let scale = pass.dy[0];
        let mut slopes = self.offsets(&values::<T>(weights)?)?;
        for (slope, &eigenvalue) in slopes.iter_mut().zip(values::<T>(&self.eigenvalues)?.iter()) {
            *slope *= scale * eigenvalue;
        }
        if let Some(rotation) = &self.rotation {
            let mut rotated = vec![T::ZERO; slopes.len()];
            let rotation = values::<T>(rotation)?;
            for (row, &slope) in rotation.chunks_exact(slopes.len()).zip(&slopes) {
                for (rotated, &entry) in rotated.iter_mut().zip(row) {
                    *rotated += slope * entry;
                }
            }
            slopes = rotated;
        }
        Ok([gradient(weights, slopes)?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        let numbers = |count: u32, prime: u32| {
            let numbers: Vec<f64> = (0..count).map(|i| f64::from(i * prime % 11) / 5.0).collect();
            Tensor::from_vec(numbers, count as usize, &Device::Cpu).expect("sizes match")
        };
        let (eigenvalues, centre) = (numbers(5, 3), numbers(5, 7));
        let rotation = numbers(25, 4).reshape((5, 5)).expect("sizes match");
        for rotation in [None, Some(&rotation)] {
            let bowl = Bowl { eigenvalues: &eigenvalues, rotation, centre: &centre };
            check(&[&[5]], |t| bowl.height::<f64>(&t[0]));
        }
    }
}
