//! Observers: what a run shows of itself while it goes on.
//!
//! Invariant: an observer reads and never steers, so a run is the same with any of them. They are
//! called from the one thread that drives the search, in no deterministic order of births.

use evo_domain::{Domain, Outcome};

use crate::{Candidate, Champion, Search, StopReason};

/// Watches a run. Every method may be left out.
pub trait Observer<D: Domain> {
    /// The run begins.
    fn on_start(&mut self, _search: &Search<D>) {}

    /// A candidate has been evaluated and its outcome told.
    fn on_outcome(
        &mut self,
        _search: &Search<D>,
        _candidate: &Candidate<D::Program>,
        _outcome: &Outcome,
    ) {
    }

    /// A fitter individual than all before has been absorbed.
    fn on_new_best(&mut self, _search: &Search<D>, _best: &Champion<D::Program>) {}

    /// The run is over: every outcome is absorbed, or the run was cancelled.
    fn on_finish(&mut self, _search: &Search<D>, _reason: StopReason) {}
}

/// Watches nothing.
impl<D: Domain> Observer<D> for () {}

/// Two that watch the same run, the first one first.
impl<D: Domain, A: Observer<D>, B: Observer<D>> Observer<D> for (A, B) {
    fn on_start(&mut self, search: &Search<D>) {
        self.0.on_start(search);
        self.1.on_start(search);
    }

    fn on_outcome(
        &mut self,
        search: &Search<D>,
        candidate: &Candidate<D::Program>,
        outcome: &Outcome,
    ) {
        self.0.on_outcome(search, candidate, outcome);
        self.1.on_outcome(search, candidate, outcome);
    }

    fn on_new_best(&mut self, search: &Search<D>, best: &Champion<D::Program>) {
        self.0.on_new_best(search, best);
        self.1.on_new_best(search, best);
    }

    fn on_finish(&mut self, search: &Search<D>, reason: StopReason) {
        self.0.on_finish(search, reason);
        self.1.on_finish(search, reason);
    }
}
