//! Breeding: a parent, or two, become a child.
//!
//! Invariant: the strategy has named the parents, and all that is left, mutation, hashes and edit,
//! is a function of the parents and the birth's stream. So it may be done on any thread and in any
//! order, and whatever is to hold for every child, under any strategy, is decided here once.

use std::fmt;
use std::sync::Arc;

use evo_domain::Domain;
use evo_hashes::StreamRng;
use smallvec::SmallVec;

use crate::Individual;
use crate::identity::{Identifier, Identity};
use crate::lineage::Lineage;
use crate::tabu::Tabu;

/// Who breeds the births of a search, on any thread.
pub struct Breeder<D>(pub(crate) Arc<Breeding<D>>);

/// What breeding needs besides the parents: the same for all births of a search.
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
    pub(crate) origin: Origin<D::Program>,
    /// Entries of the tabu list, where there is one, that are known to it.
    pub(crate) tabu: u64,
}

/// Where the program of a birth comes from.
#[expect(clippy::large_enum_variant, reason = "start programs are few, and births go in batches")]
pub(crate) enum Origin<P> {
    /// It is a start program.
    Start(Arc<P>),
    Mutation {
        parent: Individual<P>,
        /// A second parent, which a crossover may take a part of.
        mate: Option<Individual<P>>,
        /// Goes on where the choice of the parents left it.
        rng: StreamRng,
        /// Whether the edit is to be told.
        edit: bool,
    },
}

/// A program just bred.
pub struct Bred<P> {
    pub(crate) birth: u64,
    pub(crate) program: Arc<P>,
    pub(crate) identity: Identity,
    /// None of a start program.
    pub(crate) descent: Option<Descent<P>>,
    pub(crate) tries: Tries,
}

/// The children that were made for a birth.
#[derive(Default)]
pub(crate) struct Tries {
    /// The kind of each mutation that was tried by itself, and whether its child was neutral.
    pub(crate) mutations: SmallVec<[(u8, bool); 4]>,
    /// Children thrown away because their behaviour was tabu.
    pub(crate) tabu: u64,
    /// Whether that of the last one was, too.
    pub(crate) tabu_kept: bool,
}

/// How a birth came from its parent.
pub(crate) struct Descent<P> {
    pub(crate) lineage: Lineage,
    /// The programs it was made of.
    parents: [Option<Arc<P>>; 2],
    /// What leads from the parent's text to the child's, where that is kept.
    pub(crate) edit: Option<String>,
}

impl<P> Descent<P> {
    /// What remains once the birth is settled. The parents are let go here, by the thread that took
    /// hold of them: if those that breed did, all of them would wait for the count of holders.
    pub(crate) fn settled(self) -> Lineage {
        drop(self.parents);
        self.lineage
    }
}

impl<D: Domain> Conception<D> {
    /// The number of the birth.
    pub fn birth(&self) -> u64 {
        self.birth
    }
}

impl<D: Domain> Breeder<D> {
    /// Makes the program of a birth that was conceived by the same search. Takes as long as
    /// mutation and hashes do.
    pub fn breed(&self, conception: Conception<D>) -> Bred<D::Program> {
        self.0.breed(conception)
    }
}

impl<D: Domain> Breeding<D> {
    pub(crate) fn breed(&self, conception: Conception<D>) -> Bred<D::Program> {
        let Conception { birth, origin, tabu } = conception;
        match origin {
            Origin::Start(program) => {
                let identity = self.identifier.identify(&program);
                Bred { birth, program, identity, descent: None, tries: Tries::default() }
            }
            Origin::Mutation { parent, mate, mut rng, edit } => {
                let (child, tries) = self.child(&parent, mate.as_ref(), &mut rng, tabu);
                let (program, identity, kind) = child;
                let Individual { birth: of_parent, start, fitness, .. } = parent;
                let crossover = self.domain.crossover();
                let crossed = kind.is_some_and(|kind| crossover == Some(usize::from(kind)));
                let second = mate.as_ref().filter(|_| crossed).map(|mate| mate.birth);
                let lineage = Lineage { parent: of_parent, kind, fitness, start, mate: second };
                let edit = edit.then(|| self.domain.edit(&parent.program, &program));
                let parents = [Some(parent.program), mate.map(|mate| mate.program)];
                let descent = Some(Descent { lineage, parents, edit });
                Bred { birth, program: Arc::new(program), identity, descent, tries }
            }
        }
    }

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

impl<D> Clone for Breeder<D> {
    fn clone(&self) -> Breeder<D> {
        Breeder(Arc::clone(&self.0))
    }
}

impl<D> fmt::Debug for Breeder<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breeder").finish_non_exhaustive()
    }
}

impl<P> fmt::Debug for Bred<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bred").field("birth", &self.birth).finish_non_exhaustive()
    }
}
