//! Holding out: the incumbent is evaluated where the search does not look, at stated numbers of
//! births absorbed.
//!
//! Invariant: a birth is absorbed behind which a point falls due only once the value of that point
//! is known, and the point is taken with it. So what follows from it takes effect at one birth,
//! whatever came in when, and a state between two births has no point half taken. The incumbent of
//! a point is told from the window as soon as all outcomes up to it are there, which is long before
//! they are absorbed: its evaluation goes on beside those of the births in between. Waiting for the
//! absorption would let all workers idle for as long as it takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use evo_domain::{Domain, Outcome, Score};

use super::Search;
use super::absorption::comparable;
use crate::held_out::HeldOutCurve;
use crate::outcomes::{MeansAhead, Sighting};
use crate::window::Fate;
use crate::{HeldOutConfig, HeldOutPoint, Individual, RestartReason, SearchError};

/// The incumbent, its curve, and the next point of that.
pub(super) struct HeldOut<P> {
    every: Option<u64>,
    pub(super) curve: HeldOutCurve,
    /// The fittest of those bred since the last restart and of what that began with.
    pub(super) incumbent: Option<Individual<P>>,
    /// The incumbent of the best point, who may have been followed by a fitter one since.
    pub(super) selected: Option<Individual<P>>,
    /// The next point, where it is known whose it is.
    next: Option<Next<P>>,
    /// Points that the store holds of births that are going to be absorbed again, by their number.
    stored: BTreeMap<u64, HeldOutPoint>,
    /// Whether a restart was due after the stop, which takes place where the run goes on with a
    /// higher limit: points behind it would be those of another incumbent.
    closed: bool,
}

/// A point, with what its value is awaited of.
struct Next<P> {
    point: HeldOutPoint,
    awaited: Option<Awaited<P>>,
}

struct Awaited<P> {
    program: Arc<P>,
    asked: bool,
}

/// A birth that is going to be absorbed.
struct Foreseen<P> {
    program: Arc<P>,
    fitness: f64,
    /// Whether it was evaluated itself.
    own: bool,
}

impl<P> HeldOut<P> {
    pub(super) fn new(config: HeldOutConfig) -> HeldOut<P> {
        HeldOut {
            every: config.every,
            curve: HeldOutCurve::default(),
            incumbent: None,
            selected: None,
            next: None,
            stored: BTreeMap::new(),
            closed: false,
        }
    }

    /// Whether anything is held out.
    pub(super) fn is_on(&self) -> bool {
        self.every.is_some()
    }

    /// Uses these points instead of asking for their values.
    pub(super) fn remember(&mut self, stored: BTreeMap<u64, HeldOutPoint>, absorbed: u64) {
        self.stored = stored;
        self.stored.retain(|&behind, _| behind > absorbed);
    }

    /// The number of births behind which the next point falls due.
    fn due(&self, absorbed: u64) -> Option<u64> {
        let every = self.every.filter(|_| !self.closed)?;
        (absorbed / every).checked_add(1)?.checked_mul(every)
    }

    /// The incumbent that has to be evaluated and has not been asked.
    pub(super) fn ask(&mut self) -> Option<(u64, Arc<P>)> {
        let next = self.next.as_mut()?;
        let awaited = next.awaited.as_mut().filter(|awaited| !awaited.asked)?;
        awaited.asked = true;
        Some((next.point.birth, Arc::clone(&awaited.program)))
    }

    /// Number of incumbents asked and not yet told.
    pub(super) fn in_flight(&self) -> usize {
        let awaited = self.next.as_ref().and_then(|next| next.awaited.as_ref());
        usize::from(awaited.is_some_and(|awaited| awaited.asked))
    }

    /// Whether it is this birth that was asked and not yet told.
    pub(super) fn awaits(&self, birth: u64) -> bool {
        self.in_flight() > 0 && self.next.as_ref().is_some_and(|next| next.point.birth == birth)
    }

    /// Begins anew with what the population is refilled with.
    pub(super) fn restart(&mut self, carried: &Individual<P>)
    where
        P: Clone,
    {
        let fit = carried.fitness > f64::NEG_INFINITY;
        self.incumbent = (self.is_on() && fit).then(|| carried.clone());
        self.curve.restart();
    }

    /// Takes no more points.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }
}

impl<D: Domain> Search<D> {
    /// The curve of held-out evaluation so far; without points where nothing is held out.
    pub fn held_out(&self) -> &HeldOutCurve {
        &self.held_out.curve
    }

    /// The individual of the best held-out point; none without points, or in a run that was begun
    /// by a version that did not keep it, until there is a better one.
    pub fn selected(&self) -> Option<&Individual<D::Program>> {
        self.held_out.selected.as_ref()
    }

    /// Whether incumbents are evaluated on what is held out: whoever evaluates candidates has to
    /// look at [`Candidate::held_out`](crate::Candidate::held_out) then.
    pub fn holds_out(&self) -> bool {
        self.held_out.is_on()
    }

    /// Finds out whose the next point is as soon as that can be told, and what its value is or whom
    /// to ask for it.
    pub(super) fn look_ahead(&mut self) -> Result<(), SearchError> {
        let Some(due) = self.held_out.due(self.found.counters.absorbed) else { return Ok(()) };
        if self.held_out.next.is_some() {
            return Ok(());
        }
        let Some(mut next) = self.foresee(due)? else { return Ok(()) };
        if let Some(stored) = self.held_out.stored.remove(&due) {
            next = Next { point: self.check_stored(next.point, stored)?, awaited: None };
        } else if let Some(held_out_fitness) = self.held_out.curve.known(next.point.birth) {
            next = Next { point: HeldOutPoint { held_out_fitness, ..next.point }, awaited: None };
            if let Some(store) = &mut self.kept.store {
                store.note_held_out(&next.point, None)?;
            }
        }
        self.held_out.next = Some(next);
        Ok(())
    }

    /// Refuses a stored point of another incumbent than this one.
    fn check_stored(
        &self,
        point: HeldOutPoint,
        stored: HeldOutPoint,
    ) -> Result<HeldOutPoint, SearchError> {
        let HeldOutPoint { held_out_fitness, failed, .. } = stored;
        let found = HeldOutPoint { held_out_fitness, failed, ..point };
        match &self.kept.store {
            Some(store) if found != stored => {
                let message = format!(
                    "the held-out point behind {} births is of birth {}, and birth {} led there",
                    point.absorbed, stored.birth, point.birth
                );
                Err(store.damage(&message))
            }
            _ => Ok(found),
        }
    }

    /// The point behind so many births, its value awaited. `None` while an outcome is missing,
    /// where a restart comes first, or where nothing has a fitness.
    fn foresee(&mut self, due: u64) -> Result<Option<Next<D::Program>>, SearchError> {
        let last = due - 1;
        if self.window.get(last).is_none() {
            return Ok(None);
        }
        let (starts, mut clock) =
            (self.evolution.starts.len() as u64, self.evolution.restart_clock);
        let mut evaluations = self.found.counters.evaluated();
        let of = |it: &Individual<D::Program>| (it.birth, it.fitness, Arc::clone(&it.program));
        let mut incumbent = self.held_out.incumbent.as_ref().map(of);
        let mut means = MeansAhead::default();
        for birth in self.found.counters.absorbed..due {
            let Some(Foreseen { program, fitness, own }) = self.foresee_birth(birth, &mut means)?
            else {
                return Ok(None);
            };
            evaluations += u64::from(own);
            let best = incumbent.as_ref().map_or(f64::NEG_INFINITY, |(_, best, _)| *best);
            if clock.admits(birth) && fitness > best {
                incumbent = Some((birth, fitness, program));
            }
            let restarts = clock.absorb(birth, fitness).is_some() && birth + 1 >= starts;
            if restarts && birth < last {
                return Ok(None);
            }
        }
        Ok(incumbent.map(|(birth, fitness, program)| {
            let (absorbed, held_out_fitness, failed) = (due, None, false);
            let point =
                HeldOutPoint { absorbed, evaluations, birth, fitness, held_out_fitness, failed };
            Next { point, awaited: Some(Awaited { program, asked: false }) }
        }))
    }

    /// What the absorption of a birth in the window is going to find; `None` while that is open.
    fn foresee_birth(
        &mut self,
        birth: u64,
        means: &mut MeansAhead,
    ) -> Result<Option<Foreseen<D::Program>>, SearchError> {
        let Some(it) = self.window.get(birth) else { return Ok(None) };
        let aggregates = self.outcomes.aggregates();
        let of_mean = |mean: Option<Score>| mean.map_or(f64::NEG_INFINITY, |score| score.fitness);
        let (fitness, own) = match (&it.fate, it.sighting) {
            (Fate::Told(outcome), sighting) if aggregates => {
                let evaluation = sighting.evaluation(birth);
                (of_mean(self.outcomes.aggregate_ahead(means, evaluation, outcome)), true)
            }
            (Fate::Shared, Sighting::Duplicate { evaluation, .. }) if aggregates => {
                (of_mean(self.outcomes.mean_ahead(means, evaluation)), false)
            }
            (Fate::Told(outcome), _) => (outcome.fitness(), true),
            (Fate::Shared, Sighting::Duplicate { evaluation, .. }) => {
                let fate = self.window.get(evaluation).map(|shared| &shared.fate);
                match fate {
                    Some(Fate::Told(outcome)) => (outcome.fitness(), false),
                    Some(_) => return Ok(None),
                    None => {
                        let store = self.kept.rows();
                        (self.outcomes.of(it.identity, evaluation, store)?.fitness(), false)
                    }
                }
            }
            _ => return Ok(None),
        };
        let program = Arc::clone(&it.program);
        Ok(Some(Foreseen { program, fitness: comparable(fitness), own }))
    }

    /// Whether the next birth can be absorbed as far as the point behind it goes, if there is one.
    pub(super) fn is_next_point_known(&mut self) -> Result<bool, SearchError> {
        let absorbed = self.found.counters.absorbed;
        if self.held_out.due(absorbed) != Some(absorbed + 1) {
            return Ok(true);
        }
        self.look_ahead()?;
        Ok(self.held_out.next.as_ref().is_none_or(|next| next.awaited.is_none()))
    }

    /// Takes in what the incumbent came to on what is held out.
    pub(super) fn judge(&mut self, outcome: &Outcome) -> Result<(), SearchError> {
        let next = self.held_out.next.as_mut().expect("its value is awaited");
        // What SQLite would give back: it has one zero. NaN is above nothing.
        let fitness = Some(outcome.fitness() + 0.0).filter(|it| *it > f64::NEG_INFINITY);
        next.point.held_out_fitness = fitness;
        next.point.failed = matches!(outcome, Outcome::Failed { .. });
        next.awaited = None;
        if let Some(store) = &mut self.kept.store {
            store.note_held_out(&next.point, Some(outcome))?;
        }
        self.finish_if_stopped()
    }

    /// Takes note of an individual that is being absorbed.
    pub(super) fn note_incumbent(&mut self, individual: &Individual<D::Program>) {
        let best = self.held_out.incumbent.as_ref().map(|it| it.fitness);
        if self.held_out.is_on()
            && self.evolution.restart_clock.admits(individual.birth)
            && individual.fitness > best.unwrap_or(f64::NEG_INFINITY)
        {
            self.held_out.incumbent = Some(individual.clone());
        }
    }

    /// Takes the point behind the birth that has just been absorbed, if there is one: the run may
    /// end by it, or have a reason to restart.
    pub(super) fn take_point(&mut self) -> Option<RestartReason> {
        let absorbed = self.found.counters.absorbed;
        let next = self.held_out.next.take_if(|next| next.point.absorbed == absorbed)?;
        let best = self.held_out.curve.best().map(|point| point.absorbed);
        self.held_out.curve.note(next.point);
        if self.held_out.curve.best().map(|point| point.absorbed) != best {
            let incumbent = self.held_out.incumbent.as_ref();
            self.held_out.selected = incumbent.filter(|it| it.birth == next.point.birth).cloned();
        }
        self.limits.stop_by_held_out_fitness(next.point.held_out_fitness);
        self.limits.stop_by_held_out(self.held_out.curve.stale());
        let reason =
            self.evolution.restart_clock.by_held_out(self.held_out.curve.stale_since_restart());
        reason.filter(|_| absorbed >= self.evolution.starts.len() as u64)
    }
}
