//! Any bytes: refused with a place, or a program that keeps the promises of the text form and has
//! an export to every target.

#![no_main]

#[allow(dead_code, reason = "this target checks text only")]
#[path = "../../dsl/tests/promises/mod.rs"]
mod promises;

#[path = "../../export/tests/promises/mod.rs"]
mod export_promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if bytes.len() <= 1 << 14 {
        promises::check_text(bytes);
        export_promises::check_exports(bytes);
    }
});
