//! The key of outcomes in a file: for whom they hold.
//!
//! Invariant: two outcomes have one key only if they are equal to the bit: the domain, the version
//! of its structural hash, the fingerprint of all that decides an outcome in the evaluator, and the
//! structure of the program are in it. An entry under another key is not found, so nothing has to
//! be compared to keep outcomes of another evaluator away.

use evo_domain::Domain;
use evo_hashes::Hash;

/// Whose outcomes: a domain and an evaluator of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheKey {
    pub(super) domain: String,
    pub(super) structure_version: u32,
    pub(super) fingerprint: Hash,
    /// The evaluator in words, for people; no part of what is compared.
    pub(super) description: String,
}

impl CacheKey {
    /// The key of an evaluator of domain `D`. Its fingerprint must be another one wherever the
    /// outcome of any program would be; `description` is for people.
    pub fn of<D: Domain>(fingerprint: Hash, description: &str) -> CacheKey {
        CacheKey {
            domain: D::NAME.to_owned(),
            structure_version: D::STRUCTURE_VERSION,
            fingerprint,
            description: description.to_owned(),
        }
    }

    /// The name of the domain.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The version of the domain's structural hash.
    pub fn structure_version(&self) -> u32 {
        self.structure_version
    }

    /// The fingerprint of the evaluator.
    pub fn fingerprint(&self) -> Hash {
        self.fingerprint
    }

    /// The evaluator in words.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The key of a program's outcome.
    pub(super) fn of_structure(&self, structure: &Hash) -> Hash {
        let mut bytes = b"outcome\0".to_vec();
        bytes.extend(self.domain.as_bytes());
        bytes.push(0);
        bytes.extend(self.structure_version.to_le_bytes());
        bytes.extend(self.fingerprint.0);
        bytes.extend(structure.0);
        Hash::of(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_it_counts_and_the_words_do_not() {
        let key = CacheKey {
            domain: "words".to_owned(),
            structure_version: 1,
            fingerprint: Hash([1; 16]),
            description: "letters".to_owned(),
        };
        let structure = Hash([2; 16]);
        let same = key.of_structure(&structure);
        let others = [
            CacheKey { domain: "word".to_owned(), ..key.clone() },
            CacheKey { structure_version: 2, ..key.clone() },
            CacheKey { fingerprint: Hash([3; 16]), ..key.clone() },
        ];
        for other in others {
            assert_ne!(other.of_structure(&structure), same, "{other:?}");
        }
        assert_ne!(key.of_structure(&Hash([3; 16])), same);
        let renamed = CacheKey { description: String::new(), ..key };
        assert_eq!(renamed.of_structure(&structure), same);
    }
}
