//! The table `held_out`: the incumbent behind every so many births, and what it is worth on what is
//! held out of the search.
//!
//! Invariant: a row is written as soon as its value is known and never changes, so a run that goes
//! on has every value it ever had without evaluating again. `outcome` is that of the evaluation, in
//! RON; none where the incumbent had been evaluated for an earlier row, whose value it repeats.

use std::collections::BTreeMap;

use evo_domain::Outcome;
use rusqlite::{Connection, Row, params};

use super::Store;
use super::seals::{Seal, Sealed};
use crate::checksum::Checksum;
use crate::{HeldOutPoint, SearchError};

impl Store {
    /// Writes a point, with the outcome of its evaluation where there was one.
    pub(crate) fn note_held_out(
        &mut self,
        point: &HeldOutPoint,
        outcome: Option<&Outcome>,
    ) -> Result<(), SearchError> {
        let outcome = outcome.map(|outcome| {
            ron::to_string(outcome).expect("an outcome has no value RON cannot write")
        });
        let row = StoredRow {
            counts: [point.absorbed, point.evaluations, point.birth].map(|count| count as i64),
            // What SQLite would give back: it has one zero.
            fitness: point.fitness + 0.0,
            held_out_fitness: point.held_out_fitness,
            outcome,
        };
        let checksum = row.checksum();
        self.write(|connection, seals| {
            let StoredRow { counts: [absorbed, evaluations, birth], .. } = row;
            let values = params![
                absorbed,
                evaluations,
                birth,
                row.fitness,
                row.held_out_fitness,
                row.outcome,
                checksum
            ];
            let text = "INSERT INTO held_out VALUES (?, ?, ?, ?, ?, ?, ?)";
            connection.prepare_cached(text)?.execute(values)?;
            seals.of(Sealed::HeldOut).add(checksum);
            Ok(())
        })
    }

    /// All points, by the births absorbed before them.
    pub(crate) fn held_out(&self) -> Result<BTreeMap<u64, HeldOutPoint>, SearchError> {
        let query = "SELECT absorbed, evaluations, birth, fitness, held_out_fitness, outcome,
            checksum FROM held_out";
        let damage = |error: rusqlite::Error| self.damage(&error.to_string());
        let mut statement = self.connection.prepare(query).map_err(damage)?;
        let rows = statement.query_map([], |row| Ok((StoredRow::read(row)?, row.get(6)?)));
        let mut points = BTreeMap::new();
        for row in rows.map_err(damage)? {
            let (row, checksum): (StoredRow, i64) = row.map_err(damage)?;
            let [absorbed, evaluations, birth] = row.counts;
            if checksum != row.checksum() {
                let message = format!("the held-out point behind {absorbed} births was altered");
                return Err(self.damage(&message));
            }
            let outcome = row.outcome.as_deref().map(|outcome| self.read_outcome(birth, outcome));
            let outcome = outcome.transpose()?;
            let point = HeldOutPoint {
                absorbed: absorbed as u64,
                evaluations: evaluations as u64,
                birth: birth as u64,
                fitness: row.fitness,
                held_out_fitness: row.held_out_fitness,
                failed: matches!(outcome, Some(Outcome::Failed { .. })),
            };
            points.insert(point.absorbed, point);
        }
        Ok(points)
    }
}

/// A row but for its checksum.
struct StoredRow {
    /// Absorbed, evaluations, birth.
    counts: [i64; 3],
    fitness: f64,
    held_out_fitness: Option<f64>,
    outcome: Option<String>,
}

impl StoredRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<StoredRow> {
        let counts = [row.get(0)?, row.get(1)?, row.get(2)?];
        let (fitness, held_out_fitness, outcome) = (row.get(3)?, row.get(4)?, row.get(5)?);
        Ok(StoredRow { counts, fitness, held_out_fitness, outcome })
    }

    fn checksum(&self) -> i64 {
        let counts = self.counts.into_iter();
        let numbers = counts.fold(Checksum::default(), |sum, count| sum.number(count));
        let bits = |fitness: f64| fitness.to_bits() as i64;
        // The bits of no number that a point can have.
        let held_out = self.held_out_fitness.map_or(-1, bits);
        numbers.number(bits(self.fitness)).number(held_out).text(self.outcome.as_deref()).value()
    }
}

/// Of the points as they are.
pub(super) fn seal(connection: &Connection) -> rusqlite::Result<Seal> {
    let mut statement = connection.prepare("SELECT checksum FROM held_out")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(Seal::of(rows.collect::<Result<Vec<i64>, _>>()?))
}
