//! What is promised about the exports of every program text, as a check that panics where it does
//! not hold. A fuzz target (`fuzz/targets/parse.rs`) and the test of what it once failed on share
//! it.

use evo_dsl::Program;
use evo_export::{ExportTarget, export};

/// Whatever is a program has an export to every target. The name of the exports is in the text as
/// well: any text will do.
pub(crate) fn check_exports(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(program) = Program::parse(&text) else { return };
    let name = text.lines().last().unwrap_or_default();
    for target in ExportTarget::ALL {
        export(&program, name, target);
    }
}
