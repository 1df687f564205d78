//! Reading a file that a person named.
//!
//! Invariant: only regular files of a stated size at most are read. A device or a pipe has no end,
//! and would fill the memory.

use std::path::Path;

/// The bytes of a file of at most `limit` bytes.
///
/// # Errors
/// Why it cannot be read, for a person.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a file".to_owned());
    }
    if metadata.len() > limit {
        return Err(format!("{} bytes; at most {limit} are read", metadata.len()));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}
