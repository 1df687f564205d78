//! The search: a state machine that is asked for candidates and told their outcomes.
//!
//! Invariant: birth *k* is bred from the state that has absorbed exactly the outcomes of births
//! below *k* − window. Outcomes may be told in any order and early; they are absorbed in birth
//! order, when the next birth is due and never further. So a run is a function of settings and
//! seed, and the one who asks may be a loop, a thread pool or a cluster. The alternative, breeding
//! from whatever has come back, is a little fresher and never repeatable.

use std::sync::Arc;

use evo_dsl::Program;
use evo_evaluators::Outcome;
use evo_hashes::{EvaluationCache, FunctionalHasher, Seed};

use crate::breeding::{Breeder, Child};
use crate::deduplication::{Behaviours, Identity, Sighting};
use crate::restarts::RestartClock;
use crate::strategy::Strategy;
use crate::window::{Birth, Fate, Window};
use crate::{
    Champion, Counters, HallOfFame, Individual, MutationStatistics, Population, Restart,
    RestartFrom, RestartReason, SearchConfig, SearchError, StopReason, Stopping,
};

/// Outcomes by functional hash, to share among searches that use the same evaluator, hasher and
/// level of deduplication. Shared ones behind an [`Arc`], since every duplicate takes a copy.
pub type OutcomeCache = EvaluationCache<Arc<Outcome>>;

/// A program to evaluate.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The number of its birth, to tell its outcome by.
    pub birth: u64,
    /// The program.
    pub program: Arc<Program>,
}

/// An evolutionary search over programs.
pub struct Search {
    strategy: Box<dyn Strategy>,
    breeder: Breeder,
    /// Without a fitness until it has been absorbed.
    start: Individual,
    width: u64,
    window: Window,
    behaviours: Behaviours,
    cache: Arc<OutcomeCache>,
    stopping: Stopping,
    stop: Option<StopReason>,
    counters: Counters,
    /// The birth that last needed an evaluation.
    latest_evaluation: u64,
    hall_of_fame: HallOfFame,
    restart_clock: RestartClock,
    restarts: Vec<Restart>,
}

impl Search {
    /// A search from a start program, which is birth 0.
    ///
    /// # Errors
    /// The first setting that cannot be searched with.
    pub fn new(
        config: &SearchConfig,
        seed: Seed,
        start: Program,
        hasher: FunctionalHasher,
    ) -> Result<Search, SearchError> {
        config.validate()?;
        let mutator = config.strategy.mutator(&config.mutation, &start)?;
        let behaviours = Behaviours::new(config.deduplication, hasher);
        let start = Individual {
            birth: 0,
            behaviour: behaviours.identify(&start).behaviour,
            program: Arc::new(start),
            fitness: f64::NEG_INFINITY,
        };
        Ok(Search {
            strategy: config.strategy.begin(start.clone()),
            breeder: Breeder::new(mutator, seed.purpose("breed"), config.mutation.neutral_retries),
            start,
            width: config.window,
            window: Window::default(),
            behaviours,
            cache: Arc::new(OutcomeCache::new()),
            stopping: config.stopping,
            stop: None,
            counters: Counters::default(),
            latest_evaluation: 0,
            hall_of_fame: HallOfFame::default(),
            restart_clock: RestartClock::new(config.restarts, config.window),
            restarts: Vec::new(),
        })
    }

    /// Looks outcomes up in this cache before asking for them, and adds those told.
    ///
    /// An answer from the cache counts as an evaluation, so what the cache holds changes neither
    /// the course nor the end of the search.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<OutcomeCache>) -> Search {
        self.cache = cache;
        self
    }

    /// The next program that must be evaluated.
    ///
    /// `None` when the next birth has to wait for an outcome that has not been told, or when the
    /// search has stopped.
    pub fn ask(&mut self) -> Option<Candidate> {
        while self.is_birth_due() {
            let birth = self.counters.births;
            let Child { program, identity, lineage } = self.breed(birth);
            let program = Arc::new(program);
            self.counters.births += 1;
            let fate = self.settle(identity);
            let awaited = matches!(fate, Fate::Awaited);
            let behaviour = identity.behaviour;
            self.window.push(Birth { program: Arc::clone(&program), behaviour, lineage, fate });
            if awaited {
                return Some(Candidate { birth, program });
            }
        }
        None
    }

    /// Takes in the outcome of a candidate, in any order.
    ///
    /// # Errors
    /// When no outcome is awaited for that birth: it was told before, or never asked.
    pub fn tell(
        &mut self,
        birth: u64,
        outcome: impl Into<Arc<Outcome>>,
    ) -> Result<(), SearchError> {
        let outcome = outcome.into();
        let behaviour = self
            .window
            .tell(birth, Arc::clone(&outcome))
            .ok_or(SearchError::UnexpectedOutcome { birth })?;
        if self.behaviours.compares() && !matches!(*outcome, Outcome::Failed { .. }) {
            self.cache.insert(behaviour, outcome);
        }
        self.finish_if_stopped();
        Ok(())
    }

    /// Breeds nothing more, for a reason the search itself cannot know. What has been asked is
    /// still awaited.
    pub fn stop(&mut self, reason: StopReason) {
        self.stop.get_or_insert(reason);
        self.finish_if_stopped();
    }

    /// Whether the search has stopped and absorbed every birth.
    pub fn is_finished(&self) -> bool {
        self.stop.is_some() && self.window.is_empty()
    }

    /// Why the search breeds nothing more, once it does not.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stop
    }

    /// Number of candidates asked and not yet told.
    pub fn in_flight(&self) -> usize {
        self.window.awaited()
    }

    /// What has been done so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The fittest individual absorbed so far.
    pub fn best(&self) -> Option<&Champion> {
        self.hall_of_fame.best()
    }

    /// The fittest individual of every length absorbed so far.
    pub fn hall_of_fame(&self) -> &HallOfFame {
        &self.hall_of_fame
    }

    /// The populations parents are chosen from; none where outcomes do not matter.
    pub fn populations(&self) -> &[Population] {
        self.strategy.populations()
    }

    /// The restarts so far, in order.
    pub fn restarts(&self) -> &[Restart] {
        &self.restarts
    }

    /// How every kind of mutation has fared so far.
    pub fn mutation_statistics(&self) -> &MutationStatistics {
        self.breeder.statistics()
    }

    /// The limits of this search.
    pub fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    /// Absorbs what the next birth must know; `false` when that is not all there yet, or when there
    /// is no next birth.
    fn is_birth_due(&mut self) -> bool {
        if self.stop.is_none() {
            self.stop = self.stopping.by_counts(&self.counters, self.latest_evaluation);
        }
        let known = self.counters.births.saturating_sub(self.width);
        while self.stop.is_none() && self.counters.absorbed < known {
            if !self.absorb_next() {
                return false;
            }
        }
        self.finish_if_stopped();
        self.stop.is_none()
    }

    fn breed(&mut self, birth: u64) -> Child {
        if birth == 0 {
            let program = Program::clone(&self.start.program);
            let identity = self.behaviours.identify(&program);
            return Child { program, identity, lineage: None };
        }
        self.breeder.breed(birth, &*self.strategy, &self.behaviours)
    }

    /// Where the outcome of the birth just bred will come from.
    fn settle(&mut self, identity: Identity) -> Fate {
        let cached = match self.behaviours.sight(identity) {
            Sighting::Uncompared => None,
            Sighting::New => self.cache.get(&identity.behaviour),
            Sighting::SameStructure => {
                self.counters.structural_hits += 1;
                return Fate::Duplicate;
            }
            Sighting::SameBehaviour => {
                self.counters.functional_hits += 1;
                return Fate::Duplicate;
            }
        };
        self.counters.evaluations += 1;
        self.latest_evaluation = self.counters.births - 1;
        match cached {
            Some(outcome) => {
                self.counters.cached += 1;
                Fate::Told(outcome)
            }
            None => Fate::Awaited,
        }
    }

    /// After the stop there is no later birth to keep outcomes from.
    fn finish_if_stopped(&mut self) {
        while self.stop.is_some() && self.absorb_next() {}
    }

    /// Absorbs the oldest birth; `false` when its outcome is awaited or there is none.
    fn absorb_next(&mut self) -> bool {
        let Some((birth, Birth { program, behaviour, lineage, fate })) = self.window.pop_settled()
        else {
            return false;
        };
        let outcome = match fate {
            Fate::Told(outcome) => {
                self.count(&outcome);
                self.behaviours.record(behaviour, Arc::clone(&outcome));
                outcome
            }
            Fate::Duplicate => Arc::clone(self.behaviours.outcome(behaviour)),
            Fate::Awaited => unreachable!("only settled births leave the window"),
        };
        // NaN would make tournaments depend on who is drawn first.
        let fitness =
            if outcome.fitness().is_nan() { f64::NEG_INFINITY } else { outcome.fitness() };
        self.absorb(Individual { birth, program, behaviour, fitness }, &outcome);
        if let Some(lineage) = lineage {
            self.breeder.note_fitness(lineage, fitness, self.start.fitness);
        }
        true
    }

    fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Scored(_) => &mut self.counters.scored,
            Outcome::Invalid(_) => &mut self.counters.invalid,
            Outcome::Failed { .. } => &mut self.counters.failed,
        };
        *counter += 1;
    }

    fn absorb(&mut self, individual: Individual, outcome: &Outcome) {
        if let Outcome::Scored(score) = outcome {
            self.hall_of_fame.offer(&individual, score, self.behaviours.hasher());
        }
        if self.stop.is_none() {
            self.stop = self.stopping.by_fitness(individual.fitness);
        }
        let Individual { birth, fitness, .. } = individual;
        if birth == 0 {
            self.start.fitness = fitness;
        }
        if self.restart_clock.admits(birth) {
            self.strategy.absorb(individual);
        }
        self.counters.absorbed += 1;
        let reason = self.restart_clock.absorb(birth, fitness);
        // After the stop nothing would be bred from a refilled population.
        if let (Some(reason), None) = (reason, self.stop) {
            self.restart(birth, reason);
        }
    }

    fn restart(&mut self, absorbed: u64, reason: RestartReason) {
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
