//! The table `snapshots`: the state of the search between two births, as opaque bytes.
//!
//! Invariant: a snapshot and what the other tables hold from its births on determine the run. The
//! latest two are kept: with one, a reader could meet a moment without any.

use rusqlite::{OptionalExtension, params};

use super::Store;
use super::checksum::Checksum;
use crate::SearchError;

/// Snapshots that are kept.
const KEPT: i64 = 2;

impl Store {
    /// Writes the state before a birth.
    pub(crate) fn save_snapshot(&mut self, births: u64, state: &[u8]) -> Result<(), SearchError> {
        let births = births as i64;
        let checksum = row_checksum(births, state);
        self.write(|connection| {
            let text = "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)";
            connection.execute(text, params![births, state, checksum])?;
            let text = "DELETE FROM snapshots WHERE births NOT IN
                (SELECT births FROM snapshots ORDER BY births DESC LIMIT ?)";
            connection.execute(text, [KEPT])
        })
    }

    /// The latest state and the births before it.
    pub(crate) fn latest_snapshot(&self) -> Result<Option<Vec<u8>>, SearchError> {
        let query = "SELECT births, state, checksum FROM snapshots ORDER BY births DESC LIMIT 1";
        let found: Option<(i64, Vec<u8>, i64)> = self
            .connection
            .query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .map_err(|error| self.error(error))?;
        let Some((births, state, checksum)) = found else { return Ok(None) };
        if checksum != row_checksum(births, &state) {
            return Err(self.damage(&format!("the snapshot at birth {births} has been altered")));
        }
        Ok(Some(state))
    }
}

fn row_checksum(births: i64, state: &[u8]) -> i64 {
    Checksum::default().number(births).bytes(state).value()
}
