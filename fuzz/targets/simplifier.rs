//! Programs from any bytes, as they are and simplified: the same bits.

#![no_main]

#[allow(dead_code, reason = "this target checks the simplifier only")]
#[path = "../../dsl/tests/promises/mod.rs"]
mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if bytes.len() <= 1 << 11 {
        promises::check_simplifier(bytes);
    }
});
