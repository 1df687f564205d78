//! Held-out evaluation: whose the points are, when they are taken, and what follows from them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::Path;

use evo_domain::{DependsOn, Evaluator, Invalid, InvalidReason, Outcome, Trial};
use evo_dsl::{Optimizers, Program};
use evo_hashes::Seed;
use evo_search::{
    DeduplicationLevel, Evaluators, HeldOutPoint, RestartReason, RunOptions, StopReason, Store,
    run, run_with,
};
use rand::RngExt;
use tempfile::TempDir;

use crate::driver::{
    Candidate, Search, SearchConfig, behaviour, by_training, drive, hasher, new_search, result,
    scored,
};
use crate::quadratic::{self, Quadratic};

/// Another function of what a program does than its fitness; one in eight does not train, and at
/// one in eight the engine fails.
pub(crate) struct Elsewhere;

impl Evaluator<Program> for Elsewhere {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| elsewhere(trial.program)).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

pub(crate) fn elsewhere(program: &Program) -> Outcome {
    let hash = behaviour(program).0;
    match hash[9] % 8 {
        0 => {
            let (reason, task) = (InvalidReason::Diverged, "another".to_owned());
            Outcome::Invalid(Invalid { reason, task, step: 1, stages: Vec::new() })
        }
        1 => Outcome::Failed { message: "out of memory".to_owned() },
        _ => scored(u64::from(hash[8]), 1),
    }
}

const BOTH: Evaluators<'static, Program> =
    Evaluators { search: &Quadratic, held_out: Some(&Elsewhere) };

fn config(window: u64, more: &str) -> SearchConfig {
    let text = format!(
        "(strategy: RegularizedEvolution(population: 20, tournament: 3), window: {window},
          mutation: (max_statements: 12), {more})"
    );
    ron::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn search(config: &SearchConfig) -> Search {
    let search = new_search(config, Seed(1), quadratic::start(), hasher());
    search.expect("the settings are valid")
}

fn stored(config: &SearchConfig, path: &Path) -> Search {
    let store = match path.exists() {
        true => Store::open(path, &Optimizers::default()),
        false => Store::create(path, &[]),
    };
    search(config).with_store(store.expect("the store works")).expect("it fits")
}

/// As both evaluators have it.
fn trained(candidate: &Candidate) -> Outcome {
    match candidate.held_out {
        true => elsewhere(&candidate.program),
        false => by_training(candidate),
    }
}

/// By birth alone: in the search `fitness`, and on what is held out `held_out`.
fn by_birth(
    fitness: impl Fn(u64) -> f64,
    held_out: impl Fn(u64) -> f64,
) -> impl Fn(&Candidate) -> Outcome {
    let outcome = |fitness| Outcome::Scored(evo_domain::Score::new(fitness, vec![]));
    move |candidate| match candidate.held_out {
        true => outcome(held_out(candidate.birth)),
        false => outcome(fitness(candidate.birth)),
    }
}

/// Every row of the table.
fn table(path: &Path) -> Vec<(i64, i64, i64, f64, Option<f64>)> {
    let connection = rusqlite::Connection::open(path).expect("it is a store");
    let query = "SELECT absorbed, evaluations, birth, fitness, held_out_fitness FROM held_out
        ORDER BY absorbed";
    let mut statement = connection.prepare(query).expect("it has the table");
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
    rows.expect("it can be read").map(|row| row.expect("it is a row")).collect()
}

fn of_points(points: &[HeldOutPoint]) -> Vec<(i64, i64, i64, f64, Option<f64>)> {
    let row = |it: &HeldOutPoint| {
        let counts = [it.absorbed, it.evaluations, it.birth].map(|count| count as i64);
        (counts[0], counts[1], counts[2], it.fitness, it.held_out_fitness)
    };
    points.iter().map(row).collect()
}

#[test]
fn points_are_those_of_the_fittest_whatever_the_window_and_the_order_and_each_is_evaluated_once() {
    let (fitness, held_out) = (|birth| scored(birth, 3).fitness(), |birth| -(birth as f64));
    for window in [0, 1, 16, 99] {
        for order in 0..4 {
            let more = "deduplication: (level: Off), held_out: (every: Some(50)),
                stopping: (candidates: Some(520))";
            let mut search = search(&config(window, more));
            let asked = drive(&mut search, order, by_birth(fitness, held_out));
            let fittest = |births: u64| {
                (0..births).reduce(|a, b| if fitness(b) > fitness(a) { b } else { a })
            };
            let expected = (1..=10).map(|point| {
                let birth = fittest(50 * point).expect("there are births");
                (
                    50 * point as i64,
                    50 * point as i64,
                    birth as i64,
                    fitness(birth),
                    Some(held_out(birth)),
                )
            });
            let points = search.held_out().points();
            assert_eq!(of_points(points), expected.collect::<Vec<_>>(), "{window} {order}");
            let incumbents: BTreeSet<u64> = points.iter().map(|point| point.birth).collect();
            let judged: Vec<u64> =
                asked.iter().filter(|it| it.held_out).map(|it| it.birth).collect();
            assert!(judged.iter().copied().eq(incumbents), "{judged:?}");
            let best = search.held_out().best().expect("there are points");
            assert_eq!(best.birth, judged[0], "held out, the first is the best here");
        }
    }
}

#[test]
fn looking_on_changes_nothing_that_is_bred_and_the_incumbent_is_the_best_of_the_run() {
    let more = "stopping: (candidates: Some(1500))";
    let mut without = search(&config(16, more));
    drive(&mut without, 1, by_training);
    let mut with = search(&config(16, &format!("held_out: (every: Some(100)), {more}")));
    drive(&mut with, 2, trained);
    assert_eq!(result(&with), result(&without));
    let last = with.held_out().points().last().expect("there are points");
    assert_eq!(last.absorbed, 1_500);
    assert_eq!(last.birth, with.best().expect("there is one").individual.birth);
    let counters = with.counters();
    let evaluated = counters.scored + counters.invalid;
    assert_eq!(last.evaluations, evaluated);
    assert!(without.held_out().points().is_empty() && !without.holds_out());
}

#[test]
fn threads_and_cohorts_change_neither_the_curve_nor_what_follows_from_it() {
    for more in [
        "stopping: (candidates: Some(2000))",
        "stopping: (candidates: Some(2000), held_out: Some(6))",
        "restarts: (held_out: Some(3)), stopping: (candidates: Some(2000), held_out: Some(20))",
        "restarts: (from: Best, held_out: Some(3), plateau: Some(150)),
         stopping: (candidates: Some(2000))",
        "restarts: (every: Some(130), held_out: Some(2)), deduplication: (recheck: 0.2),
         stopping: (evaluations: Some(700))",
    ] {
        let config = config(32, &format!("held_out: (every: Some(30)), {more}"));
        let outcome = |threads, cohort| {
            let count = |count| NonZeroUsize::new(count).expect("the test uses one or more");
            let options =
                RunOptions { threads: count(threads), cohort: count(cohort), cancel: None };
            let mut search = search(&config);
            let reason = run_with(&mut search, BOTH, &mut (), &options).expect("it runs");
            let restarts: Vec<u64> = search.restarts().iter().map(|it| it.birth).collect();
            (reason, search.digest(), search.held_out().points().to_vec(), restarts)
        };
        let alone = outcome(1, 1);
        assert!(alone.2.len() > 6, "{more}: {alone:?}");
        for (threads, cohort) in [(2, 1), (8, 1), (2, 5), (8, 100)] {
            assert_eq!(outcome(threads, cohort), alone, "{threads} threads, {cohort}: {more}");
        }
        for order in 0..3 {
            let mut search = search(&config);
            drive(&mut search, order, trained);
            assert_eq!(search.digest(), alone.1, "order {order}: {more}");
        }
    }
}

#[test]
fn a_run_ends_a_window_behind_the_point_at_which_patience_is_over() {
    // On what is held out the best is that of the third point: four more bring nothing.
    let held_out = |birth: u64| -(birth.abs_diff(149) as f64);
    for window in [0, 1, 16, 99] {
        for order in 0..3 {
            let more = "deduplication: (level: Off), held_out: (every: Some(50)),
                stopping: (candidates: Some(5000), held_out: Some(4))";
            let mut search = search(&config(window, more));
            let asked = drive(&mut search, order, by_birth(|birth| birth as f64, held_out));
            assert_eq!(search.stop_reason(), Some(StopReason::HeldOut(4)));
            assert_eq!(search.counters().births, 7 * 50 + window);
            // What was bred is absorbed, and points fall due there too.
            let points = 7 + window / 50;
            assert_eq!(search.held_out().points().len() as u64, points);
            assert_eq!(asked.len() as u64, 7 * 50 + window + points);
            assert_eq!(search.held_out().best().map(|it| it.birth), Some(149));
            let reason = search.stop_reason().expect("it ended").to_string();
            assert_eq!(reason, "4 held-out points in a row brought no new best there");
        }
    }
}

#[test]
fn a_restart_comes_a_window_behind_the_point_and_begins_with_an_incumbent_of_its_own() {
    for (from, carried) in [("Start", 0), ("Best", 199)] {
        for order in 0..3 {
            let more = format!(
                "deduplication: (level: Off), held_out: (every: Some(50)),
                 restarts: (from: {from}, held_out: Some(2)), stopping: (candidates: Some(520))"
            );
            let mut search = search(&config(16, &more));
            // Fitter and fitter up to the first restart, and then no more.
            let fitness = |birth: u64| birth.min(199) as f64 - (birth / 216) as f64 * 150.0;
            let asked = drive(&mut search, order, by_birth(fitness, |birth| (birth == 99).into()));
            let restarts: Vec<_> = search.restarts().iter().collect();
            let found: Vec<_> = restarts.iter().map(|it| (it.birth, it.reason)).collect();
            // The points behind 100, 150 and 200 are of 99, 149 and 199.
            assert_eq!(found[0], (216, RestartReason::HeldOut(2)), "{from}");
            assert_eq!(restarts[0].carried.birth, carried, "{from}");
            let births: Vec<u64> = search.held_out().points().iter().map(|it| it.birth).collect();
            assert_eq!(births[..4], [49, 99, 149, 199]);
            match from {
                // Those bred since beat the start, and nothing that was found before.
                "Start" => assert!(births[4..].iter().all(|birth| *birth >= 216), "{births:?}"),
                _ => assert!(births[4..].iter().all(|birth| *birth == 199), "{births:?}"),
            }
            let judged = asked.iter().filter(|it| it.held_out).count();
            let unique: BTreeSet<u64> = births.iter().copied().collect();
            assert_eq!(judged, unique.len(), "{from}");
            assert_eq!(search.best().map(|it| it.individual.birth), Some(199));
        }
    }
}

#[test]
fn an_incumbent_is_asked_as_soon_as_it_is_known_and_only_the_birth_that_follows_waits_for_it() {
    let more = "deduplication: (level: Off), held_out: (every: Some(50)),
        stopping: (candidates: Some(400))";
    let mut search = search(&config(32, more));
    let outcome = by_birth(|birth| birth as f64, |birth| birth as f64);
    let mut asked = BTreeMap::new();
    let ask = |search: &mut Search| search.ask().expect("there is no store");
    // One after another, and no incumbent is told.
    while let Some(candidate) = ask(&mut search) {
        if candidate.held_out {
            asked.insert(candidate.birth, search.counters().births);
        } else {
            search.tell(candidate.birth, outcome(&candidate)).expect("it is in flight");
        }
    }
    // It goes on beside a whole window of others.
    assert_eq!(asked, BTreeMap::from([(49, 50)]));
    assert_eq!((search.counters().births, search.counters().absorbed), (82, 49));
    assert_eq!((search.in_flight(), search.held_out().points().len()), (1, 0));
    assert!(search.tell(48, scored(0, 0)).is_err(), "another birth is not awaited");
    search.tell(49, scored(0, 0)).expect("it is in flight");
    assert!(search.tell(49, scored(0, 0)).is_err(), "it has been told");
    assert_eq!(search.in_flight(), 0);
    assert_eq!(ask(&mut search).map(|it| (it.birth, it.held_out)), Some((82, false)));
    assert_eq!(search.held_out().points().len(), 1);
}

#[test]
fn a_failure_counts_for_nothing_and_the_next_point_evaluates_the_same_again() {
    let more = "deduplication: (level: Off), held_out: (every: Some(20)),
        stopping: (candidates: Some(200), held_out: Some(3), failures: Some(1))";
    let config = config(8, more);
    let directory = TempDir::new().expect("there is room");
    let path = directory.path().join("run.db");
    let mut failed = 0;
    let outcome = |candidate: &Candidate, failed: &mut u64| match candidate.held_out {
        // The fittest is birth 0, and the engine fails at it five times.
        true if *failed < 5 => {
            *failed += 1;
            Outcome::Failed { message: "no luck".to_owned() }
        }
        _ => scored(0, 0),
    };
    let mut search = stored(&config, &path);
    drive(&mut search, 1, |candidate| outcome(candidate, &mut failed));
    search.commit(1.0).expect("the store works");
    let points = search.held_out().points().to_vec();
    assert!(points.iter().all(|it| it.birth == 0));
    assert!(points.iter().map(|it| it.failed).eq((0..points.len()).map(|index| index < 5)));
    // The sixth is the first with a value, and three more end the run.
    assert_eq!((points.len(), search.stop_reason()), (9, Some(StopReason::HeldOut(3))));
    let digest = search.digest();
    drop(search);
    let mut again = stored(&config, &path);
    let asked = drive(&mut again, 2, |_| unreachable!("all of it is in the store"));
    assert!(asked.is_empty());
    assert_eq!((again.digest(), again.held_out().points()), (digest, &points[..]));
}

/// Drives until so many outcomes were told, commits now and then, and drops everything; gives what
/// was durable, or `None` when the search has ended.
fn interrupted(mut search: Search, tells: usize, order: u64) -> Option<BTreeSet<(bool, u64)>> {
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
        search.tell(candidate.birth, trained(&candidate)).expect("the store works");
        // Where the engine failed, the same incumbent is asked again for the next point.
        if !matches!(trained(&candidate), Outcome::Failed { .. }) {
            told.insert((candidate.held_out, candidate.birth));
        }
        if rng.random_bool(0.3) {
            search.commit(1.0).expect("the store works");
            durable.clone_from(&told);
        }
    }
    Some(durable)
}

#[test]
fn a_run_interrupted_anywhere_ends_with_the_same_table_and_evaluates_nothing_again() {
    // The last of them are resumed from a snapshot.
    for (every, candidates, more) in [
        (20, 1_500, "restarts: (held_out: Some(4))"),
        (20, 1_500, "restarts: (from: Best, plateau: Some(100), held_out: Some(4))"),
        (90, 12_000, "restarts: (held_out: Some(5))"),
        (90, 30_000, "deduplication: (recheck: 0.3)"),
    ] {
        let more = format!(
            "held_out: (every: Some({every})), {more},
             stopping: (candidates: Some({candidates}), held_out: Some(200))"
        );
        let config = config(16, &more);
        let mut whole = search(&config);
        drive(&mut whole, 0, trained);
        let directory = TempDir::new().expect("there is room");
        let path = directory.path().join("run.db");
        let (mut durable, mut rng) = (BTreeSet::new(), Seed(5).stream("tells", 0));
        let most = whole.counters().evaluations as usize / 10;
        for order in 0..12 {
            let search = stored(&config, &path);
            match interrupted(search, rng.random_range(1..most), order) {
                None => break,
                Some(told) => {
                    assert!(told.is_disjoint(&durable), "{more}: evaluated again");
                    durable.extend(told);
                }
            }
        }
        assert!(durable.iter().any(|(held_out, _)| *held_out), "{more}");
        let mut search = stored(&config, &path);
        let asked = drive(&mut search, 9, trained);
        assert!(asked.iter().all(|it| !durable.contains(&(it.held_out, it.birth))), "{more}");
        search.commit(1.0).expect("the store works");
        assert_eq!(search.digest(), whole.digest(), "{more}");
        drop(search);
        assert_eq!(table(&path), of_points(whole.held_out().points()), "{more}");
        let mut again = stored(&config, &path);
        assert!(drive(&mut again, 1, |_| unreachable!("all is in the store")).is_empty());
        assert_eq!(again.digest(), whole.digest(), "{more}");
    }
}

#[test]
fn a_restart_that_is_due_after_the_end_takes_place_where_the_run_goes_on() {
    // A point behind it is not that of the run that goes on, and is not taken before.
    for window in [16, 80] {
        let more = |candidates: u64| {
            format!(
                "held_out: (every: Some(20)), restarts: (plateau: Some(60), held_out: Some(2)),
                 stopping: (candidates: Some({candidates}))"
            )
        };
        let whole = |candidates| {
            let mut search = search(&config(window, &more(candidates)));
            drive(&mut search, 0, trained);
            (search.digest(), of_points(search.held_out().points()))
        };
        for first in (100..400).step_by(13) {
            let directory = TempDir::new().expect("there is room");
            let path = directory.path().join("run.db");
            for candidates in [first, first + 7, 600] {
                let mut search = stored(&config(window, &more(candidates)), &path);
                drive(&mut search, 1, trained);
                search.commit(1.0).expect("the store works");
                let found = (search.digest(), table(&path));
                assert_eq!(found, whole(candidates), "{window}: {first}, then {candidates}");
            }
        }
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_by_key_and_so_is_a_run_without_an_evaluator() {
    for (more, key, words) in [
        ("held_out: (every: Some(0))", "held_out.every", "1 or more"),
        ("restarts: (held_out: Some(3))", "restarts.held_out", "without `held_out.every`"),
        (
            "held_out: (every: Some(9)), restarts: (held_out: Some(0))",
            "restarts.held_out",
            "1 or more",
        ),
    ] {
        let config = config(8, &format!("{more}, stopping: (candidates: Some(9))"));
        let refused = new_search(&config, Seed(1), quadratic::start(), hasher()).err();
        let message = refused.map(|error| error.to_string()).unwrap_or_default();
        assert!(message.starts_with(key) && message.contains(words), "{message}");
    }
    let mut alone = config(8, "stopping: (candidates: Some(9), held_out: Some(3))");
    let refused = new_search(&alone, Seed(1), quadratic::start(), hasher()).err();
    let message = refused.map(|error| error.to_string()).unwrap_or_default();
    assert!(message.contains("stopping.held_out"), "{message}");
    alone.held_out.every = Some(5);
    alone.deduplication = DeduplicationLevel::Structural.into();
    let refused = run(&mut search(&alone), &Quadratic, &mut (), &RunOptions::default());
    let message = refused.expect_err("nobody is there to ask").to_string();
    assert!(message.contains("held_out.every"), "{message}");
}
