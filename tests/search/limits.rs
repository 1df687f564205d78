//! Limits across resumptions: one that was reached holds, one that was raised goes on as if it had
//! always been there, and nothing that is stored is ever lost.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use evo_domain::{DependsOn, Evaluator, Outcome, Score, Trial};
use evo_dsl::{MutationConfig, Optimizers, Program};
use evo_hashes::{Hash, Seed};
use evo_search::{
    Evaluators, HeldOutConfig, RunOptions, StopReason, Stopping, Store, run, run_with,
};
use tempfile::TempDir;

use crate::driver::{ONLY_SWAPS, Search, SearchConfig, behaviour, hasher, new_search};
use crate::held_out::{Elsewhere, elsewhere};
use crate::quadratic;

/// Cheap, and a function of what the program does; fails at one in seven.
struct Hashed;

impl Evaluator<Program> for Hashed {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| outcome(trial.program)).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

fn outcome(program: &Program) -> Outcome {
    let hash = behaviour(program).0;
    if hash[8].is_multiple_of(7) {
        return Outcome::Failed { message: "out of memory".to_owned() };
    }
    let bits = u64::from_le_bytes(hash[..8].try_into().expect("eight bytes"));
    Outcome::Scored(Score::new(bits as f64 / u64::MAX as f64, vec![]))
}

/// What a run has beside its limits.
#[derive(Clone, Copy, Debug)]
struct Setting {
    window: u64,
    held_out: Option<u64>,
}

/// With nothing held out.
fn plain(window: u64) -> Setting {
    Setting { window, held_out: None }
}

fn config(setting: Setting, stopping: Stopping) -> SearchConfig {
    let text = "(strategy: RegularizedEvolution(population: 50, tournament: 3),
        mutation: (max_statements: 12), restarts: (plateau: Some(200)), stopping: (seconds: 1))";
    let options =
        ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let config: SearchConfig = options.from_str(text).expect("the text is a configuration");
    let held_out = HeldOutConfig { every: setting.held_out };
    SearchConfig { window: setting.window, held_out, stopping, ..config }
}

fn search(setting: Setting, stopping: Stopping) -> Search {
    let search = new_search(&config(setting, stopping), Seed(1), quadratic::start(), hasher());
    search.expect("the settings are valid")
}

fn stored(setting: Setting, stopping: Stopping, path: &Path) -> Search {
    let store = if path.exists() {
        Store::open(path, &Optimizers::default())
    } else {
        Store::create(path, &[])
    };
    let store = store.expect("the store is sound and free");
    search(setting, stopping).with_store(store).expect("the store fits the search")
}

/// What a run came to.
#[derive(Debug, PartialEq)]
struct End {
    births: u64,
    reason: StopReason,
    digest: Hash,
}

fn end(mut search: Search) -> End {
    let options = RunOptions { threads: NonZeroUsize::MIN, ..RunOptions::default() };
    let evaluators = Evaluators { search: &Hashed, held_out: Some(&Elsewhere) };
    let reason = run_with(&mut search, evaluators, &mut (), &options).expect("the store works");
    assert!(search.is_finished());
    End { births: search.counters().births, reason, digest: search.digest() }
}

/// Every row of candidates, evaluations and held-out points.
fn rows(path: &Path) -> Vec<(i64, i64)> {
    let connection = rusqlite::Connection::open(path).expect("it is a store");
    let query = "SELECT birth, checksum FROM candidates UNION ALL
        SELECT birth, checksum FROM evaluations UNION ALL
        SELECT absorbed, checksum FROM held_out";
    let mut statement = connection.prepare(query).expect("the tables are there");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("they can be read").map(|row| row.expect("they are numbers")).collect()
}

/// Every limit, low and high, alone and with another; the counts are near `base`.
fn limits(base: u64, setting: Setting) -> Vec<Stopping> {
    let none = Stopping { failures: None, ..Stopping::default() };
    let far = Stopping { candidates: Some(2 * base), ..none };
    let (low, high) = (base, base + base / 5);
    let mut limits = vec![
        Stopping { candidates: Some(low), ..none },
        Stopping { candidates: Some(high), ..none },
        Stopping { evaluations: Some(low / 2), ..none },
        Stopping { evaluations: Some(high / 2), ..none },
        Stopping { fitness: Some(1.0 - 3.0 / base as f64), ..far },
        Stopping { fitness: Some(1.0 - 1.0 / base as f64), ..far },
        Stopping { failures: Some(low / 15), ..far },
        Stopping { failures: Some(high / 15), ..far },
        Stopping { candidates: Some(high), evaluations: Some(low / 2), ..none },
        Stopping { candidates: Some(low), fitness: Some(1.0 - 1.0 / base as f64), ..none },
        Stopping { evaluations: Some(high / 2), failures: Some(low / 15), ..none },
        Stopping { candidates: Some(low), seconds: Some(1e9), ..none },
    ];
    if setting.held_out.is_some() {
        let patience = |points| Stopping { held_out: Some(points), ..far };
        limits.extend([1, 2, 4, 7].map(patience));
        limits.push(Stopping { candidates: Some(low), ..patience(3) });
    }
    limits
}

/// A run whose seconds were used up after so many births or some more, and that was killed then:
/// what was in flight is not in its store. Gives its limit and the births.
fn used_up(path: &Path, setting: Setting, births: u64) -> (Stopping, u64) {
    let stopping = Stopping { seconds: Some(3.0), failures: None, ..Stopping::default() };
    let mut search = stored(setting, stopping, path);
    let mut in_flight = Vec::new();
    while search.counters().births < births {
        match search.ask().expect("the store works") {
            Some(candidate) => in_flight.push(candidate),
            None => {
                let told = in_flight.remove(0);
                let outcome = match told.held_out {
                    true => elsewhere(&told.program),
                    false => outcome(&told.program),
                };
                search.tell(told.birth, outcome).expect("it is in flight");
            }
        }
    }
    search.commit(3.5).expect("the store works");
    (stopping, search.counters().births)
}

/// Whether a reason is one of these limits.
fn is_of(reason: StopReason, limits: &Stopping) -> bool {
    match reason {
        StopReason::Candidates(limit) => limits.candidates == Some(limit),
        StopReason::Evaluations(limit) => limits.evaluations == Some(limit),
        StopReason::Failures(limit) => limits.failures == Some(limit),
        StopReason::HeldOut(limit) => limits.held_out == Some(limit),
        StopReason::HeldOutFitness(fitness) => {
            limits.held_out_fitness.is_some_and(|limit| fitness >= limit)
        }
        StopReason::Seconds(limit) => limits.seconds == Some(limit),
        StopReason::Fitness(fitness) => limits.fitness.is_some_and(|limit| fitness >= limit),
        _ => false,
    }
}

/// Runs to each limit, resumes with each other, and compares with runs that had it from the start.
fn every_limit_after_every_other(setting: Setting, base: u64) {
    let limits = limits(base, setting);
    let whole: Vec<End> = limits.iter().map(|limit| end(search(setting, *limit))).collect();
    let ended = |end: &&End| matches!(end.reason, StopReason::HeldOut(_));
    assert_eq!(whole.iter().filter(ended).count() > 2, setting.held_out.is_some());
    let scratch = TempDir::new().expect("there is room");
    let store = |name: String| scratch.path().join(name).join("run.db");
    let place = |name: String| -> PathBuf {
        let path = store(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("there is room");
        path
    };
    let mut begun = Vec::new();
    for (index, (limit, whole)) in limits.iter().zip(&whole).enumerate() {
        let path = place(format!("first{index}"));
        assert_eq!(end(stored(setting, *limit, &path)), *whole, "{limit:?}");
        begun.push((*limit, path, whole.births));
    }
    let path = place("seconds".to_owned());
    let (limit, births) = used_up(&path, setting, base);
    begun.push((limit, path, births));
    for (first, path, births) in &begun {
        let before = rows(path);
        for (second, whole) in limits.iter().zip(&whole) {
            let again = place("again".to_owned());
            std::fs::copy(path, &again).expect("there is room");
            let resumed = end(stored(setting, *second, &again));
            let what = format!("{setting:?}: {first:?}, then {second:?}");
            if whole.births >= *births {
                assert_eq!(resumed, *whole, "{what}");
            } else {
                assert_eq!(resumed.births, *births, "{what}");
                assert!(is_of(resumed.reason, second), "{what}: {}", resumed.reason);
            }
            let after = rows(&again);
            assert!(before.iter().all(|row| after.contains(row)), "{what}: rows are gone");
            assert_eq!(end(stored(setting, *second, &again)), resumed, "{what}, and again");
        }
    }
}

#[test]
fn a_limit_that_was_reached_holds_and_a_raised_one_goes_on_as_if_it_had_always_been_there() {
    for window in [0, 1, 64] {
        every_limit_after_every_other(plain(window), 400);
    }
}

#[test]
fn limits_hold_and_are_raised_and_lowered_where_incumbents_are_evaluated_on_what_is_held_out() {
    for (window, every) in [(1, 25), (64, 100)] {
        every_limit_after_every_other(Setting { window, held_out: Some(every) }, 400);
    }
}

#[test]
fn limits_hold_and_are_raised_behind_a_snapshot_too() {
    let far = |candidates| Stopping { candidates: Some(candidates), ..Stopping::default() };
    let far = |candidates| Stopping { failures: None, ..far(candidates) };
    for setting in [0, 64].map(plain) {
        let scratch = TempDir::new().expect("there is room");
        let path = scratch.path().join("run.db");
        let first = end(stored(setting, far(10_500), &path));
        let next = [
            far(10_500),
            Stopping { evaluations: Some(100), ..far(20_000) },
            Stopping { fitness: Some(0.5), ..far(20_000) },
            Stopping { failures: Some(3), ..far(20_000) },
            far(300),
        ];
        for second in next {
            let again = scratch.path().join("again.db");
            std::fs::copy(&path, &again).expect("there is room");
            let resumed = end(stored(setting, second, &again));
            assert_eq!((resumed.births, resumed.digest), (10_500, first.digest), "{second:?}");
        }
        let resumed = end(stored(setting, far(11_000), &path));
        assert_eq!(resumed, end(search(setting, far(11_000))));
    }
}

#[test]
fn seconds_that_are_used_up_keep_what_was_found_and_evaluate_what_was_bred() {
    let none = Stopping { failures: None, ..Stopping::default() };
    for setting in [0, 1, 64].map(plain) {
        // Without another limit, with one that has been reached, and with one that has not.
        for more in [None, Some(0), Some(700)] {
            let scratch = TempDir::new().expect("there is room");
            let path = scratch.path().join("run.db");
            let (timed, births) = used_up(&path, setting, 300);
            let stopping = Stopping { candidates: more.map(|more| births + more), ..timed };
            let resumed = end(stored(setting, stopping, &path));
            let whole = end(search(setting, Stopping { candidates: Some(births), ..none }));
            assert_eq!((resumed.births, resumed.digest), (births, whole.digest), "{stopping:?}");
            let reason = if more == Some(0) { whole.reason } else { StopReason::Seconds(3.0) };
            assert_eq!(resumed.reason, reason, "{stopping:?}");
            // More time goes on as if there had never been a limit to it.
            let untimed = Stopping { candidates: Some(1_000), ..none };
            let longer = Stopping { seconds: Some(1e9), ..untimed };
            let resumed = end(stored(setting, longer, &path));
            assert_eq!(resumed, end(search(setting, untimed)), "{stopping:?}");
        }
    }
}

#[test]
fn a_run_whose_candidates_an_earlier_version_dropped_is_bred_again_from_its_evaluations() {
    let scratch = TempDir::new().expect("there is room");
    let path = scratch.path().join("run.db");
    let (stopping, _) = used_up(&path, plain(16), 300);
    let connection = rusqlite::Connection::open(&path).expect("it is a store");
    let evaluated: u64 = connection
        .query_row("SELECT MAX(birth) + 1 FROM evaluations", [], |row| row.get::<_, i64>(0))
        .expect("there are evaluations") as u64;
    // Of the last version that has no seals, second parents and points.
    let earlier = "DELETE FROM candidates; DROP TABLE seals; DROP TABLE held_out;
        DROP VIEW individuals;
        ALTER TABLE candidates DROP COLUMN mate; PRAGMA user_version = 4";
    connection.execute_batch(earlier).expect("they are tables");
    drop(connection);
    assert_eq!(end(stored(plain(16), stopping, &path)).births, evaluated);
}

/// A search in which every child behaves like its parent: what it swaps changes nothing.
fn only_neutral(neutral_retries: u32, stopping: Stopping) -> Search {
    let start = "def train(w, g, lr):\n  a = g * 2.0\n  b = w * 2.0\n  x = a + b\n  return x\n";
    let weights = ONLY_SWAPS;
    let mutation = MutationConfig { weights, neutral_retries, ..MutationConfig::default() };
    let config = SearchConfig { mutation, ..config(plain(64), stopping) };
    let start = Program::parse(start).expect("the test's text parses");
    new_search(&config, Seed(1), start, hasher()).expect("the settings are valid")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it measures how long a run goes on")]
fn breeding_that_only_finds_duplicates_sees_the_time_limit_and_the_interrupt() {
    let stopping = Stopping { candidates: Some(u64::MAX), ..Stopping::default() };
    let started = std::time::Instant::now();
    let timed = Stopping { seconds: Some(0.2), ..stopping };
    let ended = end(only_neutral(1_000, timed));
    assert_eq!(ended.reason, StopReason::Seconds(0.2));
    assert!(ended.births > 1);
    let cancel = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(200));
            cancel.store(true, Ordering::Relaxed);
        });
        let options = RunOptions { cancel: Some(&cancel), ..RunOptions::default() };
        let mut search = only_neutral(1_000, stopping);
        let reason = run(&mut search, &Hashed, &mut (), &options).expect("there is no store");
        assert_eq!(reason, StopReason::Cancelled);
    });
    // A hundred thousand births of a thousand tries each, all of them, take minutes.
    assert!(started.elapsed().as_secs_f64() < 20.0, "{:?}", started.elapsed());
}

#[test]
fn counts_that_make_no_sense_are_refused_by_key() {
    let refused = |change: &dyn Fn(&mut SearchConfig), key: &str| {
        let mut config = config(plain(64), Stopping { candidates: Some(1), ..Stopping::default() });
        change(&mut config);
        let error = new_search(&config, Seed(1), quadratic::start(), hasher());
        let message = error.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(key) && message.contains("at most"), "{message:?}: {key}");
    };
    refused(&|it| it.mutation.neutral_retries = 1_001, "mutation.neutral_retries");
    refused(&|it| it.mutation.neutral_retries = u32::MAX, "mutation.neutral_retries");
    refused(&|it| it.mutation.max_statements = usize::MAX, "mutation.max_statements");
    refused(&|it| it.window = u64::MAX, "window");
    // Each is fine, and together they are not.
    let both = |it: &mut SearchConfig| {
        it.restarts = evo_search::Restarts::default();
        it.strategy = evo_search::StrategyConfig::RandomSearch { mutations: 1_000 };
        it.mutation.neutral_retries = 1_000;
    };
    refused(&both, "mutation.neutral_retries");
    let huge = usize::MAX.to_string();
    let strategies = [
        ("RandomSearch(mutations: HUGE)", "strategy.mutations"),
        ("OnePlusLambda(lambda: HUGE)", "strategy.lambda"),
        ("RegularizedEvolution(population: HUGE, tournament: 2)", "strategy.population"),
        ("ConstantTuning(population: 9, tournament: HUGE)", "strategy.tournament"),
        (
            "Islands(islands: HUGE, population: 5, tournament: 2, migration_every: 9, migrants: 1)",
            "strategy.islands",
        ),
        (
            "Islands(islands: 2, population: 5, tournament: 2, migration_every: HUGE, migrants: 1)",
            "strategy.migration_every",
        ),
        (
            "Islands(islands: 2, population: 5, tournament: 2, migration_every: 9, migrants: HUGE)",
            "strategy.migrants",
        ),
    ];
    for (text, key) in strategies {
        let text = text.replace("HUGE", &huge);
        refused(&|it| it.strategy = ron::from_str(&text).expect("it is a strategy"), key);
    }
}
