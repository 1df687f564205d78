//! The functional hash: programs that behave alike on a probe have one hash
//! (Unified Functional Hashing, arXiv 2302.05433).
//!
//! Invariant: the hash is a function of the updates a program makes on canned inputs, with float
//! noise removed: it sees neither text, nor dead code, nor how states are kept. The probe is the
//! same for every program and run: a matrix, a vector and a scalar, gradients of several
//! magnitudes (so that thresholds such as `clip` act in some steps and not in others), varying
//! learning rates, fresh states. Rounding is taken off by truncating mantissas, which can split a
//! pair of equal programs when a value falls on a truncation boundary (a false miss, which costs
//! one evaluation) and can join programs that differ less than the truncation, or only on inputs
//! unlike the probe's (a false hit).

use evo_dsl::{Dataflow, Executor, Layout, Program};
use rand_distr::{Distribution, StandardNormal};

use crate::{Hash, Seed};

/// Changes whenever the probe or the content that is hashed changes.
const VERSION: u8 = 1;

/// Scale of the gradient in each step of the probe.
const MAGNITUDES: [f32; 6] = [1.0, 0.01, 30.0, 0.3, 1e-4, 3.0];

/// Learning rate in each step of the probe.
const LEARNING_RATES: [f64; 6] = [1.0, 0.5, 2.0, 0.1, 1.5, 0.7];

/// Hashes programs by what they do.
#[derive(Clone, Debug)]
pub struct FunctionalHasher {
    mantissa_bits: u32,
    layout: Layout,
    weights: Vec<f32>,
    gradients: Vec<Vec<f32>>,
}

impl FunctionalHasher {
    /// A hasher that keeps `mantissa_bits` of the 23 bits of each float32's mantissa; `None`
    /// unless it is 1 to 23.
    pub fn new(mantissa_bits: u32) -> Option<FunctionalHasher> {
        if !(1..=23).contains(&mantissa_bits) {
            return None;
        }
        let layout = Layout::new([vec![4, 3], vec![5], vec![]]);
        let seed = Seed(0);
        let draw = |purpose: &str, index: usize, scale: f32| {
            let mut rng = seed.stream(purpose, index as u64);
            let normal = (0..layout.len()).map(|_| StandardNormal.sample(&mut rng));
            normal.map(|value: f32| value * scale).collect::<Vec<f32>>()
        };
        let weights = draw("probe weights", 0, 0.5);
        let gradients = MAGNITUDES.iter().enumerate();
        let gradients =
            gradients.map(|(step, scale)| draw("probe gradient", step, *scale)).collect();
        Some(FunctionalHasher { mantissa_bits, layout, weights, gradients })
    }

    /// The functional hash of a program.
    pub fn hash(&self, program: &Program) -> Hash {
        self.hash_of(&Dataflow::of(program))
    }

    /// As [`FunctionalHasher::hash`], for those who have the dataflow of a program at hand.
    pub fn hash_of(&self, flow: &Dataflow) -> Hash {
        let mut executor = Executor::of(flow, &self.layout);
        let mut bytes = Vec::with_capacity(16 + MAGNITUDES.len() * (4 + 4 * self.layout.len()));
        bytes.extend([b'f', VERSION, self.mantissa_bits as u8]);
        bytes.extend(b"optimizer");
        let mut weights = self.weights.clone();
        let mut update = vec![0.0; self.layout.len()];
        for (step, (gradient, lr)) in self.gradients.iter().zip(LEARNING_RATES).enumerate() {
            executor.update(&weights, gradient, lr, &mut update);
            bytes.extend((step as u32).to_le_bytes());
            for (weight, update) in weights.iter_mut().zip(&update) {
                *weight -= update;
                bytes.extend(canonical(*update, self.mantissa_bits).to_le_bytes());
            }
        }
        Hash::of(&bytes)
    }
}

/// The bits of a value that count: -0 as +0, one NaN, infinities as they are, and otherwise sign,
/// exponent and the leading bits of the mantissa.
fn canonical(value: f32, mantissa_bits: u32) -> u32 {
    if value.is_nan() {
        u32::MAX
    } else if value == 0.0 {
        0
    } else {
        value.to_bits() >> (23 - mantissa_bits) << (23 - mantissa_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_form_joins_noise_and_zeros_and_keeps_classes_apart() {
        let canon = |value: f32| canonical(value, 14);
        assert_eq!(canon(0.0), canon(-0.0));
        assert_eq!(canon(f32::NAN), canon(-f32::NAN));
        assert_eq!(canon(1.000_000_1), canon(1.0));
        let classes = [0.0, 1.0, -1.0, 2.0, 1.001, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        for (index, a) in classes.iter().enumerate() {
            for b in &classes[index + 1..] {
                assert_ne!(canon(*a), canon(*b), "{a} {b}");
            }
        }
    }

    #[test]
    fn mantissa_bits_are_checked() {
        assert!(FunctionalHasher::new(0).is_none() && FunctionalHasher::new(24).is_none());
    }
}
