//! What a cache file holds, for people and tools: it is looked at and nothing of it changes.
//!
//! Invariant: what is handed out as an outcome is what was written, or it is an error.

use std::fmt;
use std::path::{Path, PathBuf};

use evo_domain::Outcome;
use evo_hashes::Hash;
use rusqlite::{Connection, Row};

use super::entry::Entry;
use super::limit::used;
use super::open::{refused, to_read, unusable};
use super::{CacheKey, check};
use crate::SearchError;
use crate::looking::Look;

/// The columns that [`read_key`] reads.
pub(super) const KEY_COLUMNS: &str = "domain, structure_version, fingerprint, description";

/// Reads [`KEY_COLUMNS`], from a column on.
pub(super) fn read_key(row: &Row<'_>, first: usize) -> rusqlite::Result<CacheKey> {
    Ok(CacheKey {
        domain: row.get(first)?,
        structure_version: row.get(first + 1)?,
        fingerprint: Hash(row.get(first + 2)?),
        description: row.get(first + 3)?,
    })
}

/// A cache file, looked at.
pub struct CacheContents {
    path: PathBuf,
    connection: Connection,
    /// What the connection reads; after it, to outlive it.
    _look: Look,
}

/// An evaluator with outcomes in a cache.
#[derive(Clone, Debug)]
pub struct CachedEvaluator {
    /// Whose outcomes they are.
    pub key: CacheKey,
    /// How many.
    pub entries: u64,
    /// Bytes of their programs and outcomes.
    pub bytes: u64,
    /// Outcomes that processes have looked up in the file.
    pub lookups: u64,
    /// Lookups that found one.
    pub hits: u64,
}

/// An outcome in a cache.
#[derive(Clone, Debug)]
pub struct CachedOutcome {
    /// Whose outcome it is.
    pub key: CacheKey,
    /// The structural hash of the program.
    pub structure: Hash,
    /// The text of the program.
    pub program: String,
    /// The outcome.
    pub outcome: Outcome,
}

impl CacheContents {
    /// Opens a cache, which others may go on using.
    ///
    /// # Errors
    /// When there is none, it is something else or of another version, or cannot be read.
    pub fn read(path: &Path) -> Result<CacheContents, SearchError> {
        let (connection, look) = to_read(path)?;
        Ok(CacheContents { path: path.to_owned(), connection, _look: look })
    }

    /// Checks every page and every entry; gives the number of entries.
    ///
    /// # Errors
    /// What is damaged, and what to do about it.
    pub fn check(&self) -> Result<u64, SearchError> {
        check::check(&self.path, &self.connection)?;
        let count = "SELECT COUNT(*) FROM outcomes";
        let count = self.connection.query_row(count, [], |row| row.get::<_, i64>(0));
        count.map(|count| count as u64).map_err(|error| unusable(&self.path, &error))
    }

    /// The bytes of the file that hold something.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self) -> Result<u64, SearchError> {
        used(&self.connection).map_err(|error| unusable(&self.path, &error))
    }

    /// The evaluators, in the order in which they came.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn evaluators(&self) -> Result<Vec<CachedEvaluator>, SearchError> {
        let query = format!(
            "SELECT {KEY_COLUMNS}, COUNT(number),
                ifnull(SUM(length(program) + length(outcome)), 0), lookups, hits
            FROM evaluators LEFT JOIN outcomes ON evaluator = id GROUP BY id ORDER BY id"
        );
        let read = |row: &Row<'_>| {
            let count = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)? as u64);
            let (key, entries) = (read_key(row, 0)?, count(4)?);
            let (bytes, lookups, hits) = (count(5)?, count(6)?, count(7)?);
            Ok(CachedEvaluator { key, entries, bytes, lookups, hits })
        };
        let found = self.connection.prepare(&query).and_then(|mut statement| {
            statement.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()
        });
        found.map_err(|error| unusable(&self.path, &error))
    }

    /// Hands over every outcome, the one written first coming first, until `take` says no.
    ///
    /// # Errors
    /// When the file cannot be read, or an entry is not what was written.
    pub fn for_each(&self, mut take: impl FnMut(CachedOutcome) -> bool) -> Result<(), SearchError> {
        let failed = |error: rusqlite::Error| unusable(&self.path, &error);
        let mut statement = self.connection.prepare(&check::all_entries()).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if !take(self.outcome(row)?) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn outcome(&self, row: &Row<'_>) -> Result<CachedOutcome, SearchError> {
        let read = || {
            let (entry, key) = (Entry::read(row).ok()?, check::key_of(row).ok()?);
            let outcome = entry.outcome().filter(|_| check::is_sound(row))?;
            let Entry { structure, program, .. } = entry;
            Some(CachedOutcome { key, structure, program, outcome })
        };
        read().ok_or_else(|| {
            let number = row.get::<_, i64>(check::NUMBER).unwrap_or(-1);
            let message = format!(
                "its entry {number} is not what was written: `evo cache prune --damaged` removes it"
            );
            refused(&self.path, &message)
        })
    }
}

impl fmt::Debug for CacheContents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheContents").field("path", &self.path).finish_non_exhaustive()
    }
}
