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
use std::time::{Duration, Instant};

use evo_domain::{Domain, Evaluator, Outcome, Trial};

use crate::{Candidate, Observer, Search, SearchError, StopReason, Store};

/// What of a run does not matter to its result.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions<'a> {
    /// Worker threads. They belong to a rayon pool of the run's own, so parallel code inside an
    /// evaluator stays within them.
    pub threads: NonZeroUsize,
    /// The most candidates handed to the evaluator in one call.
    pub cohort: NonZeroUsize,
    /// Set by anyone to end the run early: nothing more is bred or begun, and what is being
    /// evaluated is finished and told. A search with a store can go on later.
    pub cancel: Option<&'a AtomicBool>,
}

impl Default for RunOptions<'_> {
    fn default() -> Self {
        RunOptions { threads: NonZeroUsize::MIN, cohort: NonZeroUsize::MIN, cancel: None }
    }
}

/// Runs a search to its end and gives the reason for it; cancelled, unless all that was bred has
/// been evaluated.
///
/// With a store, outcomes are made durable as they come in, and the time earlier runs have taken
/// counts for the time limit. What was bred when that is up is still evaluated.
///
/// # Errors
/// When the search shares outcomes among programs for which this evaluator may give different ones,
/// the worker threads cannot be started, or the store cannot be written.
pub fn run<D: Domain>(
    search: &mut Search<D>,
    evaluator: &dyn Evaluator<D::Program>,
    observer: &mut dyn Observer<D>,
    options: &RunOptions<'_>,
) -> Result<StopReason, SearchError> {
    search.deduplication().check_suits(evaluator.depends_on())?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.get())
        .thread_name(|index| format!("evaluate-{index}"))
        .build()?;
    let earlier = search.store().map_or(Ok(0.0), Store::seconds)?;
    observer.on_start(search);
    let (failed, domain) = (AtomicBool::new(false), search.domain().clone());
    let clock = Clock {
        started: now(),
        earlier,
        seconds: search.stopping().seconds,
        cancel: options.cancel,
    };
    let mut run = Run {
        search,
        observer,
        options,
        failed: &failed,
        clock,
        cohorts: 1,
        uncommitted: 0,
        best: None,
    };
    run.note_best()?;
    pool.in_place_scope(|scope| {
        let result = run.drive(scope, &domain, evaluator);
        // What has not begun need not begin: nobody would hear of it.
        failed.store(result.is_err(), Ordering::Relaxed);
        result
    })?;
    run.search.save_summary()?;
    run.commit()?;
    let reason = run.search.stop_reason().expect("only a stopped search runs out of candidates");
    let reason = if run.search.is_finished() { reason } else { StopReason::Cancelled };
    observer.on_finish(search, reason);
    Ok(reason)
}

#[expect(clippy::disallowed_methods, reason = "clocks decide when to stop and how to share work")]
fn now() -> Instant {
    Instant::now()
}

/// What ends a run from outside.
struct Clock<'r> {
    started: Instant,
    /// Seconds that earlier runs of this search took.
    earlier: f64,
    /// The limit.
    seconds: Option<f64>,
    cancel: Option<&'r AtomicBool>,
}

impl Clock<'_> {
    /// What the search has taken, earlier runs included.
    fn seconds(&self) -> f64 {
        self.earlier + self.started.elapsed().as_secs_f64()
    }

    /// The reason to breed nothing more, if there is one.
    fn stop(&self) -> Option<StopReason> {
        if is_set(self.cancel) {
            return Some(StopReason::Cancelled);
        }
        self.seconds.filter(|&limit| self.seconds() >= limit).map(StopReason::Seconds)
    }
}

fn is_set(cancel: Option<&AtomicBool>) -> bool {
    cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed))
}

/// Candidates that a worker evaluates one cohort after another.
struct Job<P> {
    candidates: Vec<Candidate<P>>,
    /// Of the first candidates; fewer than there are when the run was cancelled meanwhile.
    outcomes: Vec<Outcome>,
    taken: Duration,
}

/// A job that takes longer than this is worth a trip to a worker and back.
const WORTH_A_TRIP: Duration = Duration::from_millis(1);

/// Outcomes that may be lost with the process before a commit.
const MOST_UNCOMMITTED: usize = 64;

/// A run under way, on the thread that asks and tells.
struct Run<'r, D: Domain> {
    search: &'r mut Search<D>,
    observer: &'r mut dyn Observer<D>,
    options: &'r RunOptions<'r>,
    /// Set once the run cannot go on.
    failed: &'r AtomicBool,
    clock: Clock<'r>,
    /// Cohorts of a job.
    cohorts: usize,
    /// Outcomes told since the last commit.
    uncommitted: usize,
    /// The birth of the fittest the observer knows of.
    best: Option<u64>,
}

impl<'r, D: Domain> Run<'r, D> {
    fn drive<'scope>(
        &mut self,
        scope: &rayon::Scope<'scope>,
        domain: &'scope D,
        evaluator: &'scope dyn Evaluator<D::Program>,
    ) -> Result<(), SearchError>
    where
        'r: 'scope,
    {
        // A job in reserve for every second worker: none idles while the next one is bred, and
        // little is left to finish after the stop.
        let threads = self.options.threads.get();
        let limit = threads + threads.div_ceil(2);
        let (sender, ended) = mpsc::channel();
        let mut jobs = 0;
        loop {
            while jobs < limit {
                let candidates = self.gather()?;
                if candidates.is_empty() {
                    break;
                }
                jobs += 1;
                let (sender, options, failed) = (sender.clone(), self.options, self.failed);
                scope.spawn(move |_| {
                    // The receiver is gone only when the run has failed already.
                    sender.send(work(domain, evaluator, candidates, options, failed)).ok();
                });
            }
            if jobs == 0 {
                return Ok(());
            }
            let job = match ended.try_recv() {
                Ok(job) => job,
                Err(_) => {
                    self.commit()?;
                    ended.recv().expect("this thread holds a sender itself")
                }
            };
            jobs -= 1;
            self.tell(job)?;
            if self.uncommitted >= MOST_UNCOMMITTED {
                self.commit()?;
            }
        }
    }

    /// As many candidates as make a job and can be had now.
    fn gather(&mut self) -> Result<Vec<Candidate<D::Program>>, SearchError> {
        let mut candidates = Vec::new();
        self.ask_for_more(&mut candidates)?;
        if let Some(reason) = self.clock.stop() {
            self.search.stop(reason)?;
            // What was bred last may be all there is, and leave a hall of fame to confirm.
            self.ask_for_more(&mut candidates)?;
        }
        self.note_best()?;
        Ok(candidates)
    }

    fn ask_for_more(
        &mut self,
        candidates: &mut Vec<Candidate<D::Program>>,
    ) -> Result<(), SearchError> {
        let size = self.options.cohort.get() * self.cohorts;
        let clock = &self.clock;
        while candidates.len() < size
            && let Some(candidate) = self.search.ask_while(&mut || clock.stop().is_none())?
        {
            candidates.push(candidate);
        }
        Ok(())
    }

    /// Makes outcomes durable: whenever this thread would wait, one by one where evaluations are
    /// long, and many at a time where they are so short that it never waits.
    fn commit(&mut self) -> Result<(), SearchError> {
        self.uncommitted = 0;
        let seconds = self.clock.seconds();
        self.search.commit(seconds)
    }

    fn tell(&mut self, job: Job<D::Program>) -> Result<(), SearchError> {
        self.fit_jobs(&job);
        self.uncommitted += job.outcomes.len();
        for (candidate, outcome) in job.candidates.iter().zip(job.outcomes) {
            let outcome = Arc::new(outcome);
            self.search.tell(candidate.birth, Arc::clone(&outcome))?;
            self.observer.on_outcome(self.search, candidate, &outcome);
        }
        self.note_best()
    }

    /// Makes jobs longer where evaluations are so short that handing them over would cost more, and
    /// shorter again where they are not; never so long that others go without.
    fn fit_jobs(&mut self, job: &Job<D::Program>) {
        let share = self.search.width() / (2 * self.options.threads.get());
        let most = (share / self.options.cohort.get()).max(1);
        self.cohorts = match job.taken < WORTH_A_TRIP {
            true => (2 * self.cohorts).min(most),
            false => (self.cohorts / 2).max(1),
        };
    }

    /// Tells of a new best once it is durable: what anyone has heard of is in the store.
    fn note_best(&mut self) -> Result<(), SearchError> {
        let best = self.search.best().map(|best| best.individual.birth);
        if best == self.best {
            return Ok(());
        }
        self.best = best;
        self.commit()?;
        if let Some(best) = self.search.best() {
            self.observer.on_new_best(self.search, best);
        }
        Ok(())
    }
}

/// Evaluates the candidates of a job until the run is to end.
fn work<D: Domain>(
    domain: &D,
    evaluator: &dyn Evaluator<D::Program>,
    candidates: Vec<Candidate<D::Program>>,
    options: &RunOptions<'_>,
    failed: &AtomicBool,
) -> Job<D::Program> {
    let started = now();
    let mut outcomes = Vec::with_capacity(candidates.len());
    for cohort in candidates.chunks(options.cohort.get()) {
        if is_set(options.cancel) || failed.load(Ordering::Relaxed) {
            break;
        }
        outcomes.extend(evaluate(domain, evaluator, cohort));
    }
    Job { candidates, outcomes, taken: started.elapsed() }
}

/// One outcome for each candidate, whatever the evaluator does.
///
/// After a panic, or a wrong number of outcomes, the members are evaluated one by one, so that only
/// the culprit fails.
fn evaluate<D: Domain>(
    domain: &D,
    evaluator: &dyn Evaluator<D::Program>,
    cohort: &[Candidate<D::Program>],
) -> Vec<Outcome> {
    let trials: Vec<Trial<'_, D::Program>> = cohort.iter().map(Candidate::trial).collect();
    match attempt(evaluator, &trials) {
        Ok(outcomes) => outcomes,
        Err(message) if cohort.len() == 1 => {
            vec![failure(&message, &domain.text(trials[0].program))]
        }
        Err(_) => cohort.chunks(1).flat_map(|alone| evaluate(domain, evaluator, alone)).collect(),
    }
}

fn attempt<P>(
    evaluator: &dyn Evaluator<P>,
    trials: &[Trial<'_, P>],
) -> Result<Vec<Outcome>, String> {
    // Nothing of ours is touched inside, and an evaluator that panics is used again by contract.
    let result = catch_unwind(AssertUnwindSafe(|| evaluator.evaluate(trials)));
    let outcomes = result.map_err(|panic| panic_text(&*panic))?;
    if outcomes.len() != trials.len() {
        return Err(format!("{} outcomes for {} programs", outcomes.len(), trials.len()));
    }
    Ok(outcomes)
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

fn failure(message: &str, program: &str) -> Outcome {
    Outcome::Failed { message: format!("{message}\nwhile evaluating\n{program}") }
}
