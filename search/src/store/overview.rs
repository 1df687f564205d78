//! What a store tells of its run as a whole, for whoever draws or tabulates it.
//!
//! Invariant: nothing but what the tables hold. What the summary tables say is as of their latest
//! writing, which may be a while ago in a run that goes on or was killed; births and evaluations
//! are read from their own tables, and are those of now.

use rusqlite::{OptionalExtension, Params, Row};
use serde_json::{Map, Value};

use super::Store;
use crate::{Counters, MutationTally, SearchError};

/// An evaluation of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The birth whose program was evaluated.
    pub birth: u64,
    /// What came of it: `scored`, `invalid`, `stopped`, `ended` or `failed`.
    pub kind: String,
    /// Its fitness, where it was scored.
    pub fitness: Option<f64>,
}

/// A row of the hall of fame.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredChampion {
    /// Live length.
    pub length: u64,
    /// Its birth.
    pub birth: u64,
    /// Its fitness.
    pub fitness: f64,
    /// Its text without dead statements.
    pub program: String,
}

/// A restart of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRestart {
    /// The first birth behind it.
    pub birth: u64,
    /// Why there was one.
    pub reason: String,
    /// The birth the population was refilled with.
    pub carried: u64,
}

/// The fittest program at some time, on tasks that no fitness of the search comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredHeldOut {
    /// Its birth.
    pub birth: u64,
    /// Evaluations of the run when it was measured.
    pub evaluations: u64,
    /// Its fitness in the search.
    pub fitness: f64,
    /// Its fitness on the tasks held out; `None` where it does not train on one.
    pub held_out_fitness: Option<f64>,
}

impl Store {
    /// Every evaluation that has ended, in order of birth.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn evaluated(&self) -> Result<Vec<Evaluated>, SearchError> {
        let query = "SELECT birth, kind, fitness FROM evaluations ORDER BY birth";
        self.rows(query, [], |row| {
            let (kind, fitness) = (row.get(1)?, row.get(2)?);
            Ok(Evaluated { birth: natural(row, 0)?, kind, fitness })
        })
    }

    /// The hall of fame as last saved, by live length.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn hall_of_fame(&self) -> Result<Vec<StoredChampion>, SearchError> {
        let query = "SELECT length, birth, fitness, program FROM hall_of_fame ORDER BY length";
        self.rows(query, [], |row| {
            let (fitness, program) = (row.get(2)?, row.get(3)?);
            Ok(StoredChampion {
                length: natural(row, 0)?,
                birth: natural(row, 1)?,
                fitness,
                program,
            })
        })
    }

    /// The counters as last saved; `None` before the first time.
    ///
    /// # Errors
    /// When the file cannot be read, or they are no counters.
    pub fn counters(&self) -> Result<Option<Counters>, SearchError> {
        let rows = self.rows("SELECT name, value FROM counters", [], |row| {
            Ok((row.get::<_, String>(0)?, Value::from(row.get::<_, i64>(1)?)))
        })?;
        if rows.is_empty() {
            return Ok(None);
        }
        let counters =
            serde_json::from_value(Value::Object(rows.into_iter().collect::<Map<_, _>>()));
        counters.map(Some).map_err(|error| self.damage(&format!("counters: {error}")))
    }

    /// Every kind of mutation and how it fared, as last saved.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn mutation_tallies(&self) -> Result<Vec<(String, MutationTally)>, SearchError> {
        let query =
            "SELECT kind, tried, neutral, improved FROM mutations ORDER BY tried DESC, kind";
        self.rows(query, [], |row| {
            let [tried, neutral, improved] = [natural(row, 1)?, natural(row, 2)?, natural(row, 3)?];
            Ok((row.get(0)?, MutationTally { tried, neutral, improved }))
        })
    }

    /// The restarts as last saved, in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn restarts(&self) -> Result<Vec<StoredRestart>, SearchError> {
        let query = "SELECT birth, reason, carried FROM restarts ORDER BY birth";
        self.rows(query, [], |row| {
            let reason = row.get(1)?;
            Ok(StoredRestart { birth: natural(row, 0)?, reason, carried: natural(row, 2)? })
        })
    }

    /// The fittest program from time to time on tasks held out, in order; empty for a run that does not measure them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn held_out_curve(&self) -> Result<Vec<StoredHeldOut>, SearchError> {
        let known = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'held_out'";
        let known = self.connection.query_row(known, [], |_| Ok(())).optional();
        if known.map_err(|error| self.error(error))?.is_none() {
            return Ok(Vec::new());
        }
        let query = "SELECT birth, evaluations, fitness, held_out_fitness FROM held_out \
                     ORDER BY evaluations, birth";
        self.rows(query, [], |row| {
            let (fitness, held_out_fitness) = (row.get(2)?, row.get(3)?);
            let (birth, evaluations) = (natural(row, 0)?, natural(row, 1)?);
            Ok(StoredHeldOut { birth, evaluations, fitness, held_out_fitness })
        })
    }

    fn rows<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, SearchError> {
        let mut statement = self.connection.prepare(query).map_err(|error| self.error(error))?;
        let rows = statement.query_map(parameters, read).map_err(|error| self.error(error))?;
        rows.collect::<Result<_, _>>().map_err(|error| self.error(error))
    }
}

/// A number that is not negative.
fn natural(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)? as u64)
}
