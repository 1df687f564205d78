//! The state of a search as bytes: what a snapshot holds.
//!
//! Invariant: a search restored from its state breeds what it would have bred. Programs are saved
//! as their domain encodes them, with all that mutation can see, each once and by its birth, and
//! are read back with the start program they descend from, of which they have the header.

use std::collections::BTreeMap;
use std::sync::Arc;

use evo_domain::{Domain, Size};
use evo_hashes::Hash;
use serde::{Deserialize, Serialize};

use crate::hurdles::HurdleHistory;
use crate::identity::Identity;
use crate::lineage::{Lineage, LineageDigest};
use crate::outcomes::{Ledger, Remembered, Sighting};
use crate::partial_hurdles::ReprieveCount;
use crate::restarts::SinceRestart;
use crate::strategy::StrategyState;
use crate::{Counters, HeldOutPoint, Individual, MutationTally, PolicyCounters, RestartReason};

/// Everything that decides how a search goes on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) programs: SavedPrograms,
    pub(super) counters: Counters,
    pub(super) latest_evaluation: u64,
    pub(super) lineage: LineageDigest,
    pub(super) hurdles: HurdleHistory,
    pub(super) mutations: Vec<MutationTally>,
    pub(super) start_fitness: f64,
    pub(super) since_restart: SinceRestart,
    pub(super) restarts: Vec<(u64, RestartReason, SavedIndividual)>,
    pub(super) strategy: StrategyState<SavedIndividual>,
    /// With the losses.
    pub(super) champions: Vec<(SavedIndividual, Vec<f64>)>,
    /// Individuals that may belong among the champions.
    pub(super) claims: Vec<SavedIndividual>,
    /// The birth of the fittest champion.
    pub(super) best: Option<u64>,
    /// Births bred and not absorbed, in order; their outcomes are in the store.
    pub(super) window: Vec<SavedBirth>,
    /// Behind the bytes of all the rest, where there is any.
    #[serde(skip)]
    pub(super) ancestry: Ancestry,
    /// Behind that, where something is held out.
    #[serde(skip)]
    pub(super) held_out: Option<SavedHeldOut>,
    /// Behind that, where there is any.
    #[serde(skip)]
    pub(super) beside: Beside,
    /// Behind that, of a search with policies beyond caching.
    #[serde(skip)]
    pub(super) policies: Option<SavedPolicies>,
    /// Behind that, of a search with partial hurdles.
    #[serde(skip)]
    pub(super) reprieves: Option<ReprieveCount>,
}

/// What policies beyond caching have counted and remember.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct SavedPolicies {
    pub(super) counters: PolicyCounters,
    pub(super) ledger: Option<Ledger>,
    /// The tabu list: the number of its first entry, and its entries.
    pub(super) tabu: Option<(u64, Vec<[u8; 16]>)>,
}

/// What a run knows beside its course, and is not judged by.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Beside {
    /// Outcomes, where the store has no rows for evaluations.
    pub(super) remembered: Remembered,
    /// The individual of the best held-out point.
    pub(super) selected: Option<SavedSelected>,
}

/// An individual with its program.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedSelected {
    individual: SavedIndividual,
    start: u64,
    program: Vec<u8>,
}

impl SavedSelected {
    pub(super) fn of<D: Domain>(domain: &D, it: &Individual<D::Program>) -> SavedSelected {
        let (individual, program) = (SavedIndividual::of(it), domain.encode(&it.program));
        SavedSelected { individual, start: it.start, program }
    }

    /// `None` where it is not one of a search from `starts`.
    pub(super) fn restore<D: Domain>(
        &self,
        domain: &D,
        starts: &[Individual<D::Program>],
    ) -> Option<Individual<D::Program>> {
        let of = starts.get(usize::try_from(self.start).ok()?)?;
        let program = Arc::new(domain.decode(&self.program, &of.program)?);
        let of_birth = BTreeMap::from([(self.individual.birth, (self.start, program))]);
        RestoredPrograms(of_birth).individual(domain, &self.individual)
    }
}

/// The curve of held-out evaluation and the incumbent.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct SavedHeldOut {
    pub(super) points: Vec<HeldOutPoint>,
    /// Points before the last restart.
    pub(super) before_restart: u64,
    pub(super) incumbent: Option<SavedIndividual>,
}

/// What a search from one start program and without crossover has none of.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ancestry {
    /// The start that a saved program descends from, by their births, where that is not birth 0.
    starts: BTreeMap<u64, u64>,
    /// The second parent of a birth in the window, by their births.
    pub(super) mates: BTreeMap<u64, u64>,
    /// The fitness of every start behind the first.
    pub(super) fitness: Vec<f64>,
}

impl State {
    /// All of it; without an ancestry and anything held out the bytes that versions wrote which
    /// knew of none.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = postcard::to_stdvec(self).expect("plain data can be serialised");
        let Beside { remembered, selected } = &self.beside;
        let policies = self.policies.is_some() || self.reprieves.is_some();
        let beside = !remembered.is_empty() || selected.is_some() || policies;
        if self.ancestry != Ancestry::default() || self.held_out.is_some() || beside {
            append(&mut bytes, &self.ancestry);
        }
        if let Some(held_out) = &self.held_out {
            append(&mut bytes, held_out);
        } else if beside {
            append(&mut bytes, &SavedHeldOut::default());
        }
        if beside {
            append(&mut bytes, &self.beside);
        }
        if let Some(policies) = &self.policies {
            append(&mut bytes, policies);
        } else if policies {
            append(&mut bytes, &SavedPolicies::default());
        }
        if let Some(reprieves) = &self.reprieves {
            append(&mut bytes, reprieves);
        }
        bytes
    }

    /// The state with these bytes, if they are those of one.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<State> {
        let (state, rest) = postcard::take_from_bytes::<State>(bytes).ok()?;
        let (ancestry, rest) = match rest {
            [] => (Ancestry::default(), rest),
            rest => postcard::take_from_bytes(rest).ok()?,
        };
        let (held_out, rest) = match rest {
            [] => (None, rest),
            rest => {
                let (held_out, rest) = postcard::take_from_bytes(rest).ok()?;
                (Some(held_out), rest)
            }
        };
        let (beside, rest) = match rest {
            [] => (Beside::default(), rest),
            rest => postcard::take_from_bytes(rest).ok()?,
        };
        let (policies, rest) = match rest {
            [] => (None, rest),
            rest => {
                let (policies, rest) = postcard::take_from_bytes(rest).ok()?;
                (Some(policies), rest)
            }
        };
        let reprieves = match rest {
            [] => None,
            rest => Some(postcard::from_bytes(rest).ok()?),
        };
        Some(State { ancestry, held_out, beside, policies, reprieves, ..state })
    }
}

fn append(bytes: &mut Vec<u8>, part: &impl Serialize) {
    bytes.extend(postcard::to_stdvec(part).expect("plain data can be serialised"));
}

impl Ancestry {
    /// Notes the start program that a saved program descends from, by its birth.
    pub(super) fn note(&mut self, birth: u64, start: u64) {
        if start > 0 {
            self.starts.insert(birth, start);
        }
    }

    pub(super) fn start(&self, birth: u64) -> u64 {
        self.starts.get(&birth).copied().unwrap_or(0)
    }
}

/// An individual but for its program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SavedIndividual {
    birth: u64,
    behaviour: [u8; 16],
    fitness: f64,
}

/// A birth in the window but for its program and outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SavedBirth {
    pub(super) structure: [u8; 16],
    pub(super) behaviour: [u8; 16],
    pub(super) lineage: Option<Lineage>,
    pub(super) hurdles: Vec<f64>,
    pub(super) sighting: Sighting,
}

impl SavedIndividual {
    pub(super) fn of<P>(individual: &Individual<P>) -> SavedIndividual {
        let &Individual { birth, behaviour, fitness, .. } = individual;
        SavedIndividual { birth, behaviour: behaviour.0, fitness }
    }
}

impl SavedBirth {
    pub(super) fn identity<D: Domain>(&self, domain: &D, program: &D::Program) -> Identity {
        let size = domain.size(program, &domain.analyse(program));
        Identity { structure: Hash(self.structure), behaviour: Hash(self.behaviour), size }
    }
}

/// Programs by birth.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct SavedPrograms(BTreeMap<u64, Vec<u8>>);

impl SavedPrograms {
    pub(super) fn save<D: Domain>(&mut self, domain: &D, birth: u64, program: &D::Program) {
        self.0.entry(birth).or_insert_with(|| domain.encode(program));
    }

    /// The programs of a search from `starts`; `None` if one is not valid.
    pub(super) fn restore<D: Domain>(
        self,
        domain: &D,
        starts: &[Individual<D::Program>],
        ancestry: &Ancestry,
    ) -> Option<RestoredPrograms<D::Program>> {
        let decoded = |(birth, bytes): (u64, Vec<u8>)| {
            let start = ancestry.start(birth);
            let of = starts.get(usize::try_from(start).ok()?)?;
            Some((birth, (start, Arc::new(domain.decode(&bytes, &of.program)?))))
        };
        self.0.into_iter().map(decoded).collect::<Option<_>>().map(RestoredPrograms)
    }
}

/// Programs read back, by birth, each with the start it descends from.
pub(super) struct RestoredPrograms<P>(BTreeMap<u64, (u64, Arc<P>)>);

impl<P> RestoredPrograms<P> {
    pub(super) fn get(&self, birth: u64) -> Option<(u64, Arc<P>)> {
        self.0.get(&birth).cloned()
    }

    pub(super) fn individual<D: Domain<Program = P>>(
        &self,
        domain: &D,
        saved: &SavedIndividual,
    ) -> Option<Individual<P>> {
        let &SavedIndividual { birth, behaviour, fitness } = saved;
        let ((start, program), behaviour) = (self.get(birth)?, Hash(behaviour));
        let Size { length, states } = domain.size(&program, &domain.analyse(&program));
        Some(Individual { birth, start, program, behaviour, fitness, length, states })
    }
}
