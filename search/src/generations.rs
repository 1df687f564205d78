//! A map that forgets: what has not been looked at for longest goes first.
//!
//! Invariant: it holds everything until it has a limit, and at most `limit` entries with one; what
//! it forgets is a function of the calls made on it. Two generations instead of a list in order of
//! use: when the young one holds half the limit it becomes the old one, whose entries survive by
//! being looked at. That costs no pointers and no bookkeeping on a hit.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use evo_hashes::Hash;

/// For maps from hashes: of a key the half that a table needs, as it is. To hash it again would cost
/// more than to look it up.
pub(crate) type ByHash = BuildHasherDefault<Half>;

/// The half of a hash.
#[derive(Debug, Default)]
pub(crate) struct Half(u64);

impl Hasher for Half {
    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a hash hands over one number");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A bounded map from hashes.
#[derive(Debug)]
pub(crate) struct Generations<V> {
    young: HashMap<Hash, V, ByHash>,
    old: HashMap<Hash, V, ByHash>,
    limit: Option<usize>,
    /// Whether something has been forgotten.
    forgot: bool,
}

impl<V> Generations<V> {
    pub(crate) fn new() -> Generations<V> {
        let (young, old) = (HashMap::default(), HashMap::default());
        Generations { young, old, limit: None, forgot: false }
    }

    /// Holds at most so many entries from now on.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.limit = Some(limit);
    }

    /// The value of a key, which is young again after this.
    pub(crate) fn get(&mut self, key: &Hash) -> Option<&V> {
        if !self.old.is_empty()
            && !self.young.contains_key(key)
            && let Some(value) = self.old.remove(key)
        {
            self.insert(*key, value);
        }
        self.young.get(key)
    }

    /// Sets the value of a key.
    pub(crate) fn insert(&mut self, key: Hash, value: V) {
        if self.limit.is_some_and(|limit| 2 * self.young.len() >= limit.max(2)) {
            self.forgot |= !self.old.is_empty();
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Forgets all entries.
    pub(crate) fn clear(&mut self) {
        (self.young, self.old) = (HashMap::default(), HashMap::default());
        self.forgot = true;
    }

    /// All entries by their keys.
    pub(crate) fn sorted(&self) -> Vec<(&Hash, &V)> {
        #[expect(clippy::disallowed_methods, reason = "they are put in order")]
        let mut entries: Vec<(&Hash, &V)> = self.old.iter().chain(&self.young).collect();
        entries.sort_by_key(|(key, _)| **key);
        entries
    }

    /// Whether something that was once inserted may be missing.
    pub(crate) fn has_forgotten(&self) -> bool {
        self.forgot
    }

    /// Says that the map does not hold what came before it.
    pub(crate) fn assume_forgotten(&mut self) {
        self.forgot = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Hash {
        Hash([number; 16])
    }

    #[test]
    fn without_a_limit_nothing_is_forgotten() {
        let mut map = Generations::new();
        (0..200).for_each(|number| map.insert(key(number), number));
        assert!((0..200).all(|number| map.get(&key(number)) == Some(&number)));
        assert!(!map.has_forgotten());
    }

    #[test]
    fn what_is_looked_at_stays_and_the_rest_goes() {
        let mut map = Generations::new();
        map.limit(10);
        for number in 0..100 {
            map.insert(key(number), number);
            assert_eq!(map.get(&key(0)), Some(&0));
            assert!(map.young.len() + map.old.len() <= 10);
        }
        assert!(map.has_forgotten());
        assert_eq!(map.get(&key(99)), Some(&99));
        assert_eq!(map.get(&key(50)), None);
    }
}
