//! Texts that once broke a promise, and a few that came close, tried again.
//!
//! A crasher of a fuzz target (`fuzz/artifacts/`) is moved to `data/regressions/` under a name that
//! says what went wrong.

mod promises;

use std::path::Path;

#[test]
fn texts_that_once_broke_a_promise_keep_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/regressions");
    let entries = std::fs::read_dir(folder).expect("the folder is in the repository");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.sort();
    for file in &files {
        println!("{}", file.display());
        let bytes = std::fs::read(file).expect("the file can be read");
        promises::check_text(&bytes);
        promises::check_engines(&bytes);
        promises::check_simplifier(&bytes);
    }
    assert!(!files.is_empty());
}
