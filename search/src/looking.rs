//! How to open an SQLite file to look at it, without changing a byte of the folder it lies in.
//!
//! Invariant: SQLite is never let write there, whether or not it might: a reader of its usual kind
//! makes an index (`run.db-shm`) beside a file with a log (`run.db-wal`), and the last one to leave
//! moves the log into the file. What lies there decides how to read:
//! - no log: all is in the file, which is read as one that does not change;
//! - a log with its index, of a file that is being written or whose writer was killed: both are
//!   read as they are;
//! - a log without its index, as in a copy: file and log are copied to a temporary folder, where
//!   SQLite makes the index.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::OpenFlags;
use tempfile::TempDir;

/// What to open in place of a file.
pub(crate) struct Look {
    pub(crate) place: PathBuf,
    pub(crate) flags: OpenFlags,
    /// The folder of a copy; to be kept until the connection is closed.
    pub(crate) copy: Option<TempDir>,
}

impl Look {
    /// At a file as it lies there now: a writer that ends meanwhile takes the log away.
    ///
    /// # Errors
    /// When the copy cannot be made.
    pub(crate) fn at(path: &Path) -> io::Result<Look> {
        let log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
        match (log, beside(path, "-shm").exists()) {
            (false, _) => Ok(Look::by(path, "mode=ro&immutable=1")),
            (true, true) => Ok(Look::by(path, "mode=ro&readonly_shm=1")),
            (true, false) => Look::at_copy(path),
        }
    }

    fn by(path: &Path, parameters: &str) -> Look {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let uri = format!("file://{}?{parameters}", percent_encoded(&absolute));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        Look { place: uri.into(), flags, copy: None }
    }

    fn at_copy(path: &Path) -> io::Result<Look> {
        let folder = TempDir::new()?;
        let place = folder.path().join("copy.db");
        std::fs::copy(path, &place)?;
        std::fs::copy(beside(path, "-wal"), beside(&place, "-wal"))?;
        Ok(Look { place, flags: OpenFlags::SQLITE_OPEN_READ_WRITE, copy: Some(folder) })
    }
}

/// The file that SQLite keeps beside another.
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
