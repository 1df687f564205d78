//! When a search ends.
//!
//! Invariant: a limit ends breeding and nothing else: what was bred is still evaluated and
//! absorbed. `candidates`, `evaluations`, `fitness`, `held_out` and `held_out_fitness` end a
//! run at the same birth whatever the threads and timing, as does `failures` if the failures come back. `seconds` cannot:
//! it decides only when to stop, and only the runner, which has a clock, looks at it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Counters, SearchError};

/// The births without a new evaluation after which the space counts as exhausted.
const EXHAUSTED_AFTER: u64 = 100_000;

/// Limits; the first one reached ends the search. One of the first three is needed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stopping {
    /// Programs bred, duplicates included.
    pub candidates: Option<u64>,
    /// Programs evaluated, duplicates left out.
    pub evaluations: Option<u64>,
    /// Wall time of a run, in seconds, that of all its resumptions together.
    pub seconds: Option<f64>,
    /// A fitness that is good enough.
    pub fitness: Option<f64>,
    /// Evaluations that the engine failed at, as by a panic. Default: 100.
    pub failures: Option<u64>,
    /// Held-out points in a row without a new best held-out fitness; needs `held_out.every`.
    pub held_out: Option<u64>,
    /// A held-out fitness that is good enough; needs `held_out.every`.
    pub held_out_fitness: Option<f64>,
}

impl Default for Stopping {
    fn default() -> Stopping {
        Stopping { failures: Some(100), ..Stopping::NONE }
    }
}

/// Why a search ended, with the value that ended it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StopReason {
    /// So many programs were bred.
    Candidates(u64),
    /// So many programs were evaluated.
    Evaluations(u64),
    /// So many seconds passed.
    Seconds(f64),
    /// A program of this fitness was absorbed.
    Fitness(f64),
    /// So many evaluations failed, through no fault of the programs.
    Failures(u64),
    /// So many held-out points in a row brought no new best there.
    HeldOut(u64),
    /// An incumbent had this fitness on what is held out.
    HeldOutFitness(f64),
    /// So many births in a row led to nothing new to evaluate.
    Exhausted(u64),
    /// The caller asked for it.
    Cancelled,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopReason::Candidates(count) => write!(f, "{count} candidates were bred"),
            StopReason::Evaluations(count) => write!(f, "{count} candidates were evaluated"),
            StopReason::Seconds(seconds) => write!(f, "{seconds} seconds passed"),
            StopReason::Fitness(fitness) => write!(f, "a fitness of {fitness} was reached"),
            StopReason::Failures(count) => write!(f, "{count} evaluations failed"),
            StopReason::HeldOut(points) => {
                write!(f, "{points} held-out points in a row brought no new best there")
            }
            StopReason::HeldOutFitness(fitness) => {
                write!(f, "a held-out fitness of {fitness} was reached")
            }
            StopReason::Exhausted(births) => {
                write!(f, "the last {births} candidates were all duplicates")
            }
            StopReason::Cancelled => f.write_str("it was cancelled"),
        }
    }
}

impl Stopping {
    /// No limit at all.
    pub(crate) const NONE: Stopping = Stopping {
        candidates: None,
        evaluations: None,
        seconds: None,
        fitness: None,
        failures: None,
        held_out: None,
        held_out_fitness: None,
    };

    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        if self.candidates.is_none() && self.evaluations.is_none() && self.seconds.is_none() {
            let message = "set at least one of `candidates`, `evaluations` and `seconds`";
            return Err(SearchError::config("stopping", message));
        }
        let counts = [
            ("candidates", self.candidates),
            ("evaluations", self.evaluations),
            ("failures", self.failures),
        ];
        for (key, limit) in counts {
            if limit == Some(0) {
                let key = format!("stopping.{key}");
                return Err(SearchError::config(&key, "must be 1 or more"));
            }
        }
        if self.seconds.is_some_and(|seconds| !(seconds.is_finite() && seconds > 0.0)) {
            return Err(SearchError::config("stopping.seconds", "must be above 0"));
        }
        if self.fitness.is_some_and(f64::is_nan) {
            return Err(SearchError::config("stopping.fitness", "must be a number"));
        }
        if self.held_out_fitness.is_some_and(f64::is_nan) {
            return Err(SearchError::config("stopping.held_out_fitness", "must be a number"));
        }
        Ok(())
    }

    /// The reason not to breed another program, from counts alone. `latest` is the birth that last
    /// needed an evaluation.
    pub(crate) fn by_counts(&self, counters: &Counters, latest: u64) -> Option<StopReason> {
        let reached = |limit: Option<u64>, count| limit.filter(|&limit| count >= limit);
        let duplicates = counters.births.saturating_sub(latest + 1);
        reached(self.candidates, counters.births)
            .map(StopReason::Candidates)
            .or(reached(self.evaluations, counters.evaluations).map(StopReason::Evaluations))
            .or(self.by_failures(counters))
            .or((duplicates >= EXHAUSTED_AFTER).then_some(StopReason::Exhausted(duplicates)))
    }

    /// The same from failures alone.
    pub(crate) fn by_failures(&self, counters: &Counters) -> Option<StopReason> {
        let limit = self.failures.filter(|&limit| counters.failed >= limit);
        limit.map(StopReason::Failures)
    }

    pub(crate) fn by_fitness(&self, fitness: f64) -> Option<StopReason> {
        self.fitness.filter(|&target| fitness >= target).map(|_| StopReason::Fitness(fitness))
    }

    /// The same from the held-out points in a row without a new best.
    pub(crate) fn by_held_out(&self, stale: u64) -> Option<StopReason> {
        self.held_out.filter(|&limit| stale >= limit).map(StopReason::HeldOut)
    }

    /// The same from the best held-out fitness.
    pub(crate) fn by_held_out_fitness(&self, fitness: f64) -> Option<StopReason> {
        let reached = self.held_out_fitness.filter(|&target| fitness >= target);
        reached.map(|_| StopReason::HeldOutFitness(fitness))
    }
}
