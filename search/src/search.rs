//! The search: a state machine that is asked for candidates and told their outcomes.
//!
//! Invariant: birth *k* is begun from the state that has absorbed exactly the outcomes of births
//! below *k* − window. Outcomes may be told in any order and early; they are absorbed in birth
//! order, when the next birth is due and never further. So a run is a function of settings and
//! seed, and the one who asks may be a loop, a thread pool or a cluster. The alternative, breeding
//! from whatever has come back, is a little fresher and never repeatable.
//!
//! A birth is conceived, bred and settled. The first and the last go in birth order and belong to
//! whoever holds the search; breeding may be done anywhere.

mod absorption;
mod conceiving;
mod confirmation;
mod holding_out;
mod reprieving;
mod resume;
mod settling;
mod state;
mod watching;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use evo_domain::{Domain, Outcome, Size};
use evo_hashes::{Hash, Seed, SeedPurpose};

use crate::breeding::{Bred, Breeder, Breeding};
use crate::evolution::Evolution;
use crate::hurdles::Hurdles;
use crate::identity::{Identifier, Identity};
use crate::limits::Limits;
use crate::lineage::LineageDigest;
use crate::noise::Noise;
use crate::outcomes::Outcomes;
use crate::partial_hurdles::ReprieveCount;
use crate::restarts::RestartClock;
use crate::store::Provenance;
use crate::tabu::Tabu;
use crate::window::{Birth, Window};
use crate::{
    Candidate, Champion, Counters, Deduplication, HallOfFame, Individual, Keep, MutationStatistics,
    OutcomeCache, PolicyCounters, Population, Restart, SearchConfig, SearchError, StopReason,
    Stopping, Store,
};
use confirmation::Confirmation;
use holding_out::HeldOut;
pub use watching::{AbsorbedBirth, BirthWatcher};

/// An evolutionary search over programs.
pub struct Search<D: Domain> {
    breeding: Arc<Breeding<D>>,
    evolution: Evolution<D::Program>,
    width: u64,
    /// Births conceived.
    begun: u64,
    /// The hurdles that were up for each birth that has been conceived and not settled, in order.
    hurdles: VecDeque<Arc<[f64]>>,
    /// Births bred before those that they have to be settled after.
    bred: BTreeMap<u64, Bred<D::Program>>,
    window: Window<D::Program>,
    /// Births in the window, or claims, that have to be evaluated and have not been asked; in
    /// order.
    unasked: VecDeque<u64>,
    outcomes: Outcomes,
    noise: Noise,
    /// Decides which births are reprieved.
    reprieves: SeedPurpose,
    limits: Limits,
    found: Found<D::Program>,
    kept: Kept,
    held_out: HeldOut<D::Program>,
    /// The last evaluations of a run, once everything else is done.
    confirmation: Confirmation<D::Program>,
    watcher: Option<BirthWatcher<D::Program>>,
}

/// What a search has found, and what it did for that.
struct Found<P> {
    counters: Counters,
    policies: PolicyCounters,
    reprieves: ReprieveCount,
    hall_of_fame: HallOfFame<P>,
    mutations: MutationStatistics,
    restarts: Vec<Restart<P>>,
    lineage: LineageDigest,
}

/// What a search keeps on disk.
#[derive(Default)]
struct Kept {
    store: Option<Store>,
    keep: Keep,
    /// Births at the latest snapshot.
    snapshot_births: u64,
    /// The best that the store's summary holds.
    summed_up: Option<u64>,
}

impl Kept {
    /// The store where it has a row for every birth and evaluation.
    fn rows(&self) -> Option<&Store> {
        self.store.as_ref().filter(|_| self.keep == Keep::Births)
    }

    fn rows_mut(&mut self) -> Option<&mut Store> {
        self.store.as_mut().filter(|_| self.keep == Keep::Births)
    }
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
        Search::from_starts(config, seed, domain, vec![start])
    }

    /// A search from several start programs, which are its first births, in order.
    ///
    /// # Errors
    /// The first setting that cannot be searched with; no start program, or more of them than the
    /// strategy has places for.
    pub fn from_starts<M>(
        config: &SearchConfig<M>,
        seed: Seed,
        domain: D,
        starts: Vec<D::Program>,
    ) -> Result<Search<D>, SearchError> {
        config.validate(domain.neutral_retries())?;
        if starts.is_empty() {
            return Err(SearchError::config("start", "there must be at least one program"));
        }
        config.strategy.check_starts(starts.len())?;
        let kinds = domain.mutations();
        if kinds.len() > usize::from(u8::MAX) {
            let message = format!("a domain may have at most {} kinds", u8::MAX);
            return Err(SearchError::config("mutation", message));
        }
        let identifier = Identifier::new(config.deduplication.level, domain.clone());
        let domain = config.strategy.domain(domain, &starts)?;
        config.strategy.check_crossover(&domain)?;
        let individual = |(birth, program): (u64, D::Program)| {
            let Identity { behaviour, size, .. } = identifier.identify(&program);
            let (Size { length, states }, program) = (size, Arc::new(program));
            let (start, fitness) = (birth, f64::NEG_INFINITY);
            Individual { birth, start, behaviour, length, states, program, fitness }
        };
        let starts: Vec<Individual<D::Program>> = (0..).zip(starts).map(individual).collect();
        let tabu = Tabu::new(config.deduplication.tabu, config.window);
        let breeding = Breeding { domain, identifier, walk: config.strategy.walk(), tabu };
        Ok(Search {
            breeding: Arc::new(breeding),
            evolution: Evolution {
                strategy: config.strategy.begin(&starts, config.selection),
                starts,
                streams: seed.purpose("breed"),
                hurdles: Hurdles::new(config.hurdles.clone()),
                restart_clock: RestartClock::new(config.restarts, config.window),
            },
            width: config.window,
            begun: 0,
            hurdles: VecDeque::new(),
            bred: BTreeMap::new(),
            window: Window::from(0),
            unasked: VecDeque::new(),
            outcomes: Outcomes::new(config.deduplication, D::NAME, seed),
            noise: Noise::new(config.noise, seed.purpose("noise")),
            reprieves: seed.purpose("reprieve"),
            limits: Limits::new(config.stopping),
            found: Found {
                counters: Counters::default(),
                policies: PolicyCounters::default(),
                reprieves: ReprieveCount::default(),
                hall_of_fame: HallOfFame::default(),
                mutations: MutationStatistics::new(kinds),
                restarts: Vec::new(),
                lineage: LineageDigest::default(),
            },
            kept: Kept { keep: config.keep, ..Kept::default() },
            held_out: HeldOut::new(config.held_out),
            confirmation: Confirmation::default(),
            watcher: None,
        })
    }

    /// Looks outcomes up in this cache before asking for them, and adds those told.
    ///
    /// An answer from the cache counts as an evaluation, so what the cache holds changes neither
    /// the course nor the end of the search.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<OutcomeCache>) -> Search<D> {
        self.outcomes.share(cache);
        self
    }

    /// The next program that must be evaluated, bred here if none is waiting.
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
        loop {
            if let Some(candidate) = self.ask_bred() {
                return Ok(Some(candidate));
            }
            if !go_on() {
                return Ok(None);
            }
            let Some(conception) = self.conceive()? else { return Ok(self.ask_bred()) };
            self.settle(self.breeding.breed(conception))?;
        }
    }

    /// The next program that must be evaluated of those that have been bred and settled.
    pub fn ask_bred(&mut self) -> Option<Candidate<D::Program>> {
        if self.limits.stop == Some(StopReason::Cancelled) {
            return None;
        }
        if let Some((birth, program)) = self.held_out.ask() {
            let hurdles = Arc::new([]);
            return Some(Candidate { birth, program, hurdles, repeat: 0, held_out: true });
        }
        let birth = self.unasked.pop_front()?;
        let (program, hurdles, repeat) = match self.window.get(birth) {
            Some(Birth { program, hurdles, sighting, .. }) => {
                (Arc::clone(program), self.tested(birth, hurdles), sighting.repeat())
            }
            None => {
                let program = self.confirmation.program(birth).expect("it waits until it is told");
                (program, Arc::from([]), 0)
            }
        };
        Some(Candidate { birth, program, hurdles, repeat, held_out: false })
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
        if self.unasked.binary_search(&birth).is_ok() {
            return Err(SearchError::UnexpectedOutcome { birth });
        }
        // Its outcome in the search has been told: without that it were no incumbent.
        if self.held_out.awaits(birth) {
            return self.judge(&outcome);
        }
        let outcome = self.noise.add(birth, outcome);
        if self.confirmation.awaits(birth) {
            return self.confirm(birth, &outcome);
        }
        let unexpected = SearchError::UnexpectedOutcome { birth };
        let Some(Birth { hurdles, .. }) = self.window.get(birth) else { return Err(unexpected) };
        let outcome = self.counted(birth, outcome, hurdles);
        let told = self.window.tell(birth, Arc::clone(&outcome)).ok_or(unexpected)?;
        let (identity, sighting) = (told.identity, told.sighting);
        let program = Arc::clone(&told.program);
        let text = || self.breeding.domain.text(&program);
        if let Some(store) = self.kept.rows_mut() {
            let provenance = Provenance { cached: false, recheck: sighting.instead_of() };
            store.note_evaluation(birth, identity, &text(), &outcome, provenance)?;
        }
        if self.is_shareable(sighting) {
            self.outcomes.publish(identity, &outcome, text);
        }
        self.look_ahead()?;
        self.finish_if_stopped()
    }

    /// Breeds nothing more, for a reason the search itself cannot know. What has been asked is
    /// still awaited, and what has been conceived has still to be settled.
    ///
    /// # Errors
    /// When the store cannot be read; never without one.
    pub fn stop(&mut self, reason: StopReason) -> Result<(), SearchError> {
        self.limits.stop.get_or_insert(reason);
        self.finish_if_stopped()
    }

    /// Whether the search has stopped, absorbed every birth and confirmed its hall of fame.
    pub fn is_finished(&self) -> bool {
        self.has_absorbed_all() && self.confirmation.is_over()
    }

    /// Whether the search has stopped and absorbed every birth.
    fn has_absorbed_all(&self) -> bool {
        self.limits.stop.is_some() && self.begun == self.found.counters.absorbed
    }

    /// The representation that is searched, with its settings.
    pub fn domain(&self) -> &D {
        self.breeding.identifier.domain()
    }

    /// Who breeds what this search conceives.
    pub fn breeder(&self) -> Breeder<D> {
        Breeder(Arc::clone(&self.breeding))
    }

    /// Which births count as equal to an earlier one.
    pub fn deduplication(&self) -> Deduplication {
        self.outcomes.config()
    }

    /// Why the search breeds nothing more, once it does not.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.limits.stop
    }

    /// Number of candidates asked and not yet told.
    pub fn in_flight(&self) -> usize {
        let others = self.confirmation.awaited() + self.held_out.in_flight();
        self.window.awaited() + others - self.unasked.len()
    }

    /// What has been done so far.
    pub fn counters(&self) -> &Counters {
        &self.found.counters
    }

    /// What policies beyond caching have done so far; `None` where there are none.
    pub fn policy_counters(&self) -> Option<&PolicyCounters> {
        self.deduplication().has_policy().then_some(&self.found.policies)
    }

    /// The fittest individual absorbed so far.
    pub fn best(&self) -> Option<&Champion<D::Program>> {
        self.found.hall_of_fame.best()
    }

    /// The fittest individual of every length absorbed so far.
    pub fn hall_of_fame(&self) -> &HallOfFame<D::Program> {
        &self.found.hall_of_fame
    }

    /// The populations parents are chosen from; none where outcomes do not matter.
    pub fn populations(&self) -> &[Population<D::Program>] {
        self.evolution.strategy.populations()
    }

    /// The start programs, in order of birth; each without a fitness until it has been absorbed.
    pub fn starts(&self) -> &[Individual<D::Program>] {
        &self.evolution.starts
    }

    /// The restarts so far, in order.
    pub fn restarts(&self) -> &[Restart<D::Program>] {
        &self.found.restarts
    }

    /// How every kind of mutation has fared so far.
    pub fn mutation_statistics(&self) -> &MutationStatistics {
        &self.found.mutations
    }

    /// The window: births that may be bred beyond the oldest not absorbed.
    pub fn width(&self) -> usize {
        usize::try_from(self.width).unwrap_or(usize::MAX)
    }

    /// The limits of this search.
    pub fn stopping(&self) -> &Stopping {
        &self.limits.stopping
    }

    /// A hash of all births absorbed, in order: their programs, parents, mutations and fitness.
    /// Equal hashes mean equal lineages.
    pub fn lineage_hash(&self) -> Hash {
        self.found.lineage.hash()
    }
}
