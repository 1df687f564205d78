//! Damaged caches: whatever becomes of a file, it is refused or a run with it is the very run
//! without it.

use std::path::Path;

use evo_search::{CacheContents, Pruning, SearchError};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::cache::{QUADRATIC, open, search};
use crate::damage::{Damage, of_bytes, of_table, tables, unnoticed};
use crate::driver::{by_training, drive};

const CANDIDATES: u64 = 700;

/// A cache that such a run has filled.
fn filled(path: &Path) {
    let cache = open(path, QUADRATIC).expect("it is made");
    let mut search = search(1, CANDIDATES, "").with_cache(cache);
    drive(&mut search, 1, by_training);
}

/// Whether a run with the cache is what it is without; whatever the file does meanwhile.
fn is_the_very_run(path: &Path) -> Result<bool, SearchError> {
    let cache = open(path, QUADRATIC)?;
    let mut warm = search(1, CANDIDATES, "").with_cache(cache);
    drive(&mut warm, 1, by_training);
    let mut cold = search(1, CANDIDATES, "");
    drive(&mut cold, 1, by_training);
    Ok(warm.digest() == cold.digest())
}

#[test]
fn a_damaged_cache_is_refused_or_gives_the_very_run() {
    let scratch = TempDir::new().expect("there is room");
    let path = scratch.path().join("run.db");
    filled(&path);
    assert!(is_the_very_run(&path).expect("it is sound"));
    let connection = Connection::open(&path).expect("it is a database");
    let mut texts: Vec<String> =
        tables(&connection).iter().flat_map(|table| of_table(&connection, table)).collect();
    texts.push("DROP INDEX outcomes_by_evaluator".to_owned());
    texts.push("CREATE TABLE more (number INTEGER)".to_owned());
    texts.push(
        "CREATE TRIGGER no BEFORE INSERT ON outcomes BEGIN SELECT RAISE(FAIL, 'no'); END"
            .to_owned(),
    );
    // As if an outcome were another program's, or another evaluator's.
    for column in ["structure", "program", "outcome", "key", "checksum"] {
        texts.push(format!(
            "UPDATE OR IGNORE outcomes SET {column} =
                (SELECT other.{column} FROM outcomes AS other WHERE other.number = 5)
            WHERE number = 9"
        ));
    }
    drop(connection);
    let mut damages: Vec<Damage> = texts.into_iter().map(Damage::by_sql).collect();
    let length = std::fs::metadata(&path).expect("it is there").len();
    damages.extend(of_bytes("db", length as usize));
    let found = unnoticed(&[path], &damages, is_the_very_run);
    assert!(found.is_empty(), "{} of {}: {found:#?}", found.len(), damages.len());
}

#[test]
fn an_entry_that_is_altered_while_it_is_in_use_is_not_served_and_the_run_goes_on() {
    let scratch = TempDir::new().expect("there is room");
    let path = scratch.path().join("outcomes.db");
    filled(&path);
    let cache = open(&path, QUADRATIC).expect("it is sound");
    let connection = Connection::open(&path).expect("it is a database");
    let text = "UPDATE outcomes SET outcome = replace(outcome, '.', '.1') WHERE number > 40";
    connection.execute(text, []).expect("nobody keeps it locked");
    let mut warm = search(1, CANDIDATES, "").with_cache(std::sync::Arc::clone(&cache));
    drive(&mut warm, 1, by_training);
    let file = cache.flush().expect("it is over a file");
    let trouble = file.trouble.as_deref().expect("it was noticed");
    assert!(trouble.contains("outcomes.db") && trouble.contains("altered"), "{trouble}");
    assert!(file.hits > 10 && file.written == 0, "{file:?}");
    let mut cold = search(1, CANDIDATES, "");
    drive(&mut cold, 1, by_training);
    assert_eq!(warm.digest(), cold.digest());
    // And it can be mended.
    drop((warm, cache));
    assert!(open(&path, QUADRATIC).is_err());
    Pruning { damaged: true, ..Pruning::default() }.prune(&path).expect("its pages are sound");
    let left = CacheContents::read(&path).and_then(|it| it.check()).expect("it is sound");
    // Outcomes without a number have not been altered.
    assert!((40..80).contains(&left), "{left}");
    assert!(is_the_very_run(&path).expect("it is sound"));
}

#[test]
fn what_is_no_cache_is_refused_with_what_it_is_and_left_as_it_is() {
    let scratch = TempDir::new().expect("there is room");
    let at = |name: &str| scratch.path().join(name);
    let store = at("run.db");
    drop(evo_search::Store::create(&store, &[]).expect("the path is free"));
    std::fs::write(at("empty"), "").expect("there is room");
    std::fs::write(at("text"), "no database at all").expect("there is room");
    std::fs::write(at("random"), [0xa7; 9_000]).expect("there is room");
    let other = Connection::open(at("other")).expect("there is room");
    other.execute_batch("CREATE TABLE outcomes (key)").expect("there is room");
    filled(&at("later"));
    let connection = Connection::open(at("later")).expect("there is room");
    connection.execute_batch("PRAGMA user_version = 2").expect("there is room");
    drop((connection, other));
    for (name, words) in [
        ("run.db", "something else than a cache"),
        ("empty", "it is empty"),
        ("text", "something else than a cache"),
        ("random", "something else than a cache"),
        ("other", "something else than a cache"),
        ("later", "of version 2"),
        ("", "is a directory"),
        ("absent/cache", "cannot be made"),
        ("text/cache", "Not a directory"),
    ] {
        let before = std::fs::read(at(name)).ok();
        let error = open(&at(name), QUADRATIC).expect_err("it is none").to_string();
        assert!(error.contains(words), "{name}: {error}");
        assert!(error.contains(&*at(name).to_string_lossy()), "{name}: {error}");
        assert_eq!(std::fs::read(at(name)).ok(), before, "{name}");
        assert!(CacheContents::read(&at(name)).is_err(), "{name}");
    }
    let names = std::fs::read_dir(scratch.path()).expect("it is there").count();
    assert_eq!(names, 7, "nothing was made");
}
