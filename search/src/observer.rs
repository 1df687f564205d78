//! Observers: what a run shows of itself while it goes on.
//!
//! Invariant: an observer reads and never steers, so a run is the same with any of them. They are
//! called from the one thread that drives the search, in no deterministic order of births.

use evo_evaluators::Outcome;

use crate::{Candidate, Champion, Search, StopReason};

/// Watches a run. Every method may be left out.
pub trait Observer {
    /// The run begins.
    fn on_start(&mut self, _search: &Search) {}

    /// A candidate has been evaluated and its outcome told.
    fn on_outcome(&mut self, _search: &Search, _candidate: &Candidate, _outcome: &Outcome) {}

    /// A fitter individual than all before has been absorbed.
    fn on_new_best(&mut self, _search: &Search, _best: &Champion) {}

    /// The run is over: every outcome is absorbed, or the run was cancelled.
    fn on_finish(&mut self, _search: &Search, _reason: StopReason) {}
}

/// Watches nothing.
impl Observer for () {}

/// Two that watch the same run, the first one first.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_start(&mut self, search: &Search) {
        self.0.on_start(search);
        self.1.on_start(search);
    }

    fn on_outcome(&mut self, search: &Search, candidate: &Candidate, outcome: &Outcome) {
        self.0.on_outcome(search, candidate, outcome);
        self.1.on_outcome(search, candidate, outcome);
    }

    fn on_new_best(&mut self, search: &Search, best: &Champion) {
        self.0.on_new_best(search, best);
        self.1.on_new_best(search, best);
    }

    fn on_finish(&mut self, search: &Search, reason: StopReason) {
        self.0.on_finish(search, reason);
        self.1.on_finish(search, reason);
    }
}
