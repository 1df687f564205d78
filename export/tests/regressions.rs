//! Texts that once broke a promise of the language or of exports, exported again.
//!
//! They are those of evo-dsl's test of the same name, which says where they come from.

mod promises;

use std::path::Path;

#[test]
fn texts_that_once_broke_a_promise_are_exported() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dsl/tests/data/regressions");
    let entries = std::fs::read_dir(folder).expect("the folder is in the repository");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.sort();
    for file in &files {
        println!("{}", file.display());
        promises::check_exports(&std::fs::read(file).expect("the file can be read"));
    }
    assert!(!files.is_empty());
}
