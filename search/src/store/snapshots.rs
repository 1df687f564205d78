//! The table `snapshots`: the state of the search between two births, as opaque bytes.
//!
//! Invariant: a snapshot and what the other tables hold from its births on determine the run. The
//! latest two are kept: with one, a reader could meet a moment without any.

use rusqlite::{Connection, OptionalExtension, params};

use super::Store;
use super::seals::{Seal, Sealed};
use crate::SearchError;
use crate::checksum::Checksum;

/// Snapshots that are kept.
const KEPT: i64 = 2;

impl Store {
    /// Writes the state before a birth.
    pub(crate) fn save_snapshot(&mut self, births: u64, state: &[u8]) -> Result<(), SearchError> {
        let births = births as i64;
        let checksum = row_checksum(births, state);
        self.write(|connection, seals| {
            let text = "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)";
            connection.execute(text, params![births, state, checksum])?;
            let text = "DELETE FROM snapshots WHERE births NOT IN
                (SELECT births FROM snapshots ORDER BY births DESC LIMIT ?)";
            connection.execute(text, [KEPT])?;
            *seals.of(Sealed::Snapshots) = seal(connection)?;
            Ok(())
        })
    }

    /// The latest state and the births before it.
    pub(crate) fn latest_snapshot(&self) -> Result<Option<Vec<u8>>, SearchError> {
        let query = "SELECT state FROM snapshots ORDER BY births DESC LIMIT 1";
        let found = self.connection.query_row(query, [], |row| row.get(0)).optional();
        found.map_err(|error| self.error(error))
    }

    /// Whether every snapshot is as it was written.
    pub(super) fn check_snapshots(&self) -> Result<(), SearchError> {
        let damage = |error: rusqlite::Error| self.damage(&error.to_string());
        let query = "SELECT births, state, checksum FROM snapshots";
        let mut statement = self.connection.prepare(query).map_err(damage)?;
        let mut rows = statement.query([]).map_err(damage)?;
        while let Some(row) = rows.next().map_err(damage)? {
            let read = || Ok((row.get(0)?, row.get_ref(1)?.as_blob()?, row.get(2)?));
            let (births, state, checksum): (i64, &[u8], i64) = read().map_err(damage)?;
            if checksum != row_checksum(births, state) {
                let message = format!("the snapshot at birth {births} has been altered");
                return Err(self.damage(&message));
            }
        }
        Ok(())
    }
}

/// Of the snapshots as they are.
pub(super) fn seal(connection: &Connection) -> rusqlite::Result<Seal> {
    let mut statement = connection.prepare("SELECT checksum FROM snapshots")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(Seal::of(rows.collect::<Result<Vec<i64>, _>>()?))
}

fn row_checksum(births: i64, state: &[u8]) -> i64 {
    Checksum::default().number(births).bytes(state).value()
}
