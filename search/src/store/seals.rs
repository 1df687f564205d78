//! The table `seals`: of each table that a run goes on from, how many rows it has and the sum of
//! their checksums.
//!
//! Invariant: a seal is written in the transaction of the rows it covers. So it agrees with every
//! file that was written whole, and with none where rows are missing, added or of another time,
//! which the checksums of single rows cannot show. A sum, and not a hash of the whole table,
//! because rows come one by one and births bred again replace theirs.

use rusqlite::{Connection, OptionalExtension, params};

use super::checksum::Checksum;

/// What is sealed.
#[derive(Clone, Copy)]
pub(super) enum Sealed {
    /// The tables, indices and views themselves.
    Schema,
    Properties,
    Candidates,
    Evaluations,
    Confirmations,
    Snapshots,
}

const NAMES: [&str; 6] =
    ["schema", "properties", "candidates", "evaluations", "confirmations", "snapshots"];

/// Rows and the sum of their checksums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seal {
    rows: i64,
    sum: i64,
}

impl Seal {
    pub(super) fn add(&mut self, checksum: i64) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(checksum);
    }

    /// Takes a row in, and the one that it replaces out.
    pub(super) fn replace(&mut self, replaced: Option<i64>, checksum: i64) {
        self.add(checksum);
        if let Some(replaced) = replaced {
            self.rows -= 1;
            self.sum = self.sum.wrapping_sub(replaced);
        }
    }

    /// Of all these rows.
    pub(super) fn of(checksums: impl IntoIterator<Item = i64>) -> Seal {
        let mut seal = Seal::default();
        checksums.into_iter().for_each(|checksum| seal.add(checksum));
        seal
    }

    fn checksum(self, name: &str) -> i64 {
        Checksum::default().text(Some(name)).number(self.rows).number(self.sum).value()
    }
}

/// The seals of all tables.
#[derive(Debug, Default)]
pub(super) struct Seals {
    current: [Seal; NAMES.len()],
    written: [Option<Seal>; NAMES.len()],
}

impl Seals {
    pub(super) fn of(&mut self, sealed: Sealed) -> &mut Seal {
        &mut self.current[sealed as usize]
    }

    /// Writes those that have changed.
    pub(super) fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let seals = NAMES.iter().zip(self.current).zip(&mut self.written);
        for ((name, seal), written) in seals.filter(|((_, seal), written)| **written != Some(*seal))
        {
            let text = "INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?)";
            let row = params![name, seal.rows, seal.sum, seal.checksum(name)];
            connection.prepare_cached(text)?.execute(row)?;
            *written = Some(seal);
        }
        Ok(())
    }

    /// The first table that is not as it was written, if there is one.
    pub(super) fn broken(&mut self, connection: &Connection) -> rusqlite::Result<Option<String>> {
        let mut read =
            connection.prepare("SELECT entries, sum, checksum FROM seals WHERE name = ?")?;
        for (index, name) in NAMES.into_iter().enumerate() {
            let row = read.query_row([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            let row: Option<(i64, i64, i64)> = row.optional()?;
            let Some((rows, sum, checksum)) = row else {
                return Ok(Some(format!("the seal of `{name}` is missing")));
            };
            let (sealed, found) = (Seal { rows, sum }, self.current[index]);
            if checksum != sealed.checksum(name) {
                return Ok(Some(format!("the seal of `{name}` has been altered")));
            }
            if sealed.rows != found.rows {
                let counts = format!("{} rows and had {}", found.rows, sealed.rows);
                return Ok(Some(format!("`{name}` has {counts}")));
            }
            if sealed != found {
                return Ok(Some(format!("rows of `{name}` are not those that were written")));
            }
            self.written[index] = Some(sealed);
        }
        Ok(None)
    }
}
