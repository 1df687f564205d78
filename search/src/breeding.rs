//! Breeding: the strategy's parent becomes a child.
//!
//! Invariant: a child is a function of the strategy's state and the birth's stream. The strategy
//! names the parent and this mutates it, so that whatever is to hold for every child, under any
//! strategy, is decided here once.

use std::sync::Arc;

use evo_dsl::Program;
use evo_hashes::{SeedPurpose, StreamRng};

use crate::deduplication::{Behaviours, Identity};
use crate::lineage::Lineage;
use crate::strategy::Strategy;
use crate::{Individual, MutationStatistics, Mutator};

/// Makes children of the parents a strategy names.
pub(crate) struct Breeder {
    mutator: Mutator,
    streams: SeedPurpose,
    /// How often a child that behaves like its parent is made again.
    neutral_retries: u32,
    statistics: MutationStatistics,
}

/// A program just bred.
pub(crate) struct Child {
    pub(crate) program: Arc<Program>,
    pub(crate) identity: Identity,
    /// None of the start program.
    pub(crate) parent: Option<(Lineage, Arc<Program>)>,
}

impl Breeder {
    pub(crate) fn new(mutator: Mutator, streams: SeedPurpose, neutral_retries: u32) -> Breeder {
        Breeder { mutator, streams, neutral_retries, statistics: MutationStatistics::default() }
    }

    /// The child of this birth: the first that does not behave like its parent, or the last try.
    ///
    /// Each try begins from the parent again. Letting them pile up, as the released code of
    /// functional hashing can (arXiv 2302.05433), would grow dead statements.
    pub(crate) fn breed(
        &mut self,
        birth: u64,
        strategy: &dyn Strategy,
        behaviours: &mut Behaviours,
    ) -> Child {
        let rng = &mut self.streams.stream(birth);
        let parent = strategy.parent(birth, rng);
        let mut child = self.attempt(parent, strategy, behaviours, rng);
        for _ in 0..self.neutral_retries {
            if child.identity.behaviour != parent.behaviour {
                break;
            }
            child = self.attempt(parent, strategy, behaviours, rng);
        }
        child
    }

    fn attempt(
        &mut self,
        parent: &Individual,
        strategy: &dyn Strategy,
        behaviours: &mut Behaviours,
        rng: &mut StreamRng,
    ) -> Child {
        let (mut program, mut kind) = self.mutator.mutate_by_kind(&parent.program, rng);
        for _ in 1..strategy.mutations(rng) {
            program = self.mutator.mutate(&program, rng);
            kind = None;
        }
        let identity = behaviours.identify(&program);
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

    /// Goes on from statistics saved earlier.
    pub(crate) fn restore(&mut self, statistics: MutationStatistics) {
        self.statistics = statistics;
    }
}
