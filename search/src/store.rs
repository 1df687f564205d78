//! The store: everything a run has to keep, in one SQLite file.
//!
//! Invariant: what [`Store::commit`] has returned from survives the process being killed at any
//! instant, and a power loss as far as SQLite in WAL mode with `synchronous = NORMAL` promises it:
//! the file stays sound and the last commits may be missing. Commits are complete: an evaluation
//! never comes without its candidate. A file that is damaged, of another program, of a later
//! version, or in use by another run is refused with an error; damage inside values is found by
//! checksums, and rows that are missing or of another time by the seals of their tables. The tables
//! that sum a run up have neither: a run that goes on writes them anew. There is one writer, the
//! thread that asks and tells: what it wrote and did not commit yet it reads back, so looking an
//! evaluation up never races with writing it.

mod candidates;
mod confirmations;
mod evaluations;
mod held_out;
mod history;
mod hits;
mod known_births;
mod overview;
mod properties;
mod read;
mod rehash;
mod schema;
mod seals;
mod snapshots;
mod summary;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use evo_domain::Domain;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::TempDir;

use crate::SearchError;

pub(crate) use evaluations::{Provenance, StoredEvaluation};
pub use history::Ancestor;
pub use hits::FunctionalHit;
pub use known_births::KnownBirths;
pub use overview::{Evaluated, StoredChampion, StoredRestart};

use seals::{Sealed, Seals};
pub(crate) use summary::Counted;

/// Rows after which a transaction is committed unasked.
const MOST_PENDING: u64 = 10_000;

/// The file of a run: its candidates, outcomes, lineage, snapshots and counters.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    /// Rows written since the last commit.
    pending: u64,
    /// Of the tables as they will be with the next commit.
    seals: Seals,
    /// Births that were there when it was opened.
    found: u64,
    /// Held as long as the store is open for writing.
    _lock: Option<File>,
    /// The folder of a copy that is read in place of the file; after the connection, to outlive it.
    _copy: Option<TempDir>,
}

impl Store {
    /// A new store, with properties that describe the run, such as its configuration.
    ///
    /// # Errors
    /// When the file exists already or cannot be written.
    pub fn create(path: &Path, properties: &[(&str, &str)]) -> Result<Store, SearchError> {
        let lock = lock(path)?;
        if path.exists() {
            return Err(damaged(path, "it exists already"));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut store = Store::connect(path, path, flags, Some(lock))?;
        store.tune()?;
        store.write(|connection, seals| {
            schema::create(connection)?;
            *seals.of(Sealed::Schema) = schema::seal(connection)?;
            Ok(())
        })?;
        for (name, value) in properties {
            store.set_property(name, value)?;
        }
        store.commit()?;
        store.checkpoint()?;
        Ok(store)
    }

    /// Opens a store to go on with its run. Reads all of it once, to find damage before it is used.
    ///
    /// # Errors
    /// When there is no such file, it is no store, a later version's, damaged, or in use.
    pub fn open<D: Domain>(path: &Path, domain: &D) -> Result<Store, SearchError> {
        if !path.is_file() {
            return Err(damaged(path, "there is no such file"));
        }
        let lock = lock(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let mut store = Store::connect(path, path, flags, Some(lock))?;
        let version = store.version()?;
        store.check_pages()?;
        store.tune()?;
        let structure = |text: &str| {
            let program = domain.read(text)?;
            Ok(domain.structure(&program, &domain.analyse(&program)))
        };
        schema::migrate(&mut store.connection, version, &structure)
            .map_err(|error| store.error(error))?;
        store.check_rows()?;
        Ok(store)
    }

    /// Opens the file, or what `place` says stands for it.
    fn connect(
        path: &Path,
        place: &Path,
        flags: OpenFlags,
        lock: Option<File>,
    ) -> Result<Store, SearchError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(place, flags);
        let connection = opened.map_err(|error| sqlite_error(path, error))?;
        connection.busy_timeout(Duration::from_secs(10)).map_err(|e| sqlite_error(path, e))?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Store {
            path: path.to_owned(),
            connection,
            pending: 0,
            seals: Seals::default(),
            found: 0,
            _lock: lock,
            _copy: None,
        })
    }

    fn tune(&self) -> Result<(), SearchError> {
        // 16 MiB of log before it is moved into the file, 32 MiB of pages in memory.
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
            PRAGMA wal_autocheckpoint = 4096; PRAGMA cache_size = -32768;";
        self.connection.execute_batch(settings).map_err(|error| self.error(error))
    }

    /// The version of the tables, 1 or above and none that is not known here.
    fn version(&self) -> Result<i64, SearchError> {
        let pragma = |name| self.connection.pragma_query_value(None, name, |row| row.get(0));
        let application: i64 = pragma("application_id").map_err(|error| self.error(error))?;
        let version: i64 = pragma("user_version").map_err(|error| self.error(error))?;
        if application != schema::APPLICATION {
            return Err(self.damage("it is no store of a search"));
        }
        if !(1..=schema::VERSION).contains(&version) {
            let message = format!("its version is {version}, above {}", schema::VERSION);
            return Err(self.damage(&message));
        }
        Ok(version)
    }

    fn check_pages(&self) -> Result<(), SearchError> {
        let check = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        let found: String = check.map_err(|error| self.error(error))?;
        if found == "ok" { Ok(()) } else { Err(self.damage(&found)) }
    }

    fn check_rows(&mut self) -> Result<(), SearchError> {
        let mut seals = Seals::default();
        *seals.of(Sealed::Evaluations) = self.check_evaluations()?;
        (*seals.of(Sealed::Candidates), self.found) = self.check_candidates()?;
        self.confirmations()?;
        self.held_out()?;
        self.check_snapshots()?;
        let mut compare = || {
            *seals.of(Sealed::Confirmations) = confirmations::seal(&self.connection)?;
            *seals.of(Sealed::HeldOut) = held_out::seal(&self.connection)?;
            *seals.of(Sealed::Snapshots) = snapshots::seal(&self.connection)?;
            *seals.of(Sealed::Properties) = properties::seal(&self.connection)?;
            *seals.of(Sealed::Schema) = schema::seal(&self.connection)?;
            seals.broken(&self.connection)
        };
        match compare().map_err(|error| self.damage(&error.to_string()))? {
            Some(broken) => Err(self.damage(&broken)),
            None => {
                self.seals = seals;
                Ok(())
            }
        }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing has been bred yet.
    pub(crate) fn is_empty(&self) -> Result<bool, SearchError> {
        let query = "SELECT NOT EXISTS (SELECT 1 FROM candidates)";
        self.connection.query_row(query, [], |row| row.get(0)).map_err(|error| self.error(error))
    }

    /// Makes what has been written durable.
    ///
    /// # Errors
    /// When the file cannot be written; what was committed before stays.
    pub fn commit(&mut self) -> Result<(), SearchError> {
        if self.pending == 0 {
            return Ok(());
        }
        self.check_transaction()?;
        let sealed = self.seals.write(&self.connection);
        let committed = sealed.and_then(|()| self.connection.execute_batch("COMMIT"));
        committed.map_err(|error| self.error(error))?;
        self.pending = 0;
        Ok(())
    }

    /// Moves what has been committed from the log into the file, as far as readers let it: a copy
    /// of the file alone has it then.
    pub(crate) fn checkpoint(&self) -> Result<(), SearchError> {
        let moved = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        moved.map_err(|error| self.error(error))
    }

    /// Whether there is something to commit.
    pub(crate) fn has_pending(&self) -> bool {
        self.pending > 0
    }

    /// Runs a statement that writes, within the pending transaction.
    fn write<T>(
        &mut self,
        statement: impl FnOnce(&Connection, &mut Seals) -> rusqlite::Result<T>,
    ) -> Result<(), SearchError> {
        if self.pending == 0 {
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.error(error))?;
        }
        self.check_transaction()?;
        self.pending += 1;
        let written = statement(&self.connection, &mut self.seals);
        written.map_err(|error| self.error(error))?;
        if self.pending >= MOST_PENDING { self.commit() } else { Ok(()) }
    }

    /// An error where SQLite has given the pending transaction up, as on a full disk: what was
    /// written since would have no seal.
    fn check_transaction(&self) -> Result<(), SearchError> {
        if self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT").map_err(|error| self.error(error))?;
        }
        Ok(())
    }

    fn error(&self, error: rusqlite::Error) -> SearchError {
        sqlite_error(&self.path, error)
    }

    /// The error of a birth that comes out another program than the store holds.
    pub(crate) fn diverged(&self, birth: u64) -> SearchError {
        SearchError::StoreDiverged { path: self.path.clone(), birth }
    }

    /// The error of content that cannot be what was written.
    pub(crate) fn damage(&self, message: &str) -> SearchError {
        damaged(&self.path, message)
    }
}

fn damaged(path: &Path, message: &str) -> SearchError {
    SearchError::StoreDamaged { path: path.to_owned(), message: message.to_owned() }
}

/// What an error of SQLite means for the run.
fn sqlite_error(path: &Path, error: rusqlite::Error) -> SearchError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
            SearchError::StoreFull { path: path.to_owned(), source: error }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            damaged(path, &error.to_string())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            SearchError::StoreBusy { path: path.to_owned() }
        }
        _ => SearchError::Store { path: path.to_owned(), source: error },
    }
}

/// A run that was just killed may take a moment to be gone.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// Keeps other runs from writing the same store, until this process ends however it does.
fn lock(path: &Path) -> Result<File, SearchError> {
    let beside = path.with_extension("lock");
    let failed = |source| SearchError::StoreLock { path: beside.clone(), source };
    let file = File::create(&beside).map_err(failed)?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
    Err(SearchError::StoreInUse { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (TempDir, PathBuf) {
        let directory = TempDir::new().expect("there is room");
        let path = directory.path().join("run.db");
        (directory, path)
    }

    #[test]
    fn commits_survive_a_kill_and_leave_the_file_sound_after_a_power_loss() {
        let (_directory, path) = scratch();
        let store = Store::create(&path, &[]).expect("the path is free");
        let pragma = |name| {
            let value = store
                .connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
            value.expect("it is a setting")
        };
        assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
        assert_eq!(pragma("synchronous"), 1.into());
    }

    #[test]
    fn a_transaction_that_sqlite_has_given_up_is_an_error_from_then_on() {
        let (_directory, path) = scratch();
        let mut store = Store::create(&path, &[("kept", "yes")]).expect("the path is free");
        store.set_property("lost", "yes").expect("there is room");
        store.connection.execute_batch("ROLLBACK").expect("there is a transaction");
        for _ in 0..2 {
            assert!(store.set_property("after", "yes").is_err());
            assert!(store.commit().is_err());
        }
        drop(store);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let mut store = Store::connect(&path, &path, flags, None).expect("it is there");
        store.check_rows().expect("what was committed is sound");
        let property = |name| store.property(name).expect("it can be read");
        assert_eq!(["kept", "lost", "after"].map(property), [Some("yes".to_owned()), None, None]);
    }
}
