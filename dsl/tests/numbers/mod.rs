//! Numbers to run programs on, and how their bits are compared.

use evo_dsl::Layout;

/// Awkward values: zeros, subnormals, tiny, huge, infinities, NaN and ordinary ones.
const AWKWARD: [f32; 22] = [
    0.0,
    -0.0,
    1e-45,
    -1e-40,
    1e-30,
    -1e-30,
    1e-8,
    -1e-8,
    0.3,
    -0.3,
    1.0,
    -1.0,
    2.5,
    -7.75,
    100.0,
    -1e8,
    3e9,
    1e30,
    -3e38,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

/// Fills a tree by cycling through the awkward values from an offset.
pub(crate) fn awkward(layout: &Layout, offset: usize) -> Vec<f32> {
    (0..layout.len()).map(|index| AWKWARD[(index * 7 + offset) % AWKWARD.len()]).collect()
}

/// Bits, with every NaN made the same.
pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { u32::MAX } else { value.to_bits() }).collect()
}
