//! What is seen of a learner in its first predictions.

use evo_hashes::Hash;

use super::kernel::Row;
use super::lanes::{Line, Span};

/// Examples of each kind that are watched.
const WATCHED: usize = 10;

/// The NaN that a CPU makes of numbers.
const NAN: u32 = 0xFFC0_0000;

/// Of eight lanes.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Digests([u64; Line::LANES]);

/// For every task a digest of the first predictions, rounded.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: [Digests; 2],
    bad: [bool; 2 * Line::LANES],
}

impl Watch {
    /// Those of some examples that are watched.
    pub(super) fn first(span: Span) -> Span {
        Span { examples: span.examples.min(WATCHED), ..span }
    }

    /// Notes a prediction for every task.
    #[inline(always)]
    pub(super) fn note<const K: usize>(&mut self, predictions: &Row<K>) {
        for (seen, predictions) in self.seen.iter_mut().zip(predictions) {
            for (seen, prediction) in seen.0.iter_mut().zip(&predictions.0) {
                // Sixteen bits of mantissa, and no sign of 0: what differs by rounding is alike. So
                // are all NaN, whose bits depend on the order of what may be computed in any.
                let rounded = (*prediction as f32 + 0.0).to_bits();
                let bits = if prediction.is_nan() { NAN } else { rounded } >> 7;
                let mixed = (*seen ^ u64::from(bits)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                *seen = mixed ^ mixed >> 29;
            }
        }
    }

    /// Notes on which tasks training has ended at once.
    pub(super) fn note_bad(&mut self, lanes: impl Iterator<Item = bool>) {
        self.bad.iter_mut().zip(lanes).for_each(|(to, bad)| *to = bad);
    }

    /// The hash of what so many tasks have shown. A task on which training ends at once is known by
    /// that, however it came about: its fitness is 0.
    pub(super) fn hash(&self, tasks: usize) -> Hash {
        let mut bytes = [0; 1 + 4 * 2 * Line::LANES];
        // No other kind of content that is hashed begins with this letter.
        bytes[0] = b'b';
        let seen = self.seen.iter().flat_map(|line| line.0);
        for ((to, seen), bad) in bytes[1..].chunks_exact_mut(4).zip(seen).zip(self.bad) {
            // Half of the bits of each task: together they are more than a hash has.
            let half = (seen >> 32) as u32;
            to.copy_from_slice(&(if bad { 0 } else { half | 1 }).to_le_bytes());
        }
        Hash::of(&bytes[..1 + 4 * tasks])
    }

    /// Whether training has ended at once on all of so many tasks.
    pub(super) fn is_all_bad(&self, tasks: usize) -> bool {
        self.bad[..tasks].iter().all(|bad| *bad)
    }
}
