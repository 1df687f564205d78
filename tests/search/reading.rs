//! Reading the store of a run: under way, killed, copied, or where nobody may write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use evo_dsl::Optimizers;
use evo_hashes::Seed;
use evo_search::{SearchError, Store};
use tempfile::TempDir;

use crate::driver::{Search, SearchConfig, by_training, hasher, new_search};
use crate::quadratic;

/// A search of 300 births that has begun to write a store.
fn begun(path: &Path) -> Search {
    let text = "(strategy: RegularizedEvolution(population: 20, tournament: 3), window: 8,
        mutation: (max_statements: 12), stopping: (candidates: Some(300)))";
    let config: SearchConfig = ron::from_str(text).expect("the text is a configuration");
    let store = Store::create(path, &[]).expect("the path is free");
    let search = new_search(&config, Seed(1), quadratic::start(), hasher());
    search.expect("the settings are valid").with_store(store).expect("it is new")
}

fn drive(search: &mut Search, tells: usize) {
    for _ in 0..tells {
        if let Some(candidate) = search.ask().expect("the store works") {
            search.tell(candidate.birth, by_training(&candidate)).expect("it is in flight");
        }
        search.commit(1.0).expect("the store works");
    }
}

/// Every file of a folder, with its content. Where this very process writes the store, the index of
/// its log is left out: SQLite shares it among the connections of a process.
fn content(folder: &Path, under_way: bool) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("it is a folder");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let kept = paths.filter(|path| !(under_way && path.ends_with("run.db-shm")));
    kept.map(|path| (path.clone(), std::fs::read(path).expect("it is a file"))).collect()
}

/// The files beside a store, as a copy of its folder has them, in a folder of their own.
fn copied(store: &Path, extensions: &[&str]) -> (TempDir, PathBuf) {
    let scratch = TempDir::new().expect("there is room");
    let folder = scratch.path().join("a copy #1 of 100%?");
    std::fs::create_dir(&folder).expect("there is room");
    for extension in extensions {
        let (from, to) = (store.with_extension(extension), folder.join("run.db"));
        std::fs::copy(from, to.with_extension(extension)).expect("there is room");
    }
    (scratch, folder.join("run.db"))
}

/// Reads all that commands read and changes nothing; gives the best and the births there are.
fn read(path: &Path, under_way: bool) -> (Option<u64>, u64) {
    let folder = path.parent().expect("it is in a folder");
    let before = content(folder, under_way);
    let store = Store::read(path).expect("it is a store");
    let best = store.best().expect("it is sound");
    let lineage = |birth| store.lineage(&Optimizers::default(), birth).expect("it is sound");
    let births = (0..).take_while(|&birth| lineage(birth).is_some()).count() as u64;
    if let Some(best) = best {
        assert!(lineage(best).is_some());
    }
    drop(store);
    assert!(before == content(folder, under_way), "reading has changed {}", folder.display());
    (best, births)
}

#[test]
fn reading_changes_no_byte_whether_a_run_is_under_way_killed_copied_or_finished() {
    let scratch = TempDir::new().expect("there is room");
    let path = scratch.path().join("run.db");
    let mut search = begun(&path);
    assert_eq!(read(&path, true), (None, 0), "it has just begun");
    drive(&mut search, 40);
    let best = search.best().map(|best| best.individual.birth);
    let births = search.counters().births;
    assert!(best.is_some() && births >= 40);
    // The hall of fame is in the file long before the first snapshot.
    assert_eq!(read(&path, true), (best, births), "it is under way");
    // What a kill leaves, and copies of it, are the same files without the process.
    for extensions in [&["db", "db-wal", "db-shm"][..], &["db", "db-wal"]] {
        let (_scratch, copy) = copied(&path, extensions);
        assert_eq!(read(&copy, false), (best, births), "{extensions:?}");
    }
    let (_scratch, copy) = copied(&path, &["db"]);
    let (found, some) = read(&copy, false);
    assert!(found.is_some() && some > 0 && some <= births, "without its log: {found:?} {some}");
    drive(&mut search, 400);
    let best = search.best().map(|best| best.individual.birth);
    drop(search);
    assert!(!path.with_extension("db-wal").exists(), "a finished run has no log");
    assert_eq!(read(&path, false), (best, 300), "it is finished");
}

#[test]
fn a_store_that_is_written_meanwhile_is_read_again_and_again() {
    let scratch = TempDir::new().expect("there is room");
    let path = scratch.path().join("run.db");
    let mut search = begun(&path);
    for _ in 0..40 {
        drive(&mut search, 3);
        let store = Store::read(&path).expect("a run under way can be read");
        let births = search.counters().births;
        assert!(store.lineage(&Optimizers::default(), births - 1).expect("it is sound").is_some());
    }
}

#[test]
fn a_store_of_an_earlier_version_is_read_as_it_is() {
    for name in ["store_v1.db", "store_v2_structural.db", "store_v4.db"] {
        let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compat").join(name);
        let scratch = TempDir::new().expect("there is room");
        let path = scratch.path().join("run.db");
        std::fs::copy(old, &path).expect("there is room");
        let (best, births) = read(&path, false);
        assert!(best.is_some(), "{name}");
        assert_eq!(births, 120, "{name}");
    }
}

#[test]
fn a_store_that_another_program_keeps_locked_says_so() {
    let scratch = TempDir::new().expect("there is room");
    let path = scratch.path().join("run.db");
    let mut search = begun(&path);
    drive(&mut search, 10);
    let other = rusqlite::Connection::open(&path).expect("anything may open it");
    other.execute_batch("BEGIN IMMEDIATE").expect("nothing is pending");
    let asked = search.ask().and_then(|candidate| match candidate {
        Some(candidate) => search.tell(candidate.birth, by_training(&candidate)),
        None => Ok(()),
    });
    let error = asked.expect_err("the other program has it");
    assert!(matches!(error, SearchError::StoreBusy { .. }), "{error:?}");
    assert!(error.to_string().contains("close that program"), "{error}");
}
