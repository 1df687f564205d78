//! The store: a run that is interrupted anywhere ends as if it had not been.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use evo_domain::Outcome;
use evo_dsl::Optimizers;
use evo_hashes::Seed;
use evo_search::{SearchError, Store};
use rand::RngExt;
use tempfile::TempDir;

use crate::driver::{
    RunResult, Search, SearchConfig, behaviour, by_training, drive, hasher, new_search, result,
    scored,
};
use crate::quadratic;

const CANDIDATES: u64 = 25_000;

fn config(strategy: &str, more: &str) -> SearchConfig {
    let text = format!(
        "(strategy: {strategy}, mutation: (max_statements: 12), window: 16, {more}
          stopping: (candidates: Some({CANDIDATES})))"
    );
    ron::from_str(&text).expect("the text is a configuration")
}

fn evolution() -> SearchConfig {
    config("RegularizedEvolution(population: 50, tournament: 3)", "")
}

fn search(config: &SearchConfig) -> Search {
    let search = new_search(config, Seed(1), quadratic::start(), hasher());
    search.expect("the settings are valid")
}

/// A directory and the path of a store in it.
fn scratch() -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("there is room for a directory");
    let path = directory.path().join("run.db");
    (directory, path)
}

fn stored(config: &SearchConfig, path: &Path) -> Search {
    let store = if path.exists() {
        Store::open(path, &Optimizers::default())
    } else {
        Store::create(path, &[])
    };
    let store = store.expect("the store is sound and free");
    search(config).with_store(store).expect("the store fits the search")
}

/// Runs to the end, with all of it in the store.
fn finish_stored(config: &SearchConfig, path: &Path) {
    let mut search = stored(config, path);
    drive(&mut search, 1, outcome);
    search.commit(1.0).expect("the store works");
}

/// Cheap, and a function of what the program does.
fn outcome(candidate: &crate::driver::Candidate) -> Outcome {
    let hash = behaviour(&candidate.program);
    scored(u64::from_le_bytes(hash.0[..8].try_into().expect("eight bytes")), 0)
}

fn uninterrupted(config: &SearchConfig) -> RunResult {
    let mut search = search(config);
    drive(&mut search, 0, outcome);
    result(&search)
}

/// Drives until so many outcomes were told, commits now and then, and drops everything; gives the
/// births whose outcomes were durable, or `None` when the search has ended.
fn interrupted(mut search: Search, tells: usize, order: u64) -> Option<BTreeSet<u64>> {
    let mut rng = Seed(order).stream("interruption", 0);
    let (mut in_flight, mut told, mut durable) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for _ in 0..tells {
        while let Some(candidate) = search.ask().expect("the store works") {
            in_flight.push(candidate);
        }
        if in_flight.is_empty() {
            return None;
        }
        let candidate = in_flight.swap_remove(rng.random_range(0..in_flight.len()));
        search.tell(candidate.birth, outcome(&candidate)).expect("the store works");
        told.insert(candidate.birth);
        if rng.random_bool(0.2) {
            search.commit(1.0).expect("the store works");
            durable.clone_from(&told);
        }
    }
    Some(durable)
}

#[test]
fn a_run_interrupted_anywhere_ends_as_if_it_had_not_been_and_repeats_nothing() {
    let strategies = [
        ("RegularizedEvolution(population: 50, tournament: 3)", ""),
        ("RegularizedEvolution(population: 50, tournament: 3)", "deduplication: (level: Off),"),
        (
            "RegularizedEvolution(population: 50, tournament: 3)",
            "deduplication: (level: Structural),",
        ),
        (
            "RegularizedEvolution(population: 50, tournament: 3)",
            "deduplication: (aggregate: 3, refresh: true, forget: 0.02, forget_every: Some(100),
                recheck: 0.0, tabu: (last: Some(80), retries: 2)), noise: (sd: 0.1),",
        ),
        (
            "RegularizedEvolution(population: 50, tournament: 3)",
            "deduplication: (counterfactual: true, recheck: 0.0),",
        ),
        ("ConstantTuning(population: 20, tournament: 2)", ""),
        ("RandomSearch(mutations: 5)", ""),
        ("OnePlusLambda(lambda: 30)", "restarts: (from: Best, plateau: Some(300)),"),
        (
            "Islands(islands: 3, population: 20, tournament: 2, migration_every: 100, migrants: 2)",
            "restarts: (every: Some(4000)),",
        ),
    ];
    for (strategy, more) in strategies {
        let config = config(strategy, more);
        let expected = uninterrupted(&config);
        let (_directory, path) = scratch();
        let mut durable = BTreeSet::new();
        let mut rng = Seed(7).stream("tells", 0);
        for order in 0..8 {
            let search = stored(&config, &path);
            match interrupted(search, rng.random_range(1..2_500), order) {
                None => break,
                Some(told) => {
                    assert!(told.is_disjoint(&durable), "{strategy}: evaluated again");
                    durable.extend(told);
                }
            }
        }
        assert!(durable.len() > 100, "{strategy}: {}", durable.len());
        let mut search = stored(&config, &path);
        let asked = drive(&mut search, 9, outcome);
        assert!(asked.iter().all(|candidate| !durable.contains(&candidate.birth)), "{strategy}");
        assert_eq!(result(&search), expected, "{strategy} {more}");
    }
}

#[test]
fn a_finished_run_goes_on_as_if_its_limit_had_always_been_the_higher_one() {
    let (_directory, path) = scratch();
    let longer = evolution();
    for candidates in [500, 10_200, 10_200, 20_000] {
        let mut shorter = longer.clone();
        shorter.stopping.candidates = Some(candidates);
        let mut search = stored(&shorter, &path);
        drive(&mut search, candidates, outcome);
        search.commit(1.0).expect("the store works");
        let mut alone = self::search(&shorter);
        drive(&mut alone, 0, outcome);
        assert_eq!(result(&search), result(&alone));
    }
    let mut search = stored(&longer, &path);
    drive(&mut search, 1, outcome);
    assert_eq!(result(&search), uninterrupted(&longer));
}

#[test]
fn failures_are_remembered_and_not_taken_for_a_property_of_the_program() {
    let config = evolution();
    let faulty = |candidate: &crate::driver::Candidate| match candidate.birth % 5 {
        0 => Outcome::Failed { message: "no luck\nwith \"this\"".to_owned() },
        _ => by_training(candidate),
    };
    let (_directory, path) = scratch();
    let mut shorter = config;
    shorter.stopping.candidates = Some(3_000);
    shorter.stopping.failures = None;
    let mut first = stored(&shorter, &path);
    drive(&mut first, 1, faulty);
    first.commit(1.0).expect("the store works");
    assert!(first.counters().failed > 10, "{:?}", first.counters());
    let expected = result(&first);
    drop(first);
    let mut again = stored(&shorter, &path);
    let asked = drive(&mut again, 2, |_| unreachable!("all of it is in the store"));
    assert!(asked.is_empty());
    assert_eq!(result(&again), expected);
}

#[test]
fn the_lineage_leads_from_the_start_to_every_birth() {
    let (_directory, path) = scratch();
    let mut config = evolution();
    config.stopping.candidates = Some(3_000);
    let mut search = stored(&config, &path);
    drive(&mut search, 1, by_training);
    search.save_summary().expect("the store works");
    search.commit(1.0).expect("the store works");
    let best = search.best().expect("there are champions").individual.clone();
    let members: Vec<_> = search.populations()[0].iter().cloned().collect();
    drop(search);
    let store = Store::read(&path).expect("the store is sound");
    assert_eq!(store.best().expect("the store is sound"), Some(best.birth));
    for individual in members.iter().chain([&best]) {
        let path =
            store.lineage(&Optimizers::default(), individual.birth).expect("the store is sound");
        let path = path.expect("the birth is there");
        assert_eq!((path[0].birth, path[0].program.as_str()), (0, quadratic::START));
        assert!(path.windows(2).all(|pair| pair[1].parent == Some(pair[0].birth)));
        let last = path.last().expect("there is one at least");
        assert_eq!(last.program, individual.program.to_string());
        assert_eq!(last.fitness.unwrap_or(f64::NEG_INFINITY), individual.fitness);
    }
    assert_eq!(store.lineage(&Optimizers::default(), 3_000).expect("the store is sound"), None);
}

#[test]
fn a_file_that_is_no_store_or_a_part_of_one_is_refused_by_its_name() {
    let (directory, path) = scratch();
    let mut config = evolution();
    config.stopping.candidates = Some(12_000);
    finish_stored(&config, &path);
    let sound = std::fs::read(&path).expect("the file is there");
    assert!(Store::open(&path, &Optimizers::default()).is_ok());
    let damaged = directory.path().join("damaged.db");
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(&damaged, bytes).expect("there is room");
        let opened = Store::open(&damaged, &Optimizers::default())
            .and_then(|store| self::search(&config).with_store(store).map(|_| ()));
        match opened {
            Err(SearchError::StoreDamaged { path, .. }) => assert_eq!(path, damaged, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    };
    refused(b"", "empty");
    refused(b"this is no database, only a line of text that is long enough", "text");
    for length in [100, 4_096, sound.len() / 2, sound.len() - 4_096] {
        refused(&sound[..length], &format!("truncated to {length}"));
    }
}

#[test]
fn a_store_in_use_or_of_another_search_is_refused() {
    let (_directory, path) = scratch();
    let mut config = evolution();
    config.stopping.candidates = Some(300);
    let mut search = stored(&config, &path);
    drive(&mut search, 1, outcome);
    search.commit(1.0).expect("the store works");
    assert!(matches!(
        Store::open(&path, &Optimizers::default()),
        Err(SearchError::StoreInUse { .. })
    ));
    assert!(Store::read(&path).is_ok());
    drop(search);
    let store = Store::open(&path, &Optimizers::default()).expect("the store is free again");
    let other = new_search(&config, Seed(2), quadratic::start(), hasher());
    let diverged = other.expect("the settings are valid").with_store(store).err();
    assert!(matches!(diverged, Some(SearchError::StoreDiverged { .. })), "{diverged:?}");
}

#[test]
fn properties_and_seconds_are_kept() {
    let (_directory, path) = scratch();
    let mut store = Store::create(&path, &[("config", "(a: \"b\")")]).expect("the path is free");
    assert!(matches!(Store::create(&path, &[]), Err(SearchError::StoreInUse { .. })));
    store.set_property("note", "one").expect("the store works");
    store.commit().expect("the store works");
    drop(store);
    let store = Store::open(&path, &Optimizers::default()).expect("the store is sound");
    let property = |name| store.property(name).expect("the store is sound");
    assert_eq!(property("config").as_deref(), Some("(a: \"b\")"));
    assert_eq!(property("note").as_deref(), Some("one"));
    assert_eq!(property("nothing"), None);
    assert_eq!(store.seconds().expect("the store is sound"), 0.0);
}

#[test]
fn stores_of_earlier_versions_are_brought_up_to_date_and_go_on() {
    // Births of the first are compared by structural hashes, which version 3 takes in another way.
    let (_directory, path) = copied("store_v2_structural.db");
    let config = settings_of_old_stores("Structural");
    let store = brought_up_to_date(&path, "version 2 of the tables");
    let mut search = search(&config).with_store(store).expect("the store fits the search");
    let asked = drive(&mut search, 1, by_training);
    assert!(asked.iter().all(|candidate| candidate.birth >= 120));
    search.commit(3.0).expect("the store works");
    let mut alone = self::search(&config);
    drive(&mut alone, 0, by_training);
    assert_eq!(result(&search), result(&alone));
    drop(search);
    assert!(Store::open(&path, &Optimizers::default()).is_ok());
    // The behaviours of this one are an earlier probe's.
    let (_directory, path) = copied("store_v4.db");
    let store = brought_up_to_date(&path, "version 4 of the tables");
    let refused = self::search(&settings_of_old_stores("Functional")).with_store(store).err();
    assert!(matches!(refused, Some(SearchError::StoreOutdated { .. })), "{refused:?}");
    assert!(Store::read(&path).expect("it is a store").best().expect("it is sound").is_some());
}

fn brought_up_to_date(path: &Path, version: &str) -> Store {
    let store = Store::open(path, &Optimizers::default()).expect("the version is known");
    let made_by = store.property("made by").expect("the store is sound");
    assert_eq!(made_by.as_deref(), Some(version));
    assert_eq!(store.seconds().expect("the store is sound"), 2.5);
    assert!(store.lineage(&Optimizers::default(), 119).expect("the store is sound").is_some());
    store
}

#[test]
fn a_store_of_an_earlier_version_that_is_damaged_is_refused() {
    for damage in [
        "UPDATE candidates SET edit = edit || ' ' WHERE birth = 70",
        "UPDATE evaluations SET program = program || ' ' WHERE birth = 65",
    ] {
        let (_directory, path) = copied("store_v4.db");
        let connection = rusqlite::Connection::open(&path).expect("it is a store");
        connection.execute_batch(damage).expect("it can be written");
        drop(connection);
        // Bringing it up to date must not make good what is not.
        for _ in 0..2 {
            let opened = Store::open(&path, &Optimizers::default());
            assert!(
                matches!(opened, Err(SearchError::StoreDamaged { .. })),
                "{damage}: {opened:?}"
            );
        }
    }
}

#[test]
fn a_store_that_cannot_be_brought_up_to_date_stays_as_it_was() {
    let (_directory, path) = scratch();
    let mut config = evolution();
    config.stopping.candidates = Some(300);
    finish_stored(&config, &path);
    let version = |version: Option<i64>| -> i64 {
        let connection = rusqlite::Connection::open(&path).expect("it is a store");
        if let Some(version) = version {
            connection.pragma_update(None, "user_version", version).expect("it can be written");
        }
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).expect("it has one")
    };
    let today = version(None);
    for earlier in 1..today {
        version(Some(earlier));
        assert!(Store::open(&path, &Optimizers::default()).is_err(), "it never was of {earlier}");
        assert_eq!(version(None), earlier);
    }
    version(Some(today));
    assert!(Store::open(&path, &Optimizers::default()).is_ok());
}

#[test]
fn what_a_user_keeps_beside_the_tables_is_none_of_our_business() {
    let (_directory, path) = scratch();
    drop(Store::create(&path, &[]).expect("the path is free"));
    let connection = rusqlite::Connection::open(&path).expect("it is a store");
    let mine = "CREATE VIEW mine AS SELECT * FROM individuals; CREATE TABLE notes (note TEXT);
        CREATE INDEX by_parent ON candidates (parent)";
    connection.execute_batch(mine).expect("it can be written");
    drop(connection);
    assert!(Store::open(&path, &Optimizers::default()).is_ok());
}

#[test]
fn a_run_whose_programs_another_probe_told_apart_is_refused_and_can_still_be_read() {
    let (_directory, path) = copied("store_v1.db");
    let before = Store::open(&path, &Optimizers::default()).expect("the version is known");
    let refused = search(&settings_of_old_stores("Functional")).with_store(before);
    let message = refused.err().expect("hashes of two probes cannot be compared").to_string();
    assert!(message.contains("another probe") || message.contains("probe `optimizer, six steps"));
    let store = Store::read(&path).expect("it is up to date");
    assert_eq!(
        store.property("made by").expect("sound").as_deref(),
        Some("version 1 of the tables")
    );
    assert!(store.lineage(&Optimizers::default(), 119).expect("the store is sound").is_some());
}

/// A copy of an old store of 120 births.
fn copied(file: &str) -> (TempDir, PathBuf) {
    let (directory, path) = scratch();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compat").join(file);
    std::fs::copy(old, &path).expect("the old file is there");
    (directory, path)
}

/// The settings they were made with, and a limit of 400.
fn settings_of_old_stores(level: &str) -> SearchConfig {
    let text = "(strategy: RegularizedEvolution(population: 10, tournament: 2), window: 8,
        deduplication: (level: LEVEL), mutation: (max_statements: 8),
        stopping: (candidates: Some(400)))";
    ron::from_str(&text.replace("LEVEL", level)).expect("the text is a configuration")
}

#[test]
fn a_store_of_the_version_before_held_out_points_is_read_and_goes_on_by_its_own_probe_alone() {
    let (_directory, path) = copied("store_v6.db");
    let mut config = settings_of_old_stores("Functional");
    config.deduplication.recheck = 0.1;
    config.restarts.plateau = Some(60);
    let store = brought_up_to_date(&path, "version 6 of the tables");
    // Of births that an older probe compared, today's would find others equal.
    let refused = search(&config).with_store(store).map(drop);
    let error = refused.expect_err("it was made by an older probe");
    let SearchError::StoreOutdated { probe, today, .. } = error else { panic!("{error}") };
    assert_eq!(probe, "optimizer, 4, training at 1.0");
    assert!(today != probe && today.starts_with("optimizer, "), "{today}");
    // Nothing of it was touched.
    let store = brought_up_to_date(&path, "version 6 of the tables");
    assert!(store.property("digest at 400").expect("the store is sound").is_some());
}
