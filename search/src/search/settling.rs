//! Settling: where the outcome of a birth will come from.
//!
//! Invariant: it is settled when the birth is bred and by what is known then, whatever evaluations
//! have finished since: an earlier birth's evaluation, the store, a shared cache, or one of its
//! own.

use std::sync::Arc;

use evo_domain::{Domain, Outcome};

use super::Search;
use crate::SearchError;
use crate::breeding::Child;
use crate::deduplication::{Arrival, Sighting};
use crate::store::{Descent, Provenance};
use crate::window::Fate;

impl<D: Domain> Search<D> {
    /// What is known of the birth just bred, and where its outcome will come from.
    pub(super) fn settle(
        &mut self,
        birth: u64,
        child: &Child<D::Program>,
    ) -> Result<(Sighting, Fate), SearchError> {
        let arrival = Arrival { birth, identity: child.identity, hurdles: &self.thresholds };
        let sighting = self.behaviours.sight(arrival, self.store.as_ref())?;
        let evaluation = match sighting {
            Sighting::Duplicate { evaluation, .. } => evaluation,
            Sighting::Recheck { .. } | Sighting::New => birth,
        };
        if let Some(store) = &mut self.store {
            let descent = child.parent.as_ref().map(|(lineage, parent)| Descent {
                parent: lineage.parent,
                mutation: lineage.kind.map(|kind| self.breeder.statistics().name(kind)),
                edit: self.behaviours.domain().edit(parent, &child.program),
            });
            store.note_birth(birth, descent.as_ref(), evaluation)?;
        }
        if let Sighting::Duplicate { same_structure, .. } = sighting {
            let counters = &mut self.counters;
            *(if same_structure {
                &mut counters.structural_hits
            } else {
                &mut counters.functional_hits
            }) += 1;
            return Ok((sighting, Fate::Shared));
        }
        self.counters.evaluations += 1;
        self.latest_evaluation = birth;
        Ok((sighting, self.known_outcome(birth, child, sighting.rechecked())?))
    }

    /// The outcome of a birth that needs one of its own, from the store or the shared cache.
    fn known_outcome(
        &mut self,
        birth: u64,
        child: &Child<D::Program>,
        recheck: Option<u64>,
    ) -> Result<Fate, SearchError> {
        let identity = child.identity;
        if let Some(stored) = self.stored.remove(&birth) {
            if stored.behaviour != identity.behaviour
                && let Some(store) = &self.store
            {
                return Err(store.diverged(birth));
            }
            self.counters.cached += u64::from(stored.cached);
            return Ok(Fate::Told(Arc::new(stored.outcome)));
        }
        let cache = self.cache.as_ref().filter(|_| self.behaviours.compares());
        let Some(outcome) = cache.and_then(|cache| cache.get(&identity.structure)) else {
            return Ok(Fate::Awaited);
        };
        // The cache holds outcomes of whole evaluations; here one would have been stopped.
        let stopped = outcome.stopped_by(&self.thresholds);
        let outcome = stopped.map_or(outcome, |stopped| Arc::new(Outcome::Stopped(stopped)));
        self.counters.cached += 1;
        if let Some(store) = &mut self.store {
            let provenance = Provenance { cached: true, recheck };
            let program = self.behaviours.domain().text(&child.program);
            store.note_evaluation(birth, identity, &program, &outcome, provenance)?;
        }
        Ok(Fate::Told(outcome))
    }
}
