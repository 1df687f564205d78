//! Breeding: a parent, or two, become a child.
//!
//! Invariant: the strategy has named the parents, and all that is left, mutation, hashes and edit,
//! is a function of the parents and the birth's stream. So it may be done on any thread and in any
//! order, and whatever is to hold for every child, under any strategy, is decided here once.

use std::fmt;
use std::sync::Arc;

use evo_domain::Domain;
use evo_hashes::StreamRng;

use crate::Individual;
use crate::identity::{Identifier, Identity};
use crate::lineage::Lineage;
use crate::tabu::Tabu;

/// What breeding needs besides the parents: the same for all births of a search. Aligned, so that
/// those who read it do not wait for those who count how often it is shared.
#[repr(align(128))]
pub(crate) struct Breeding<D> {
    /// As the strategy mutates it.
    pub(crate) domain: D,
    pub(crate) identifier: Identifier<D>,
    /// The most mutations of a random walk; none where a birth is one mutation.
    pub(crate) walk: Option<usize>,
    /// Behaviours that children are made again for.
    pub(crate) tabu: Option<Tabu>,
}

/// A birth whose parents have been chosen: what it takes to make its program.
pub struct Conception<D: Domain> {
    pub(crate) birth: u64,
    pub(crate) breeding: Arc<Breeding<D>>,
    pub(crate) origin: Origin<D::Program>,
    /// The hurdles that are up for it.
    pub(crate) hurdles: Arc<[f64]>,
    /// Entries of the tabu list, where there is one, that are known to it.
    pub(crate) tabu: u64,
}

/// Where the program of a birth comes from.
pub(crate) enum Origin<P> {
    /// It is a start program.
    Start(Arc<P>),
    Mutation {
        parent: Individual<P>,
        /// A second parent, which a crossover may take a part of.
        mate: Option<Individual<P>>,
        /// Goes on where the choice of the parents left it.
        rng: Box<StreamRng>,
        /// Whether the edit is to be told.
        edit: bool,
    },
}

/// A program just bred.
pub struct Bred<P> {
    pub(crate) birth: u64,
    pub(crate) program: Arc<P>,
    pub(crate) identity: Identity,
    pub(crate) hurdles: Arc<[f64]>,
    /// None of a start program.
    pub(crate) descent: Option<Descent>,
    pub(crate) tries: Tries,
}

/// The children that were made for a birth.
#[derive(Default)]
pub(crate) struct Tries {
    /// The kind of each mutation that was tried by itself, and whether its child was neutral.
    pub(crate) mutations: Vec<(u8, bool)>,
    /// Children thrown away because their behaviour was tabu.
    pub(crate) tabu: u64,
    /// Whether that of the last one was, too.
    pub(crate) tabu_kept: bool,
}

/// How a birth came from its parent.
pub(crate) struct Descent {
    pub(crate) lineage: Lineage,
    /// What leads from the parent's text to the child's, where that is kept.
    pub(crate) edit: Option<String>,
}

impl<D: Domain> Conception<D> {
    /// The number of the birth.
    pub fn birth(&self) -> u64 {
        self.birth
    }

    /// Makes the program. Takes as long as mutation and hashes do, and may be done anywhere.
    pub fn breed(self) -> Bred<D::Program> {
        let Conception { birth, breeding, origin, hurdles, tabu } = self;
        match origin {
            Origin::Start(program) => {
                let identity = breeding.identifier.identify(&program);
                Bred { birth, program, identity, hurdles, descent: None, tries: Tries::default() }
            }
            Origin::Mutation { parent, mate, mut rng, edit } => {
                let (child, tries) = breeding.child(&parent, mate.as_ref(), &mut rng, tabu);
                let (program, identity, kind) = child;
                let Individual { birth: of_parent, start, fitness, .. } = parent;
                let crossover = breeding.domain.crossover();
                let crossed = kind.is_some_and(|kind| crossover == Some(usize::from(kind)));
                let mate = mate.filter(|_| crossed).map(|mate| mate.birth);
                let lineage = Lineage { parent: of_parent, kind, fitness, start, mate };
                let edit = edit.then(|| breeding.domain.edit(&parent.program, &program));
                let descent = Some(Descent { lineage, edit });
                Bred { birth, program: Arc::new(program), identity, hurdles, descent, tries }
            }
        }
    }
}

impl<D: Domain> Breeding<D> {
    /// The first child that does not behave like its parent, nor as is tabu, or the last try.
    ///
    /// Each try begins from the parent again. Letting them pile up, as the released code of
    /// functional hashing can (arXiv 2302.05433), would grow dead statements.
    fn child(
        &self,
        parent: &Individual<D::Program>,
        mate: Option<&Individual<D::Program>>,
        rng: &mut StreamRng,
        entries: u64,
    ) -> ((D::Program, Identity, Option<u8>), Tries) {
        let mut neutral_left = self.domain.neutral_retries();
        let mut tabu_left = self.tabu.as_ref().map_or(0, |tabu| tabu.retries);
        let mut tries = Tries::default();
        loop {
            let (program, kind) = self.mutate(parent, mate, rng);
            let identity = self.identifier.identify(&program);
            let neutral = identity.behaviour == parent.behaviour;
            tries.mutations.extend(kind.map(|kind| (kind, neutral)));
            if neutral && neutral_left > 0 {
                neutral_left -= 1;
                continue;
            }
            let is_tabu = |tabu: &Tabu| tabu.holds(&identity.behaviour, entries);
            let is_tabu = self.tabu.as_ref().is_some_and(is_tabu);
            if is_tabu && tabu_left > 0 {
                tabu_left -= 1;
                tries.tabu += 1;
                continue;
            }
            tries.tabu_kept = is_tabu;
            return ((program, identity, kind), tries);
        }
    }

    fn mutate(
        &self,
        parent: &Individual<D::Program>,
        mate: Option<&Individual<D::Program>>,
        rng: &mut StreamRng,
    ) -> (D::Program, Option<u8>) {
        let (mut program, kind) = match mate {
            None => self.domain.mutate(&parent.program, rng),
            Some(mate) => self.domain.cross(&parent.program, &mate.program, rng),
        };
        let kind = kind.map(|kind| u8::try_from(kind).expect("a search checks how many there are"));
        let Some(most) = self.walk else { return (program, kind) };
        let mutations = rand::RngExt::random_range(rng, 1..=most);
        for _ in 1..mutations {
            program = self.domain.mutate(&program, rng).0;
        }
        (program, kind.filter(|_| mutations == 1))
    }
}

impl<D: Domain> fmt::Debug for Conception<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conception").field("birth", &self.birth).finish_non_exhaustive()
    }
}

impl<P> fmt::Debug for Bred<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bred").field("birth", &self.birth).finish_non_exhaustive()
    }
}
