//! The runner: a loop over a [`Driver`] with a pool of worker threads.
//!
//! Invariant: threads, cohorts and timing decide only when outcomes arrive, which the search does
//! not let show. A panic while evaluating costs that candidate and not the run. An incumbent on
//! what is held out is a job of its own, since it may take many times as long. Where evaluations
//! are long, births are bred on the thread that asks and tells, while the workers evaluate; where
//! they are short, breeding is most of the work: the workers do that too, and that thread is one of
//! them whenever it would wait.

mod crew;
mod evaluation;

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use evo_domain::{Domain, Evaluator, Outcome};

use crate::driver::{is_set, now};
use crate::{
    Bred, Breeder, Candidate, Conception, Driver, Observer, Search, SearchError, StopReason,
};
use crew::Crew;

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

/// Who evaluates candidates in a run.
pub struct Evaluators<'r, P> {
    /// Whose outcomes the search is led by.
    pub search: &'r dyn Evaluator<P>,
    /// Who says what incumbents are worth on what is held out; needed where something is
    /// ([`HeldOutConfig`](crate::HeldOutConfig)).
    pub held_out: Option<&'r dyn Evaluator<P>>,
}

impl<P> Clone for Evaluators<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Evaluators<'_, P> {}

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
    run_with(search, Evaluators { search: evaluator, held_out: None }, observer, options)
}

/// As [`run`], of a search that may hold something out.
///
/// # Errors
/// As [`run`]; when the search holds something out and nobody is there to evaluate it.
pub fn run_with<D: Domain>(
    search: &mut Search<D>,
    evaluators: Evaluators<'_, D::Program>,
    observer: &mut dyn Observer<D>,
    options: &RunOptions<'_>,
) -> Result<StopReason, SearchError> {
    if search.holds_out() && evaluators.held_out.is_none() {
        let message = "there is nothing held out to evaluate on";
        return Err(SearchError::config("held_out.every", message));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.get())
        .thread_name(|index| format!("evaluate-{index}"))
        .build()?;
    let (failed, domain, width) = (AtomicBool::new(false), search.domain().clone(), search.width());
    let depends_on = evaluators.search.depends_on();
    let driver = Driver::begin(search, observer, depends_on, options.cancel)?;
    let breeder = driver.search().breeder();
    let site = Site { domain: &domain, breeder: &breeder, evaluators, options, failed: &failed };
    let crew = Arc::new(Crew::new());
    let mut run = Run { driver, site, crew, width, cohorts: 1, waiting: Vec::new() };
    pool.in_place_scope(|scope| {
        let result = run.drive(scope);
        // What has not begun need not begin: nobody would hear of it.
        failed.store(result.is_err(), Ordering::Relaxed);
        result
    })?;
    run.driver.finish()
}

/// What workers work with.
struct Site<'r, D: Domain> {
    domain: &'r D,
    breeder: &'r Breeder<D>,
    evaluators: Evaluators<'r, D::Program>,
    options: &'r RunOptions<'r>,
    /// Set once the run cannot go on.
    failed: &'r AtomicBool,
}

impl<D: Domain> Clone for Site<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Domain> Copy for Site<'_, D> {}

/// What a worker is handed.
enum Job<D: Domain> {
    Breed(Vec<Conception<D>>),
    /// Candidates to evaluate, one cohort after another; an incumbent alone.
    Evaluate(Vec<Candidate<D::Program>>),
}

impl<D: Domain> Job<D> {
    /// Whether it is as short as others of its kind: an incumbent may take many times as long.
    fn is_short(&self) -> bool {
        match self {
            Job::Breed(_) => true,
            Job::Evaluate(candidates) => candidates.iter().all(|candidate| !candidate.held_out),
        }
    }
}

/// What came of a job.
enum Done<P> {
    Bred(Vec<Bred<P>>),
    Evaluated {
        candidates: Vec<Candidate<P>>,
        /// Of the first candidates; fewer than there are when the run was cancelled meanwhile.
        outcomes: Vec<Outcome>,
        taken: Duration,
    },
    /// A domain panicked while breeding.
    Panicked(Box<dyn Any + Send>),
}

/// A job that takes longer than this is worth a trip to a worker and back.
const WORTH_A_TRIP: Duration = Duration::from_millis(1);

/// A run under way, on the thread that asks and tells.
struct Run<'r, D: Domain> {
    driver: Driver<'r, D>,
    site: Site<'r, D>,
    crew: Arc<Crew<Job<D>>>,
    /// Births that may be under way.
    width: usize,
    /// Cohorts of a job.
    cohorts: usize,
    /// Jobs to hand out before there are others.
    waiting: Vec<Job<D>>,
}

impl<'r, D: Domain> Run<'r, D> {
    fn drive<'scope>(&mut self, scope: &rayon::Scope<'scope>) -> Result<(), SearchError>
    where
        'r: 'scope,
    {
        let threads = self.site.options.threads.get();
        let (sender, ended) = mpsc::channel();
        let mut jobs = 0;
        loop {
            while jobs < self.most_jobs()
                && let Some(job) = self.next_job()?
            {
                jobs += 1;
                if self.crew.hand_over(job, threads - usize::from(self.is_quick())) {
                    let (sender, site, crew) = (sender.clone(), self.site, Arc::clone(&self.crew));
                    // The receiver is gone only when the run has failed already.
                    scope.spawn(move |_| crew.work(|job| drop(sender.send(site.work(job)))));
                }
            }
            if jobs == 0 {
                return Ok(());
            }
            let done = self.next_done(&ended)?;
            jobs -= 1;
            self.take(done)?;
        }
    }

    /// What came of a job; of one that this thread does itself, where it would only wait.
    fn next_done(
        &mut self,
        ended: &mpsc::Receiver<Done<D::Program>>,
    ) -> Result<Done<D::Program>, SearchError> {
        if let Ok(done) = ended.try_recv() {
            return Ok(done);
        }
        self.driver.commit()?;
        let quick = self.is_quick();
        if let Some(job) = self.crew.take_if(|job| quick && job.is_short()) {
            return Ok(self.site.work(job));
        }
        Ok(ended.recv().expect("this thread holds a sender itself"))
    }

    fn next_job(&mut self) -> Result<Option<Job<D>>, SearchError> {
        if let Some(job) = self.waiting.pop() {
            return Ok(Some(job));
        }
        let size = self.site.options.cohort.get() * self.cohorts;
        // A single worker would breed no faster, and cost a trip there and back.
        if self.cohorts == 1 || self.site.options.threads == NonZeroUsize::MIN {
            let candidates = self.driver.ask(size)?;
            return Ok(self.job_of(candidates));
        }
        let candidates = self.driver.ask_bred(size)?;
        if let Some(job) = self.job_of(candidates) {
            return Ok(Some(job));
        }
        let conceptions = self.driver.conceive(size)?;
        if !conceptions.is_empty() {
            return Ok(Some(Job::Breed(conceptions)));
        }
        // The last births may have been absorbed just now, and leave a hall of fame to confirm.
        let candidates = self.driver.ask_bred(size)?;
        Ok(self.job_of(candidates))
    }

    /// Jobs that may be under way, some of them in reserve. Of long ones every second thread has
    /// one: none idles while the next is made ready, and little is left to finish after the stop.
    /// Of short ones every thread has two: to be woken would take as long as a job.
    fn most_jobs(&self) -> usize {
        let threads = self.site.options.threads.get();
        threads + if self.is_quick() { 2 * threads } else { threads.div_ceil(2) }
    }

    /// Whether jobs are so short that this thread, which would otherwise wait for them, is one of
    /// those that do them.
    fn is_quick(&self) -> bool {
        self.cohorts > 1
    }

    /// The job of evaluating these candidates, if there are any; an incumbent among them becomes
    /// one of its own, the next.
    fn job_of(&mut self, candidates: Vec<Candidate<D::Program>>) -> Option<Job<D>> {
        let (incumbents, others): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|candidate| candidate.held_out);
        self.waiting.extend(incumbents.into_iter().map(|it| Job::Evaluate(vec![it])));
        match others.is_empty() {
            true => self.waiting.pop(),
            false => Some(Job::Evaluate(others)),
        }
    }

    fn take(&mut self, ended: Done<D::Program>) -> Result<(), SearchError> {
        match ended {
            Done::Bred(bred) => self.driver.settle(bred),
            Done::Evaluated { candidates, outcomes, taken } => {
                if candidates.iter().all(|candidate| !candidate.held_out) {
                    self.fit_jobs(taken);
                }
                let mut told = candidates.iter().zip(outcomes);
                told.try_for_each(|(candidate, it)| self.driver.tell(candidate, it))
            }
            Done::Panicked(panic) => resume_unwind(panic),
        }
    }

    /// Makes jobs longer where evaluations are so short that handing them over would cost more, and
    /// shorter again where they are not; never so long that others go without.
    fn fit_jobs(&mut self, taken: Duration) {
        let options = self.site.options;
        let share = self.width / (4 * options.threads.get());
        let most = (share / options.cohort.get()).max(1);
        self.cohorts = match taken < WORTH_A_TRIP {
            true => (2 * self.cohorts).min(most),
            false => (self.cohorts / 2).max(1),
        };
    }
}

impl<D: Domain> Site<'_, D> {
    fn work(&self, job: Job<D>) -> Done<D::Program> {
        match job {
            Job::Breed(conceptions) => {
                let breed = || conceptions.into_iter().map(|it| self.breeder.breed(it)).collect();
                // The one who asks and tells must hear of it, or it would wait for ever.
                catch_unwind(AssertUnwindSafe(breed)).map_or_else(Done::Panicked, Done::Bred)
            }
            Job::Evaluate(candidates) => self.evaluate(candidates),
        }
    }

    /// Evaluates the candidates of a job until the run is to end.
    fn evaluate(&self, candidates: Vec<Candidate<D::Program>>) -> Done<D::Program> {
        let started = now();
        let mut outcomes = Vec::with_capacity(candidates.len());
        let held_out = candidates.first().is_some_and(|candidate| candidate.held_out);
        let held_out = self.evaluators.held_out.filter(|_| held_out);
        let evaluator = held_out.unwrap_or(self.evaluators.search);
        for cohort in candidates.chunks(self.options.cohort.get()) {
            if is_set(self.options.cancel) || self.failed.load(Ordering::Relaxed) {
                break;
            }
            outcomes.extend(evaluation::evaluate(self.domain, evaluator, cohort));
        }
        Done::Evaluated { candidates, outcomes, taken: started.elapsed() }
    }
}
