//! Observations: what a probe has seen of a program, as the bytes that are hashed.
//!
//! Invariant: every value is reduced to its class (zero of either sign, NaN, an infinity) or to
//! sign, exponent and its leading bits of mantissa, and every run of values comes with its length,
//! so no two sequences of observations give the same bytes. Truncating can split a pair that
//! differs by rounding, where a value lies on a boundary: a miss, which costs an evaluation.

use crate::Hash;

/// Bits of mantissa of a float32.
const MANTISSA: u32 = 23;

/// Bits by which the values that are looked at closely are finer.
const FINER: u32 = 7;

/// Collects observations of one program.
#[derive(Debug)]
pub struct Observations {
    bytes: Vec<u8>,
    mantissa_bits: u32,
}

impl Observations {
    /// Nothing seen yet; `label` names what observes, `mantissa_bits` of each float32's 23 count;
    /// `None` unless that is 1 to 23.
    pub fn new(label: &str, mantissa_bits: u32) -> Option<Observations> {
        if !(1..=MANTISSA).contains(&mantissa_bits) {
            return None;
        }
        let mut bytes = Vec::with_capacity(1 << 13);
        // No other kind of content that is hashed begins with this letter.
        bytes.extend([b'f', mantissa_bits as u8]);
        bytes.extend((label.len() as u32).to_le_bytes());
        bytes.extend(label.as_bytes());
        Some(Observations { bytes, mantissa_bits })
    }

    /// Values, as exact as the hash is set to.
    pub fn values(&mut self, values: &[f32]) {
        self.values_with(values, self.mantissa_bits);
    }

    /// Values with seven bits more: in few of them, to which everything before has contributed, a
    /// difference shows that all the others are too coarse for.
    pub fn fine_values(&mut self, values: &[f32]) {
        self.values_with(values, (self.mantissa_bits + FINER).min(MANTISSA));
    }

    fn values_with(&mut self, values: &[f32], bits: u32) {
        self.bytes.extend((values.len() as u32).to_le_bytes());
        self.bytes.extend(values.iter().flat_map(|&value| canonical(value, bits).to_le_bytes()));
    }

    /// The hash of all that was seen, in order.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.bytes)
    }
}

/// The bits of a value that count: -0 as +0, one NaN, infinities as they are, and otherwise sign,
/// exponent and the leading bits of the mantissa.
fn canonical(value: f32, bits: u32) -> u32 {
    if value.is_nan() {
        u32::MAX
    } else if value == 0.0 {
        0
    } else {
        value.to_bits() >> (MANTISSA - bits) << (MANTISSA - bits)
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
    fn where_one_run_of_values_ends_and_the_next_begins_counts() {
        let seen = |runs: &[&[f32]]| {
            let mut seen = Observations::new("test", 14).expect("14 is between 1 and 23");
            runs.iter().for_each(|run| seen.values(run));
            seen.hash()
        };
        assert_ne!(seen(&[&[1.0, 2.0], &[3.0]]), seen(&[&[1.0], &[2.0, 3.0]]));
    }
}
