//! What became of each kind of mutation.
//!
//! Invariant: a mutation counts as tried and neutral when it is bred and as improved when its birth
//! is absorbed, so the numbers are a function of configuration, seed and the number of births bred
//! and absorbed. Births of several mutations in a row say nothing about one of them and are left
//! out.

use serde::{Deserialize, Serialize};

use crate::mutate::{ByKind, Kind};

/// How one kind of mutation has fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutationTally {
    /// Children made, those included that were made again for being neutral.
    pub tried: u64,
    /// Children that behave like their parent, as far as the level of
    /// [`Deduplication`](crate::Deduplication) tells; in structure alone where that is `Off`.
    pub neutral: u64,
    /// Births absorbed that are fitter than their parent.
    pub improved: u64,
}

/// How every kind of mutation has fared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutationStatistics {
    tallies: ByKind<MutationTally>,
}

impl MutationStatistics {
    /// Each kind by the name of its weight, in the order of
    /// [`MutationWeights`](crate::MutationWeights).
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, MutationTally)> {
        Kind::NAMES.into_iter().zip(self.tallies)
    }

    pub(crate) fn note_tried(&mut self, kind: Kind, neutral: bool) {
        let tally = &mut self.tallies[kind as usize];
        tally.tried += 1;
        tally.neutral += u64::from(neutral);
    }

    pub(crate) fn note_improved(&mut self, kind: Kind) {
        self.tallies[kind as usize].improved += 1;
    }
}
