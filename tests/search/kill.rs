//! Killed at random instants, resumed on any number of threads: the same run, and nothing twice.
//!
//! The test runs itself as another process, the victim, and kills that.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::num::NonZeroUsize;
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
const KILLS: usize = 20;
const HASH: usize = 16;

fn search() -> Search {
    let text = "(strategy: RegularizedEvolution(population: 1000, tournament: 2),
        mutation: (max_statements: 20), stopping: (candidates: Some(20000)))";
    let config: SearchConfig = ron::from_str(text).expect("the text is a configuration");
    let search = new_search(&config, Seed(1), quadratic::start(), hasher());
    search.expect("the settings are valid")
}

/// Writes the functional hash of every program it has evaluated to a file.
struct Logged(Mutex<File>);

impl Logged {
    fn outcome(&self, program: &Program) -> Outcome {
        let outcome = quadratic::outcome(program);
        let mut file = self.0.lock().expect("nobody panics while holding it");
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
    let evaluator = Logged(Mutex::new(log.expect("there is room")));
    let threads: usize = std::env::var(THREADS).expect("is set").parse().expect("is a number");
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
        if rng.random_bool(0.1) {
            search.commit(0.0).expect("the store works");
        }
    }
}

fn evaluated(log: &Path) -> Vec<[u8; HASH]> {
    let bytes = std::fs::read(log).unwrap_or_default();
    bytes.as_chunks().0.to_vec()
}

/// The structures whose outcomes the store holds.
fn durable(store: &Path) -> HashSet<[u8; HASH]> {
    let Ok(connection) = rusqlite::Connection::open(store) else { return HashSet::new() };
    let Ok(mut statement) = connection.prepare("SELECT structural_hash FROM evaluations") else {
        return HashSet::new();
    };
    let rows = statement.query_map([], |row| row.get(0)).expect("the table is there");
    rows.map(|row| row.expect("it is a hash")).collect()
}

/// Starts the victim and kills it once it has evaluated so many programs, or lets it come to its
/// end.
fn run_victim(directory: &Path, threads: usize, kill_at: Option<usize>) {
    let binary = std::env::current_exe().expect("this test is a file");
    let mut victim = Command::new(binary)
        .args(["kill::victim", "--exact", "--ignored", "--quiet"])
        .env(DIRECTORY, directory)
        .env(THREADS, threads.to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("this test can run itself");
    let log = directory.join("log");
    loop {
        if let Some(status) = victim.try_wait().expect("it can be watched") {
            assert!(status.success(), "{status}");
            return;
        }
        let size = std::fs::metadata(&log).map_or(0, |log| log.len() as usize);
        if kill_at.is_some_and(|kill_at| size >= HASH * kill_at) {
            victim.kill().expect("it can be killed");
            victim.wait().expect("it is dead");
            return;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
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
        let (log, store) = (directory.path().join("log"), directory.path().join("run.db"));
        let mut rng = Seed(threads as u64).stream("instants", 0);
        let mut instants: Vec<usize> =
            (0..KILLS).map(|_| rng.random_range(1..evaluations)).collect();
        instants.sort_unstable();
        let mut checkpoints = Vec::new();
        for instant in instants {
            run_victim(directory.path(), threads, Some(instant));
            checkpoints.push((evaluated(&log).len(), durable(&store)));
        }
        run_victim(directory.path(), threads, None);
        let digest = std::fs::read_to_string(directory.path().join("digest"));
        assert_eq!(digest.expect("it came to its end"), alone.digest().to_string(), "{threads}");
        let log = evaluated(&log);
        for (from, durable) in checkpoints {
            let again = log[from..].iter().filter(|hash| durable.contains(*hash)).count();
            assert_eq!(again, 0, "{threads}: evaluations in the store were repeated");
        }
        assert_eq!(durable(&store).len(), evaluations, "{threads}: evaluations were lost");
        // What was under way at a kill: at most the window.
        assert!(log.len() <= evaluations + KILLS * 65, "{threads}: {} of {evaluations}", log.len());
    }
}
