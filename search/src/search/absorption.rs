//! Absorption: outcomes change the state of the search, in birth order.
//!
//! Invariant: what is absorbed is counted, recorded and shown to hall of fame, hurdles, strategy,
//! held-out evaluation and restarts exactly once, and nothing else changes any of them.

use std::sync::Arc;

use evo_domain::{Domain, Outcome, Score, Size};

use super::{Found, Search};
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

/// What a birth is worth.
enum Worth {
    /// What an evaluation came to.
    Outcome(Arc<Outcome>),
    /// The mean of several.
    Mean(Option<Score>),
}

impl Worth {
    fn score(&self) -> Option<&Score> {
        match self {
            Worth::Mean(mean) => mean.as_ref(),
            Worth::Outcome(outcome) => match &**outcome {
                Outcome::Scored(score) => Some(score),
                _ => None,
            },
        }
    }
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
        let (worth, origin) = match (fate, sighting) {
            (Fate::Told(outcome), _) => {
                self.take_in(birth, identity, &outcome, sighting)?;
                self.own_worth(birth, outcome, sighting)
            }
            (Fate::Shared, Sighting::Duplicate { evaluation, same_structure }) => {
                let origin = if same_structure { Origin::Own } else { Origin::Shared };
                (self.shared_worth(identity, evaluation)?, origin)
            }
            _ => unreachable!("only settled births leave the window, and only duplicates share"),
        };
        let score = worth.score();
        let fitness = comparable(score.map_or(f64::NEG_INFINITY, |score| score.fitness));
        if sighting.is_evaluated() && self.outcomes.config().refresh {
            self.evolution.strategy.refresh(&behaviour, fitness);
        }
        self.found.lineage.absorb(identity, lineage, fitness);
        self.show(birth, (&program, identity), (lineage, sighting), fitness);
        let start = start_of(birth, lineage);
        let individual = Individual { birth, start, program, behaviour, fitness, length, states };
        self.absorb(individual, score, origin);
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
        sighting: Sighting,
    ) -> Result<(), SearchError> {
        self.count(outcome);
        self.count_reprieve(birth, outcome);
        // After a restart, what was bred before it says nothing of the new population.
        if self.evolution.restart_clock.admits(birth) {
            self.evolution.hurdles.absorb(outcome);
        }
        if let Some((evaluation, same_structure)) = sighting.rechecked() {
            let store = self.kept.rows();
            let shared = self.outcomes.of(identity, evaluation, store)?;
            self.compare(outcome, &shared, same_structure);
        }
        self.outcomes.absorb(birth, identity, outcome, sighting);
        Ok(())
    }

    /// Counts how far the outcome of a birth is from the one it would have shared.
    fn compare(&mut self, own: &Outcome, shared: &Outcome, same_structure: bool) {
        let Found { counters, policies, .. } = &mut self.found;
        let collisions = match same_structure {
            true => &mut policies.structural,
            false => &mut policies.functional,
        };
        collisions.note(own, shared);
        if let Some(apart) = outcomes_apart(own, shared).filter(|_| !same_structure) {
            counters.rechecked += 1;
            counters.disagreed += u64::from(apart > RECHECK_TOLERANCE);
        }
    }

    /// What a birth is worth that was evaluated: its outcome, or the mean that this joins.
    fn own_worth(
        &mut self,
        birth: u64,
        outcome: Arc<Outcome>,
        sighting: Sighting,
    ) -> (Worth, Origin) {
        if !self.outcomes.aggregates() {
            return (Worth::Outcome(outcome), Origin::Own);
        }
        let origin = match sighting {
            Sighting::Aggregated { same_structure: false, .. } => Origin::Shared,
            _ => Origin::Own,
        };
        let mean = self.outcomes.aggregate(sighting.evaluation(birth), &outcome);
        (Worth::Mean(mean), origin)
    }

    /// What a birth is worth that shares an evaluation, or the mean of several.
    fn shared_worth(&mut self, identity: Identity, evaluation: u64) -> Result<Worth, SearchError> {
        if self.outcomes.aggregates() {
            return Ok(Worth::Mean(self.outcomes.mean(evaluation)));
        }
        let store = self.kept.rows();
        self.outcomes.of(identity, evaluation, store).map(Worth::Outcome)
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

    fn absorb(
        &mut self,
        individual: Individual<D::Program>,
        score: Option<&Score>,
        origin: Origin,
    ) {
        if let Some(score) = score {
            let hall_of_fame = &mut self.found.hall_of_fame;
            match origin {
                Origin::Own => {
                    hall_of_fame.offer(&individual, score, self.breeding.identifier.domain());
                }
                Origin::Shared => hall_of_fame.claim(&individual),
            }
        }
        let Individual { birth, fitness, behaviour, .. } = individual;
        if let Some(tabu) = &self.breeding.tabu {
            tabu.note(behaviour);
        }
        self.limits.stop_by_fitness(fitness);
        self.note_incumbent(&individual);
        let reason = self.evolution.absorb(individual);
        self.found.counters.absorbed += 1;
        self.outcomes.note_absorbed(self.found.counters.absorbed);
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
