//! What a program is known by.
//!
//! Invariant: an identity is a function of the program, the domain and the level of deduplication,
//! so it may be worked out on any thread. What is remembered here spares running a program and
//! decides nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use evo_domain::{Domain, Size};
use evo_hashes::Hash;

use crate::DeduplicationLevel;
use crate::generations::Generations;

/// What a program is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// What makes outcomes equal to the bit: the hash of the structure, or that of the text where
    /// programs are compared by it.
    pub(crate) structure: Hash,
    /// The hash of the behaviour where programs are compared by it and this one has one, else
    /// `structure`.
    pub(crate) behaviour: Hash,
    pub(crate) size: Size,
}

/// Tells what programs are known by.
pub(crate) struct Identifier<D> {
    level: DeduplicationLevel,
    domain: D,
    /// From structure to behaviour. Looked into for a small part of the time a birth takes, so
    /// threads do not wait for each other.
    behaviours: Mutex<Generations<Hash>>,
}

impl<D: Domain> Identifier<D> {
    pub(crate) fn new(level: DeduplicationLevel, domain: D) -> Identifier<D> {
        Identifier { level, domain, behaviours: Mutex::new(Generations::new()) }
    }

    pub(crate) fn domain(&self) -> &D {
        &self.domain
    }

    /// Holds at most so many behaviours in memory.
    pub(crate) fn limit(&self, limit: usize) {
        self.behaviours().limit(limit);
    }

    /// What a program is known by. One of a structure that is known is not run.
    pub(crate) fn identify(&self, program: &D::Program) -> Identity {
        let analysis = self.domain.analyse(program);
        let structure = match self.level {
            DeduplicationLevel::Text => {
                Hash::of(format!("t{}", self.domain.text(program)).as_bytes())
            }
            _ => self.domain.structure(program, &analysis),
        };
        let behaviour = self.behaviour(program, &analysis, structure);
        Identity { structure, behaviour, size: self.domain.size(program, &analysis) }
    }

    fn behaviour(&self, program: &D::Program, analysis: &D::Analysis, structure: Hash) -> Hash {
        if self.level != DeduplicationLevel::Functional {
            return structure;
        }
        if let Some(&behaviour) = self.behaviours().get(&structure) {
            return behaviour;
        }
        let behaviour = self.domain.behaviour(program, analysis).unwrap_or(structure);
        self.behaviours().insert(structure, behaviour);
        behaviour
    }

    /// A map from hash to hash is sound whatever a thread was doing to it when it panicked.
    fn behaviours(&self) -> MutexGuard<'_, Generations<Hash>> {
        self.behaviours.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
