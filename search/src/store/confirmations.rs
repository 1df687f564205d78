//! The table `confirmations`: individuals of the hall of fame that shared the evaluation of
//! another program during the run, and what their own evaluation at its end gave.
//!
//! Invariant: nothing that is bred depends on it, so a run that goes on afterwards is the run it
//! would have been. Apart from `evaluations` for that reason: births are looked up there.

use std::collections::BTreeMap;
use std::sync::Arc;

use evo_domain::Outcome;
use rusqlite::{Connection, params};

use super::Store;
use super::seals::{Seal, Sealed};
use crate::SearchError;
use crate::checksum::Checksum;

impl Store {
    /// Writes what the evaluation of a claim gave.
    pub(crate) fn note_confirmation(
        &mut self,
        birth: u64,
        outcome: &Outcome,
    ) -> Result<(), SearchError> {
        // What SQLite would give back: it has one zero.
        let fitness = Some(outcome.fitness() + 0.0).filter(|fitness| fitness.is_finite());
        let outcome = ron::to_string(outcome).expect("an outcome has no value RON cannot write");
        let birth = birth as i64;
        let checksum = row_checksum(birth, &outcome);
        self.write(|connection, seals| {
            let text = "INSERT OR REPLACE INTO confirmations VALUES (?, ?, ?, ?)";
            connection.execute(text, params![birth, fitness, outcome, checksum])?;
            // There are few.
            *seals.of(Sealed::Confirmations) = seal(connection)?;
            Ok(())
        })
    }

    /// The outcomes of all claims evaluated so far, by birth.
    pub(crate) fn confirmations(&self) -> Result<BTreeMap<u64, Arc<Outcome>>, SearchError> {
        let query = "SELECT birth, outcome, checksum FROM confirmations ORDER BY birth";
        let mut statement = self.connection.prepare(query).map_err(|error| self.error(error))?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let mut found = BTreeMap::new();
        for row in rows.map_err(|error| self.error(error))? {
            let (birth, outcome, checksum): (i64, String, i64) =
                row.map_err(|error| self.error(error))?;
            if checksum != row_checksum(birth, &outcome) {
                let message = format!("the confirmation of birth {birth} has been altered");
                return Err(self.damage(&message));
            }
            found.insert(birth as u64, Arc::new(self.read_outcome(birth, &outcome)?));
        }
        Ok(found)
    }
}

/// Of the confirmations as they are. The checksum of a row leaves its fitness out, as it did before
/// there were seals.
pub(super) fn seal(connection: &Connection) -> rusqlite::Result<Seal> {
    let mut statement = connection.prepare("SELECT checksum, fitness FROM confirmations")?;
    let rows = statement.query_map([], |row| {
        let bits = row.get::<_, Option<f64>>(1)?.map_or(-1, |fitness| fitness.to_bits() as i64);
        Ok(Checksum::default().number(row.get(0)?).number(bits).value())
    })?;
    Ok(Seal::of(rows.collect::<Result<Vec<i64>, _>>()?))
}

fn row_checksum(birth: i64, outcome: &str) -> i64 {
    Checksum::default().number(birth).text(Some(outcome)).value()
}
