//! Programs from any bytes, run by the interpreter and by the executor: the same bits.

#![no_main]

#[allow(dead_code, reason = "this target checks engines only")]
#[path = "../../dsl/tests/promises/mod.rs"]
mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if bytes.len() <= 1 << 12 {
        promises::check_engines(bytes);
    }
});
