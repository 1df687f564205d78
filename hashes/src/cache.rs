//! The evaluation cache: what is known of programs by a hash of theirs.
//!
//! Invariant: of the values stored under a hash the first stays that no later one says more than,
//! as long as anything does. A cached value equals a recomputed one, so sharing a cache between
//! searches or threads never changes a result, only its cost, and neither does forgetting. Nothing
//! iterates over the map.

use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::{DashMap, Entry};

use crate::Hash;

/// A concurrent map from a hash to what an evaluation gave.
#[derive(Debug, Default)]
pub struct EvaluationCache<V> {
    entries: DashMap<Hash, V>,
    /// How many entries it may hold.
    most: Option<usize>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl<V: Clone> EvaluationCache<V> {
    /// An empty cache.
    pub fn new() -> EvaluationCache<V> {
        EvaluationCache {
            entries: DashMap::new(),
            most: None,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// An empty cache that forgets all of it when it holds so many: for what can be looked up
    /// elsewhere, where an order of use to forget by would cost every lookup.
    pub fn of_at_most(most: usize) -> EvaluationCache<V> {
        EvaluationCache { most: Some(most), ..EvaluationCache::new() }
    }

    /// What is known under this hash; counted as a hit or a miss.
    pub fn get(&self, hash: &Hash) -> Option<V> {
        let value = self.entries.get(hash).map(|entry| entry.value().clone());
        let counter = if value.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        value
    }

    /// Stores a value unless one is there already.
    pub fn insert(&self, hash: Hash, value: V) {
        self.insert_over(hash, value, |_, _| false);
    }

    /// Stores a value unless one is there already that it does not say more than: `says_more` is
    /// asked of the new one and the one that is there.
    pub fn insert_over(&self, hash: Hash, value: V, says_more: impl FnOnce(&V, &V) -> bool) {
        if self.most.is_some_and(|most| self.entries.len() >= most) {
            self.entries.clear();
        }
        match self.entries.entry(hash) {
            Entry::Vacant(vacant) => drop(vacant.insert(value)),
            Entry::Occupied(mut there) if says_more(&value, there.get()) => {
                there.insert(value);
            }
            Entry::Occupied(_) => {}
        }
    }

    /// Number of hashes known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Lookups that found something, and lookups that did not.
    pub fn lookups(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_stays_and_lookups_are_counted() {
        let cache = EvaluationCache::new();
        let key = Hash([7; 16]);
        assert_eq!(cache.get(&key), None);
        cache.insert(key, 1);
        cache.insert(key, 2);
        assert_eq!((cache.get(&key), cache.len(), cache.lookups()), (Some(1), 1, (1, 1)));
    }

    #[test]
    fn what_says_more_takes_the_place_of_what_is_there() {
        let (cache, key) = (EvaluationCache::new(), Hash([7; 16]));
        for (value, expected) in [(2, 2), (1, 2), (3, 3)] {
            cache.insert_over(key, value, |new, old| new > old);
            assert_eq!(cache.get(&key), Some(expected));
        }
    }

    #[test]
    fn a_full_one_begins_anew() {
        let cache = EvaluationCache::of_at_most(2);
        for number in 0..5 {
            cache.insert(Hash([number; 16]), number);
            assert_eq!(cache.get(&Hash([number; 16])), Some(number));
        }
        assert_eq!((cache.len(), cache.get(&Hash([0; 16]))), (1, None));
    }
}
