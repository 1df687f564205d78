//! What became of each kind of mutation.
//!
//! Invariant: a mutation counts as tried and neutral when it is bred and as improved when its birth
//! is absorbed, so the numbers are a function of configuration, seed and the number of births bred
//! and absorbed. Births of several mutations in a row say nothing about one of them and are left
//! out.

use serde::{Deserialize, Serialize};

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

/// How every kind of mutation of a domain has fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutationStatistics {
    kinds: &'static [&'static str],
    tallies: Vec<MutationTally>,
}

impl MutationStatistics {
    pub(crate) fn new(kinds: &'static [&'static str]) -> MutationStatistics {
        MutationStatistics { kinds, tallies: vec![MutationTally::default(); kinds.len()] }
    }

    /// Each kind by its name, in the domain's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, MutationTally)> {
        self.kinds.iter().copied().zip(self.tallies.iter().copied())
    }

    /// The tallies in the domain's order.
    pub(crate) fn tallies(&self) -> &[MutationTally] {
        &self.tallies
    }

    /// Goes on from tallies saved earlier; `false` if they are not those of so many kinds.
    pub(crate) fn restore(&mut self, tallies: Vec<MutationTally>) -> bool {
        let fits = tallies.len() == self.tallies.len();
        if fits {
            self.tallies = tallies;
        }
        fits
    }

    pub(crate) fn note_tried(&mut self, kind: u8, neutral: bool) {
        let tally = &mut self.tallies[usize::from(kind)];
        tally.tried += 1;
        tally.neutral += u64::from(neutral);
    }

    pub(crate) fn note_improved(&mut self, kind: u8) {
        self.tallies[usize::from(kind)].improved += 1;
    }

    pub(crate) fn name(&self, kind: u8) -> &'static str {
        self.kinds[usize::from(kind)]
    }
}
