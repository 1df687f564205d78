//! Exported Rust, compiled as its users compile it, and run.

use std::path::Path;
use std::process::Command;

/// What a program prints that is compiled in a folder, without a warning.
pub(crate) fn compiled_and_run(folder: &Path, source: &str) -> Vec<u8> {
    let (file, binary) = (
        folder.join("exports.rs"),
        folder.join(format!("exports{}", std::env::consts::EXE_SUFFIX)),
    );
    std::fs::write(&file, source).expect("a temporary file can be written");
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--edition", "2021", "-D", "warnings", "-C", "debuginfo=0", "-o"]);
    let output = command.arg(&binary).arg(&file).output().expect("rustc runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors:.6000}");
    let output = Command::new(&binary).output().expect("what was compiled runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
