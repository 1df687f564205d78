//! The store: everything a run has to keep, in one SQLite file.
//!
//! Invariant: what [`Store::commit`] has returned from survives the process being killed at any
//! instant, and a power loss as far as SQLite in WAL mode with `synchronous = NORMAL` promises it:
//! the file stays sound and the last commits may be missing. Commits are complete: an evaluation
//! never comes without its candidate. A file that is damaged, of another program, of a later
//! version, or in use by another run is refused with an error; damage inside values is found by
//! checksums. There is one writer, the thread that asks and tells: what it wrote and did not commit
//! yet it reads back, so looking an evaluation up never races with writing it.

mod candidates;
mod checksum;
mod confirmations;
mod evaluations;
mod history;
mod hits;
mod read;
mod rehash;
mod schema;
mod snapshots;
mod summary;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use evo_domain::Domain;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use tempfile::TempDir;

use crate::SearchError;

pub(crate) use evaluations::{Provenance, StoredEvaluation};
pub use history::Ancestor;
pub use hits::FunctionalHit;

/// Rows after which a transaction is committed unasked.
const MOST_PENDING: u64 = 10_000;

/// The property that counts the seconds of all runs on a store.
const SECONDS: &str = "seconds";

/// The file of a run: its candidates, outcomes, lineage, snapshots and counters.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    /// Rows written since the last commit.
    pending: u64,
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
        let store = Store::connect(path, path, flags, Some(lock))?;
        store.tune()?;
        let fill = || {
            store.connection.execute_batch("BEGIN")?;
            schema::create(&store.connection)?;
            for (name, value) in properties {
                store.connection.execute("INSERT INTO properties VALUES (?, ?)", [name, value])?;
            }
            store.connection.execute_batch("COMMIT")
        };
        fill().map_err(|error| store.error(error))?;
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
        Ok(Store { path: path.to_owned(), connection, pending: 0, _lock: lock, _copy: None })
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

    fn check_rows(&self) -> Result<(), SearchError> {
        self.check_evaluations()?;
        self.check_candidates()
    }

    /// A property of the run, if it has it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn property(&self, name: &str) -> Result<Option<String>, SearchError> {
        let query = "SELECT value FROM properties WHERE name = ?";
        let value = self.connection.query_row(query, [name], |row| row.get(0)).optional();
        value.map_err(|error| self.error(error))
    }

    /// Sets a property of the run, with the next commit.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_property(&mut self, name: &str, value: &str) -> Result<(), SearchError> {
        self.write(|connection| {
            let text = "INSERT OR REPLACE INTO properties VALUES (?, ?)";
            connection.prepare_cached(text)?.execute([name, value])
        })
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

    /// The seconds that runs on this store have taken so far.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn seconds(&self) -> Result<f64, SearchError> {
        let seconds = self.property(SECONDS)?;
        Ok(seconds.and_then(|text| text.parse().ok()).unwrap_or(0.0))
    }

    pub(crate) fn set_seconds(&mut self, seconds: f64) -> Result<(), SearchError> {
        self.set_property(SECONDS, &format!("{seconds:.3}"))
    }

    /// Makes what has been written durable.
    ///
    /// # Errors
    /// When the file cannot be written; what was committed before stays.
    pub fn commit(&mut self) -> Result<(), SearchError> {
        if self.pending == 0 {
            return Ok(());
        }
        self.connection.execute_batch("COMMIT").map_err(|error| self.error(error))?;
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
        statement: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<(), SearchError> {
        if self.pending == 0 {
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.error(error))?;
        }
        self.pending += 1;
        statement(&self.connection).map_err(|error| self.error(error))?;
        if self.pending >= MOST_PENDING { self.commit() } else { Ok(()) }
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
