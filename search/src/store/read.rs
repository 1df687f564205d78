//! Opening a store to look at.
//!
//! Invariant: nothing of the folder it lies in changes; how is what [`Look`] decides.

use std::path::Path;

use super::{Store, damaged};
use crate::SearchError;
use crate::looking::Look;

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
        let failed = |source| SearchError::StoreCopy { path: path.to_owned(), source };
        let Look { place, flags, copy } = Look::at(path).map_err(failed)?;
        let store = Store { _copy: copy, ..Store::connect(path, &place, flags, None)? };
        store.version()?;
        Ok(store)
    }
}
