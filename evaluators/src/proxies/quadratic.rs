//! The noisy quadratic: a bowl of a given spectrum, whose centre moves from batch to batch.
//!
//! Invariant: the loss is never negative, with noise or without; noise that were added to the
//! gradient alone would make it so, and a run of falling loss would look diverged. The one leaf is
//! the weights. The centre is an optimum drawn from the seed, as far from the origin as weights
//! start: a bowl around the origin is solved by the update `w`. It moves by cᵢ = noise · nᵢ /
//! sqrt(λᵢ), n being the batch's mean noise, so that the gradient noise has covariance noise² · H
//! / batch size, H the Hessian (arXiv 1907.04164).

use candle_core::{Device, Result, Tensor};
use evo_hashes::Seed;
use rand::RngExt;
use rand_distr::StandardNormal;

use super::Leaf;
use crate::layers::{Bowl, Real};

/// A quadratic function of its weights.
#[derive(Clone, Debug)]
pub(crate) struct Quadratic {
    dimension: usize,
    /// \[dimension\], smallest first.
    eigenvalues: Tensor,
    /// Where the loss without noise is 0, along the eigenvectors, \[dimension\].
    optimum: Tensor,
    /// noise / sqrt(eigenvalue), \[dimension\].
    spread: Tensor,
    /// An orthogonal matrix whose rows are the eigenvectors, \[dimension, dimension\].
    rotation: Option<Tensor>,
}

impl Quadratic {
    pub(crate) fn new(
        dimension: usize,
        (smallest, largest): (f64, f64),
        noise: f64,
        rotated: bool,
        seed: Seed,
    ) -> Result<Self> {
        let tensor = |numbers: Vec<f64>, shape: &[usize]| {
            let numbers: Vec<f32> = numbers.into_iter().map(|number| number as f32).collect();
            Tensor::from_vec(numbers, shape, &Device::Cpu)
        };
        let eigenvalues = spectrum(dimension, smallest, largest);
        let spread = eigenvalues.iter().map(|eigenvalue| noise / eigenvalue.sqrt()).collect();
        let mut rng = seed.stream("optimum", 0);
        let optimum = (0..dimension).map(|_| rng.sample(StandardNormal)).collect();
        let rotation = rotated
            .then(|| tensor(rotation(dimension, seed), &[dimension, dimension]))
            .transpose()?;
        Ok(Self {
            dimension,
            eigenvalues: tensor(eigenvalues, &[dimension])?,
            optimum: tensor(optimum, &[dimension])?,
            spread: tensor(spread, &[dimension])?,
            rotation,
        })
    }

    /// The same bowl with its numbers on a device.
    pub(crate) fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self {
            dimension: self.dimension,
            eigenvalues: self.eigenvalues.to_device(device)?,
            optimum: self.optimum.to_device(device)?,
            spread: self.spread.to_device(device)?,
            rotation: self.rotation.as_ref().map(|r| r.to_device(device)).transpose()?,
        })
    }

    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        vec![Leaf::normal([self.dimension], 1.0)]
    }

    /// `noise` is the mean of a batch's noise, \[dimension\].
    pub(crate) fn loss<T: Real>(&self, weights: &[Tensor], noise: &Tensor) -> Result<Tensor> {
        // Of the type they have already in training, which copies nothing.
        let moved = (noise * self.spread.to_dtype(noise.dtype())?)?;
        let centre = (moved + self.optimum.to_dtype(noise.dtype())?)?;
        let rotation = self.rotation.as_ref().map(|r| r.to_dtype(T::DTYPE)).transpose()?;
        Bowl {
            eigenvalues: &self.eigenvalues.to_dtype(T::DTYPE)?,
            rotation: rotation.as_ref(),
            centre: &centre.to_dtype(T::DTYPE)?,
        }
        .height::<T>(&weights[0])
    }
}

/// Eigenvalues evenly spaced in the logarithm, smallest first; of one, the largest.
fn spectrum(dimension: usize, smallest: f64, largest: f64) -> Vec<f64> {
    let last = dimension.saturating_sub(1).max(1) as f64;
    let ratio = libm::log(largest / smallest);
    (0..dimension)
        .rev()
        .map(|from_top| largest * libm::exp(-ratio * from_top as f64 / last))
        .collect()
}

/// A random orthogonal matrix: normal rows, each made orthogonal to those before it and of length
/// 1.
fn rotation(dimension: usize, seed: Seed) -> Vec<f64> {
    let mut rng = seed.stream("rotation", 0);
    let mut matrix: Vec<f64> =
        (0..dimension * dimension).map(|_| rng.sample(StandardNormal)).collect();
    for index in 0..dimension {
        let (done, rest) = matrix.split_at_mut(index * dimension);
        let row = &mut rest[..dimension];
        for earlier in done.chunks_exact(dimension) {
            let overlap: f64 = earlier.iter().zip(row.iter()).map(|(a, b)| a * b).sum();
            for (number, &other) in row.iter_mut().zip(earlier) {
                *number -= overlap * other;
            }
        }
        let length = row.iter().map(|number| number * number).sum::<f64>().sqrt();
        row.iter_mut().for_each(|number| *number /= length);
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvalues_are_evenly_spaced_between_their_bounds() {
        let eigenvalues = spectrum(5, 1e-3, 10.0);
        for (found, expected) in eigenvalues.iter().zip([1e-3, 1e-2, 1e-1, 1.0, 10.0]) {
            assert!((found / expected - 1.0).abs() < 1e-12, "{found}, not {expected}");
        }
        assert_eq!(spectrum(1, 0.5, 2.0), [2.0]);
    }

    #[test]
    fn rotations_are_orthogonal_and_seeded() {
        let matrix = rotation(20, Seed(1));
        let rows: Vec<&[f64]> = matrix.chunks_exact(20).collect();
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate() {
                let dot: f64 = a.iter().zip(b.iter()).map(|(a, b)| a * b).sum();
                assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
        assert_eq!(matrix, rotation(20, Seed(1)));
        assert_ne!(matrix, rotation(20, Seed(2)));
    }

    #[test]
    fn gradient_noise_has_the_curvature_as_its_covariance() {
        let quadratic = Quadratic::new(3, (0.01, 1.0), 0.5, false, Seed(1)).expect("sizes match");
        let optimum = quadratic.optimum.to_dtype(candle_core::DType::F64).expect("a number");
        let at_centre = candle_core::Var::from_tensor(&optimum).expect("a leaf");
        let at_centre = at_centre.as_tensor().clone();
        let mut rng = Seed(2).stream("noise", 0);
        let mut squares = [0.0; 3];
        for _ in 0..4000 {
            let noise: Vec<f64> = (0..3).map(|_| rng.sample(StandardNormal)).collect();
            let noise = Tensor::from_vec(noise, 3, &Device::Cpu).expect("sizes match");
            let loss = quadratic.loss::<f64>(std::slice::from_ref(&at_centre), &noise);
            let gradients = loss.and_then(|loss| loss.backward()).expect("a scalar");
            let gradient = gradients.get(&at_centre).expect("of the only leaf");
            let gradient = gradient.to_vec1::<f64>().expect("a vector");
            squares.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g * g / 4000.0);
        }
        for (found, eigenvalue) in squares.iter().zip([0.01, 0.1, 1.0]) {
            let expected = 0.25 * eigenvalue;
            assert!((found / expected - 1.0).abs() < 0.1, "{found}, not {expected}");
        }
    }
}
