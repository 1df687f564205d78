//! The table `properties`: what describes the run as a whole, such as its configuration.
//!
//! Invariant: values are text, set with the commit of what they belong to; the seal of the table
//! stands for a checksum of each.

use rusqlite::{Connection, OptionalExtension};

use super::Store;
use super::seals::{Seal, Sealed};
use crate::SearchError;
use crate::checksum::Checksum;

/// The property that counts the seconds of all runs on a store.
const SECONDS: &str = "seconds";

impl Store {
    /// A property of the run, if it has it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn property(&self, name: &str) -> Result<Option<String>, SearchError> {
        read(&self.connection, name).map_err(|error| self.error(error))
    }

    /// Sets a property of the run, with the next commit.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_property(&mut self, name: &str, value: &str) -> Result<(), SearchError> {
        self.write(|connection, seals| {
            let replaced = read(connection, name)?.map(|value| row_checksum(name, &value));
            let text = "INSERT OR REPLACE INTO properties VALUES (?, ?)";
            connection.prepare_cached(text)?.execute([name, value])?;
            seals.of(Sealed::Properties).replace(replaced, row_checksum(name, value));
            Ok(())
        })
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
}

fn read(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT value FROM properties WHERE name = ?")?;
    statement.query_row([name], |row| row.get(0)).optional()
}

/// Of the properties as they are.
pub(super) fn seal(connection: &Connection) -> rusqlite::Result<Seal> {
    let mut statement = connection.prepare("SELECT name, value FROM properties")?;
    let rows = statement.query_map([], |row| {
        Ok(row_checksum(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?))
    })?;
    Ok(Seal::of(rows.collect::<Result<Vec<i64>, _>>()?))
}

fn row_checksum(name: &str, value: &str) -> i64 {
    Checksum::default().text(Some(name)).text(Some(value)).value()
}
