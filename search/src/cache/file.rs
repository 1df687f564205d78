//! The file of a cache in use: one connection to look entries up, and a writer.
//!
//! Invariant: nothing that is found wrong is served. The first trouble is noted, and the file is
//! left alone from then on: neither read nor written.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use evo_domain::Outcome;
use evo_hashes::Hash;
use rusqlite::{Connection, OptionalExtension};

use super::entry::{COLUMNS, Entry};
use super::open::{broken, refused, to_write, unusable};
use super::writer::{Pending, Writer};
use super::{CacheKey, CacheUse, check};
use crate::SearchError;

/// A file that outcomes of one evaluator are looked up in and written to.
pub(super) struct CacheFile {
    path: PathBuf,
    key: CacheKey,
    reader: Mutex<Connection>,
    tally: Arc<Tally>,
    writer: Writer,
}

/// What has come of a file in this process.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) lookups: AtomicU64,
    pub(super) hits: AtomicU64,
    pub(super) written: AtomicU64,
    skipped: AtomicU64,
    trouble: OnceLock<String>,
}

impl Tally {
    /// Notes why the file is not to be used any more; the first reason stays.
    pub(super) fn give_up(&self, error: &SearchError) {
        self.trouble.get_or_init(|| error.to_string());
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.trouble.get().is_some()
    }
}

impl CacheFile {
    pub(super) fn open(
        path: &Path,
        key: CacheKey,
        limit: Option<u64>,
    ) -> Result<CacheFile, SearchError> {
        let reader = to_write(path)?;
        check::check(path, &reader)?;
        let tally = Arc::new(Tally::default());
        let connection = to_write(path)?;
        let writer = Writer::begin(path, connection, key.clone(), limit, Arc::clone(&tally));
        let writer = writer.map_err(|error| refused(path, &error.to_string()))?;
        Ok(CacheFile { path: path.to_owned(), key, reader: Mutex::new(reader), tally, writer })
    }

    pub(super) fn key(&self) -> &CacheKey {
        &self.key
    }

    /// The outcome of a structure, where the file has it.
    pub(super) fn get(&self, structure: &Hash) -> Option<Outcome> {
        if self.tally.is_given_up() {
            return None;
        }
        self.tally.lookups.fetch_add(1, Ordering::Relaxed);
        let found = self.find(&self.key.of_structure(structure));
        let found = found.unwrap_or_else(|error| {
            self.tally.give_up(&error);
            None
        });
        self.tally.hits.fetch_add(u64::from(found.is_some()), Ordering::Relaxed);
        found
    }

    fn find(&self, key: &Hash) -> Result<Option<Outcome>, SearchError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let query = format!("SELECT {COLUMNS} FROM outcomes WHERE key = ?");
        let entry = reader.prepare_cached(&query).and_then(|mut statement| {
            statement.query_row([key.0], |row| Ok(Entry::read(row))).optional()
        });
        let Some(entry) = entry.map_err(|error| unusable(&self.path, &error))? else {
            return Ok(None);
        };
        let sound = entry.ok().filter(|entry| entry.is_sound(key));
        let outcome = sound.and_then(|entry| entry.outcome());
        let altered = || broken(&self.path, "an entry has been altered since it was opened");
        outcome.map(Some).ok_or_else(altered)
    }

    /// Has an outcome written, soon.
    pub(super) fn note(&self, structure: Hash, program: String, outcome: Arc<Outcome>) {
        if !self.writer.note(Pending { structure, program, outcome }) {
            self.tally.skipped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all that was noted is written; what has come of the file.
    pub(super) fn flush(&self) -> CacheUse {
        self.writer.flush();
        let Tally { lookups, hits, written, skipped, trouble } = &*self.tally;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheUse {
            lookups: count(lookups),
            hits: count(hits),
            written: count(written),
            skipped: count(skipped),
            trouble: trouble.get().cloned(),
        }
    }
}

impl fmt::Debug for CacheFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheFile").field("path", &self.path).finish_non_exhaustive()
    }
}
