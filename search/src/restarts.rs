//! Restarts: when the population is refilled, and with what.
//!
//! Invariant: a restart falls between two births. Those below [`Restart::birth`] were bred from the
//! population before it and never enter the one after, though they may come into the hall of fame;
//! let in, they would take a fresh start over with the very individuals it is to get away from. All
//! is counted in births, so timing cannot show.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Individual, SearchError};

/// When to restart and from what; never, unless one of the others is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Restarts {
    /// What the population is refilled with.
    pub from: RestartFrom,
    /// Births from the start, or the last restart, to the next; above `window`.
    pub every: Option<u64>,
    /// Births absorbed in a row, since the last restart, without a new best among those bred since.
    pub plateau: Option<u64>,
    /// Held-out points in a row, since the last restart, without a new best held-out fitness among
    /// them; needs `held_out.every`.
    pub held_out: Option<u64>,
}

/// What a restart refills the population with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestartFrom {
    /// The start programs: an independent repeat, which may end elsewhere.
    #[default]
    Start,
    /// The fittest of all so far; the start programs while nothing has a fitness.
    Best,
}

/// Why the population was refilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestartReason {
    /// So many births since the last restart.
    Every(u64),
    /// So many births without an improvement.
    Plateau(u64),
    /// So many held-out points without one.
    HeldOut(u64),
}

impl fmt::Display for RestartReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestartReason::Every(births) => write!(f, "{births} births since the last"),
            RestartReason::Plateau(births) => write!(f, "{births} births without a new best"),
            RestartReason::HeldOut(points) => {
                write!(f, "{points} held-out points without a new best there")
            }
        }
    }
}

/// A restart that took place.
#[derive(Clone, Debug)]
pub struct Restart<P> {
    /// The first birth bred from the refilled population.
    pub birth: u64,
    /// Why.
    pub reason: RestartReason,
    /// What the population was refilled with, of several start programs the fittest.
    pub carried: Individual<P>,
}

impl Restarts {
    pub(crate) fn validate(&self, window: u64) -> Result<(), SearchError> {
        if self.every.is_some_and(|every| every <= window) {
            let message = format!("must be above the window, {window}: no outcome would be used");
            return Err(SearchError::config("restarts.every", message));
        }
        if self.plateau == Some(0) {
            return Err(SearchError::config("restarts.plateau", "must be 1 or more"));
        }
        Ok(())
    }

    pub(crate) fn is_never(&self) -> bool {
        self.every.is_none() && self.plateau.is_none() && self.held_out.is_none()
    }
}

/// When to restart, by what has happened since the last time.
#[derive(Clone, Copy)]
pub(crate) struct RestartClock {
    restarts: Restarts,
    window: u64,
    since: SinceRestart,
}

/// What has happened since the last restart.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct SinceRestart {
    /// The first birth bred since.
    first: u64,
    /// Births absorbed since the best was.
    stale: u64,
    best: f64,
}

impl RestartClock {
    pub(crate) fn new(restarts: Restarts, window: u64) -> RestartClock {
        let since = SinceRestart { first: 0, stale: 0, best: f64::NEG_INFINITY };
        RestartClock { restarts, window, since }
    }

    pub(crate) fn since(&self) -> SinceRestart {
        self.since
    }

    /// Goes on from what was saved earlier.
    pub(crate) fn restore(&mut self, since: SinceRestart) {
        self.since = since;
    }

    pub(crate) fn from(&self) -> RestartFrom {
        self.restarts.from
    }

    /// Whether a birth was bred since the last restart.
    pub(crate) fn admits(&self, birth: u64) -> bool {
        self.bred_before(birth).is_some()
    }

    /// How many births since the last restart a birth comes after; none if it was bred before that.
    pub(crate) fn bred_before(&self, birth: u64) -> Option<u64> {
        birth.checked_sub(self.since.first)
    }

    /// Takes note of a birth just absorbed; gives the reason to restart now, if there is one.
    pub(crate) fn absorb(&mut self, birth: u64, fitness: f64) -> Option<RestartReason> {
        if self.admits(birth) {
            let since = &mut self.since;
            since.stale = if fitness > since.best { 0 } else { since.stale + 1 };
            since.best = since.best.max(fitness);
        }
        let bred = self.next_birth(birth) - self.since.first;
        let every = self.restarts.every.filter(|&every| bred >= every);
        let plateau = self.restarts.plateau.filter(|&plateau| self.since.stale >= plateau);
        every.map(RestartReason::Every).or(plateau.map(RestartReason::Plateau))
    }

    /// The reason to restart at a held-out point behind which so many in a row, since the last
    /// restart, have brought no new best.
    pub(crate) fn by_held_out(&self, stale: u64) -> Option<RestartReason> {
        self.restarts.held_out.filter(|&limit| stale >= limit).map(RestartReason::HeldOut)
    }

    /// Begins anew after the absorption of a birth; gives the first birth bred since.
    pub(crate) fn restart<P>(&mut self, absorbed: u64, carried: &Individual<P>) -> u64 {
        let first = self.next_birth(absorbed);
        self.since = SinceRestart { first, stale: 0, best: carried.fitness };
        first
    }

    /// The birth that is bred next after the absorption of this one.
    fn next_birth(&self, absorbed: u64) -> u64 {
        absorbed.saturating_add(self.window).saturating_add(1)
    }
}
