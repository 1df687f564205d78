//! Conceiving: beginning the next birth, whose program may then be bred anywhere.
//!
//! Invariant: it is begun when it is due, from the state that has absorbed exactly what the window
//! says. Births may be begun while others are being bred; not where what those come to could reach
//! a limit, nor where a snapshot is due, for both look at a search between two births.

use std::sync::Arc;

use evo_domain::Domain;

use super::Search;
use crate::SearchError;
use crate::breeding::Conception;
use crate::tabu::Tabu;

impl<D: Domain> Search<D> {
    /// Begins the next birth, to be bred anywhere and then settled ([`Search::settle`]).
    ///
    /// `None` when it has to wait for an outcome that has not been told, or for another birth to be
    /// settled, or when the search has stopped.
    ///
    /// # Errors
    /// When the store cannot be read or written; never without one.
    pub fn conceive(&mut self) -> Result<Option<Conception<D>>, SearchError> {
        if !self.is_birth_due()? {
            return Ok(None);
        }
        self.save_state_if_due()?;
        let birth = self.begun;
        self.begun += 1;
        let crosses = self.breeding.domain.crossover().is_some();
        let origin = self.evolution.conceive(birth, crosses, self.kept.rows().is_some());
        self.hurdles.push_back(Arc::clone(self.evolution.hurdles.up()));
        let tabu = self.breeding.tabu.as_ref().map_or(0, Tabu::entries);
        Ok(Some(Conception { birth, origin, tabu }))
    }

    /// Absorbs what the next birth must know; `false` when that is not all there yet, or when there
    /// is no next birth.
    fn is_birth_due(&mut self) -> Result<bool, SearchError> {
        if self.limits.stop.is_none() {
            let counters = &self.found.counters;
            let alone = self.begun == counters.births;
            if !alone && (self.is_state_due() || self.limits.are_undecided(counters, self.begun)) {
                return Ok(false);
            }
            self.limits.stop_by_counts(counters);
        }
        let known = self.begun.saturating_sub(self.width);
        while self.limits.stop.is_none() && self.found.counters.absorbed < known {
            if !self.absorb_next()? {
                return Ok(false);
            }
        }
        self.limits.stop_by_failures(&self.found.counters);
        self.finish_if_stopped()?;
        Ok(self.limits.stop.is_none())
    }
}
