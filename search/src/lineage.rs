//! Lineage: how each birth came from its parent, and the digest of all of it.
//!
//! Invariant: the digest covers every birth absorbed, in birth order, so two runs with one digest
//! have bred the same programs in the same order and given them the same fitness. Each link hashes
//! the one before it: the state is 16 bytes, which a snapshot can carry.

use evo_hashes::Hash;
use serde::{Deserialize, Serialize};

use crate::identity::Identity;

/// How a birth came from its parent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lineage {
    /// The parent's birth.
    pub(crate) parent: u64,
    /// The one mutation that led here; none where it took several, or none was possible.
    /// By its index among the domain's.
    pub(crate) kind: Option<u8>,
    /// The parent's fitness when it was chosen; not yet known of an unabsorbed start program.
    pub(crate) fitness: f64,
    /// The start program it descends from, by birth; saved with the programs.
    #[serde(skip)]
    pub(crate) start: u64,
    /// The birth of the second parent, where a part of that is in it; saved beside the window.
    #[serde(skip)]
    pub(crate) mate: Option<u64>,
}

/// The start program that a birth descends from: itself, where it came from no parent.
pub(crate) fn start_of(birth: u64, lineage: Option<Lineage>) -> u64 {
    lineage.map_or(birth, |lineage| lineage.start)
}

/// The digest of all births absorbed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineageDigest([u8; 16]);

impl LineageDigest {
    /// Adds the next birth.
    pub(crate) fn absorb(&mut self, identity: Identity, lineage: Option<Lineage>, fitness: f64) {
        if let Some(mate) = lineage.and_then(|lineage| lineage.mate) {
            // A link of its own: those of births with one parent stay as they were.
            let mut link = [0; 24];
            link[..16].copy_from_slice(&self.0);
            link[16..].copy_from_slice(&mate.to_le_bytes());
            self.0.copy_from_slice(&blake3::hash(&link).as_bytes()[..16]);
        }
        let (parent, kind) = match lineage {
            None => (0, 0),
            Some(Lineage { parent, kind, .. }) => {
                (parent, kind.map_or(1, |kind| 2 + u64::from(kind)))
            }
        };
        // One block of blake3. The birth is implied by the order.
        let mut link = [0; 64];
        link[..16].copy_from_slice(&self.0);
        link[16..32].copy_from_slice(&identity.structure.0);
        link[32..48].copy_from_slice(&identity.behaviour.0);
        link[48..56].copy_from_slice(&(parent << 8 | kind).to_le_bytes());
        link[56..].copy_from_slice(&fitness.to_bits().to_le_bytes());
        self.0.copy_from_slice(&blake3::hash(&link).as_bytes()[..16]);
    }

    pub(crate) fn hash(self) -> Hash {
        Hash(self.0)
    }
}
