//! Whether all of a cache file is what was written.
//!
//! Invariant: an entry that passes is the outcome of the program and the evaluator it is listed
//! under. That entries are missing is no damage: they cost an evaluation and change nothing.

use std::path::Path;

use rusqlite::{Connection, Row};

use super::CacheKey;
use super::contents::{KEY_COLUMNS, read_key};
use super::entry::{COLUMNS, Entry};
use super::open::{broken, refused, unusable};
use crate::SearchError;

/// Refuses a file that is damaged anywhere.
pub(super) fn check(path: &Path, connection: &Connection) -> Result<(), SearchError> {
    check_pages(path, connection)?;
    let damaged = damaged(connection).map_err(|error| unusable(path, &error))?;
    let Some(first) = damaged.first() else { return Ok(()) };
    let message = format!(
        "{} of its entries are not what was written, the first is number {first}: \
         `evo cache prune --damaged` removes them",
        damaged.len()
    );
    Err(refused(path, &message))
}

/// Refuses a file whose pages do not fit together.
pub(super) fn check_pages(path: &Path, connection: &Connection) -> Result<(), SearchError> {
    let found = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
    let found: String = found.map_err(|error| unusable(path, &error))?;
    if found == "ok" { Ok(()) } else { Err(broken(path, &found)) }
}

/// The numbers of the entries that are not what was written.
pub(super) fn damaged(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare(&all_entries())?;
    let mut rows = statement.query([])?;
    let mut damaged = Vec::new();
    while let Some(row) = rows.next()? {
        if !is_sound(row) {
            damaged.push(row.get(NUMBER)?);
        }
    }
    Ok(damaged)
}

/// The column of an entry's number in [`all_entries`].
pub(super) const NUMBER: usize = 6;

/// The query of every entry with its number and whose it is, the one written first coming first.
pub(super) fn all_entries() -> String {
    format!(
        "SELECT {COLUMNS}, number, {KEY_COLUMNS}
        FROM outcomes LEFT JOIN evaluators ON id = evaluator ORDER BY number"
    )
}

/// Whose entry a row of [`all_entries`] is.
pub(super) fn key_of(row: &Row<'_>) -> rusqlite::Result<CacheKey> {
    read_key(row, NUMBER + 1)
}

/// Whether a row of [`all_entries`] is what was written.
pub(super) fn is_sound(row: &Row<'_>) -> bool {
    let read = || -> rusqlite::Result<(Entry, CacheKey)> { Ok((Entry::read(row)?, key_of(row)?)) };
    read().is_ok_and(|(entry, key)| entry.is_sound(&key.of_structure(&entry.structure)))
}
