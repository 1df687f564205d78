//! Limits: whether a search breeds another program.
//!
//! Invariant: a birth is begun if and only if no limit was reached by the births before it, however
//! far ahead others are being bred. What births under way come to is not known yet, so where it
//! could reach a limit it is waited for.

use crate::{Counters, StopReason, Stopping};

/// The limits of a search and the one that ended it.
pub(crate) struct Limits {
    pub(crate) stopping: Stopping,
    pub(crate) stop: Option<StopReason>,
    /// The birth that last needed an evaluation.
    pub(crate) latest_evaluation: u64,
}

impl Limits {
    pub(crate) fn new(stopping: Stopping) -> Limits {
        Limits { stopping, stop: None, latest_evaluation: 0 }
    }

    /// Whether it depends on births under way if another one may be begun. `begun` counts all.
    pub(crate) fn are_undecided(&self, counters: &Counters, begun: u64) -> bool {
        let under_way = begun - counters.births;
        let at_most =
            Counters { births: begun, evaluations: counters.evaluations + under_way, ..*counters };
        under_way > 0 && self.by_counts(&at_most).is_some()
    }

    /// Stops where a number of births, evaluations or failures has been reached.
    pub(crate) fn stop_by_counts(&mut self, counters: &Counters) {
        if self.stop.is_none() {
            self.stop = self.by_counts(counters);
        }
    }

    /// Stops where so many failed, which is known of those that have been absorbed.
    pub(crate) fn stop_by_failures(&mut self, counters: &Counters) {
        if self.stop.is_none() {
            self.stop = self.stopping.by_failures(counters);
        }
    }

    /// Stops where a fitness is good enough.
    pub(crate) fn stop_by_fitness(&mut self, fitness: f64) {
        if self.stop.is_none() {
            self.stop = self.stopping.by_fitness(fitness);
        }
    }

    /// Stops where so many held-out points in a row have brought nothing better.
    pub(crate) fn stop_by_held_out(&mut self, stale: u64) {
        if self.stop.is_none() {
            self.stop = self.stopping.by_held_out(stale);
        }
    }

    /// Stops where a held-out fitness is good enough.
    pub(crate) fn stop_by_held_out_fitness(&mut self, fitness: Option<f64>) {
        if self.stop.is_none() {
            self.stop = fitness.and_then(|fitness| self.stopping.by_held_out_fitness(fitness));
        }
    }

    /// Stops where a limit has been reached by what was bred without any; `best` is the best
    /// fitness, and `held_out` the most there were of such points with the best of them.
    pub(crate) fn stop_belatedly(
        &mut self,
        counters: &Counters,
        best: Option<f64>,
        held_out: (u64, Option<f64>),
    ) {
        if let Some(best) = best {
            self.stop_by_fitness(best);
        }
        let (stale, held_out_best) = held_out;
        self.stop_by_held_out_fitness(held_out_best);
        self.stop_by_held_out(stale);
        self.stop_by_counts(counters);
    }

    fn by_counts(&self, counters: &Counters) -> Option<StopReason> {
        self.stopping.by_counts(counters, self.latest_evaluation)
    }
}
