//! Damaged stores: whatever becomes of a file, resuming it is refused or gives exactly the run that
//! the undamaged file gives.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use evo_domain::{DependsOn, Evaluator, Outcome, Trial};
use evo_dsl::{Optimizers, Program};
use evo_hashes::{Hash, Seed};
use evo_search::{Evaluators, RunOptions, SearchError, Store, run_with};
use rand::RngExt;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::driver::{
    RunResult, Search, SearchConfig, behaviour, hasher, new_search, result, scored,
};
use crate::held_out::{Elsewhere, elsewhere};
use crate::quadratic;

/// Births of the store that is damaged: some are behind its snapshot.
const STORED: u64 = 10_150;

/// Births of the run that goes on from there.
const RESUMED: u64 = 10_300;

/// Cheap, and a function of what the program does.
struct Hashed;

impl Evaluator<Program> for Hashed {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| outcome(trial.program)).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

const EVALUATORS: Evaluators<'static, Program> =
    Evaluators { search: &Hashed, held_out: Some(&Elsewhere) };

fn outcome(program: &Program) -> Outcome {
    let hash = behaviour(program);
    scored(u64::from_le_bytes(hash.0[..8].try_into().expect("eight bytes")), 0)
}

fn search(candidates: u64) -> Search {
    let text = format!(
        "(strategy: RegularizedEvolution(population: 30, tournament: 3), window: 16,
          mutation: (max_statements: 7), deduplication: (recheck: 0.1),
          restarts: (from: Best, every: Some(3000)),
          held_out: (every: Some(400)), stopping: (candidates: Some({candidates})))"
    );
    let config: SearchConfig = ron::from_str(&text).expect("the text is a configuration");
    let search = new_search(&config, Seed(1), quadratic::start(), hasher());
    search.expect("the settings are valid")
}

fn new_store(path: &Path) -> Store {
    let properties = [("config", "(window: 16)"), ("start", quadratic::START), ("cpu", "one")];
    Store::create(path, &properties).expect("the path is free")
}

/// What the damaged store has to come to.
#[derive(Debug)]
struct End {
    result: RunResult,
    digest: Hash,
    /// What the command line reads before it goes on; `None` where that may differ.
    properties: Option<Vec<Option<String>>>,
    /// How tables, indices and views are defined, and all rows of all tables but those that only
    /// the next resumption reads, at the end.
    tables: Vec<String>,
}

impl End {
    fn is(&self, expected: &End) -> bool {
        (&self.result, self.digest, &self.tables)
            == (&expected.result, expected.digest, &expected.tables)
            && (expected.properties.is_none() || self.properties == expected.properties)
    }
}

fn resumed(path: &Path, candidates: u64) -> Result<End, SearchError> {
    let store = Store::open(path, &Optimizers::default())?;
    let names = ["config", "start", "cpu", "seconds", "probe", "domain", "unknown"];
    let properties = names.into_iter().map(|name| store.property(name));
    let properties = Some(properties.collect::<Result<_, _>>()?);
    let mut search = search(candidates).with_store(store)?;
    run_with(&mut search, EVALUATORS, &mut (), &RunOptions::default())?;
    let (result, digest) = (result(&search), search.digest());
    drop(search);
    Ok(End { result, digest, properties, tables: dump(path) })
}

fn strings(connection: &Connection, query: &str) -> Vec<String> {
    let mut statement = connection.prepare(query).expect("the query is sound");
    let rows = statement.query_map([], |row| row.get(0)).expect("it can be read");
    rows.map(|row| row.expect("it is text")).collect()
}

pub(crate) fn tables(connection: &Connection) -> Vec<String> {
    strings(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
}

fn columns(connection: &Connection, table: &str) -> Vec<String> {
    strings(connection, &format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"))
}

fn dump(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).expect("it is a store");
    let schema = "SELECT type || ' ' || name || ' ' || sql FROM sqlite_schema
        WHERE sql IS NOT NULL ORDER BY 1";
    let mut rows = strings(&connection, schema);
    for table in tables(&connection) {
        let shown: Vec<String> = columns(&connection, &table)
            .iter()
            .map(|column| format!("typeof({column}) || quote({column})"))
            .collect();
        let values = shown.join(" || ',' || ");
        // How long it took is no result, and neither is what bounds the next resumption.
        let kept = match table.as_str() {
            "snapshots" | "seals" => continue,
            "properties" => "WHERE name <> 'seconds'",
            _ => "",
        };
        rows.extend(strings(
            &connection,
            &format!("SELECT '{table}:' || {values} FROM {table} {kept} ORDER BY 1"),
        ));
    }
    rows
}

/// A damage and what does it.
pub(crate) struct Damage {
    name: String,
    /// Gives `false` where there was nothing to damage.
    inflict: Box<dyn Fn(&Path) -> bool + Sync>,
}

impl Damage {
    fn of(name: String, inflict: impl Fn(&Path) -> bool + Sync + 'static) -> Damage {
        Damage { name, inflict: Box::new(inflict) }
    }

    /// One made by whoever writes into the database.
    pub(crate) fn by_sql(text: String) -> Damage {
        Damage::of(text.clone(), move |path| {
            let connection = Connection::open(path).expect("it is a store");
            connection.execute_batch(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            connection.total_changes() > 0 || text.starts_with("DROP")
        })
    }

    /// One of the bytes of a file.
    fn of_bytes(
        name: &str,
        extension: &'static str,
        change: impl Fn(&mut Vec<u8>) + Sync + 'static,
    ) -> Damage {
        Damage::of(format!("{extension}: {name}"), move |path| {
            let path = path.with_extension(extension);
            let sound = std::fs::read(&path).expect("it is there");
            let mut bytes = sound.clone();
            change(&mut bytes);
            std::fs::write(&path, &bytes).expect("there is room");
            bytes != sound
        })
    }
}

/// Tables, indices, views and versions, damaged in SQL.
fn of_tables(connection: &Connection) -> Vec<Damage> {
    let mut texts: Vec<String> =
        tables(connection).iter().flat_map(|table| of_table(connection, table)).collect();
    // The last births as a whole, as if they had never been.
    for table in ["candidates", "evaluations"] {
        texts.push(format!("DELETE FROM {table} WHERE birth >= {}", STORED - 40));
    }
    let schema = "SELECT 'DROP ' || type || ' ' || name FROM sqlite_schema
        WHERE type IN ('index', 'view') AND sql IS NOT NULL";
    texts.extend(strings(connection, schema));
    let mut damages: Vec<Damage> = texts.into_iter().map(Damage::by_sql).collect();
    for (pragma, value) in [("user_version", 6), ("user_version", 8), ("application_id", 7)] {
        let text = format!("PRAGMA {pragma} = {value}");
        damages.push(Damage::of(text.clone(), move |path| {
            let connection = Connection::open(path).expect("it is a store");
            connection.execute_batch(&text).is_ok()
        }));
    }
    damages
}

/// Values and rows of a table, damaged in SQL.
pub(crate) fn of_table(connection: &Connection, table: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let columns = columns(connection, table);
    let key = &columns[0];
    let count = format!("SELECT COUNT(*) FROM {table}");
    let rows: i64 = connection.query_row(&count, [], |row| row.get(0)).expect("it can be read");
    assert!(rows > 0, "{table} is empty: damage to it would go untested");
    let at = |row: i64| format!("(SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {row})");
    let mut places = vec![0, rows / 2, rows - 1];
    places.dedup();
    for row in places.into_iter().map(at) {
        for column in &columns {
            // SQLite itself refuses to take a key away.
            let values = changed(column).into_iter().take(if column == key { 2 } else { 3 });
            texts.extend(values.map(|value| {
                format!("UPDATE OR IGNORE {table} SET {column} = {value} WHERE {key} = {row}")
            }));
        }
        texts.push(format!("DELETE FROM {table} WHERE {key} = {row}"));
    }
    let others = columns[1..].join(", ");
    let number = format!("typeof({key}) = 'integer'");
    let next = format!("CASE WHEN {number} THEN {key} + 1 ELSE {key} || '2' END");
    texts.push(format!(
        "INSERT OR IGNORE INTO {table} SELECT {next}, {others} FROM {table} ORDER BY {key} DESC LIMIT 1"
    ));
    if rows > 1 {
        let (one, other) = (at(rows / 2 - 1), at(rows / 2));
        let free = format!("CASE WHEN {number} THEN -77 ELSE 'free' END");
        texts.push(format!(
            "CREATE TEMP TABLE pair AS SELECT {one} AS a, {other} AS b;
             UPDATE {table} SET {key} = {free} WHERE {key} = (SELECT a FROM pair);
             UPDATE {table} SET {key} = (SELECT a FROM pair) WHERE {key} = (SELECT b FROM pair);
             UPDATE {table} SET {key} = (SELECT b FROM pair) WHERE {key} IN (-77, 'free')"
        ));
    }
    texts.push(format!("DELETE FROM {table}"));
    texts.push(format!("DROP TABLE {table}"));
    texts
}

/// Other values for a column, whatever it holds.
fn changed(column: &str) -> [String; 3] {
    let case = |integer: &str, real: &str, text: &str, blob: &str, null: &str| {
        format!(
            "CASE typeof({column}) WHEN 'integer' THEN {integer} WHEN 'real' THEN {real}
             WHEN 'text' THEN {text} WHEN 'blob' THEN {blob} ELSE {null} END"
        )
        .replace("{c}", column)
    };
    let inside = "substr({c}, 1, length({c}) / 2) || CASE substr({c}, length({c}) / 2 + 1, 1)
        WHEN '3' THEN '4' ELSE '3' END || substr({c}, length({c}) / 2 + 2)";
    let byte = "CAST(substr({c}, 1, length({c}) - 1) || x'2a' AS BLOB)";
    [
        case("{c} + 1", "{c} + 1e-9", inside, byte, "1"),
        case("{c} - 100000", "-{c}", "{c} || '0'", "CAST({c} || x'00' AS BLOB)", "'x'"),
        "NULL".to_owned(),
    ]
}

/// Bytes of a file, damaged at random and cut off.
pub(crate) fn of_bytes(extension: &'static str, length: usize) -> Vec<Damage> {
    let mut rng = Seed(3).stream(extension, 0);
    let mut damages = Vec::new();
    for round in 0..100 {
        // Half of the blocks are one bit; some lie in the header.
        let size = if round % 2 == 0 { 1 } else { 64.min(length / 2) };
        let at = if round % 10 == 0 {
            rng.random_range(0..100)
        } else {
            rng.random_range(0..length - size)
        };
        let block: Vec<u8> = match size {
            1 => vec![1 << rng.random_range(0..8)],
            _ => (0..size).map(|_| rng.random_range(1..=255)).collect(),
        };
        let name = format!("{size} bytes at {at}");
        damages.push(Damage::of_bytes(&name, extension, move |bytes| {
            bytes[at..].iter_mut().zip(&block).for_each(|(byte, flip)| *byte ^= flip);
        }));
    }
    for left in [0, 20, 100, 4_096, length / 3, length / 2, length - 4_096, length - 1] {
        let name = format!("cut off at {left}");
        damages.push(Damage::of_bytes(&name, extension, move |bytes| bytes.truncate(left)));
    }
    let text = b"this is no database, only a line of text that is long enough";
    damages.push(Damage::of_bytes("text", extension, |bytes| *bytes = text.to_vec()));
    damages
}

/// Inflicts every damage on a copy, `run.db`, and gives the names of those that neither were
/// refused nor changed nothing: `is_same` says whether what the copy leads to is what the sound
/// file does.
pub(crate) fn unnoticed(
    files: &[PathBuf],
    damages: &[Damage],
    is_same: impl Fn(&Path) -> Result<bool, SearchError> + Sync,
) -> Vec<String> {
    let (next, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let scratch = TempDir::new().expect("there is room");
        let path = scratch.path().join("run.db");
        let mut found = Vec::new();
        while let Some(damage) = damages.get(next.fetch_add(1, Ordering::Relaxed)) {
            for extension in ["db", "db-wal", "db-shm", "lock"] {
                std::fs::remove_file(path.with_extension(extension)).ok();
            }
            for file in files {
                let name = file.file_name().expect("it is a file");
                std::fs::copy(file, scratch.path().join(name)).expect("there is room");
            }
            if !(damage.inflict)(&path) {
                continue;
            }
            match catch_unwind(AssertUnwindSafe(|| is_same(&path))) {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => found.push(format!("another run: {}", damage.name)),
                Ok(Err(_)) => drop(refused.fetch_add(1, Ordering::Relaxed)),
                Err(_) => found.push(format!("a panic: {}", damage.name)),
            }
        }
        found
    };
    let found = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        let found = workers.into_iter().flat_map(|worker| worker.join().expect("it is caught"));
        found.collect()
    });
    println!("{} damages, {} refused", damages.len(), refused.into_inner());
    found
}

#[test]
fn a_damaged_store_is_refused_or_resumes_to_the_very_run() {
    let scratch = TempDir::new().expect("there is room");
    let path = scratch.path().join("run.db");
    let mut search = search(STORED).with_store(new_store(&path)).expect("it is new");
    run_with(&mut search, EVALUATORS, &mut (), &RunOptions::default()).expect("the store works");
    drop(search);
    let sound = scratch.path().join("sound.db");
    std::fs::copy(&path, &sound).expect("there is room");
    let expected = resumed(&sound, RESUMED).expect("it is sound");
    let mut damages = of_tables(&Connection::open(&path).expect("it is a store"));
    let length = std::fs::metadata(&path).expect("it is there").len();
    damages.extend(of_bytes("db", length as usize));
    let found = unnoticed(&[path], &damages, |path| Ok(resumed(path, RESUMED)?.is(&expected)));
    assert!(found.is_empty(), "{} of {}: {found:#?}", found.len(), damages.len());
}

#[test]
fn a_damaged_log_is_refused_or_its_run_resumes_to_the_very_run() {
    let scratch = TempDir::new().expect("there is room");
    let path = scratch.path().join("run.db");
    let mut search = search(700).with_store(new_store(&path)).expect("it is new");
    let mut in_flight = Vec::new();
    while search.counters().births < 600 {
        match search.ask().expect("the store works") {
            Some(candidate) => in_flight.push(candidate),
            None => {
                let told = in_flight.swap_remove(in_flight.len() / 2);
                let outcome = match told.held_out {
                    true => elsewhere(&told.program),
                    false => outcome(&told.program),
                };
                search.tell(told.birth, outcome).expect("it is in flight");
                search.commit(1.0).expect("the store works");
            }
        }
    }
    // As a kill leaves them.
    let killed = scratch.path().join("killed");
    std::fs::create_dir(&killed).expect("there is room");
    let files = ["db", "db-wal"].map(|extension| {
        let copy = killed.join("run").with_extension(extension);
        std::fs::copy(path.with_extension(extension), &copy).expect("there is room");
        copy
    });
    drop(search);
    let again = scratch.path().join("run2.db");
    std::fs::copy(&files[0], &again).expect("there is room");
    std::fs::copy(&files[1], again.with_extension("db-wal")).expect("there is room");
    // The latest commits may be gone, as after a power loss, and with them the latest properties.
    let expected = End { properties: None, ..resumed(&again, 700).expect("it is sound") };
    let length = std::fs::metadata(&files[1]).expect("it is there").len();
    assert!(length > 8_192, "there is a log: {length}");
    let damages = of_bytes("db-wal", length as usize);
    let found = unnoticed(&files, &damages, |path| Ok(resumed(path, 700)?.is(&expected)));
    assert!(found.is_empty(), "{} of {}: {found:#?}", found.len(), damages.len());
}
