//! The outcome cache: outcomes that searches share, in memory and in a file.
//!
//! Invariant: what it holds, what it has forgotten and what became of its file change no outcome
//! and no course of a search, only how much is evaluated. So outcomes go by structure, which is
//! exact, and never by behaviour: equal behaviours are as good as the probe and their outcomes not
//! equal to the bit, so what a program scores would depend on which others had been seen before.
//! For the same reason nothing that goes wrong with the file ends a run: it is noted, the file is
//! left alone from then on, and the run evaluates for itself.
//!
//! The file is looked into by the thread that settles births and written by one of its own, so that
//! no search ever waits for a disk.

mod check;
mod contents;
mod entry;
mod file;
mod key;
mod limit;
mod open;
mod prune;
mod schema;
mod writer;

use std::path::Path;
use std::sync::Arc;

use evo_domain::Outcome;
use evo_hashes::{EvaluationCache, Hash};

use crate::SearchError;
use file::CacheFile;

pub use contents::{CacheContents, CachedEvaluator, CachedOutcome};
pub use key::CacheKey;
pub use prune::{Pruned, Pruning};

/// Outcomes in memory where a file has the others.
const HELD: usize = 20_000;

/// Outcomes by what makes them equal to the bit, to share among searches that use the same
/// evaluator: the domain and the hash of the structure. Behind an [`Arc`], since every duplicate
/// takes a copy.
#[derive(Debug)]
pub struct OutcomeCache {
    memory: EvaluationCache<Arc<Outcome>>,
    file: Option<CacheFile>,
}

/// What a process has had of the file of a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheUse {
    /// Outcomes looked up in the file.
    pub lookups: u64,
    /// Lookups that found one.
    pub hits: u64,
    /// Outcomes that the file has from this process.
    pub written: u64,
    /// Outcomes that were not written because as many as the memory for them holds still were.
    pub skipped: u64,
    /// Why the file has not been used since, where something went wrong with it.
    pub trouble: Option<String>,
}

impl OutcomeCache {
    /// An empty cache in memory.
    pub fn new() -> OutcomeCache {
        OutcomeCache { memory: EvaluationCache::new(), file: None }
    }

    /// A cache over a file, which other processes may use at the same time; it is made where there
    /// is none. `limit` is its size in bytes, beyond which what was written first goes first.
    ///
    /// All of the file is read once, to find damage before it is used.
    ///
    /// # Errors
    /// When the file cannot be read or written, is no cache of this version, or is damaged.
    pub fn open(
        path: &Path,
        key: CacheKey,
        limit: Option<u64>,
    ) -> Result<OutcomeCache, SearchError> {
        let file = CacheFile::open(path, key, limit)?;
        Ok(OutcomeCache { memory: EvaluationCache::of_at_most(HELD), file: Some(file) })
    }

    /// The outcome that a program of this structure would have with these hurdles, where that is
    /// known.
    pub(crate) fn get(
        &self,
        domain: &str,
        structure: &Hash,
        hurdles: &[f64],
    ) -> Option<Arc<Outcome>> {
        let key = memory_key(domain, structure);
        let in_memory = self.memory.get(&key).and_then(|it| with_hurdles(&it, hurdles));
        in_memory.or_else(|| {
            let found = Arc::new(self.file_of(domain)?.get(structure)?);
            self.memory.insert_over(key, Arc::clone(&found), says_more);
            with_hurdles(&found, hurdles)
        })
    }

    /// Tells of an outcome, none that the engine failed at; `text` is that of its program.
    pub(crate) fn insert(
        &self,
        domain: &str,
        structure: &Hash,
        outcome: &Arc<Outcome>,
        text: impl FnOnce() -> String,
    ) {
        let key = memory_key(domain, structure);
        self.memory.insert_over(key, Arc::clone(outcome), says_more);
        if let Some(file) = self.file_of(domain).filter(|_| entry::lasts(outcome)) {
            file.note(*structure, text(), Arc::clone(outcome));
        }
    }

    /// The file, where it is one for this domain.
    fn file_of(&self, domain: &str) -> Option<&CacheFile> {
        self.file.as_ref().filter(|file| file.key().domain() == domain)
    }

    /// Waits until the file has all that was told; what has come of it, `None` without a file.
    pub fn flush(&self) -> Option<CacheUse> {
        self.file.as_ref().map(CacheFile::flush)
    }

    /// Number of outcomes in memory.
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether there are none in memory.
    pub fn is_empty(&self) -> bool {
        self.memory.is_empty()
    }
}

impl Default for OutcomeCache {
    fn default() -> OutcomeCache {
        OutcomeCache::new()
    }
}

/// What an outcome is where these hurdles are up; `None` where it was stopped by higher ones, and
/// so says nothing of what lies behind.
fn with_hurdles(outcome: &Arc<Outcome>, hurdles: &[f64]) -> Option<Arc<Outcome>> {
    match (outcome.stopped_by(hurdles), &**outcome) {
        (Some(stopped), _) => Some(Arc::new(Outcome::Stopped(stopped))),
        (None, Outcome::Stopped(_)) => None,
        (None, _) => Some(Arc::clone(outcome)),
    }
}

fn says_more(new: &Arc<Outcome>, old: &Arc<Outcome>) -> bool {
    entry::reach(new) > entry::reach(old)
}

fn memory_key(domain: &str, structure: &Hash) -> Hash {
    let mut bytes = domain.as_bytes().to_vec();
    bytes.extend(structure.0);
    Hash::of(&bytes)
}
