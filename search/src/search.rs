//! The search: a state machine that is asked for candidates and told their outcomes.
//!
//! Invariant: birth *k* is bred from the state that has absorbed exactly the outcomes of births
//! below *k* − window. Outcomes may be told in any order and early; they are absorbed in birth
//! order, when the next birth is due and never further. So a run is a function of settings and
//! seed, and the one who asks may be a loop, a thread pool or a cluster. The alternative, breeding
//! from whatever has come back, is a little fresher and never repeatable.

mod absorption;
mod confirmation;
mod resume;
mod settling;
mod state;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use evo_domain::{Domain, Outcome, Size, Trial};
use evo_hashes::{EvaluationCache, Hash, Seed};

use crate::breeding::{Breeder, Child};
use crate::deduplication::{Behaviours, Identity};
use crate::hurdles::Hurdles;
use crate::lineage::LineageDigest;
use crate::restarts::RestartClock;
use crate::store::{Provenance, StoredEvaluation};
use crate::strategy::Strategy;
use crate::window::{Birth, Fate, Window};
use crate::{
    Champion, Counters, Deduplication, HallOfFame, HurdleConfig, Individual, MutationStatistics,
    Population, Restart, SearchConfig, SearchError, StopReason, Stopping, Store,
};
use confirmation::Confirmation;

/// Outcomes by the hash of the structure, to share among searches that use the same evaluator. By structure
/// and not by behaviour, or what a program scores would depend on which others had been seen.
/// Behind an [`Arc`], since every duplicate takes a copy.
pub type OutcomeCache = EvaluationCache<Arc<Outcome>>;

/// A program to evaluate.
#[derive(Clone, Debug)]
pub struct Candidate<P> {
    /// The number of its birth, to tell its outcome by.
    pub birth: u64,
    /// The program.
    pub program: Arc<P>,
    /// The hurdles that were up at its birth.
    pub hurdles: Arc<[f64]>,
}

impl<P> Candidate<P> {
    /// What an evaluator is handed of it.
    pub fn trial(&self) -> Trial<'_, P> {
        Trial { program: &self.program, hurdles: &self.hurdles }
    }
}

/// An evolutionary search over programs.
pub struct Search<D: Domain> {
    strategy: Box<dyn Strategy<D::Program>>,
    breeder: Breeder<D>,
    /// Without a fitness until it has been absorbed.
    start: Individual<D::Program>,
    width: u64,
    window: Window<D::Program>,
    behaviours: Behaviours<D>,
    cache: Option<Arc<OutcomeCache>>,
    stopping: Stopping,
    stop: Option<StopReason>,
    counters: Counters,
    /// The birth that last needed an evaluation.
    latest_evaluation: u64,
    hall_of_fame: HallOfFame<D::Program>,
    restart_clock: RestartClock,
    restarts: Vec<Restart<D::Program>>,
    lineage: LineageDigest,
    hurdle_config: HurdleConfig,
    hurdles: Hurdles,
    /// The hurdles now up.
    thresholds: Arc<[f64]>,
    store: Option<Store>,
    /// Births at the latest snapshot.
    snapshot_births: u64,
    /// The best that the store's summary holds.
    summed_up: Option<u64>,
    /// Evaluations in the store of births that have not been bred again, by birth.
    stored: BTreeMap<u64, StoredEvaluation>,
    /// Births bred again whose outcomes are not in the store: they have to be asked again.
    unasked: VecDeque<u64>,
    /// The last evaluations of a run, once everything else is done.
    confirmation: Confirmation<D::Program>,
}

impl<D: Domain> Search<D> {
    /// A search from a start program, which is birth 0.
    ///
    /// # Errors
    /// The first setting that cannot be searched with.
    pub fn new<M>(
        config: &SearchConfig<M>,
        seed: Seed,
        domain: D,
        start: D::Program,
    ) -> Result<Search<D>, SearchError> {
        config.validate(domain.neutral_retries())?;
        let rechecks = seed.purpose("recheck");
        let mut behaviours = Behaviours::new(config.deduplication, domain.clone(), rechecks);
        let Identity { behaviour, size: Size { length, states }, .. } = behaviours.identify(&start);
        let domain = config.strategy.domain(domain, &start)?;
        let start = Individual {
            birth: 0,
            behaviour,
            length,
            states,
            program: Arc::new(start),
            fitness: f64::NEG_INFINITY,
        };
        Ok(Search {
            strategy: config.strategy.begin(start.clone(), config.selection),
            breeder: Breeder::new(domain, seed.purpose("breed")),
            start,
            width: config.window,
            window: Window::from(0),
            behaviours,
            cache: None,
            stopping: config.stopping,
            stop: None,
            counters: Counters::default(),
            latest_evaluation: 0,
            hall_of_fame: HallOfFame::default(),
            restart_clock: RestartClock::new(config.restarts, config.window),
            restarts: Vec::new(),
            lineage: LineageDigest::default(),
            hurdle_config: config.hurdles,
            hurdles: Hurdles::default(),
            thresholds: Arc::new([]),
            store: None,
            snapshot_births: 0,
            summed_up: None,
            stored: BTreeMap::new(),
            unasked: VecDeque::new(),
            confirmation: Confirmation::default(),
        })
    }

    /// Looks outcomes up in this cache before asking for them, and adds those told.
    ///
    /// An answer from the cache counts as an evaluation, so what the cache holds changes neither
    /// the course nor the end of the search.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<OutcomeCache>) -> Search<D> {
        self.cache = Some(cache);
        self
    }

    /// The next program that must be evaluated.
    ///
    /// `None` when the next birth has to wait for an outcome that has not been told, or when the
    /// search has stopped.
    ///
    /// # Errors
    /// When the store cannot be read or written; never without one.
    pub fn ask(&mut self) -> Result<Option<Candidate<D::Program>>, SearchError> {
        self.ask_while(&mut || true)
    }

    /// As [`Search::ask`], and `None` as soon as `go_on` says no. It is consulted before every
    /// birth: where all of them are duplicates, breeding one after another is long.
    ///
    /// # Errors
    /// As [`Search::ask`].
    pub fn ask_while(
        &mut self,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Candidate<D::Program>>, SearchError> {
        if let Some(candidate) = self.ask_again() {
            return Ok(Some(candidate));
        }
        while self.is_birth_due()? && go_on() {
            if let Some(candidate) = self.bear()? {
                return Ok(Some(candidate));
            }
        }
        Ok(self.ask_to_confirm())
    }

    /// Breeds the birth that is due; gives it back if it has to be evaluated.
    fn bear(&mut self) -> Result<Option<Candidate<D::Program>>, SearchError> {
        self.save_state_if_due()?;
        let birth = self.counters.births;
        let child = self.breed(birth);
        self.counters.births += 1;
        let (sighting, fate) = self.settle(birth, &child)?;
        let Child { program, identity, parent } = child;
        let awaited = matches!(fate, Fate::Awaited);
        let lineage = parent.map(|(lineage, _)| lineage);
        let hurdles = Arc::clone(&self.thresholds);
        self.window.push(Birth {
            program: Arc::clone(&program),
            identity,
            lineage,
            hurdles: Arc::clone(&hurdles),
            sighting,
            fate,
        });
        Ok(awaited.then_some(Candidate { birth, program, hurdles }))
    }

    /// A birth that was being evaluated when the run was interrupted. It was bred, so a limit that
    /// has been reached since does not keep it from being evaluated.
    fn ask_again(&mut self) -> Option<Candidate<D::Program>> {
        if self.stop == Some(StopReason::Cancelled) {
            return None;
        }
        let birth = self.unasked.pop_front()?;
        let awaited = self.window.get(birth).expect("it stays there until it is told");
        let (program, hurdles) = (Arc::clone(&awaited.program), Arc::clone(&awaited.hurdles));
        Some(Candidate { birth, program, hurdles })
    }

    /// Takes in the outcome of a candidate, in any order.
    ///
    /// # Errors
    /// When no outcome is awaited for that birth: it was told before, or never asked. When the
    /// store cannot be written.
    pub fn tell(
        &mut self,
        birth: u64,
        outcome: impl Into<Arc<Outcome>>,
    ) -> Result<(), SearchError> {
        let outcome = outcome.into();
        if self.confirmation.awaits(birth) {
            return self.confirm(birth, &outcome);
        }
        let told = self
            .window
            .tell(birth, Arc::clone(&outcome))
            .ok_or(SearchError::UnexpectedOutcome { birth })?;
        if let Some(store) = &mut self.store {
            let provenance = Provenance { cached: false, recheck: told.sighting.rechecked() };
            let program = self.behaviours.domain().text(&told.program);
            store.note_evaluation(birth, told.identity, &program, &outcome, provenance)?;
        }
        if let Some(cache) = &self.cache
            && self.behaviours.compares()
            && !matches!(*outcome, Outcome::Failed { .. } | Outcome::Stopped(_))
        {
            cache.insert(told.identity.structure, outcome);
        }
        self.finish_if_stopped()
    }

    /// Breeds nothing more, for a reason the search itself cannot know. What has been asked is
    /// still awaited.
    ///
    /// # Errors
    /// When the store cannot be read; never without one.
    pub fn stop(&mut self, reason: StopReason) -> Result<(), SearchError> {
        self.stop.get_or_insert(reason);
        self.finish_if_stopped()
    }

    /// Whether the search has stopped, absorbed every birth and confirmed its hall of fame.
    pub fn is_finished(&self) -> bool {
        self.has_absorbed_all() && self.confirmation.is_over()
    }

    /// Whether the search has stopped and absorbed every birth.
    fn has_absorbed_all(&self) -> bool {
        self.stop.is_some() && self.window.is_empty()
    }

    /// The representation that is searched, with its settings.
    pub fn domain(&self) -> &D {
        self.behaviours.domain()
    }

    /// Which births count as equal to an earlier one.
    pub fn deduplication(&self) -> Deduplication {
        self.behaviours.config()
    }

    /// Why the search breeds nothing more, once it does not.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stop
    }

    /// Number of candidates asked and not yet told.
    pub fn in_flight(&self) -> usize {
        self.window.awaited() + self.confirmation.awaited()
    }

    /// What has been done so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The fittest individual absorbed so far.
    pub fn best(&self) -> Option<&Champion<D::Program>> {
        self.hall_of_fame.best()
    }

    /// The fittest individual of every length absorbed so far.
    pub fn hall_of_fame(&self) -> &HallOfFame<D::Program> {
        &self.hall_of_fame
    }

    /// The populations parents are chosen from; none where outcomes do not matter.
    pub fn populations(&self) -> &[Population<D::Program>] {
        self.strategy.populations()
    }

    /// The restarts so far, in order.
    pub fn restarts(&self) -> &[Restart<D::Program>] {
        &self.restarts
    }

    /// How every kind of mutation has fared so far.
    pub fn mutation_statistics(&self) -> &MutationStatistics {
        self.breeder.statistics()
    }

    /// The window: births that may be bred beyond the oldest not absorbed.
    pub(crate) fn width(&self) -> usize {
        usize::try_from(self.width).unwrap_or(usize::MAX)
    }

    /// The limits of this search.
    pub fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    /// A hash of all births absorbed, in order: their programs, parents, mutations and fitness.
    /// Equal hashes mean equal lineages.
    pub fn lineage_hash(&self) -> Hash {
        self.lineage.hash()
    }

    /// Absorbs what the next birth must know; `false` when that is not all there yet, or when there
    /// is no next birth.
    fn is_birth_due(&mut self) -> Result<bool, SearchError> {
        if self.stop.is_none() {
            self.stop = self.stopping.by_counts(&self.counters, self.latest_evaluation);
        }
        let known = self.counters.births.saturating_sub(self.width);
        while self.stop.is_none() && self.counters.absorbed < known {
            if !self.absorb_next()? {
                return Ok(false);
            }
        }
        self.finish_if_stopped()?;
        Ok(self.stop.is_none())
    }

    fn breed(&mut self, birth: u64) -> Child<D::Program> {
        if birth == 0 {
            let program = Arc::clone(&self.start.program);
            let identity = self.behaviours.identify(&program);
            return Child { program, identity, parent: None };
        }
        self.breeder.breed(birth, &*self.strategy, &mut self.behaviours)
    }
}
