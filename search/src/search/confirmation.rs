//! Confirmation: before a run ends, claims to the hall of fame are settled by evaluating the very
//! programs that lay them.
//!
//! Invariant: it comes after the last birth was absorbed and changes the hall of fame alone, so a
//! run that goes on with a higher limit goes on as if there had been none. Outcomes take effect
//! together and in birth order, whatever the order they are told in.

use std::collections::BTreeMap;
use std::sync::Arc;

use evo_domain::{Domain, Outcome};

use super::Search;
use crate::{Individual, SearchError, StopReason};

/// The claims under way.
pub(super) struct Confirmation<P> {
    begun: bool,
    /// By birth, with what came of it.
    claims: BTreeMap<u64, (Individual<P>, Option<Arc<Outcome>>)>,
    /// Outcomes that the store holds from an earlier end of the run.
    stored: BTreeMap<u64, Arc<Outcome>>,
}

impl<P> Default for Confirmation<P> {
    fn default() -> Confirmation<P> {
        Confirmation { begun: false, claims: BTreeMap::new(), stored: BTreeMap::new() }
    }
}

impl<P> Confirmation<P> {
    /// Whether this claim has no outcome yet.
    pub(super) fn awaits(&self, birth: u64) -> bool {
        self.claims.get(&birth).is_some_and(|(_, outcome)| outcome.is_none())
    }

    /// Number of claims without an outcome.
    pub(super) fn awaited(&self) -> usize {
        self.claims.values().filter(|(_, outcome)| outcome.is_none()).count()
    }

    /// The program of a claim.
    pub(super) fn program(&self, birth: u64) -> Option<Arc<P>> {
        self.claims.get(&birth).map(|(individual, _)| Arc::clone(&individual.program))
    }

    pub(super) fn is_over(&self) -> bool {
        self.begun && self.claims.is_empty()
    }

    /// Uses these outcomes instead of asking for them.
    pub(super) fn remember(&mut self, stored: BTreeMap<u64, Arc<Outcome>>) {
        self.stored = stored;
    }
}

impl<D: Domain> Search<D> {
    /// Begins once every birth has been absorbed; an interrupted run confirms nothing.
    pub(super) fn begin_confirmation_if_due(&mut self) {
        if self.confirmation.begun || !self.has_absorbed_all() {
            return;
        }
        self.confirmation.begun = true;
        if self.limits.stop == Some(StopReason::Cancelled) {
            return;
        }
        let Confirmation { claims, stored, .. } = &mut self.confirmation;
        for claim in self.found.hall_of_fame.take_claims() {
            let outcome = stored.remove(&claim.birth);
            claims.insert(claim.birth, (claim, outcome));
        }
        let open = claims.iter().filter(|(_, (_, outcome))| outcome.is_none());
        self.unasked.extend(open.map(|(birth, _)| birth));
        self.settle_claims_if_known();
    }

    /// Takes in what a claim came to.
    pub(super) fn confirm(
        &mut self,
        birth: u64,
        outcome: &Arc<Outcome>,
    ) -> Result<(), SearchError> {
        // A failure of the engine says nothing of the program.
        let sound = !matches!(**outcome, Outcome::Failed { .. });
        if let Some(store) = self.kept.store.as_mut().filter(|_| sound) {
            store.note_confirmation(birth, outcome)?;
        }
        if let Some((_, awaited)) = self.confirmation.claims.get_mut(&birth) {
            *awaited = Some(Arc::clone(outcome));
        }
        self.settle_claims_if_known();
        Ok(())
    }

    fn settle_claims_if_known(&mut self) {
        if self.confirmation.claims.values().any(|(_, outcome)| outcome.is_none()) {
            return;
        }
        self.found.counters.confirmed += self.confirmation.claims.len() as u64;
        let domain = self.breeding.identifier.domain();
        for (individual, outcome) in std::mem::take(&mut self.confirmation.claims).into_values() {
            if let Some(Outcome::Scored(score)) = outcome.as_deref() {
                let individual = Individual { fitness: score.fitness, ..individual };
                self.found.hall_of_fame.offer(&individual, score, domain);
            }
        }
    }
}
