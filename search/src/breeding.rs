//! Breeding: the strategy's parent becomes a child.
//!
//! Invariant: a child is a function of the strategy's state and the birth's stream. The strategy
//! names the parent and this mutates it, so that whatever is to hold for every child, under any
//! strategy, is decided here once.

use std::sync::Arc;

use evo_domain::Domain;
use evo_hashes::{SeedPurpose, StreamRng};

use crate::deduplication::{Behaviours, Identity};
use crate::lineage::Lineage;
use crate::strategy::Strategy;
use crate::{Individual, MutationStatistics, MutationTally};

/// Makes children of the parents a strategy names.
pub(crate) struct Breeder<D> {
    domain: D,
    streams: SeedPurpose,
    statistics: MutationStatistics,
}

/// A program just bred.
pub(crate) struct Child<P> {
    pub(crate) program: Arc<P>,
    pub(crate) identity: Identity,
    /// None of the start program.
    pub(crate) parent: Option<(Lineage, Arc<P>)>,
}

impl<D: Domain> Breeder<D> {
    pub(crate) fn new(domain: D, streams: SeedPurpose) -> Breeder<D> {
        let statistics = MutationStatistics::new(domain.mutations());
        Breeder { domain, streams, statistics }
    }

    /// The child of this birth: the first that does not behave like its parent, or the last try.
    ///
    /// Each try begins from the parent again. Letting them pile up, as the released code of
    /// functional hashing can (arXiv 2302.05433), would grow dead statements.
    pub(crate) fn breed(
        &mut self,
        birth: u64,
        strategy: &dyn Strategy<D::Program>,
        behaviours: &mut Behaviours<D>,
    ) -> Child<D::Program> {
        let rng = &mut self.streams.stream(birth);
        let parent = strategy.parent(birth, rng);
        let mut child = self.attempt(parent, strategy, behaviours, rng);
        for _ in 0..self.domain.neutral_retries() {
            if child.identity.behaviour != parent.behaviour {
                break;
            }
            child = self.attempt(parent, strategy, behaviours, rng);
        }
        child
    }

    fn attempt(
        &mut self,
        parent: &Individual<D::Program>,
        strategy: &dyn Strategy<D::Program>,
        behaviours: &mut Behaviours<D>,
        rng: &mut StreamRng,
    ) -> Child<D::Program> {
        let (mut program, mut kind) = self.domain.mutate(&parent.program, rng);
        for _ in 1..strategy.mutations(rng) {
            program = self.domain.mutate(&program, rng).0;
            kind = None;
        }
        let identity = behaviours.identify(&program);
        let kind = kind.map(|kind| u8::try_from(kind).expect("a domain has few kinds"));
        if let Some(kind) = kind {
            self.statistics.note_tried(kind, identity.behaviour == parent.behaviour);
        }
        let lineage = Lineage { parent: parent.birth, kind, fitness: parent.fitness };
        let parent = Some((lineage, Arc::clone(&parent.program)));
        Child { program: Arc::new(program), identity, parent }
    }

    /// Takes note of the fitness of a birth, given the start program's.
    pub(crate) fn note_fitness(&mut self, lineage: Lineage, fitness: f64, of_start: f64) {
        let of_parent = if lineage.parent == 0 { of_start } else { lineage.fitness };
        if let Some(kind) = lineage.kind.filter(|_| fitness > of_parent) {
            self.statistics.note_improved(kind);
        }
    }

    pub(crate) fn statistics(&self) -> &MutationStatistics {
        &self.statistics
    }

    /// Goes on from statistics saved earlier; `false` if they are not of this domain.
    pub(crate) fn restore(&mut self, tallies: Vec<MutationTally>) -> bool {
        self.statistics.restore(tallies)
    }
}
