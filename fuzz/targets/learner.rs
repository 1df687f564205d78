//! Any bytes: refused with a place, or a learner that keeps the promises of its text and engines.

#![no_main]

#[path = "../../dsl/tests/learner_promises/mod.rs"]
mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if bytes.len() <= 1 << 12 {
        promises::check(bytes);
    }
});
