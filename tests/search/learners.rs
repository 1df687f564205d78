//! Searches of learners, and stores without rows for births.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::Path;
use std::sync::{Arc, Mutex};

use evo_domain::{Domain as _, Evaluator, Trial};
use evo_dsl::{LearnerFunctionConfig, LearnerMemory, LearnerMutation, LearnerProgram, Learners};
use evo_evaluators::{LearnerConfig, LearnerJudges, LearnerProblem, LearnerSet};
use evo_hashes::Seed;
use evo_search::{
    Evaluators, Keep, RunOptions, Search, SearchConfig, SearchError, StopReason, Stopping, Store,
    StrategyConfig, run_with,
};
use tempfile::TempDir;

/// Linear tasks, short ones.
pub(crate) fn judges() -> LearnerJudges {
    let size = |size: usize| NonZeroUsize::new(size).expect("it is above 0");
    let set = |tasks, examples| LearnerSet {
        tasks: size(tasks),
        examples: size(examples),
        validation: size(10),
        epochs: size(1),
    };
    let config = LearnerConfig {
        problem: LearnerProblem::Linear,
        features: size(4),
        search: set(8, 20),
        select: set(16, 100),
        last: set(8, 100),
        most_error: 100.0,
        data_seed: 0,
    };
    LearnerJudges::new(&config, Path::new("")).expect("the configuration is sound")
}

/// Learners of the ops that linear models are made of.
pub(crate) fn domain(judges: &LearnerJudges) -> Learners {
    let ops = [
        "scalar_const_set",
        "vector_inner_product",
        "scalar_diff",
        "scalar_product",
        "scalar_vector_product",
        "vector_sum",
    ];
    let function = |least, most| {
        let ops = Some(ops.map(str::to_owned).to_vec());
        LearnerFunctionConfig { ops, least, most, start: None }
    };
    let mutation = LearnerMutation {
        memory: LearnerMemory { scalars: 4, vectors: 3, matrices: 1 },
        setup: function(2, 6),
        predict: function(1, 3),
        learn: function(2, 8),
        ..LearnerMutation::default()
    };
    Learners::new(&mutation, judges.search.tasks().clone()).expect("the settings are sound")
}

pub(crate) fn starts(domain: &Learners, count: u64) -> Vec<LearnerProgram> {
    let streams = Seed(3).purpose("random start");
    (0..count).map(|index| domain.mutator().random(&mut streams.stream(index))).collect()
}

const BIRTHS: u64 = 250_000;

fn config(keep: Keep) -> SearchConfig {
    let mut config: SearchConfig = SearchConfig::new(
        StrategyConfig::RegularizedEvolution { population: 100, tournament: 10 },
        Stopping { candidates: Some(BIRTHS), ..Stopping::default() },
    );
    (config.window, config.keep) = (128, keep);
    (config.held_out.every, config.restarts.every) = (Some(5_000), Some(60_000));
    config
}

/// A search without rows, at the end of which there is a snapshot or two.
fn search(path: &Path, judges: &LearnerJudges, seed: u64) -> Search<Learners> {
    search_of(&config(Keep::Snapshots), path, judges, seed)
}

fn search_of(
    config: &SearchConfig,
    path: &Path,
    judges: &LearnerJudges,
    seed: u64,
) -> Search<Learners> {
    let domain = domain(judges);
    let starts = starts(&domain, 100);
    let search = Search::from_starts(config, Seed(seed), domain.clone(), starts);
    let store = match path.exists() {
        true => Store::open(path, &domain),
        false => Store::create(path, &[]),
    };
    let search = search.expect("the settings are valid");
    search.with_store(store.expect("the store is sound")).expect("the store fits")
}

fn run(search: &mut Search<Learners>, judges: &LearnerJudges, threads: usize) -> String {
    let threads = NonZeroUsize::new(threads).expect("one or more");
    let options = RunOptions { threads, ..RunOptions::default() };
    let evaluators = Evaluators { search: &judges.search, held_out: Some(&judges.select) };
    run_with(search, evaluators, &mut (), &options).expect("the store works");
    assert_eq!(search.counters().births, BIRTHS);
    let rechecks = search.deduplication().recheck > 0.0;
    assert!(search.counters().functional_hits > 0 && (search.counters().rechecked > 0) == rechecks);
    search.digest().to_string()
}

#[test]
fn without_rows_threads_and_deaths_change_nothing() {
    let (judges, scratch) = (judges(), TempDir::new().expect("there is room"));
    let path = |name: &str| scratch.path().join(name);
    // One seed would pass by luck: what is wrong at a snapshot shows in some runs only.
    for seed in 8..12 {
        let name = |threads: usize| path(&format!("{seed}-{threads}.db"));
        let [one, two] = [1, 2].map(|it| run(&mut search(&name(it), &judges, seed), &judges, it));
        assert_eq!(one, two, "{seed}");
    }
    let whole = run(&mut search(&path("whole.db"), &judges, 7), &judges, 1);
    for threads in [2, 8] {
        let name = format!("{threads}.db");
        let found = run(&mut search(&path(&name), &judges, 7), &judges, threads);
        assert_eq!(found, whole, "{threads}");
    }
    let killed = path("killed.db");
    die_again_and_again(&config(Keep::Snapshots), &killed, &judges);
    assert_eq!(run(&mut search(&killed, &judges, 7), &judges, 2), whole);
    let size = std::fs::metadata(&killed).expect("it is there").len();
    assert!(size < 1 << 20, "{size} bytes");
}

/// A search under a policy that counts, remembers and draws.
#[test]
fn without_rows_threads_and_deaths_change_nothing_under_a_policy() {
    let (judges, scratch) = (judges(), TempDir::new().expect("there is room"));
    let path = |name: &str| scratch.path().join(name);
    let mut config = config(Keep::Snapshots);
    let policy = "(aggregate: 3, refresh: true, forget: 0.01, forget_every: Some(40), \
                  recheck: 0.0, tabu: (last: Some(50), retries: 2))";
    config.deduplication = ron::from_str(policy).expect("it is a policy");
    config.noise.sd = 0.01;
    let search = |name: &str| search_of(&config, &path(name), &judges, 7);
    let whole = run(&mut search("whole.db"), &judges, 1);
    assert_eq!(run(&mut search("two.db"), &judges, 2), whole);
    die_again_and_again(&config, &path("killed.db"), &judges);
    assert_eq!(run(&mut search("killed.db"), &judges, 2), whole);
}

/// Told in whatever order, and dropped without a word, before and behind snapshots.
fn die_again_and_again(config: &SearchConfig, path: &Path, judges: &LearnerJudges) {
    for births in [60_000, 130_000, 199_000, 220_000] {
        let mut search = search_of(config, path, judges, 7);
        let behind = search.counters().births;
        assert!(behind < births && behind.is_multiple_of(100_000), "{behind}");
        let mut in_flight = Vec::new();
        while search.counters().births < births {
            match search.ask().expect("the store works") {
                Some(candidate) => in_flight.push(candidate),
                None => {
                    let told = in_flight.pop().expect("something is in flight");
                    let evaluator = if told.held_out { &judges.select } else { &judges.search };
                    let outcome = evaluator.evaluate(&[told.trial()]).remove(0);
                    search.tell(told.birth, outcome).expect("it is in flight");
                }
            }
        }
        search.commit(1.0).expect("the store works");
    }
}

#[test]
fn every_birth_is_shown_once_and_in_order_on_any_threads() {
    let judges = judges();
    let shown = |threads: usize| {
        let scratch = TempDir::new().expect("there is room");
        let births = Arc::new(Mutex::new(Vec::new()));
        let watching = Arc::clone(&births);
        let search = search(&scratch.path().join("run.db"), &judges, 5);
        let mut search = search.watched_by(Box::new(move |it| {
            let (parent, fitness) = (it.parent, it.fitness.to_bits());
            let mut births = watching.lock().expect("nobody panics");
            births.push((it.birth, parent, it.mutation, it.evaluation, fitness));
        }));
        run(&mut search, &judges, threads);
        std::mem::take(&mut *births.lock().expect("nobody panics"))
    };
    let one = shown(1);
    assert!((0..BIRTHS).eq(one.iter().map(|it| it.0)));
    assert!(one.iter().all(|it| it.1.is_none() == (it.0 < 100) && it.1 < Some(it.0)));
    assert_eq!(shown(8), one);
}

#[test]
fn settings_that_need_rows_are_refused_without_them() {
    let refused = |change: &dyn Fn(&mut SearchConfig)| {
        let mut config = config(Keep::Snapshots);
        change(&mut config);
        let (judges, start) = (judges(), LearnerProgram::empty());
        match Search::new(&config, Seed(0), domain(&judges), start) {
            Err(SearchError::Config { key, .. }) => key,
            other => panic!("{:?}", other.map(|search| search.counters().births)),
        }
    };
    assert_eq!(refused(&|it| it.window = 5_000), "window");
    assert_eq!(refused(&|it| it.hurdles.percentile = Some(50.0)), "keep");
    assert_eq!(refused(&|it| it.stopping.seconds = Some(9.0)), "stopping.seconds");
}

#[test]
fn without_rows_limits_below_what_was_reached_are_refused_and_the_best_elsewhere_is_kept() {
    let (judges, scratch) = (judges(), TempDir::new().expect("there is room"));
    let path = scratch.path().join("run.db");
    let limited = |stopping: Stopping| {
        let domain = domain(&judges);
        let config = SearchConfig { stopping, ..config(Keep::Snapshots) };
        let search = Search::from_starts(&config, Seed(7), domain.clone(), starts(&domain, 100));
        let store = match path.exists() {
            true => Store::open(&path, &domain),
            false => Store::create(&path, &[]),
        };
        search.expect("valid").with_store(store.expect("the store is sound"))
    };
    let to = |candidates| Stopping { candidates: Some(candidates), ..Stopping::default() };
    let evaluators = Evaluators { search: &judges.search, held_out: Some(&judges.select) };
    let mut search = limited(to(130_000)).expect("it begins");
    run_with(&mut search, evaluators, &mut (), &RunOptions::default()).expect("the store works");
    let best = *search.held_out().best().expect("there are points");
    let selected = search.selected().expect("somebody is the best").clone();
    assert_eq!(selected.birth, best.birth);
    let judged = judges.select.evaluate(&[Trial::of(&*selected.program)]).remove(0);
    assert_eq!(Some(judged.fitness()), best.held_out_fitness);
    let first = search.held_out().points()[0].held_out_fitness;
    search.save_summary().expect("the store works");
    search.commit(1.0).expect("the store works");
    drop(search);
    let refused = |stopping| match limited(stopping) {
        Err(SearchError::Config { key, .. }) => key,
        other => panic!("{:?}", other.map(|search| search.counters().births)),
    };
    assert_eq!(refused(to(1_000)), "stopping.candidates");
    let lower = Stopping { held_out_fitness: first, ..to(130_000) };
    assert_eq!(refused(lower), "stopping.held_out_fitness");
    let mut again = limited(to(130_000)).expect("the same limit holds");
    run_with(&mut again, evaluators, &mut (), &RunOptions::default()).expect("the store works");
    let again = again.selected().expect("it is found again, or was in the snapshot");
    assert_eq!((again.birth, &again.program), (selected.birth, &selected.program));
}

#[test]
fn a_run_ends_at_the_first_incumbent_that_is_good_enough_elsewhere() {
    let judges = judges();
    let run = |keep, stopping: Stopping| {
        let domain = domain(&judges);
        let config = SearchConfig { stopping, ..config(keep) };
        let starts = starts(&domain, 100);
        let mut search = Search::from_starts(&config, Seed(7), domain, starts).expect("valid");
        let evaluators = Evaluators { search: &judges.search, held_out: Some(&judges.select) };
        let options = RunOptions { threads: NonZeroUsize::MIN, ..RunOptions::default() };
        let reason = run_with(&mut search, evaluators, &mut (), &options).expect("no store");
        let points: Vec<Option<f64>> =
            search.held_out().points().iter().map(|it| it.held_out_fitness).collect();
        (reason, points, search.counters().births)
    };
    let births = NonZeroU64::new(BIRTHS).map(NonZeroU64::get);
    let all = Stopping { candidates: births, ..Stopping::default() };
    let (_, points, _) = run(Keep::Births, all);
    let best = points.iter().copied().flatten().fold(f64::NEG_INFINITY, f64::max);
    let first = points.iter().position(|it| *it == Some(best)).expect("it is one of them");
    let stopping = Stopping { held_out_fitness: Some(best), ..all };
    let (reason, found, births) = run(Keep::Births, stopping);
    assert_eq!(reason, StopReason::HeldOutFitness(best));
    assert_eq!(found[..], points[..=first]);
    // The window is still absorbed.
    assert!(births <= 5_000 * (first as u64 + 1) + 128, "{births}");
    let none = SearchConfig { held_out: Default::default(), ..config(Keep::Births) };
    let none = SearchConfig { stopping: Stopping { held_out_fitness: Some(0.5), ..all }, ..none };
    let search = Search::new(&none, Seed(0), domain(&judges), LearnerProgram::empty());
    assert!(matches!(search, Err(SearchError::Config { key, .. }) if key.contains("held_out")));
}

#[test]
fn what_is_found_is_written_and_read_back() {
    let judges = judges();
    let domain = domain(&judges);
    for start in starts(&domain, 50) {
        let text = domain.text(&start);
        assert_eq!(domain.read(&text).expect("it was just written"), start);
        let bytes = domain.encode(&start);
        assert_eq!(domain.decode(&bytes, &LearnerProgram::empty()), Some(start));
    }
    let long = "def Setup():\n".to_owned() + &"  NoOp()\n".repeat(7);
    assert_eq!(domain.read(&long), Err("Setup has 7 statements, and at most 6 fit".to_owned()));
    let short = "def Predict():\n  s1 = dot(v0, v2)\n";
    let needs = "Setup has 0 statements, and needs 2 or more";
    assert_eq!(domain.read(short), Err(needs.to_owned()));
    let two = "  NoOp()\n  NoOp()\n";
    let beyond =
        format!("def Setup():\n{two}def Predict():\n  s1 = dot(v0, v3)\ndef Learn():\n{two}");
    assert_eq!(
        domain.read(&beyond),
        Err("`v3` is not among the 3 addresses of a vector".to_owned())
    );
    assert!(domain.read("def train(w, g, lr):\n").is_err());
}
