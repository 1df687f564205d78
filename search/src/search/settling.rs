//! Settling: where the outcome of a birth will come from.
//!
//! Invariant: births are settled in order, each by what is known to it, whatever evaluations have
//! finished since it was begun: an earlier birth's evaluation, the store, a shared cache, or one of
//! its own.

use evo_domain::Domain;

use super::Search;
use crate::SearchError;
use crate::breeding::{Bred, Descent};
use crate::outcomes::{Arrival, Sighting, Source};
use crate::store::Provenance;
use crate::window::{Birth, Fate};

impl<D: Domain> Search<D> {
    /// Takes in a program just bred, in any order. What it has to be evaluated for is asked next.
    ///
    /// # Errors
    /// When the store cannot be read or written; never without one.
    pub fn settle(&mut self, bred: Bred<D::Program>) -> Result<(), SearchError> {
        if bred.birth == self.found.counters.births {
            self.settle_next(bred)?;
        } else {
            self.bred.insert(bred.birth, bred);
        }
        while let Some(next) = self.bred.remove(&self.found.counters.births) {
            self.settle_next(next)?;
        }
        self.look_ahead()?;
        self.finish_if_stopped()
    }

    fn settle_next(&mut self, bred: Bred<D::Program>) -> Result<(), SearchError> {
        let Bred { birth, program, identity, descent, tries } = bred;
        let hurdles = self.hurdles.pop_front().expect("it was conceived");
        self.found.counters.births += 1;
        let mutations = &mut self.found.mutations;
        tries.mutations.iter().for_each(|&(kind, neutral)| mutations.note_tried(kind, neutral));
        self.found.policies.tabu_retries += tries.tabu;
        self.found.policies.tabu_kept += u64::from(tries.tabu_kept);
        let arrival = Arrival { birth, identity, hurdles: &hurdles };
        let known = birth.saturating_sub(self.width);
        let sighting = self.outcomes.sight(arrival, known, self.kept.rows())?;
        self.note_birth(birth, &program, descent.as_ref(), sighting)?;
        let fate = match sighting {
            Sighting::Duplicate { same_structure, .. } => {
                let counters = &mut self.found.counters;
                *(match same_structure {
                    true => &mut counters.structural_hits,
                    false => &mut counters.functional_hits,
                }) += 1;
                Fate::Shared
            }
            _ => {
                let policies = &mut self.found.policies;
                policies.aggregated += u64::from(matches!(sighting, Sighting::Aggregated { .. }));
                policies.forgotten += u64::from(matches!(sighting, Sighting::Anew { .. }));
                self.found.counters.evaluations += 1;
                self.limits.latest_evaluation = birth;
                self.own_fate(arrival, &program, sighting)?
            }
        };
        if matches!(fate, Fate::Awaited) {
            self.unasked.push_back(birth);
        }
        let lineage = descent.map(Descent::settled);
        self.window.push(Birth { program, identity, lineage, hurdles, sighting, fate });
        Ok(())
    }

    fn note_birth(
        &mut self,
        birth: u64,
        program: &D::Program,
        descent: Option<&Descent<D::Program>>,
        sighting: Sighting,
    ) -> Result<(), SearchError> {
        let Some(store) = self.kept.rows_mut() else { return Ok(()) };
        let evaluation = sighting.evaluation(birth);
        let name = |kind| self.found.mutations.name(kind);
        let mutation = descent.and_then(|descent| descent.lineage.kind).map(name);
        // Of one that shares an evaluation there is no text but the edit of its parent's.
        let is_orphan = descent.is_none() && evaluation != birth;
        let text = is_orphan.then(|| self.breeding.domain.text(program));
        store.note_birth(birth, descent, text.as_deref(), mutation, evaluation)
    }

    /// Whether an evaluation is one that any other run would make: a shared cache holds no other,
    /// and answers no other.
    pub(super) fn is_shareable(&self, sighting: Sighting) -> bool {
        let counterfactual = self.outcomes.config().counterfactual;
        sighting.repeat() == 0 && !self.noise.is_on() && !counterfactual
    }

    /// Where a birth that needs an outcome of its own gets it from.
    fn own_fate(
        &mut self,
        arrival: Arrival<'_>,
        program: &D::Program,
        sighting: Sighting,
    ) -> Result<Fate, SearchError> {
        let Arrival { birth, identity, hurdles } = arrival;
        let tested = self.tested(birth, hurdles);
        let store = self.kept.rows();
        let found = match self.is_shareable(sighting) {
            true => self.outcomes.find_own(Arrival { hurdles: &tested, ..arrival }, store)?,
            false => self.outcomes.take_stored(birth, identity, store)?,
        };
        let Some(found) = found else { return Ok(Fate::Awaited) };
        let mut outcome = found.outcome;
        match found.source {
            Source::Store { cached } => self.found.counters.cached += u64::from(cached),
            Source::Cache => {
                self.found.counters.cached += 1;
                outcome = self.counted(birth, outcome, hurdles);
                if let Some(store) = self.kept.rows_mut() {
                    let provenance = Provenance { cached: true, recheck: sighting.instead_of() };
                    let program = self.breeding.domain.text(program);
                    store.note_evaluation(birth, identity, &program, &outcome, provenance)?;
                }
            }
        }
        Ok(Fate::Told(outcome))
    }
}
