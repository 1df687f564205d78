//! What a store tells of its run as a whole, for whoever draws or tabulates it.
//!
//! Invariant: nothing but what the tables hold. What the summary tables say is as of their latest
//! writing, which may be a while ago in a run that goes on or was killed; births and evaluations
//! are read from their own tables, and are those of now.

use std::collections::BTreeMap;

use rusqlite::{Params, Row};
use serde_json::{Map, Value};

use super::Store;
use super::schema;
use crate::{Counters, HeldOutPoint, MutationTally, PolicyCounters, Reprieves, SearchError};

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

    /// The births that were evaluated and scored, with their fitness, the fittest first and of
    /// equals the earlier. No two behave alike, as far as deduplication tells.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn ranked(&self) -> Result<Vec<(u64, f64)>, SearchError> {
        let query = "SELECT birth, fitness FROM evaluations WHERE kind = 'scored' \
                     ORDER BY fitness DESC, birth";
        self.rows(query, [], |row| Ok((natural(row, 0)?, row.get(1)?)))
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

    /// What policies beyond caching did, as last saved; `None` of a run without any.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn policy_counters(&self) -> Result<Option<PolicyCounters>, SearchError> {
        let values = self.counted()?;
        Ok(PolicyCounters::of_named(|name| values.get(name).copied()))
    }

    /// What came of the births that were reprieved, as last saved; `None` of a run without partial
    /// hurdles.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn reprieves(&self) -> Result<Option<Reprieves>, SearchError> {
        let values = self.counted()?;
        Ok(Reprieves::of_named(|name| values.get(name).copied()))
    }

    /// Every count by its name.
    fn counted(&self) -> Result<BTreeMap<String, u64>, SearchError> {
        let rows = self.rows("SELECT name, value FROM counters", [], |row| {
            Ok((row.get::<_, String>(0)?, natural(row, 1)?))
        })?;
        Ok(rows.into_iter().collect())
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

    /// The incumbent from time to time and what it was worth on what is held out, in order; empty
    /// for a run that holds nothing out, or was made before there was such a table.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn held_out_curve(&self) -> Result<Vec<HeldOutPoint>, SearchError> {
        if self.version()? < schema::WITH_HELD_OUT {
            return Ok(Vec::new());
        }
        Ok(self.held_out()?.into_values().collect())
    }

    pub(super) fn rows<T>(
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
