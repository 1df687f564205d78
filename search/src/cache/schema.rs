//! The tables of a cache file.
//!
//! Invariant: a file has exactly these tables, or it is refused: an index that is missing would
//! make every lookup a search through all of it, and an altered one would hide what is there.

use rusqlite::Connection;

/// The version of the tables below and of what is in them.
pub(super) const VERSION: u32 = 1;

/// Marks a file as a cache of ours: "evoc" in ASCII.
pub(super) const APPLICATION: u32 = 0x6576_6f63;

/// What is documented, for readers, in `docs/cache.md`.
const TABLES: &str = "
CREATE TABLE evaluators (
    id INTEGER PRIMARY KEY,
    domain TEXT NOT NULL,
    structure_version INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    description TEXT NOT NULL,
    lookups INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    UNIQUE (domain, structure_version, fingerprint)
);
CREATE TABLE outcomes (
    number INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    evaluator INTEGER NOT NULL,
    structure BLOB NOT NULL,
    reach INTEGER NOT NULL,
    program TEXT NOT NULL,
    outcome TEXT NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE INDEX outcomes_by_evaluator ON outcomes (evaluator);
";

/// Makes the tables in an empty file.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)
}

/// Whether a file has these tables and nothing else.
pub(super) fn fits(connection: &Connection) -> rusqlite::Result<bool> {
    let ours = Connection::open_in_memory()?;
    create(&ours)?;
    Ok(texts(connection)? == texts(&ours)?)
}

fn texts(connection: &Connection) -> rusqlite::Result<Vec<(String, String, Option<String>)>> {
    let query = "SELECT type, name, sql FROM sqlite_schema ORDER BY name";
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}
