//! Opening the file of a cache: made where there is none, refused where it is something else.
//!
//! Invariant: a file appears with its tables or not at all, and nobody who begins at the same time
//! finds half of one. A file that is not a cache is told by its first bytes and not opened by
//! SQLite, which would take the log of a run's store as its own to clear away.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::TempPath;

use super::schema;
use crate::SearchError;
use crate::looking::Look;

/// How long to wait for a process that writes.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The first bytes of any SQLite file.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Opens a cache to be written, which is made where there is none.
pub(super) fn to_write(path: &Path) -> Result<Connection, SearchError> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => create(path)?,
        _ => check_header(path)?,
    }
    let connection = connect(path, path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Where the file or its folder may not be written, that is found out here.
    let writable = connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
    writable.map_err(|error| unusable(path, &error))?;
    check_tables(path, &connection)?;
    Ok(connection)
}

/// Opens a cache to be looked at; nothing in its folder changes. What [`Look`] gives has to be kept
/// as long as the connection.
pub(super) fn to_read(path: &Path) -> Result<(Connection, Look), SearchError> {
    check_header(path)?;
    let look = || {
        let look = Look::at(path).map_err(|error| refused(path, &error.to_string()))?;
        let connection = connect(path, &look.place, look.flags)?;
        check_tables(path, &connection)?;
        Ok((connection, look))
    };
    // Whoever wrote it may have ended meanwhile and taken the log away.
    look().or_else(|_: SearchError| look())
}

fn connect(path: &Path, place: &Path, flags: OpenFlags) -> Result<Connection, SearchError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(place, flags).and_then(|connection| {
        connection.busy_timeout(PATIENCE)?;
        // The log makes commits cheap and lets others read meanwhile. What a power loss takes of it
        // is evaluated again.
        connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192;")?;
        Ok(connection)
    });
    opened.map_err(|error| unusable(path, &error))
}

/// Makes an empty cache beside its place and moves it there, unless another process was faster.
fn create(path: &Path) -> Result<(), SearchError> {
    let failed = |error: &dyn std::fmt::Display| {
        refused(path, &format!("it is not there and cannot be made: {error}"))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let scratch = tempfile::tempdir_in(folder).map_err(|error| failed(&error))?;
    let place = scratch.path().join("new");
    let made = Connection::open(&place).and_then(|connection| {
        connection.execute_batch("PRAGMA journal_mode = WAL")?;
        schema::create(&connection)
    });
    made.map_err(|error| failed(&error))?;
    let placed = TempPath::try_from_path(place)
        .and_then(|it| it.persist_noclobber(path).map_err(|error| error.error));
    match placed {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => check_header(path),
        placed => placed.map_err(|error| failed(&error)),
    }
}

/// Refuses what is not a cache of this version, by its first bytes.
fn check_header(path: &Path) -> Result<(), SearchError> {
    let unreadable = |error: std::io::Error| refused(path, &error.to_string());
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(refused(path, "it is a directory"));
    }
    if !metadata.is_file() {
        return Err(refused(path, "it is no regular file"));
    }
    if metadata.len() == 0 {
        return Err(refused(path, "it is empty, and no cache: remove it, and one is made"));
    }
    let mut header = Vec::new();
    File::open(path).and_then(|it| it.take(100).read_to_end(&mut header)).map_err(unreadable)?;
    let number = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    // Places of `user_version` and `application_id` in the header of an SQLite file.
    let (version, application) = (number(60), number(68));
    if !header.starts_with(MAGIC) || application != schema::APPLICATION {
        return Err(refused(path, "it is something else than a cache of evaluations"));
    }
    if version != schema::VERSION {
        let message = format!(
            "its tables are of version {version}, and those of this evo of {}: another evo has \
             made it; move it away, and a new one begins",
            schema::VERSION
        );
        return Err(refused(path, &message));
    }
    Ok(())
}

fn check_tables(path: &Path, connection: &Connection) -> Result<(), SearchError> {
    match schema::fits(connection) {
        Ok(true) => Ok(()),
        Ok(false) => Err(broken(path, "its tables are not those that were made")),
        Err(error) => Err(unusable(path, &error)),
    }
}

/// What an error of SQLite means for the file.
pub(super) fn unusable(path: &Path, error: &rusqlite::Error) -> SearchError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            broken(path, &error.to_string())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            refused(path, "another program keeps it locked")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            refused(path, &format!("it, or the folder it is in, may not be written to: {error}"))
        }
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
            refused(path, &format!("it could not be written: {error}"))
        }
        _ => refused(path, &error.to_string()),
    }
}

/// The error of a file whose structure is damaged.
pub(super) fn broken(path: &Path, message: &str) -> SearchError {
    let message = format!(
        "it is damaged ({message}): move it away, and a new one begins; nothing is lost but time"
    );
    refused(path, &message)
}

pub(super) fn refused(path: &Path, message: &str) -> SearchError {
    SearchError::Cache { path: path.to_owned(), message: message.to_owned() }
}
