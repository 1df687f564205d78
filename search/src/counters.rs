//! Counters: how much a search has done so far.
//!
//! Invariant: every counter but `cached` is a function of configuration, seed and the number of
//! births; `cached` also depends on what other runs left in a shared cache.

use serde::{Deserialize, Serialize};

/// What a search has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Programs bred, the start program included.
    pub births: u64,
    /// Births this run had to know the outcome of: those not equal to an earlier one.
    pub evaluations: u64,
    /// Evaluations that a shared cache answered.
    pub cached: u64,
    /// Births with the structure of the birth whose evaluation they share.
    pub structural_hits: u64,
    /// Births with another structure than the birth whose evaluation they share.
    pub functional_hits: u64,
    /// Births with another structure than an earlier one that behaves like them, evaluated all the
    /// same: rechecks absorbed.
    #[serde(default)]
    pub rechecked: u64,
    /// Rechecks whose outcome was not the one they would have shared.
    #[serde(default)]
    pub disagreed: u64,
    /// Births whose outcome has been taken in.
    pub absorbed: u64,
    /// Individuals that shared an evaluation and claimed a place in the hall of fame, evaluated at
    /// the end of the run; no `evaluations`, and no limit counts them.
    #[serde(default)]
    pub confirmed: u64,
    /// Evaluations absorbed with a score.
    pub scored: u64,
    /// Evaluations absorbed of programs that cannot train.
    pub invalid: u64,
    /// Evaluations absorbed that were stopped at a hurdle.
    #[serde(default)]
    pub stopped: u64,
    /// Evaluations absorbed that were ended from outside.
    #[serde(default)]
    pub ended: u64,
    /// Evaluations absorbed that the engine failed at.
    pub failed: u64,
}

impl Counters {
    /// Evaluations absorbed, whatever they came to.
    pub(crate) fn evaluated(&self) -> u64 {
        let Counters { scored, invalid, stopped, ended, failed, .. } = *self;
        scored + invalid + stopped + ended + failed
    }
}
