//! What is known about a birth when it is settled: whether it is evaluated, and for whom.
//!
//! Invariant: it is decided in birth order by the births before, and never changes. Snapshots hold
//! it, so what versions before wrote keeps its place: the policies beyond caching come last.

use serde::{Deserialize, Serialize};

/// What is known about a birth when it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sighting {
    /// Nothing before it is equal to it, or programs are not compared.
    New,
    /// An earlier birth is equal to it.
    Duplicate {
        /// The birth whose evaluation it shares.
        evaluation: u64,
        /// Whether the two have one structure.
        same_structure: bool,
    },
    /// An earlier birth behaves like it, and it is evaluated all the same, to see whether that
    /// holds.
    Recheck {
        /// The birth whose evaluation it would have shared.
        evaluation: u64,
    },
    /// An earlier birth has its structure, and it is evaluated all the same, since nothing is
    /// shared.
    StructuralRecheck {
        /// The birth whose evaluation it would have shared.
        evaluation: u64,
    },
    /// An earlier birth is equal to it, and it is evaluated to join a mean.
    Aggregated {
        /// The birth that the mean begins with.
        evaluation: u64,
        /// Whether the two have one structure.
        same_structure: bool,
        /// Which evaluation of the behaviour it is.
        repeat: u32,
    },
    /// An earlier birth was equal to it, and what that came to has been forgotten.
    Anew {
        /// Which evaluation of the behaviour it is.
        repeat: u32,
    },
}

impl Sighting {
    /// The birth whose evaluation is shared, or would have been.
    pub(crate) fn shared(self) -> Option<u64> {
        match self {
            Sighting::Duplicate { evaluation, .. }
            | Sighting::Recheck { evaluation }
            | Sighting::StructuralRecheck { evaluation }
            | Sighting::Aggregated { evaluation, .. } => Some(evaluation),
            Sighting::New | Sighting::Anew { .. } => None,
        }
    }

    /// The birth whose evaluation a birth has, or the mean that begins with it: its own, where it
    /// shares none.
    pub(crate) fn evaluation(self, birth: u64) -> u64 {
        match self {
            Sighting::Duplicate { evaluation, .. } | Sighting::Aggregated { evaluation, .. } => {
                evaluation
            }
            Sighting::New
            | Sighting::Recheck { .. }
            | Sighting::StructuralRecheck { .. }
            | Sighting::Anew { .. } => birth,
        }
    }

    /// The birth whose evaluation a birth would have shared that is evaluated all the same.
    pub(crate) fn instead_of(self) -> Option<u64> {
        self.shared().filter(|_| self.is_evaluated())
    }

    /// The birth whose evaluation is rechecked, and whether the two have one structure.
    pub(crate) fn rechecked(self) -> Option<(u64, bool)> {
        match self {
            Sighting::Recheck { evaluation } => Some((evaluation, false)),
            Sighting::StructuralRecheck { evaluation } => Some((evaluation, true)),
            _ => None,
        }
    }

    /// Whether the birth has an evaluation of its own.
    pub(crate) fn is_evaluated(self) -> bool {
        !matches!(self, Sighting::Duplicate { .. })
    }

    /// Whether its evaluation is the first of what is known of its behaviour from then on.
    pub(crate) fn is_first(self) -> bool {
        matches!(self, Sighting::New | Sighting::Anew { .. })
    }

    /// Which evaluation of its behaviour it is, from 0.
    pub(crate) fn repeat(self) -> u32 {
        match self {
            Sighting::Aggregated { repeat, .. } | Sighting::Anew { repeat } => repeat,
            _ => 0,
        }
    }
}
