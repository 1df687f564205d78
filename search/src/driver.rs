//! The driver: a run of a search, whoever evaluates its candidates.
//!
//! Invariant: it decides when something is made durable, shown or stopped, and never what is bred.
//! [`run`](crate::run) is one loop over it, with a pool of threads; a cluster or another language
//! can be another. This is the only file with a clock, which decides when to stop and how to share
//! work, and nothing else.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use evo_domain::{DependsOn, Domain, Outcome};

use crate::{Bred, Candidate, Conception, Observer, Search, SearchError, StopReason, Store};

/// A run under way, in the hands of the one who asks and tells.
pub struct Driver<'r, D: Domain> {
    search: &'r mut Search<D>,
    observer: &'r mut dyn Observer<D>,
    clock: Clock<'r>,
    /// Outcomes told since the last commit.
    uncommitted: usize,
    /// The birth of the fittest the observer knows of.
    best: Option<u64>,
}

/// Outcomes that may be lost with the process before a commit.
const MOST_UNCOMMITTED: usize = 64;

impl<'r, D: Domain> Driver<'r, D> {
    /// Begins a run, or goes on with it. `depends_on` is what the outcomes it will be told depend
    /// on, and `cancel` may be set by anyone to end it early.
    ///
    /// With a store, the time earlier runs have taken counts for the time limit.
    ///
    /// # Errors
    /// When the search shares outcomes among programs for which they may differ, or the store
    /// cannot be read or written.
    pub fn begin(
        search: &'r mut Search<D>,
        observer: &'r mut dyn Observer<D>,
        depends_on: DependsOn,
        cancel: Option<&'r AtomicBool>,
    ) -> Result<Driver<'r, D>, SearchError> {
        search.deduplication().check_suits(depends_on)?;
        let earlier = search.store().map_or(Ok(0.0), Store::seconds)?;
        observer.on_start(search);
        let aside = Aside { started: now(), earlier, uncommitted: 0, best: None };
        let mut driver = aside.go_on(search, observer, cancel);
        driver.note_best()?;
        Ok(driver)
    }

    /// Gives search and observer back for a while; nothing is made durable by it.
    pub fn put_aside(self) -> Aside {
        let Driver { clock, uncommitted, best, .. } = self;
        Aside { started: clock.started, earlier: clock.earlier, uncommitted, best }
    }

    /// Up to so many programs that must be evaluated, bred here where none are waiting.
    ///
    /// Fewer when others have to wait for outcomes that have not been told; with none in flight,
    /// none at all means that the run is over.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn ask(&mut self, most: usize) -> Result<Vec<Candidate<D::Program>>, SearchError> {
        let mut candidates = Vec::new();
        self.ask_for_more(&mut candidates, most)?;
        self.stop_if_due()?;
        // What was bred last may be all there is, and leave a hall of fame to confirm.
        self.ask_for_more(&mut candidates, most)?;
        self.note_best()?;
        Ok(candidates)
    }

    fn ask_for_more(
        &mut self,
        candidates: &mut Vec<Candidate<D::Program>>,
        most: usize,
    ) -> Result<(), SearchError> {
        let clock = &self.clock;
        while candidates.len() < most
            && let Some(candidate) = self.search.ask_while(&mut || clock.stop().is_none())?
        {
            candidates.push(candidate);
        }
        Ok(())
    }

    /// As [`Driver::ask`], and breeds nothing: of what was settled.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn ask_bred(&mut self, most: usize) -> Result<Vec<Candidate<D::Program>>, SearchError> {
        self.stop_if_due()?;
        Ok(std::iter::from_fn(|| self.search.ask_bred()).take(most).collect())
    }

    /// Up to so many births to breed anywhere and then settle; none once the run is to stop.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn conceive(&mut self, most: usize) -> Result<Vec<Conception<D>>, SearchError> {
        self.stop_if_due()?;
        let mut conceptions = Vec::new();
        while conceptions.len() < most
            && let Some(conception) = self.search.conceive()?
        {
            conceptions.push(conception);
        }
        self.note_best()?;
        Ok(conceptions)
    }

    /// Takes in programs that were bred.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn settle(
        &mut self,
        bred: impl IntoIterator<Item = Bred<D::Program>>,
    ) -> Result<(), SearchError> {
        bred.into_iter().try_for_each(|bred| self.search.settle(bred))?;
        self.note_best()
    }

    /// Takes in the outcome of a candidate.
    ///
    /// # Errors
    /// When no outcome is awaited for that birth, or the store cannot be written.
    pub fn tell(
        &mut self,
        candidate: &Candidate<D::Program>,
        outcome: Outcome,
    ) -> Result<(), SearchError> {
        let outcome = Arc::new(outcome);
        self.search.tell(candidate.birth, Arc::clone(&outcome))?;
        self.observer.on_outcome(self.search, candidate, &outcome);
        self.uncommitted += 1;
        if self.uncommitted >= MOST_UNCOMMITTED {
            self.commit()?;
        }
        self.note_best()
    }

    /// Number of candidates asked and not yet told.
    pub fn in_flight(&self) -> usize {
        self.search.in_flight()
    }

    /// The search that is run.
    pub fn search(&self) -> &Search<D> {
        self.search
    }

    /// Makes outcomes durable; to be called before waiting for others. Where there is never
    /// anything to wait for, [`Driver::tell`] does it after many of them.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn commit(&mut self) -> Result<(), SearchError> {
        self.uncommitted = 0;
        self.search.commit(self.clock.seconds())
    }

    /// Ends the run and gives the reason for it; cancelled, unless all that was bred has been
    /// evaluated.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn finish(mut self) -> Result<StopReason, SearchError> {
        self.search.save_summary()?;
        self.commit()?;
        let reason = self.search.stop_reason().filter(|_| self.search.is_finished());
        let reason = reason.unwrap_or(StopReason::Cancelled);
        self.observer.on_finish(self.search, reason);
        Ok(reason)
    }

    fn stop_if_due(&mut self) -> Result<(), SearchError> {
        self.clock.stop().map_or(Ok(()), |reason| self.search.stop(reason))
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

/// A driver without its search and observer: what it remembers between two uses of them, for an
/// owner of all three.
#[derive(Clone, Copy, Debug)]
pub struct Aside {
    started: Instant,
    earlier: f64,
    uncommitted: usize,
    best: Option<u64>,
}

impl Aside {
    /// The driver again, of the search and the observer that it was begun with.
    pub fn go_on<'r, D: Domain>(
        self,
        search: &'r mut Search<D>,
        observer: &'r mut dyn Observer<D>,
        cancel: Option<&'r AtomicBool>,
    ) -> Driver<'r, D> {
        let Aside { started, earlier, uncommitted, best } = self;
        let clock = Clock { started, earlier, seconds: search.stopping().seconds, cancel };
        Driver { search, observer, clock, uncommitted, best }
    }
}

impl<D: Domain> fmt::Debug for Driver<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "clocks decide when to stop and how to share work")]
pub(crate) fn now() -> Instant {
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

pub(crate) fn is_set(cancel: Option<&AtomicBool>) -> bool {
    cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed))
}
