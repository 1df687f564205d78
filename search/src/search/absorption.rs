//! Absorption: outcomes change the state of the search, in birth order.
//!
//! Invariant: what is absorbed is counted, recorded and shown to hall of fame, hurdles, strategy
//! and restarts exactly once, and nothing else changes any of them.

use std::sync::Arc;

use evo_domain::{Domain, Outcome, Size};

use super::Search;
use crate::deduplication::{Identity, Sighting};
use crate::hurdles::Hurdles;
use crate::recheck::{RECHECK_TOLERANCE, outcomes_apart};
use crate::window::{Birth, Fate};
use crate::{Individual, Restart, RestartFrom, RestartReason, SearchError};

/// Whose program an outcome was measured on.
#[derive(Clone, Copy)]
enum Origin {
    /// This birth's, or one of its very structure.
    Own,
    /// Another one that behaves like it.
    Shared,
}

impl<D: Domain> Search<D> {
    /// After the stop there is no later birth to keep outcomes from.
    pub(super) fn finish_if_stopped(&mut self) -> Result<(), SearchError> {
        while self.stop.is_some() && self.absorb_next()? {}
        self.begin_confirmation_if_due();
        Ok(())
    }

    /// Absorbs the oldest birth; `false` when its outcome is awaited or there is none.
    pub(super) fn absorb_next(&mut self) -> Result<bool, SearchError> {
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
                let store = self.store.as_ref();
                (self.behaviours.outcome(identity, evaluation, store)?, origin)
            }
            _ => unreachable!("only settled births leave the window, and only duplicates share"),
        };
        // NaN would make tournaments depend on who is drawn first.
        let fitness =
            if outcome.fitness().is_nan() { f64::NEG_INFINITY } else { outcome.fitness() };
        self.lineage.absorb(identity, lineage, fitness);
        let individual = Individual { birth, program, behaviour, fitness, length, states };
        self.absorb(individual, &outcome, origin);
        if let Some(lineage) = lineage {
            self.breeder.note_fitness(lineage, fitness, self.start.fitness);
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
        if self.restart_clock.admits(birth) {
            self.hurdles.absorb(&self.hurdle_config, outcome.stages());
            self.put_up_hurdles();
        }
        if let Some(evaluation) = recheck {
            let shared = self.behaviours.outcome(identity, evaluation, self.store.as_ref())?;
            if let Some(apart) = outcomes_apart(outcome, &shared) {
                self.counters.rechecked += 1;
                self.counters.disagreed += u64::from(apart > RECHECK_TOLERANCE);
            }
        }
        self.behaviours.record(birth, identity, outcome, recheck.is_some());
        Ok(())
    }

    /// Candidates share the hurdles until one changes.
    pub(super) fn put_up_hurdles(&mut self) {
        let thresholds = self.hurdles.thresholds(&self.hurdle_config);
        if *self.thresholds != *thresholds {
            self.thresholds = thresholds.into();
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Scored(_) => &mut self.counters.scored,
            Outcome::Invalid(_) => &mut self.counters.invalid,
            Outcome::Stopped(_) => &mut self.counters.stopped,
            Outcome::Ended(_) => &mut self.counters.ended,
            Outcome::Failed { .. } => &mut self.counters.failed,
        };
        *counter += 1;
    }

    fn absorb(&mut self, individual: Individual<D::Program>, outcome: &Outcome, origin: Origin) {
        if let Outcome::Scored(score) = outcome {
            match origin {
                Origin::Own => {
                    self.hall_of_fame.offer(&individual, score, self.behaviours.domain());
                }
                Origin::Shared => self.hall_of_fame.claim(&individual),
            }
        }
        if self.stop.is_none() {
            self.stop = self.stopping.by_fitness(individual.fitness);
        }
        let Individual { birth, fitness, .. } = individual;
        if birth == 0 {
            self.start.fitness = fitness;
        }
        if let Some(earlier) = self.restart_clock.bred_before(birth) {
            self.strategy.absorb(individual, earlier);
        }
        self.counters.absorbed += 1;
        let reason = self.restart_clock.absorb(birth, fitness);
        // After the stop nothing would be bred from a refilled population.
        if let (Some(reason), None) = (reason, self.stop) {
            self.restart(birth, reason);
        }
    }

    fn restart(&mut self, absorbed: u64, reason: RestartReason) {
        // A fresh start would not clear the hurdles of a population that has come far.
        self.hurdles = Hurdles::default();
        self.put_up_hurdles();
        let best = self.hall_of_fame.best().map(|best| &best.individual);
        let carried = match self.restart_clock.from() {
            RestartFrom::Start => &self.start,
            RestartFrom::Best => best.unwrap_or(&self.start),
        };
        self.strategy.restart(carried);
        let birth = self.restart_clock.restart(absorbed, carried);
        self.restarts.push(Restart { birth, reason, carried: carried.clone() });
    }
}
