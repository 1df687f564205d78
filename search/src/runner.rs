//! The runner: a loop over ask and tell with a pool of worker threads.
//!
//! Invariant: threads, cohorts and timing decide only when outcomes arrive, which the search does
//! not let show. A panic while evaluating costs that candidate and not the run. This is the only
//! file with a clock; it decides when to stop and nothing else.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use evo_dsl::Program;
use evo_evaluators::{Evaluator, Outcome};

use crate::{Candidate, Observer, Search, SearchError, StopReason};

/// What of a run does not matter to its result.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions<'a> {
    /// Worker threads. They belong to a rayon pool of the run's own, so parallel code inside an
    /// evaluator stays within them.
    pub threads: NonZeroUsize,
    /// The most candidates handed to the evaluator in one call.
    pub cohort: NonZeroUsize,
    /// Set by anyone to end the run early: nothing more is bred, and what is being evaluated is
    /// finished and absorbed.
    pub cancel: Option<&'a AtomicBool>,
}

impl Default for RunOptions<'_> {
    fn default() -> Self {
        RunOptions { threads: NonZeroUsize::MIN, cohort: NonZeroUsize::MIN, cancel: None }
    }
}

/// Runs a search to its end and gives the reason for it.
///
/// # Errors
/// When the worker threads cannot be started.
pub fn run(
    search: &mut Search,
    evaluator: &dyn Evaluator,
    observer: &mut dyn Observer,
    options: &RunOptions<'_>,
) -> Result<StopReason, SearchError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.get())
        .thread_name(|index| format!("evaluate-{index}"))
        .build()?;
    observer.on_start(search);
    #[expect(clippy::disallowed_methods, reason = "the time budget decides only when to stop")]
    let started = Instant::now();
    let mut run = Run { search, observer, options, started, best: None };
    run.note_best();
    pool.in_place_scope(|scope| run.drive(scope, evaluator))?;
    let reason = run.search.stop_reason().expect("only a stopped search runs out of candidates");
    observer.on_finish(search, reason);
    Ok(reason)
}

/// A run under way, on the thread that asks and tells.
struct Run<'r> {
    search: &'r mut Search,
    observer: &'r mut dyn Observer,
    options: &'r RunOptions<'r>,
    started: Instant,
    /// The birth of the fittest the observer knows of.
    best: Option<u64>,
}

impl Run<'_> {
    fn drive<'scope>(
        &mut self,
        scope: &rayon::Scope<'scope>,
        evaluator: &'scope dyn Evaluator,
    ) -> Result<(), SearchError> {
        // A cohort in reserve for every second worker: none idles while the next one is bred, and
        // little is left to finish after the stop.
        let threads = self.options.threads.get();
        let limit = threads + threads.div_ceil(2);
        let (sender, outcomes) = mpsc::channel();
        let mut cohorts = 0;
        loop {
            while cohorts < limit {
                let cohort = self.gather();
                if cohort.is_empty() {
                    break;
                }
                cohorts += 1;
                let sender = sender.clone();
                scope.spawn(move |_| {
                    let outcomes = evaluate(evaluator, &cohort);
                    // The receiver is gone only when the run has failed already.
                    sender.send((cohort, outcomes)).ok();
                });
            }
            if cohorts == 0 {
                return Ok(());
            }
            let (cohort, outcomes) = outcomes.recv().expect("this thread holds a sender itself");
            cohorts -= 1;
            self.tell(&cohort, outcomes)?;
        }
    }

    /// As many candidates as make a cohort and can be had now.
    fn gather(&mut self) -> Vec<Candidate> {
        self.stop_if_asked();
        let mut cohort = Vec::with_capacity(self.options.cohort.get());
        while cohort.len() < self.options.cohort.get()
            && let Some(candidate) = self.search.ask()
        {
            cohort.push(candidate);
        }
        self.note_best();
        cohort
    }

    fn stop_if_asked(&mut self) {
        if self.options.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            self.search.stop(StopReason::Cancelled);
        }
        if let Some(limit) = self.search.stopping().seconds
            && self.started.elapsed().as_secs_f64() >= limit
        {
            self.search.stop(StopReason::Seconds(limit));
        }
    }

    fn tell(&mut self, cohort: &[Candidate], outcomes: Vec<Outcome>) -> Result<(), SearchError> {
        for (candidate, outcome) in cohort.iter().zip(outcomes) {
            let outcome = Arc::new(outcome);
            self.search.tell(candidate.birth, Arc::clone(&outcome))?;
            self.observer.on_outcome(self.search, candidate, &outcome);
        }
        self.note_best();
        Ok(())
    }

    fn note_best(&mut self) {
        let Some(best) = self.search.best() else { return };
        if self.best != Some(best.individual.birth) {
            self.best = Some(best.individual.birth);
            self.observer.on_new_best(self.search, best);
        }
    }
}

/// One outcome for each candidate, whatever the evaluator does.
///
/// After a panic, or a wrong number of outcomes, the members are evaluated one by one, so that only
/// the culprit fails.
fn evaluate(evaluator: &dyn Evaluator, cohort: &[Candidate]) -> Vec<Outcome> {
    let programs: Vec<&Program> = cohort.iter().map(|candidate| &*candidate.program).collect();
    match attempt(evaluator, &programs) {
        Ok(outcomes) => outcomes,
        Err(message) if cohort.len() == 1 => vec![failure(&message, programs[0])],
        Err(_) => cohort.chunks(1).flat_map(|alone| evaluate(evaluator, alone)).collect(),
    }
}

fn attempt(evaluator: &dyn Evaluator, programs: &[&Program]) -> Result<Vec<Outcome>, String> {
    // Nothing of ours is touched inside, and an evaluator that panics is used again by contract.
    let result = catch_unwind(AssertUnwindSafe(|| evaluator.evaluate(programs)));
    let outcomes = result.map_err(|panic| panic_text(&*panic))?;
    if outcomes.len() != programs.len() {
        return Err(format!("{} outcomes for {} programs", outcomes.len(), programs.len()));
    }
    Ok(outcomes)
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

fn failure(message: &str, program: &Program) -> Outcome {
    Outcome::Failed { message: format!("{message}\nwhile evaluating\n{program}") }
}
