//! Killed at random instants, resumed on any number of threads: the same run, and nothing twice.
//!
//! The test runs itself as another process, the victim, and kills that. A victim is granted only so
//! many evaluations and waits when it has had them, so that on no machine it comes to its end
//! before it is killed: every kill is one in the middle.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::num::NonZeroUsize;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use evo_domain::{DependsOn, Evaluator, Outcome, Trial};
use evo_dsl::{Optimizers, Program, structural_hash};
use evo_hashes::Seed;
use evo_search::{RunOptions, Store, run};
use rand::RngExt;

use crate::driver::{Search, SearchConfig, drive, hasher, new_search};
use crate::quadratic::{self, Quadratic};

const DIRECTORY: &str = "EVO_TEST_VICTIM_DIRECTORY";
const THREADS: &str = "EVO_TEST_VICTIM_THREADS";
const GRANTED: &str = "EVO_TEST_VICTIM_EVALUATIONS";
const KILLS: usize = 20;
const BIRTHS: u64 = 32_000;
const HASH: usize = 16;

const WINDOW: usize = 32;

/// Evaluations that a kill may cost: a window in flight, a batch that has not been committed, and
/// the job that filled it.
const MOST_LOST: usize = WINDOW + 64 + WINDOW / 2;

/// Evaluations granted beyond the one at which a victim is to be killed.
const GRACE: usize = 40;

fn search() -> Search {
    let text = format!(
        "(strategy: RegularizedEvolution(population: 1000, tournament: 2), window: {WINDOW},
          mutation: (max_statements: 20), stopping: (candidates: Some({BIRTHS})))"
    );
    let config: SearchConfig = ron::from_str(&text).expect("the text is a configuration");
    let search = new_search(&config, Seed(1), quadratic::start(), hasher());
    search.expect("the settings are valid")
}

/// Writes the structural hash of every program it evaluates to a file, until it has evaluated all
/// that it was granted: then it waits for its end.
struct Logged(Mutex<(File, usize)>);

impl Logged {
    fn outcome(&self, program: &Program) -> Outcome {
        let outcome = quadratic::outcome(program);
        let (file, granted) = &mut *self.0.lock().expect("nobody panics while holding it");
        if *granted == 0 {
            loop {
                std::thread::park();
            }
        }
        *granted -= 1;
        file.write_all(&structural_hash(program).0).expect("there is room");
        outcome
    }
}

impl Evaluator<Program> for Logged {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| self.outcome(trial.program)).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

/// One process of a run: begins or resumes it, and notes its digest when it comes to the end.
#[test]
#[ignore = "is run by the test below, which kills it"]
fn victim() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let directory = Path::new(&directory);
    let path = directory.join("run.db");
    let store = if path.exists() {
        Store::open(&path, &Optimizers::default())
    } else {
        Store::create(&path, &[])
    };
    let mut search =
        search().with_store(store.expect("the store is sound")).expect("it fits the search");
    let log = OpenOptions::new().create(true).append(true).open(directory.join("log"));
    let number = |name| std::env::var(name).expect("is set").parse::<usize>().expect("is a number");
    let evaluator = Logged(Mutex::new((log.expect("there is room"), number(GRANTED))));
    let threads = number(THREADS);
    match NonZeroUsize::new(threads) {
        Some(threads) => {
            let options = RunOptions { threads, ..RunOptions::default() };
            run(&mut search, &evaluator, &mut (), &options).expect("the store works");
        }
        None => shuffled(&mut search, &evaluator),
    }
    std::fs::write(directory.join("digest"), search.digest().to_string()).expect("there is room");
}

/// Tells in a random order, with a commit now and then, and another order in every process.
fn shuffled(search: &mut Search, evaluator: &Logged) {
    let order = u64::from(std::process::id());
    let mut rng = Seed(order).stream("tell order", 0);
    let mut in_flight = Vec::new();
    loop {
        while let Some(candidate) = search.ask().expect("the store works") {
            in_flight.push(candidate);
        }
        if in_flight.is_empty() {
            return search.commit(0.0).expect("the store works");
        }
        let told = in_flight.swap_remove(rng.random_range(0..in_flight.len()));
        let outcome = evaluator.outcome(&told.program);
        search.tell(told.birth, outcome).expect("the store works");
        if rng.random_bool(0.2) {
            search.commit(0.0).expect("the store works");
        }
    }
}

fn evaluated(log: &Path) -> Vec<[u8; HASH]> {
    let bytes = std::fs::read(log).unwrap_or_default();
    bytes.as_chunks().0.to_vec()
}

/// What a store holds.
struct Stored {
    births: usize,
    snapshots: i64,
    /// The structures that have been evaluated.
    structures: HashSet<[u8; HASH]>,
}

/// Looks into a copy: opening what a kill has left would move its log into its file, and the next
/// victim is to find it as it is.
fn stored(directory: &Path) -> Stored {
    let copy = tempfile::TempDir::new().expect("there is room");
    for name in ["run.db", "run.db-wal"] {
        let copied = std::fs::copy(directory.join(name), copy.path().join(name));
        assert!(copied.is_ok() || name == "run.db-wal", "{copied:?}");
    }
    let store = copy.path().join("run.db");
    let connection = rusqlite::Connection::open(store).expect("it is a store");
    let query = "SELECT COUNT(*), MAX(birth) + 1 FROM candidates";
    let births = connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (births, last): (i64, Option<i64>) = births.expect("it has tables");
    assert_eq!(births, last.unwrap_or(0), "births are missing");
    let query = "SELECT COUNT(*) FROM snapshots";
    let snapshots = connection.query_row(query, [], |row| row.get(0)).expect("it has tables");
    let query = "SELECT structural_hash FROM evaluations";
    let mut statement = connection.prepare(query).expect("it has tables");
    let rows = statement.query_map([], |row| row.get(0)).expect("it can be read");
    let structures = rows.map(|row| row.expect("it is a hash")).collect();
    Stored { births: births as usize, snapshots, structures }
}

/// Starts the victim and kills it once it has evaluated so many programs, `pause` later, or lets it
/// come to its end.
fn run_victim(directory: &Path, threads: usize, kill_at: Option<(usize, Duration)>) {
    let log = directory.join("log");
    let size = || std::fs::metadata(&log).map_or(0, |log| log.len() as usize) / HASH;
    let before = size();
    let granted = kill_at.map_or(usize::MAX, |(evaluations, _)| evaluations + GRACE);
    let binary = std::env::current_exe().expect("this test is a file");
    let mut victim = Command::new(binary)
        .args(["kill::victim", "--exact", "--ignored", "--quiet"])
        .env(DIRECTORY, directory)
        .env(THREADS, threads.to_string())
        .env(GRANTED, granted.to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("this test can run itself");
    let Some((evaluations, pause)) = kill_at else {
        let status = victim.wait().expect("it can be waited for");
        assert!(status.success(), "{status}");
        return;
    };
    while size() < before + evaluations {
        let ended = victim.try_wait().expect("it can be watched");
        assert!(ended.is_none(), "it came to an end before it was killed: {ended:?}");
        std::thread::sleep(Duration::from_micros(200));
    }
    std::thread::sleep(pause);
    victim.kill().expect("it can be killed");
    let status = victim.wait().expect("it is dead");
    assert_eq!(status.signal(), Some(9), "it came to an end before it was killed");
}

#[test]
fn a_run_killed_twenty_times_ends_as_an_uninterrupted_one_on_any_number_of_threads() {
    let mut alone = search();
    drive(&mut alone, 0, |candidate| quadratic::outcome(&candidate.program));
    let evaluations = alone.counters().evaluations as usize;
    let mut on_threads = search();
    run(&mut on_threads, &Quadratic, &mut (), &RunOptions::default()).expect("it runs");
    assert_eq!(alone.digest(), on_threads.digest());
    for threads in [1, 2, 8, 0] {
        let directory = tempfile::TempDir::new().expect("there is room");
        let directory = directory.path();
        let log = directory.join("log");
        let mut rng = Seed(threads as u64).stream("instants", 0);
        let mut checkpoints: Vec<(usize, Stored)> = Vec::new();
        for left in (1..=KILLS).rev() {
            let held = |stored: &Stored| (stored.births, stored.structures.len());
            let (births, durable) = checkpoints.last().map_or((0, 0), |(_, it)| held(it));
            let share = (evaluations - durable) / (left + 1);
            assert!(share > MOST_LOST + GRACE, "{share}: there is too little to evaluate");
            let instant = rng.random_range(MOST_LOST + 1..=share - GRACE);
            let pause = Duration::from_micros(rng.random_range(0..1_000));
            let before = evaluated(&log).len();
            run_victim(directory, threads, Some((instant, pause)));
            let (begun, stored) = (evaluated(&log).len(), stored(directory));
            // What was told is kept, but for the latest.
            let kept = stored.structures.len() - durable;
            assert!(kept > 0 && begun - before <= kept + MOST_LOST, "{threads}: {kept} are kept");
            assert!((births + 1..BIRTHS as usize).contains(&stored.births), "{threads}");
            checkpoints.push((begun, stored));
        }
        run_victim(directory, threads, None);
        let digest = std::fs::read_to_string(directory.join("digest"));
        assert_eq!(digest.expect("it came to its end"), alone.digest().to_string(), "{threads}");
        let log = evaluated(&log);
        for (from, stored) in checkpoints {
            let again = log[from..].iter().filter(|hash| stored.structures.contains(*hash));
            assert_eq!(again.count(), 0, "{threads}: evaluations in the store were repeated");
        }
        let end = stored(directory);
        assert_eq!(end.structures.len(), evaluations, "{threads}: evaluations were lost");
        assert_eq!(end.births, BIRTHS as usize, "{threads}: births were lost");
        assert!(end.snapshots > 0, "{threads}: there are none to go on from");
        let store = Store::open(&directory.join("run.db"), &Optimizers::default());
        assert!(store.is_ok(), "{threads}: {store:?}");
    }
}
