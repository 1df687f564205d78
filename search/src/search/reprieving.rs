//! Reprieving: births that are evaluated to their end where a partial hurdle stops them.
//!
//! Invariant: a reprieved birth has the outcome that it would have without that, with what it came
//! to beside; so nothing that is bred, shared or judged depends on who is reprieved. Its evaluation
//! is asked for without partial hurdles, and what they would have made of it is told from its
//! stages: an evaluator need not know of any of this. Others may have the whole of it from a shared
//! cache, as any whole outcome.

use std::sync::Arc;

use evo_domain::{Domain, Outcome, Stopped};

use super::{Found, Search};
use crate::Reprieves;
use crate::partial_hurdles::ReprieveCount;
use crate::store::Counted;

impl<D: Domain> Search<D> {
    /// Says which stages of an evaluation, in order, lie inside of tasks: to those the hurdles of
    /// [`HurdleConfig::partial`](crate::HurdleConfig) apply, which without this apply to none.
    /// Before the search is given a store.
    #[must_use]
    pub fn with_partial_stages(mut self, stages: Vec<bool>) -> Search<D> {
        self.evolution.hurdles.set_partial_stages(stages);
        self
    }

    /// What came of the births that were reprieved; `None` without partial hurdles.
    pub fn reprieves(&self) -> Option<Reprieves> {
        self.evolution.hurdles.partial().map(|_| self.found.reprieves.counts())
    }

    /// As a snapshot holds it.
    pub(super) fn saved_reprieves(&self) -> Option<ReprieveCount> {
        self.evolution.hurdles.partial().map(|_| self.found.reprieves.clone())
    }

    /// Goes on with what was counted; `None` if that does not fit these hurdles.
    pub(super) fn restore_reprieves(&mut self, saved: Option<ReprieveCount>) -> Option<()> {
        let fits = saved.is_some() == self.evolution.hurdles.partial().is_some();
        self.found.reprieves = saved.unwrap_or_default();
        fits.then_some(())
    }

    fn is_reprieved(&self, birth: u64) -> bool {
        let partial = self.evolution.hurdles.partial();
        partial.is_some_and(|partial| partial.reprieves(self.reprieves, birth))
    }

    /// The hurdles that the evaluation of a birth is tested by where these are up.
    pub(super) fn tested(&self, birth: u64, hurdles: &Arc<[f64]>) -> Arc<[f64]> {
        match self.is_reprieved(birth) {
            true => self.evolution.hurdles.without_partial(hurdles),
            false => Arc::clone(hurdles),
        }
    }

    /// What the evaluation of a birth comes to where these hurdles are up, from what it came to
    /// under those it was tested by.
    pub(super) fn counted(
        &self,
        birth: u64,
        outcome: Arc<Outcome>,
        hurdles: &[f64],
    ) -> Arc<Outcome> {
        if !self.is_reprieved(birth) {
            return outcome;
        }
        match outcome.stopped_by(hurdles) {
            Some(stopped) if self.evolution.hurdles.is_partial(stopped.stage) => {
                let whole = Some(Box::new(Arc::unwrap_or_clone(outcome)));
                Arc::new(Outcome::Stopped(Stopped { whole, ..stopped }))
            }
            _ => outcome,
        }
    }

    /// Counts an evaluation among those of its time.
    pub(super) fn count_reprieve(&mut self, birth: u64, outcome: &Outcome) {
        if self.evolution.hurdles.partial().is_some() {
            let reprieved = self.is_reprieved(birth);
            self.found.reprieves.absorb(outcome, reprieved);
        }
    }
}

impl<P> Found<P> {
    /// All that is counted, of a search with policies beyond caching, or with partial hurdles.
    pub(super) fn counted(&self, policy: bool, partial: bool) -> Counted<'_> {
        Counted {
            counters: &self.counters,
            policies: policy.then_some(&self.policies),
            reprieves: partial.then(|| self.reprieves.counts()),
        }
    }
}
