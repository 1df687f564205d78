//! Pruning: entries that are wanted no more, removed by whom they are of, by age or as damaged.
//!
//! Invariant: what goes changes no result. Others may use the file meanwhile; the room is given
//! back to the file system where none of them reads just then.

use std::path::Path;

use evo_hashes::Hash;
use rusqlite::{Connection, TransactionBehavior, params};

use super::limit::{evict_some, used};
use super::open::{to_write, unusable};
use super::{CacheContents, CacheKey, check};
use crate::SearchError;

/// What to remove. An entry goes that any of these says.
#[derive(Clone, Debug, Default)]
pub struct Pruning {
    /// Entries that are not what was written.
    pub damaged: bool,
    /// Entries of these evaluators.
    pub keys: Vec<CacheKey>,
    /// The oldest, until the file has at most so many bytes.
    pub to_bytes: Option<u64>,
}

/// What has been removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// Entries removed.
    pub removed: u64,
    /// Entries left.
    pub left: u64,
    /// The bytes of the file that hold something.
    pub bytes: u64,
}

impl Pruning {
    /// Prunes a cache.
    ///
    /// # Errors
    /// When there is none, its pages are damaged, or it cannot be written.
    pub fn prune(&self, path: &Path) -> Result<Pruned, SearchError> {
        // What is not there is not to be made.
        CacheContents::read(path)?;
        let mut connection = to_write(path)?;
        check::check_pages(path, &connection)?;
        self.remove(&mut connection).map_err(|error| unusable(path, &error))
    }

    fn remove(&self, connection: &mut Connection) -> rusqlite::Result<Pruned> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut removed = 0;
        if self.damaged {
            for number in check::damaged(&transaction)? {
                let text = "DELETE FROM outcomes WHERE number = ?";
                removed += transaction.execute(text, [number])? as u64;
            }
        }
        for CacheKey { domain, structure_version, fingerprint: Hash(fingerprint), .. } in &self.keys
        {
            let text = "DELETE FROM outcomes WHERE evaluator = (SELECT id FROM evaluators
                WHERE domain = ? AND structure_version = ? AND fingerprint = ?)";
            let key = params![domain, structure_version, fingerprint];
            removed += transaction.execute(text, key)? as u64;
        }
        transaction.execute(
            "DELETE FROM evaluators WHERE id NOT IN (SELECT evaluator FROM outcomes)",
            [],
        )?;
        transaction.commit()?;
        // Pages that are half empty count as full, so that what is left is packed first.
        connection.execute_batch("VACUUM")?;
        if let Some(limit) = self.to_bytes {
            while let evicted @ 1.. = evict_some(connection, limit)? {
                removed += evicted;
                connection.execute_batch("VACUUM")?;
            }
        }
        let left: i64 =
            connection.query_row("SELECT COUNT(*) FROM outcomes", [], |row| row.get(0))?;
        Ok(Pruned { removed, left: left as u64, bytes: used(connection)? })
    }
}
