//! The kind of CPU: training gives the same bits on one kind only.
//!
//! Invariant: two machines with one description run the same instructions in matrix kernels, which
//! choose their order of summation by these features.

/// The architecture and the vector extensions that matrix kernels look at.
pub(crate) fn description() -> String {
    let mut words = vec![std::env::consts::ARCH];
    words.extend(features());
    words.join(" ")
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    let known = [
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    known.into_iter().filter(|(_, present)| *present).map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<&'static str> {
    Vec::new()
}
