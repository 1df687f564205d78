//! The identity of a program, or of other content: 128 bits of blake3.
//!
//! Invariant: equal hashes mean equal hashed content for all purposes; at 128 bits an accidental
//! clash among 10^12 programs has probability below 10^-14.

use std::fmt;
use std::hash;

/// A structural or functional hash, or the hash of other content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash(pub [u8; 16]);

impl Hash {
    /// The hash of some bytes. Callers prefix what they hash, so that no two kinds collide.
    pub fn of(bytes: &[u8]) -> Hash {
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
        Hash(hash)
    }
}

/// Half of the bits: they are as good as random, and a table needs no more of them.
impl hash::Hash for Hash {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        let (half, _) = self.0.split_first_chunk().expect("a hash has 16 bytes");
        state.write_u64(u64::from_le_bytes(*half));
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}
