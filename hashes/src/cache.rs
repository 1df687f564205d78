//! The evaluation cache: what is known of programs by their functional hash.
//!
//! Invariant: the first value stored under a hash stays; a later insert of the same hash changes
//! nothing. A cached value equals a recomputed one, so sharing a cache between searches or
//! threads never changes a result, only its cost. Nothing iterates over the map.

use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;

use crate::Hash;

/// A concurrent map from functional hash to what an evaluation gave.
#[derive(Debug, Default)]
pub struct EvaluationCache<V> {
    entries: DashMap<Hash, V>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl<V: Clone> EvaluationCache<V> {
    /// An empty cache.
    pub fn new() -> EvaluationCache<V> {
        EvaluationCache {
            entries: DashMap::new(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
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
        self.entries.entry(hash).or_insert(value);
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
}
