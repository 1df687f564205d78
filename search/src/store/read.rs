//! Opening a store to look at, without changing a byte of the folder it lies in.
//!
//! Invariant: SQLite is never let write there, whether or not it might: a reader of its usual kind
//! makes an index (`run.db-shm`) beside a file with a log (`run.db-wal`), and the last one to leave
//! moves the log into the file. What lies there decides how to read:
//! - no log: all is in the file, which is read as one that does not change;
//! - a log with its index, of a run that is under way or was killed: both are read as they are;
//! - a log without its index, as in a copy: file and log are copied to a temporary folder, where
//!   SQLite makes the index.

use std::path::{Path, PathBuf};

use rusqlite::OpenFlags;
use tempfile::TempDir;

use super::{Store, damaged};
use crate::SearchError;

impl Store {
    /// Opens a store to look at, of this version or an earlier one. A run may go on writing it, and
    /// its folder may be one that nobody may write to; nothing in there changes.
    ///
    /// # Errors
    /// When there is no such file, or it is no store of a known version.
    pub fn read(path: &Path) -> Result<Store, SearchError> {
        if !path.is_file() {
            return Err(damaged(path, "there is no such file"));
        }
        // A run that ends meanwhile takes the log away: what lies there is looked at anew.
        Store::look(path).or_else(|_| Store::look(path))
    }

    fn look(path: &Path) -> Result<Store, SearchError> {
        let log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
        let store = match (log, beside(path, "-shm").exists()) {
            (false, _) => Store::look_at(path, "mode=ro&immutable=1")?,
            (true, true) => Store::look_at(path, "mode=ro&readonly_shm=1")?,
            (true, false) => Store::look_at_copy(path)?,
        };
        store.version()?;
        Ok(store)
    }

    fn look_at(path: &Path, parameters: &str) -> Result<Store, SearchError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let uri = format!("file://{}?{parameters}", percent_encoded(&absolute));
        Store::connect(path, Path::new(&uri), flags, None)
    }

    fn look_at_copy(path: &Path) -> Result<Store, SearchError> {
        let failed = |source| SearchError::StoreCopy { path: path.to_owned(), source };
        let folder = TempDir::new().map_err(failed)?;
        let copy = folder.path().join("copy.db");
        std::fs::copy(path, &copy).map_err(failed)?;
        std::fs::copy(beside(path, "-wal"), beside(&copy, "-wal")).map_err(failed)?;
        let store = Store::connect(path, &copy, OpenFlags::SQLITE_OPEN_READ_WRITE, None)?;
        Ok(Store { _copy: Some(folder), ..store })
    }
}

/// The file that SQLite keeps beside a store.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A path as a URI has it.
fn percent_encoded(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes
        .map(|&byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
