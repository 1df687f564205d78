//! Going on: a search saves its state to its store, and continues from what a store holds.
//!
//! Invariant: a search that is resumed ends as it would have without interruption, and loses
//! nothing of what is stored. It starts from the latest snapshot and breeds again all births after
//! it, whatever the limits are by now; outcomes that are in the store are taken from there, so
//! nothing that was evaluated is evaluated again. Only then do limits count: one that was reached
//! holds, and one that was lowered below what is there ends the search at once. Snapshots are taken
//! between two births and never after the stop, when births are absorbed earlier than breeding
//! would.

use std::sync::Arc;

use evo_domain::Domain;
use evo_hashes::Hash;

use super::state::{
    Ancestry, Beside, SavedBirth, SavedHeldOut, SavedIndividual, SavedPolicies, SavedPrograms,
    SavedSelected, State,
};
use super::{Found, Search};
use crate::held_out::HeldOutCurve;
use crate::identity::Identity;
use crate::lineage::{Lineage, start_of};
use crate::outcomes::{Arrival, Remembered};
use crate::tabu::Tabu;
use crate::window::{Birth, Fate, Window};
use crate::{DeduplicationLevel, Individual, Keep, Restart, SearchError, Stopping, Store};

/// Behaviours held in memory where a store has the others.
const REMEMBERED: usize = 20_000;

/// The property of a store that names the domain of its programs; those of earlier versions, which
/// held optimizers, lack it.
const DOMAIN: &str = "domain";

/// The property of a store that names the probe of its functional hashes.
const PROBE: &str = "probe";

impl<D: Domain> Search<D> {
    /// Keeps the run in a store, and goes on with the one it holds, if it holds one.
    ///
    /// Births and outcomes are written as they come; [`Search::commit`] makes them durable. With a
    /// store, memory stays bounded: it holds the latest behaviours, and the store all of them.
    ///
    /// # Errors
    /// When the store cannot be read or written, is damaged, or holds a run bred otherwise.
    pub fn with_store(mut self, mut store: Store) -> Result<Search<D>, SearchError> {
        if self.kept.keep == Keep::Births {
            self.outcomes.limit(REMEMBERED);
        }
        self.breeding.identifier.limit(REMEMBERED);
        Self::check_domain(&mut store)?;
        self.check_probe(&mut store)?;
        self.check_limits(&store)?;
        if let Some(state) = store.latest_snapshot()? {
            let restored = State::of_bytes(&state).and_then(|state| self.restore(state));
            restored.ok_or_else(|| store.damage("the snapshot is not one of this search"))?;
        }
        self.outcomes.expect(store.evaluations_from(self.found.counters.absorbed)?);
        self.take_stored_outcomes(&store)?;
        self.confirmation.remember(store.confirmations()?);
        self.held_out.remember(store.held_out()?, self.found.counters.absorbed);
        self.kept.snapshot_births = self.found.counters.births;
        let births = store.births()?;
        self.kept.store = Some(store);
        self.replay(births)?;
        Ok(self)
    }

    /// Refuses programs of another kind.
    fn check_domain(store: &mut Store) -> Result<(), SearchError> {
        match store.property(DOMAIN)? {
            Some(domain) if domain == D::NAME => Ok(()),
            Some(domain) => {
                Err(store.damage(&format!("it holds {domain}, and the search is for {}", D::NAME)))
            }
            None => store.set_property(DOMAIN, D::NAME),
        }
    }

    /// Refuses to compare programs with those that another probe has told apart.
    fn check_probe(&self, store: &mut Store) -> Result<(), SearchError> {
        if self.deduplication().level != DeduplicationLevel::Functional {
            return Ok(());
        }
        let today = self.domain().probe();
        match store.property(PROBE)? {
            Some(probe) if probe == today => Ok(()),
            None if store.is_empty()? => store.set_property(PROBE, today),
            probe => Err(SearchError::StoreOutdated {
                path: store.path().to_owned(),
                probe: probe.unwrap_or_else(|| "optimizer, six steps, 1".to_owned()),
                today: today.to_owned(),
            }),
        }
    }

    /// Refuses limits below what a run has reached that keeps no births: it would go back to its
    /// latest snapshot and end there.
    fn check_limits(&self, store: &Store) -> Result<(), SearchError> {
        let Some(reached) = store.counters()?.filter(|_| self.kept.keep == Keep::Snapshots) else {
            return Ok(());
        };
        let Stopping { candidates, evaluations, held_out_fitness, .. } = self.limits.stopping;
        let births = reached.births;
        let below = |key: &str, what: String| {
            let message =
                format!("is below what the run has reached, {what}, and it keeps no births");
            Err(SearchError::config(key, message))
        };
        if candidates.is_some_and(|limit| limit < births) {
            return below("stopping.candidates", births.to_string());
        }
        // What was under way when the limit was reached is evaluated to its end.
        let evaluated = reached.evaluated();
        if evaluations.is_some_and(|limit| limit.saturating_add(self.width) < evaluated) {
            return below("stopping.evaluations", evaluated.to_string());
        }
        let points = store.held_out()?;
        let earlier = points.range(..births.saturating_sub(self.width));
        let best = earlier.filter_map(|(_, point)| point.held_out_fitness).fold(f64::NAN, f64::max);
        if held_out_fitness.is_some_and(|limit| best >= limit) {
            return below("stopping.held_out_fitness", best.to_string());
        }
        Ok(())
    }

    /// Breeds again up to so many births, as if there were no limits.
    fn replay(&mut self, births: u64) -> Result<(), SearchError> {
        let limits = std::mem::replace(&mut self.limits.stopping, Stopping::NONE);
        while self.begun < births
            && let Some(conception) = self.conceive()?
        {
            self.settle(self.breeding.breed(conception))?;
        }
        self.limits.stopping = limits;
        let best = self.best().map(|best| best.individual.fitness);
        let curve = &self.held_out.curve;
        let held_out_best = curve.best().and_then(|point| point.held_out_fitness);
        let held_out = (curve.longest(), held_out_best);
        self.limits.stop_belatedly(&self.found.counters, best, held_out);
        Ok(())
    }

    /// The store of the run, if it has one.
    pub fn store(&self) -> Option<&Store> {
        self.kept.store.as_ref()
    }

    /// Makes everything told so far durable, with the summary where there is a new best; does
    /// nothing without a store. `seconds` is what the run has taken, from its first start.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn commit(&mut self, seconds: f64) -> Result<(), SearchError> {
        let best = self.best().map(|best| best.individual.birth);
        let improved = best != self.kept.summed_up;
        if improved {
            self.save_summary()?;
        }
        let Some(store) = self.kept.store.as_mut().filter(|store| store.has_pending()) else {
            return Ok(());
        };
        store.set_seconds(seconds)?;
        store.commit()?;
        if improved { store.checkpoint() } else { Ok(()) }
    }

    /// Writes the tables that sum the run up; does nothing without a store.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn save_summary(&mut self) -> Result<(), SearchError> {
        self.kept.summed_up = self.best().map(|best| best.individual.birth);
        let Some(store) = &mut self.kept.store else { return Ok(()) };
        let Found { hall_of_fame, mutations, restarts, .. } = &self.found;
        let policy = self.outcomes.config().has_policy();
        let counted = self.found.counted(policy, self.evolution.hurdles.partial().is_some());
        let domain = self.breeding.identifier.domain();
        store.save_summary(domain, hall_of_fame, &counted, mutations, restarts)
    }

    /// Births that a run that goes on from the store has not to make again.
    pub fn births_kept(&self) -> u64 {
        match self.kept.keep {
            Keep::Births => self.found.counters.births,
            Keep::Snapshots => self.kept.snapshot_births,
        }
    }

    /// Whether the state is to be saved before the next birth.
    pub(super) fn is_state_due(&self) -> bool {
        let held: usize = self.populations().iter().map(|population| population.iter().len()).sum();
        let interval = self.kept.keep.snapshot_every().max(held as u64);
        self.kept.store.is_some() && self.begun >= self.kept.snapshot_births + interval
    }

    /// Saves the state before the next birth, now and then.
    pub(super) fn save_state_if_due(&mut self) -> Result<(), SearchError> {
        if !self.is_state_due() {
            return Ok(());
        }
        self.kept.snapshot_births = self.begun;
        if self.kept.keep == Keep::Snapshots {
            // Nothing else can be looked up by a run that goes on from here.
            let shared = self.window.iter().filter_map(|(_, birth)| birth.sighting.shared());
            let known = self.begun.saturating_sub(self.width);
            self.outcomes.forget_below(known, &shared.collect(), self.begun);
        }
        let state = self.state().to_bytes();
        if let Some(store) = &mut self.kept.store {
            store.save_snapshot(self.begun, &state)?;
        }
        self.save_summary()
    }

    /// A hash of everything the run is judged by: hall of fame, populations, counters, lineage,
    /// mutation statistics, restarts and the curve of held-out evaluation, where there is one.
    /// Equal runs have equal digests, however they were driven, interrupted and resumed; what a
    /// shared cache answered, or is remembered, does not count.
    pub fn digest(&self) -> Hash {
        let mut state = self.state();
        state.counters.cached = 0;
        state.beside = Beside::default();
        if let Some(policies) = &mut state.policies {
            (policies.ledger, policies.tabu) = (None, None);
        }
        // Who is reprieved changes nothing that a run is judged by.
        state.reprieves = None;
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(&state.to_bytes()).as_bytes()[..16]);
        Hash(hash)
    }

    fn state(&self) -> State {
        let (mut programs, mut ancestry) = (SavedPrograms::default(), Ancestry::default());
        let domain = self.domain();
        let mut save = |individual: &Individual<D::Program>| {
            programs.save(domain, individual.birth, &individual.program);
            ancestry.note(individual.birth, individual.start);
            SavedIndividual::of(individual)
        };
        let restarts = self.found.restarts.iter();
        let restarts = restarts.map(|it| (it.birth, it.reason, save(&it.carried))).collect();
        let strategy = self.evolution.strategy.state().try_map(|it| Ok::<_, ()>(save(it)));
        let champions = self.found.hall_of_fame.iter();
        let champions = champions.map(|it| (save(&it.individual), it.losses.clone())).collect();
        let claims = self.found.hall_of_fame.claims().map(&mut save).collect();
        let held_out = self.held_out.is_on().then(|| SavedHeldOut {
            points: self.held_out.curve.points().to_vec(),
            before_restart: self.held_out.curve.before_restart() as u64,
            incumbent: self.held_out.incumbent.as_ref().map(&mut save),
        });
        let mut window = Vec::new();
        for (number, birth) in self.window.iter() {
            programs.save(domain, number, &birth.program);
            ancestry.note(number, start_of(number, birth.lineage));
            let mate = birth.lineage.and_then(|lineage| lineage.mate);
            ancestry.mates.extend(mate.map(|mate| (number, mate)));
            let Identity { structure, behaviour, .. } = birth.identity;
            let (structure, behaviour) = (structure.0, behaviour.0);
            window.push(SavedBirth {
                structure,
                behaviour,
                lineage: birth.lineage,
                hurdles: birth.hurdles.to_vec(),
                sighting: birth.sighting,
            });
        }
        let (first, others) = self.evolution.starts.split_first().expect("there is one or more");
        ancestry.fitness = others.iter().map(|start| start.fitness).collect();
        State {
            programs,
            counters: self.found.counters,
            latest_evaluation: self.limits.latest_evaluation,
            lineage: self.found.lineage,
            hurdles: self.evolution.hurdles.history().clone(),
            mutations: self.found.mutations.tallies().to_vec(),
            start_fitness: first.fitness,
            since_restart: self.evolution.restart_clock.since(),
            restarts,
            strategy: strategy.expect("saving an individual cannot fail"),
            champions,
            claims,
            best: self.best().map(|best| best.individual.birth),
            window,
            ancestry,
            held_out,
            beside: self.beside(),
            policies: self.policies(),
            reprieves: self.saved_reprieves(),
        }
    }

    fn policies(&self) -> Option<SavedPolicies> {
        let counters = *self.policy_counters()?;
        let ledger = self.outcomes.ledger().cloned();
        let tabu = self.breeding.tabu.as_ref().map(Tabu::saved);
        Some(SavedPolicies { counters, ledger, tabu })
    }

    /// `None` if what was saved does not fit these policies.
    fn restore_policies(&mut self, saved: Option<SavedPolicies>) -> Option<()> {
        let has_policy = self.deduplication().has_policy();
        let saved = if has_policy { saved? } else { SavedPolicies::default() };
        let SavedPolicies { counters, ledger, tabu } = saved;
        self.found.policies = counters;
        match (&self.breeding.tabu, tabu) {
            (Some(list), Some(saved)) => list.restore(saved),
            (None, None) => {}
            _ => return None,
        }
        self.outcomes.restore_ledger(ledger).then_some(())
    }

    fn beside(&self) -> Beside {
        let remembered = match self.kept.keep {
            Keep::Births => Remembered::default(),
            Keep::Snapshots => self.outcomes.remembered(),
        };
        let selected = self.selected().map(|it| SavedSelected::of(self.domain(), it));
        Beside { remembered, selected }
    }

    /// `None` if the state does not fit this search.
    fn restore(&mut self, state: State) -> Option<()> {
        let domain = self.domain().clone();
        let starts = &mut self.evolution.starts;
        let programs = state.programs.restore(&domain, starts, &state.ancestry)?;
        let fitness = std::iter::once(state.start_fitness).chain(state.ancestry.fitness);
        starts.iter_mut().zip(fitness).for_each(|(start, fitness)| start.fitness = fitness);
        let individual = |saved: &_| programs.individual(&domain, saved);
        let strategy = state.strategy.try_map(|saved| individual(&saved).ok_or(())).ok()?;
        if !self.evolution.strategy.restore(strategy) {
            return None;
        }
        for (saved, losses) in state.champions {
            let champion = individual(&saved)?;
            let best = state.best == Some(champion.birth);
            self.found.hall_of_fame.restore(champion, losses, best, &domain);
        }
        for saved in state.claims {
            self.found.hall_of_fame.restore_claim(individual(&saved)?);
        }
        for (birth, reason, carried) in state.restarts {
            self.found.restarts.push(Restart { birth, reason, carried: individual(&carried)? });
        }
        let selected = state.beside.selected.as_ref();
        let selected = selected.map(|it| it.restore(&domain, &self.evolution.starts).ok_or(()));
        self.held_out.selected = selected.transpose().ok()?;
        if let Some(saved) = state.held_out.filter(|_| self.held_out.is_on()) {
            let before_restart = usize::try_from(saved.before_restart).ok()?;
            self.held_out.curve = HeldOutCurve::of(saved.points, before_restart);
            let incumbent = saved.incumbent.as_ref().map(|saved| individual(saved).ok_or(()));
            self.held_out.incumbent = incumbent.transpose().ok()?;
        }
        self.restore_policies(state.policies)?;
        self.restore_reprieves(state.reprieves)?;
        self.outcomes.remember(state.beside.remembered);
        self.window = Window::from(state.counters.absorbed);
        for (number, saved) in (state.counters.absorbed..).zip(state.window) {
            let (start, program) = programs.get(number)?;
            let identity = saved.identity(&domain, &program);
            let mate = state.ancestry.mates.get(&number).copied();
            let lineage = saved.lineage.map(|lineage| Lineage { start, mate, ..lineage });
            let (sighting, hurdles) = (saved.sighting, Arc::from(saved.hurdles));
            let arrival = Arrival { birth: number, identity, hurdles: &hurdles };
            self.outcomes.note_pending(arrival, sighting);
            let fate = if sighting.is_evaluated() { Fate::Awaited } else { Fate::Shared };
            self.window.push(Birth { program, identity, lineage, hurdles, sighting, fate });
        }
        self.outcomes.assume_forgotten();
        if !self.found.mutations.restore(state.mutations) {
            return None;
        }
        self.evolution.restart_clock.restore(state.since_restart);
        self.limits.latest_evaluation = state.latest_evaluation;
        self.found.lineage = state.lineage;
        self.evolution.hurdles.restore(state.hurdles);
        self.begun = state.counters.births;
        self.found.counters = state.counters;
        Some(())
    }

    /// Settles the births of the window that were evaluated; the others are asked again.
    fn take_stored_outcomes(&mut self, store: &Store) -> Result<(), SearchError> {
        let awaited = self.window.iter().filter(|(_, birth)| matches!(birth.fate, Fate::Awaited));
        let awaited: Vec<(u64, Identity)> =
            awaited.map(|(number, birth)| (number, birth.identity)).collect();
        for (birth, identity) in awaited {
            match self.outcomes.take_stored(birth, identity, Some(store))? {
                None => self.unasked.push_back(birth),
                Some(found) => {
                    self.window.tell(birth, found.outcome);
                }
            }
        }
        Ok(())
    }
}
