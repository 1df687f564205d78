//! Absorption: outcomes change the state of the search, in birth order.
//!
//! Invariant: what is absorbed is counted, recorded and shown to hall of fame, hurdles, strategy,
//! held-out evaluation and restarts exactly once, and nothing else changes any of them.

use std::sync::Arc;

use evo_domain::{Domain, Outcome, Size};

use super::Search;
use crate::identity::Identity;
use crate::lineage::{Lineage, start_of};
use crate::outcomes::Sighting;
use crate::recheck::{RECHECK_TOLERANCE, outcomes_apart};
use crate::window::{Birth, Fate};
use crate::{Individual, SearchError};

/// Whose program an outcome was measured on.
#[derive(Clone, Copy)]
enum Origin {
    /// This birth's, or one of its very structure.
    Own,
    /// Another one that behaves like it.
    Shared,
}

/// A fitness as it is absorbed: NaN would make tournaments depend on who is drawn first.
pub(super) fn comparable(fitness: f64) -> f64 {
    if fitness.is_nan() { f64::NEG_INFINITY } else { fitness }
}

impl<D: Domain> Search<D> {
    /// After the stop there is no later birth to keep outcomes from.
    pub(super) fn finish_if_stopped(&mut self) -> Result<(), SearchError> {
        while self.limits.stop.is_some() && self.absorb_next()? {}
        self.begin_confirmation_if_due();
        Ok(())
    }

    /// Absorbs the oldest birth; `false` when its outcome is awaited, or the value of the point
    /// behind it, or there is none.
    pub(super) fn absorb_next(&mut self) -> Result<bool, SearchError> {
        if !self.is_next_point_known()? {
            return Ok(false);
        }
        let Some((birth, settled)) = self.window.pop_settled() else { return Ok(false) };
        let Birth { program, identity, lineage, sighting, fate, .. } = settled;
        let Identity { behaviour, size: Size { length, states }, .. } = identity;
        let (outcome, origin) = match (fate, sighting) {
            (Fate::Told(outcome), _) => {
                self.take_in(birth, identity, &outcome, sighting.rechecked())?;
                (outcome, Origin::Own)
            }
            (Fate::Shared, Sighting::Duplicate { evaluation, same_structure }) => {
                let origin = if same_structure { Origin::Own } else { Origin::Shared };
                let store = self.kept.rows();
                (self.outcomes.of(identity, evaluation, store)?, origin)
            }
            _ => unreachable!("only settled births leave the window, and only duplicates share"),
        };
        let fitness = comparable(outcome.fitness());
        self.found.lineage.absorb(identity, lineage, fitness);
        self.show(birth, &program, (lineage, sighting), fitness);
        let start = start_of(birth, lineage);
        let individual = Individual { birth, start, program, behaviour, fitness, length, states };
        self.absorb(individual, &outcome, origin);
        if let Some(lineage) = lineage {
            self.note_improvement(lineage, fitness);
        }
        Ok(true)
    }

    /// Takes in what a birth's own evaluation led to.
    fn take_in(
        &mut self,
        birth: u64,
        identity: Identity,
        outcome: &Arc<Outcome>,
        recheck: Option<u64>,
    ) -> Result<(), SearchError> {
        self.count(outcome);
        // After a restart, what was bred before it says nothing of the new population.
        if self.evolution.restart_clock.admits(birth) {
            self.evolution.hurdles.absorb(outcome.stages());
        }
        if let Some(evaluation) = recheck {
            let store = self.kept.rows();
            let shared = self.outcomes.of(identity, evaluation, store)?;
            if let Some(apart) = outcomes_apart(outcome, &shared) {
                let counters = &mut self.found.counters;
                counters.rechecked += 1;
                counters.disagreed += u64::from(apart > RECHECK_TOLERANCE);
            }
        }
        self.outcomes.absorb(birth, identity, outcome, recheck.is_some());
        Ok(())
    }

    fn note_improvement(&mut self, lineage: Lineage, fitness: f64) {
        let Lineage { parent, kind, fitness: of_parent, .. } = lineage;
        // It was not known when the first children of a start program were conceived.
        let of_parent = self.evolution.start(parent).map_or(of_parent, |start| start.fitness);
        if let Some(kind) = kind.filter(|_| fitness > of_parent) {
            self.found.mutations.note_improved(kind);
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Scored(_) => &mut self.found.counters.scored,
            Outcome::Invalid(_) => &mut self.found.counters.invalid,
            Outcome::Stopped(_) => &mut self.found.counters.stopped,
            Outcome::Ended(_) => &mut self.found.counters.ended,
            Outcome::Failed { .. } => &mut self.found.counters.failed,
        };
        *counter += 1;
    }

    fn absorb(&mut self, individual: Individual<D::Program>, outcome: &Outcome, origin: Origin) {
        if let Outcome::Scored(score) = outcome {
            let hall_of_fame = &mut self.found.hall_of_fame;
            match origin {
                Origin::Own => {
                    hall_of_fame.offer(&individual, score, self.breeding.identifier.domain());
                }
                Origin::Shared => hall_of_fame.claim(&individual),
            }
        }
        let Individual { birth, fitness, .. } = individual;
        self.limits.stop_by_fitness(fitness);
        self.note_incumbent(&individual);
        let reason = self.evolution.absorb(individual);
        self.found.counters.absorbed += 1;
        let by_point = self.take_point();
        let Some(reason) = reason.or(by_point) else { return };
        // After the stop nothing would be bred from a refilled population.
        if self.limits.stop.is_some() {
            return self.held_out.close();
        }
        let best = self.found.hall_of_fame.best().map(|best| &best.individual);
        let restart = self.evolution.restart(birth, reason, best);
        self.held_out.restart(&restart.carried);
        self.found.restarts.push(restart);
    }
}
