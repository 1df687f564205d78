//! Outcomes: what is known of programs, and which births share it.
//!
//! Invariant: births are looked at in birth order, and birth *k* sees what is known of the births
//! below *k* − window as known and of all others as being evaluated. So whether it is a duplicate
//! depends neither on which evaluations have finished nor on how far ahead other births are bred.
//! Structure is looked up first, being exact, then behaviour, which is as good as the probe. A
//! failure of the engine is no property of a program: once it is known, the next program of that
//! behaviour is evaluated again. An evaluation that a hurdle stopped says nothing of what lies
//! behind it: where today's hurdles would let it pass, the program is evaluated again. So it is
//! where the policy says so, which has a ledger for that if it is more than caching. What is held
//! in memory can be limited where a store holds the rest; a limit changes what is looked up there,
//! never what is found. The maps are looked into and never iterated.

mod aggregating;
mod first;
mod ledger;
mod remembered;
mod sighting;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use evo_domain::Outcome;
use evo_hashes::{Hash, Seed, SeedPurpose};

use crate::generations::{ByHash, Generations};
use crate::identity::Identity;
use crate::store::StoredEvaluation;
use crate::{Deduplication, DeduplicationLevel, OutcomeCache, SearchError, Store};

use first::{First, Known};
pub(crate) use ledger::{Ledger, MeansAhead};
pub(crate) use remembered::Remembered;
pub(crate) use sighting::Sighting;

/// A birth that is looked up, and the hurdles that are up for it.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) birth: u64,
    pub(crate) identity: Identity,
    pub(crate) hurdles: &'a Arc<[f64]>,
}

/// The evaluation that a birth would share.
#[derive(Clone, Copy)]
struct Equal {
    /// The birth it begins with.
    evaluation: u64,
    /// Whether the two have one structure.
    same_structure: bool,
    /// Whether it may be made again to see how far the two are apart.
    may_be_rechecked: bool,
}

/// An outcome that has been absorbed and not yet been shown to the births it is known to.
struct Absorbed {
    structure: Hash,
    behaviour: Hash,
    outcome: Arc<Outcome>,
    recheck: bool,
}

/// An outcome that a birth need not be evaluated for.
pub(crate) struct Answer {
    pub(crate) outcome: Arc<Outcome>,
    pub(crate) source: Source,
}

/// Where a [`Answer`] was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// In the store: the birth was evaluated before the run was interrupted.
    Store {
        /// Whether a shared cache had answered it.
        cached: bool,
    },
    /// In the shared cache.
    Cache,
}

/// All outcomes of a run, and those it shares with others.
pub(crate) struct Outcomes {
    config: Deduplication,
    /// The name of the domain, part of every key of the shared cache.
    domain: &'static str,
    /// Decides which births are rechecked.
    rechecks: SeedPurpose,
    /// Decides which births make something forgotten.
    forgets: SeedPurpose,
    /// Of a policy beyond caching.
    ledger: Option<Ledger>,
    /// Evaluations that count as under way, by structure and by behaviour.
    pending: HashMap<Hash, First, ByHash>,
    /// Outcomes that no birth so far has been late enough to know, by birth.
    absorbed: BTreeMap<u64, Absorbed>,
    /// Evaluations that have ended, by structure and by behaviour; the latest of each.
    known: Generations<Known>,
    /// Outcomes that have been forgotten but for the births in the window that share them.
    shared: BTreeMap<u64, Arc<Outcome>>,
    /// Evaluations in the store of births that have not been bred again, by birth.
    stored: BTreeMap<u64, StoredEvaluation>,
    cache: Option<Arc<OutcomeCache>>,
}

impl Outcomes {
    pub(crate) fn new(config: Deduplication, domain: &'static str, seed: Seed) -> Outcomes {
        let counts = config.aggregate > 1 || config.is_forgetful();
        Outcomes {
            config,
            domain,
            rechecks: seed.purpose("recheck"),
            forgets: seed.purpose("forget"),
            ledger: counts.then(Ledger::default),
            pending: HashMap::default(),
            absorbed: BTreeMap::new(),
            known: Generations::new(),
            shared: BTreeMap::new(),
            stored: BTreeMap::new(),
            cache: None,
        }
    }

    pub(crate) fn config(&self) -> Deduplication {
        self.config
    }

    /// Looks outcomes up in this cache too.
    pub(crate) fn share(&mut self, cache: Arc<OutcomeCache>) {
        self.cache = Some(cache);
    }

    /// Holds at most so many outcomes in memory: the store has the others.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.known.limit(limit);
    }

    /// Takes what the store holds of births that are going to be bred again.
    pub(crate) fn expect(&mut self, stored: Vec<StoredEvaluation>) {
        self.stored.extend(stored.into_iter().map(|evaluation| (evaluation.birth, evaluation)));
    }

    /// Whether programs are compared at all.
    fn compares(&self) -> bool {
        self.config.level != DeduplicationLevel::Off
    }

    /// Looks a birth up, to which the outcomes of births below `known` are known, and remembers it.
    pub(crate) fn sight(
        &mut self,
        arrival: Arrival<'_>,
        known: u64,
        store: Option<&Store>,
    ) -> Result<Sighting, SearchError> {
        self.make_known(known);
        let sighting = match self.find_equal(arrival, store)? {
            Some(equal) => self.decide(arrival.birth, equal),
            None => Sighting::New,
        };
        if let Some(ledger) = &mut self.ledger {
            ledger.note(arrival.birth, sighting);
        }
        self.note_pending(arrival, sighting);
        Ok(sighting)
    }

    /// The evaluation of a birth that is equal to this one.
    fn find_equal(
        &mut self,
        arrival: Arrival<'_>,
        store: Option<&Store>,
    ) -> Result<Option<Equal>, SearchError> {
        let Identity { structure, behaviour, .. } = arrival.identity;
        if !self.compares() {
            return Ok(None);
        }
        if let Some(evaluation) = self.find(structure, arrival, store)? {
            let (same_structure, may_be_rechecked) = (true, false);
            return Ok(Some(Equal { evaluation, same_structure, may_be_rechecked }));
        }
        if behaviour == structure {
            return Ok(None);
        }
        let found = self.find(behaviour, arrival, store)?;
        let may_be_rechecked = found.is_some() && !self.is_known_to_end(&behaviour);
        Ok(found.map(|evaluation| Equal { evaluation, same_structure: false, may_be_rechecked }))
    }

    /// Whether a behaviour is known to end its evaluation: what does is not let loose again.
    fn is_known_to_end(&mut self, behaviour: &Hash) -> bool {
        let known = self.known.get(behaviour).filter(|_| !self.pending.contains_key(behaviour));
        known.is_some_and(|known| matches!(*known.outcome, Outcome::Ended(_)))
    }

    /// What becomes of a birth that is equal to an earlier one.
    fn decide(&mut self, birth: u64, equal: Equal) -> Sighting {
        let Equal { evaluation, same_structure, may_be_rechecked } = equal;
        let config = &self.config;
        let shares = Sighting::Duplicate { evaluation, same_structure };
        if config.counterfactual {
            return match same_structure {
                true => Sighting::StructuralRecheck { evaluation },
                false => Sighting::Recheck { evaluation },
            };
        }
        let Some(ledger) = &mut self.ledger else {
            let rechecks = may_be_rechecked && config.rechecks(self.rechecks, birth);
            return if rechecks { Sighting::Recheck { evaluation } } else { shares };
        };
        let entry = ledger.get(evaluation).expect("what is forgotten is not found");
        let repeat = entry.repeats;
        if entry.evaluations < config.aggregate {
            return Sighting::Aggregated { evaluation, same_structure, repeat };
        }
        let is_old = config.forget_every.is_some_and(|every| entry.births >= every);
        if is_old || config.forgets(self.forgets, birth) {
            ledger.forget(evaluation, birth);
            return Sighting::Anew { repeat };
        }
        shares
    }

    /// Notes that a birth sighted before is still being evaluated.
    pub(crate) fn note_pending(&mut self, arrival: Arrival<'_>, sighting: Sighting) {
        let Arrival { birth, identity, hurdles } = arrival;
        // A recheck speaks for its own structure alone, and of the counterfactual for none.
        let speaks = matches!(sighting, Sighting::Recheck { .. }) && !self.config.counterfactual;
        if !self.compares() || !(speaks || sighting.is_first()) {
            return;
        }
        let first = First { birth, hurdles: Arc::clone(hurdles) };
        if sighting.is_first() {
            self.pending.insert(identity.behaviour, first.clone());
        }
        self.pending.insert(identity.structure, first);
    }

    /// The birth whose evaluation is known, or will be, for all with this hash.
    fn find(
        &mut self,
        hash: Hash,
        arrival: Arrival<'_>,
        store: Option<&Store>,
    ) -> Result<Option<u64>, SearchError> {
        let found = match self.pending.get(&hash) {
            Some(first) => first.serves(arrival.hurdles).then_some(first.birth),
            None => self.find_known(hash, arrival, store)?,
        };
        let ledger = self.ledger.as_ref();
        Ok(found.filter(|evaluation| ledger.is_none_or(|it| it.get(*evaluation).is_some())))
    }

    fn find_known(
        &mut self,
        hash: Hash,
        arrival: Arrival<'_>,
        store: Option<&Store>,
    ) -> Result<Option<u64>, SearchError> {
        let rechecks_speak = !self.config.counterfactual;
        if self.known.get(&hash).is_none()
            && self.known.has_forgotten()
            && let Some(store) = store
            && let Some(found) = store.latest_evaluation(&hash, arrival.birth, rechecks_speak)?
        {
            let known = Known { birth: found.birth, outcome: Arc::new(found.outcome) };
            self.known.insert(hash, known);
        }
        let known = self.known.get(&hash);
        Ok(known.filter(|known| known.serves(arrival.hurdles)).map(|known| known.birth))
    }

    /// Says that there are outcomes in the store that have never been in memory.
    pub(crate) fn assume_forgotten(&mut self) {
        self.known.assume_forgotten();
    }

    /// Remembers the outcome of a birth's own evaluation when it is absorbed, where programs are
    /// compared and it speaks for others; for all of its behaviour unless it was a recheck.
    pub(crate) fn absorb(
        &mut self,
        birth: u64,
        identity: Identity,
        outcome: &Arc<Outcome>,
        sighting: Sighting,
    ) {
        let recheck = !sighting.is_first();
        let speaks = sighting.evaluation(birth) == birth;
        if !self.compares() || !speaks || (recheck && self.config.counterfactual) {
            return;
        }
        let Identity { structure, behaviour, .. } = identity;
        let outcome = Arc::clone(outcome);
        self.absorbed.insert(birth, Absorbed { structure, behaviour, outcome, recheck });
    }

    /// Lets go of what is kept for births that are absorbed now, which so many are.
    pub(crate) fn note_absorbed(&mut self, absorbed: u64) {
        if let Some(ledger) = &mut self.ledger {
            ledger.drop_forgotten(absorbed);
        }
    }

    /// Makes known what was absorbed of births below this one.
    fn make_known(&mut self, below: u64) {
        while let Some(entry) = self.absorbed.first_entry().filter(|entry| *entry.key() < below) {
            let birth = *entry.key();
            let Absorbed { structure, behaviour, outcome, recheck } = entry.remove();
            let hashes = [Some(structure), Some(behaviour).filter(|_| !recheck)];
            for hash in hashes.into_iter().flatten() {
                // A later birth may be evaluated for the same hash, under other hurdles.
                if self.pending.get(&hash).is_some_and(|first| first.birth == birth) {
                    self.pending.remove(&hash);
                }
                self.known.insert(hash, Known { birth, outcome: Arc::clone(&outcome) });
            }
        }
    }

    /// The outcome of an evaluation, absorbed before, that a birth shares or would have shared.
    pub(crate) fn of(
        &mut self,
        identity: Identity,
        evaluation: u64,
        store: Option<&Store>,
    ) -> Result<Arc<Outcome>, SearchError> {
        if let Some(absorbed) = self.absorbed.get(&evaluation) {
            return Ok(Arc::clone(&absorbed.outcome));
        }
        if let Some(outcome) = self.shared.get(&evaluation) {
            return Ok(Arc::clone(outcome));
        }
        for hash in [identity.structure, identity.behaviour] {
            if let Some(known) = self.known.get(&hash).filter(|known| known.birth == evaluation) {
                return Ok(Arc::clone(&known.outcome));
            }
        }
        let store = store.expect("without a store nothing is forgotten");
        store.evaluation(evaluation).map(|found| Arc::new(found.outcome))
    }

    /// What the store or the shared cache knows of a birth that needs an outcome of its own; `None`
    /// for a birth to evaluate.
    ///
    /// # Errors
    /// When the store holds the outcome of another program.
    pub(crate) fn find_own(
        &mut self,
        arrival: Arrival<'_>,
        store: Option<&Store>,
    ) -> Result<Option<Answer>, SearchError> {
        let Arrival { birth, identity, hurdles } = arrival;
        if let Some(found) = self.take_stored(birth, identity, store)? {
            return Ok(Some(found));
        }
        let cache = self.cache.as_ref().filter(|_| self.compares());
        let outcome = cache.and_then(|cache| cache.get(self.domain, &identity.structure, hurdles));
        Ok(outcome.map(|outcome| Answer { outcome, source: Source::Cache }))
    }

    /// What the store holds of a birth that was evaluated before.
    pub(crate) fn take_stored(
        &mut self,
        birth: u64,
        identity: Identity,
        store: Option<&Store>,
    ) -> Result<Option<Answer>, SearchError> {
        let Some(stored) = self.stored.remove(&birth) else { return Ok(None) };
        if let Some(store) = store.filter(|_| stored.behaviour != identity.behaviour) {
            return Err(store.diverged(birth));
        }
        let source = Source::Store { cached: stored.cached };
        Ok(Some(Answer { outcome: Arc::new(stored.outcome), source }))
    }

    /// Tells the shared cache, where there is one, of an outcome, of a reprieved one the whole;
    /// `text` is that of the program.
    pub(crate) fn publish(
        &self,
        identity: Identity,
        outcome: &Arc<Outcome>,
        text: impl FnOnce() -> String,
    ) {
        let holds = !matches!(**outcome, Outcome::Failed { .. });
        if let Some(cache) = self.cache.as_ref().filter(|_| holds && self.compares()) {
            let whole = outcome.whole().map(|whole| Arc::new(whole.clone()));
            cache.insert(self.domain, &identity.structure, whole.as_ref().unwrap_or(outcome), text);
        }
    }
}
