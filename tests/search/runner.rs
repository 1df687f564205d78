//! The runner: threads and cohorts do not show, panics are recorded, runs can be ended.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::driver::{Candidate, Search, SearchConfig, new_search};
use evo_domain::{DependsOn, Evaluator, Outcome, Trial};
use evo_dsl::{FunctionalHasher, MutationConfig, Op, Optimizers, Program};
use evo_hashes::Seed;
use evo_search::{
    Champion, Counters, DeduplicationLevel, HeldOutConfig, HurdleConfig, Keep, NoiseConfig,
    Observer, Restarts, RunOptions, Selection, StopReason, Stopping, StrategyConfig, run,
};

use crate::quadratic::{self, Quadratic};

fn search(stopping: Stopping, seed: u64) -> Search {
    let config = SearchConfig {
        strategy: StrategyConfig::RegularizedEvolution { population: 50, tournament: 4 },
        mutation: MutationConfig { max_statements: 20, ..MutationConfig::default() },
        window: 32,
        deduplication: DeduplicationLevel::Functional.into(),
        restarts: Restarts::default(),
        hurdles: HurdleConfig::default(),
        noise: NoiseConfig::default(),
        held_out: HeldOutConfig::default(),
        keep: Keep::default(),
        selection: Selection::default(),
        stopping,
    };
    let hasher = FunctionalHasher::new(8).expect("8 is between 1 and 23");
    new_search(&config, Seed(seed), quadratic::start(), hasher).expect("the settings are valid")
}

fn candidates(count: u64) -> Stopping {
    Stopping { candidates: Some(count), failures: None, ..Stopping::default() }
}

fn options(threads: usize, cohort: usize) -> RunOptions<'static> {
    let count = |count| NonZeroUsize::new(count).expect("the test uses one or more");
    RunOptions { threads: count(threads), cohort: count(cohort), cancel: None }
}

fn table(search: &Search) -> String {
    let mut csv = Vec::new();
    search.hall_of_fame().write_csv(search.domain(), &mut csv).expect("memory takes any amount");
    String::from_utf8(csv).expect("the table is text")
}

#[test]
fn threads_and_cohorts_change_nothing_and_the_seed_does() {
    let result = |threads, cohort, seed| {
        let mut search = search(candidates(3_000), seed);
        let reason = run(&mut search, &Quadratic, &mut (), &options(threads, cohort));
        assert_eq!(reason.expect("the threads start"), StopReason::Candidates(3_000));
        let population = search.populations()[0].iter();
        let population: Vec<(u64, String, u64)> = population
            .map(|member| (member.birth, member.program.to_string(), member.fitness.to_bits()))
            .collect();
        (table(&search), *search.counters(), population)
    };
    let alone = result(1, 1, 1);
    for (threads, cohort) in [(2, 1), (8, 1), (2, 5), (8, 100)] {
        assert_eq!(alone, result(threads, cohort, 1), "{threads} threads, cohorts of {cohort}");
    }
    assert_ne!(alone.0, result(2, 1, 2).0);
}

/// Panics over every program that takes a cosine, and miscounts where it takes a sine.
struct Faulty;

impl Evaluator<Program> for Faulty {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        let uses = |op| {
            cohort.iter().any(|trial| trial.program.statements().iter().any(|line| line.op == op))
        };
        assert!(!uses(Op::Cos), "cosines are beyond me");
        if uses(Op::Sin) {
            return Vec::new();
        }
        Quadratic.evaluate(cohort)
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

/// Keeps all outcomes, and checks that calls come in order.
#[derive(Default)]
struct Record {
    started: bool,
    outcomes: Vec<(Candidate, Outcome)>,
    best: Vec<f64>,
    finished: Option<StopReason>,
    /// Whether the run leaves births behind.
    cancelled: bool,
}

impl Observer<Optimizers> for Record {
    fn on_start(&mut self, search: &Search) {
        assert_eq!(search.counters(), &Counters::default());
        self.started = true;
    }

    fn on_outcome(&mut self, _search: &Search, candidate: &Candidate, outcome: &Outcome) {
        assert!(self.started && self.finished.is_none());
        self.outcomes.push((candidate.clone(), outcome.clone()));
    }

    fn on_new_best(&mut self, _search: &Search, best: &Champion<Program>) {
        self.best.push(best.individual.fitness);
    }

    fn on_finish(&mut self, search: &Search, reason: StopReason) {
        assert!(search.is_finished() || self.cancelled);
        self.finished = Some(reason);
    }
}

#[test]
fn a_panic_costs_one_candidate_and_is_recorded_with_its_program() {
    for cohort in [1, 7] {
        let mut search = search(candidates(1_000), 1);
        let mut record = Record::default();
        run(&mut search, &Faulty, &mut record, &options(2, cohort)).expect("the threads start");
        assert_eq!(record.finished, Some(StopReason::Candidates(1_000)));
        let counters = *search.counters();
        assert_eq!(counters.absorbed, 1_000);
        assert!(counters.failed > 0 && counters.scored > 0, "{counters:?}");
        for (candidate, outcome) in &record.outcomes {
            let text = candidate.program.to_string();
            let faulty = text.contains("cos(") && !text.contains("arccos(");
            if let Outcome::Failed { message } = outcome {
                assert!(message.contains(&text), "{message}");
                let told = message.contains("cosines are beyond me")
                    || message.contains("0 outcomes for 1 programs");
                assert!(told, "{message}");
            } else {
                assert!(!faulty, "{text}");
            }
        }
    }
}

#[test]
fn observers_see_every_evaluation_and_the_rise_of_the_best() {
    let mut search = search(candidates(2_000), 1);
    let mut record = Record::default();
    run(&mut search, &Quadratic, &mut record, &options(2, 1)).expect("the threads start");
    let counters = search.counters();
    assert_eq!(record.outcomes.len() as u64, counters.evaluations + counters.confirmed);
    assert!(record.best.len() > 1 && record.best.is_sorted(), "{:?}", record.best);
    let best = search.best().expect("there are champions").individual.fitness;
    assert_eq!(record.best.last(), Some(&best));
}

/// Sets a flag after a number of evaluations.
struct CancelAfter<'a> {
    left: Mutex<u32>,
    cancel: &'a AtomicBool,
}

impl Evaluator<Program> for CancelAfter<'_> {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        let mut left = self.left.lock().expect("nobody panics while holding it");
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.cancel.store(true, Ordering::Relaxed);
        }
        Quadratic.evaluate(cohort)
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

#[test]
fn cancelling_finishes_and_tells_what_is_being_evaluated_and_begins_nothing() {
    for threads in [1, 2] {
        let cancel = AtomicBool::new(false);
        let evaluator = CancelAfter { left: Mutex::new(50), cancel: &cancel };
        let mut search = search(candidates(1_000_000), 1);
        let options = RunOptions { cancel: Some(&cancel), ..options(threads, 1) };
        let mut record = Record { cancelled: true, ..Record::default() };
        let reason = run(&mut search, &evaluator, &mut record, &options);
        assert_eq!(reason.expect("the threads start"), StopReason::Cancelled);
        // Others were being evaluated beside the one that cancelled, one by each thread.
        let told = record.outcomes.len();
        assert!((50..50 + threads).contains(&told), "{told}");
        let (counted, begun) = (search.counters().evaluations, (told + search.in_flight()) as u64);
        // What two threads had bred by then is counted, and need not have been handed out.
        assert!(counted == begun || threads > 1 && counted > begun, "{counted} {begun}");
    }
}

#[test]
fn the_time_limit_ends_a_run() {
    let mut search = search(Stopping { seconds: Some(0.05), ..Stopping::default() }, 1);
    let reason = run(&mut search, &Quadratic, &mut (), &options(2, 1)).expect("the threads start");
    assert_eq!(reason, StopReason::Seconds(0.05));
    assert!(search.is_finished());
}

#[test]
fn too_many_failures_end_a_run_at_the_same_birth_whatever_the_threads() {
    let births = |threads| {
        let mut search = search(Stopping { failures: Some(5), ..candidates(1_000_000) }, 1);
        let reason = run(&mut search, &Faulty, &mut (), &options(threads, 1));
        assert_eq!(reason.expect("the threads start"), StopReason::Failures(5));
        search.counters().births
    };
    assert_eq!(births(1), births(4));
}

/// Cancels in one of its evaluations, when the run has had time to breed what comes next.
struct Cancels<'a> {
    cancel: &'a AtomicBool,
    at: usize,
    begun: AtomicUsize,
}

impl Evaluator<Program> for Cancels<'_> {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        std::thread::sleep(Duration::from_millis(2));
        if self.begun.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            std::thread::sleep(Duration::from_millis(100));
            self.cancel.store(true, Ordering::Relaxed);
        }
        Quadratic.evaluate(cohort)
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

#[test]
fn an_interrupt_behind_the_last_birth_is_an_interrupt_while_outcomes_are_missing() {
    let stopping = Stopping { candidates: Some(30), ..Stopping::default() };
    let mut whole = search(stopping, 1);
    run(&mut whole, &Quadratic, &mut (), &RunOptions::default()).expect("there is no store");
    // With those that confirm the hall of fame.
    let evaluations = (whole.counters().evaluations + whole.counters().confirmed) as usize;
    for (at, expected) in [
        (evaluations - 1, StopReason::Cancelled),
        // Nothing is missing then.
        (evaluations, StopReason::Candidates(30)),
    ] {
        let cancel = AtomicBool::new(false);
        let evaluator = Cancels { cancel: &cancel, at, begun: AtomicUsize::new(0) };
        let options = RunOptions { cancel: Some(&cancel), ..RunOptions::default() };
        let mut search = search(stopping, 1);
        let reason = run(&mut search, &evaluator, &mut (), &options).expect("there is no store");
        assert_eq!((reason, search.counters().births), (expected, 30));
        assert_eq!(search.is_finished(), expected != StopReason::Cancelled);
    }
}
