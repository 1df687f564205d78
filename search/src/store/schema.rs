//! The tables of a run's store and how older ones become today's.
//!
//! Invariant: `user_version` says which tables a file has, and each step of [`MIGRATIONS`] leads
//! from one version to the next, all of them in one transaction with the change of that number: a
//! file that cannot be brought up to date stays as it was. A step may drop
//! snapshots: they only spare breeding again what the other tables determine.

use rusqlite::Connection;

use super::rehash::{Structure, rehash};
use super::seals::{Seal, Sealed, Seals};
use super::{confirmations, evaluations, properties};
use crate::checksum::Checksum;

/// The version of the tables below.
pub(super) const VERSION: i64 = 7;

/// The version from which on functional hits are told from structural ones.
pub(super) const WITH_RECHECKS: i64 = 4;

/// The version from which on a birth may have two parents.
pub(super) const WITH_MATES: i64 = 6;

/// The version from which on there is a table of what is held out.
pub(super) const WITH_HELD_OUT: i64 = 7;

/// Marks a file as a store of ours: "evo1" in ASCII.
pub(super) const APPLICATION: i64 = 0x6576_6f31;

/// What is documented, for readers, in `docs/store.md`.
const TABLES: &str = "
CREATE TABLE properties (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE candidates (
    birth INTEGER PRIMARY KEY,
    parent INTEGER,
    mutation TEXT,
    edit TEXT,
    evaluation INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    mate INTEGER
);
CREATE TABLE evaluations (
    birth INTEGER PRIMARY KEY,
    structural_hash BLOB NOT NULL,
    behaviour BLOB NOT NULL,
    kind TEXT NOT NULL,
    fitness REAL,
    losses TEXT,
    cached INTEGER NOT NULL,
    program TEXT NOT NULL,
    outcome TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    detail TEXT,
    recheck INTEGER
);
CREATE INDEX evaluations_by_behaviour ON evaluations (behaviour);
CREATE TABLE snapshots (
    births INTEGER PRIMARY KEY,
    state BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE hall_of_fame (
    length INTEGER PRIMARY KEY,
    birth INTEGER NOT NULL,
    fitness REAL NOT NULL,
    program TEXT NOT NULL
);
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE mutations (
    kind TEXT PRIMARY KEY,
    tried INTEGER NOT NULL,
    neutral INTEGER NOT NULL,
    improved INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE restarts (
    birth INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    carried INTEGER NOT NULL
);
";

/// Births with what their evaluation came to.
const INDIVIDUALS: &str = "
CREATE VIEW individuals AS
    SELECT candidates.birth, parent, mate, mutation, edit, evaluation, kind, fitness, losses
    FROM candidates LEFT JOIN evaluations ON evaluations.birth = candidates.evaluation;
";

/// What version 4 has beyond a column: new tables and a step up to it make the same.
const RECHECKS: &str = "
CREATE INDEX evaluations_by_structure ON evaluations (structural_hash);
CREATE TABLE confirmations (
    birth INTEGER PRIMARY KEY,
    fitness REAL,
    outcome TEXT NOT NULL,
    checksum INTEGER NOT NULL
);
";

/// What version 5 has beyond that.
const SEALS: &str = "
CREATE TABLE seals (
    name TEXT PRIMARY KEY,
    entries INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) WITHOUT ROWID;
";

/// What version 7 has beyond that.
const HELD_OUT: &str = "
CREATE TABLE held_out (
    absorbed INTEGER PRIMARY KEY,
    evaluations INTEGER NOT NULL,
    birth INTEGER NOT NULL,
    fitness REAL NOT NULL,
    held_out_fitness REAL,
    outcome TEXT,
    checksum INTEGER NOT NULL
);
";

/// Everything above; what else a user keeps in the file is none of our business.
const OURS: &str = "'properties', 'candidates', 'evaluations', 'evaluations_by_behaviour',
    'snapshots', 'hall_of_fame', 'counters', 'mutations', 'restarts', 'individuals',
    'evaluations_by_structure', 'confirmations', 'seals', 'held_out'";

/// A step from one version to the next.
type Migration = fn(&Connection, &Structure<'_>) -> rusqlite::Result<()>;

/// From version 1, 2, … to the next.
const MIGRATIONS: [Migration; (VERSION - 1) as usize] =
    [add_detail, hash_canonical_form, add_rechecks, seal_tables, add_mates, add_held_out];

/// Snapshots hold programs as their domain encodes them, and tables are sealed, as they are found.
fn seal_tables(connection: &Connection, _: &Structure<'_>) -> rusqlite::Result<()> {
    connection.execute_batch("DELETE FROM snapshots;")?;
    connection.execute_batch(SEALS)?;
    let mut candidates = connection.prepare("SELECT checksum FROM candidates")?;
    let candidates = candidates.query_map([], |row| row.get(0))?;
    let mut seals = Seals::default();
    *seals.of(Sealed::Candidates) = Seal::of(candidates.collect::<Result<Vec<i64>, _>>()?);
    *seals.of(Sealed::Evaluations) = evaluations::seal(connection)?;
    *seals.of(Sealed::Confirmations) = confirmations::seal(connection)?;
    *seals.of(Sealed::Properties) = properties::seal(connection)?;
    *seals.of(Sealed::Schema) = seal(connection)?;
    seals.write(connection)
}

/// Births have one parent so far, and their checksums stay as they are. Tables that are not those
/// that were sealed keep that seal, and are found out by it.
fn add_mates(connection: &Connection, _: &Structure<'_>) -> rusqlite::Result<()> {
    let sound = Seal::stored(Sealed::Schema, connection)? == Some(seal(connection)?);
    connection.execute_batch(
        "ALTER TABLE candidates ADD COLUMN mate INTEGER; DROP VIEW IF EXISTS individuals;",
    )?;
    connection.execute_batch(INDIVIDUALS)?;
    if sound { seal(connection)?.write_as(Sealed::Schema, connection) } else { Ok(()) }
}

/// Nothing was held out of a search so far. As above, a seal that was broken stays so.
fn add_held_out(connection: &Connection, _: &Structure<'_>) -> rusqlite::Result<()> {
    let sound = Seal::stored(Sealed::Schema, connection)? == Some(seal(connection)?);
    connection.execute_batch(HELD_OUT)?;
    Seal::default().write_as(Sealed::HeldOut, connection)?;
    if sound { seal(connection)?.write_as(Sealed::Schema, connection) } else { Ok(()) }
}

/// Of the tables, indices and views as they are defined.
pub(super) fn seal(connection: &Connection) -> rusqlite::Result<Seal> {
    let query =
        format!("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name IN ({OURS})");
    let mut statement = connection.prepare(&query)?;
    let rows = statement.query_map([], |row| {
        let mut checksum = Checksum::default();
        for column in 0..4 {
            checksum = checksum.text(row.get_ref(column)?.as_str_or_null()?);
        }
        Ok(checksum.value())
    })?;
    Ok(Seal::of(rows.collect::<Result<Vec<i64>, _>>()?))
}

fn add_detail(connection: &Connection, _: &Structure<'_>) -> rusqlite::Result<()> {
    connection
        .execute_batch("ALTER TABLE evaluations ADD COLUMN detail TEXT; DELETE FROM snapshots;")
}

fn hash_canonical_form(connection: &Connection, structure: &Structure<'_>) -> rusqlite::Result<()> {
    rehash(connection, structure)?;
    connection.execute_batch("DELETE FROM snapshots;")
}

fn add_rechecks(connection: &Connection, _: &Structure<'_>) -> rusqlite::Result<()> {
    connection.execute_batch("ALTER TABLE evaluations ADD COLUMN recheck INTEGER;")?;
    connection.execute_batch(RECHECKS)?;
    connection.execute_batch("DELETE FROM snapshots;")
}

/// Makes the tables in an empty file.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.execute_batch(INDIVIDUALS)?;
    connection.execute_batch(RECHECKS)?;
    connection.execute_batch(SEALS)?;
    connection.execute_batch(HELD_OUT)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)
}

/// Brings tables of an earlier version, 1 or above, up to date.
pub(super) fn migrate(
    connection: &mut Connection,
    from: i64,
    structure: &Structure<'_>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for (version, migration) in (1..).zip(MIGRATIONS) {
        if version >= from {
            migration(&transaction, structure)?;
            transaction.pragma_update(None, "user_version", version + 1)?;
        }
    }
    transaction.commit()
}
