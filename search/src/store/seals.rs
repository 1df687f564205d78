//! The table `seals`: of each table that a run goes on from, how many rows it has and the sum of
//! their checksums.
//!
//! Invariant: a seal is written in the transaction of the rows it covers. So it agrees with every
//! file that was written whole, and with none where rows are missing, added or of another time,
//! which the checksums of single rows cannot show. A sum, and not a hash of the whole table,
//! because rows come one by one and births bred again replace theirs.

use rusqlite::{Connection, OptionalExtension, params};

use crate::checksum::Checksum;

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
    HeldOut,
}

const NAMES: [&str; 7] =
    ["schema", "properties", "candidates", "evaluations", "confirmations", "snapshots", "held_out"];

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

    /// The seal that was written last, if it is whole.
    pub(super) fn stored(
        sealed: Sealed,
        connection: &Connection,
    ) -> rusqlite::Result<Option<Seal>> {
        let name = NAMES[sealed as usize];
        let read = Seal::read(connection, name)?;
        Ok(read.and_then(|(seal, checksum)| (checksum == seal.checksum(name)).then_some(seal)))
    }

    /// With its own checksum.
    fn read(connection: &Connection, name: &str) -> rusqlite::Result<Option<(Seal, i64)>> {
        let text = "SELECT entries, sum, checksum FROM seals WHERE name = ?";
        let mut statement = connection.prepare_cached(text)?;
        let row = statement.query_row([name], |row| {
            Ok((Seal { rows: row.get(0)?, sum: row.get(1)? }, row.get(2)?))
        });
        row.optional()
    }

    /// Writes this one seal; all others stay as they are.
    pub(super) fn write_as(self, sealed: Sealed, connection: &Connection) -> rusqlite::Result<()> {
        self.write(connection, NAMES[sealed as usize])
    }

    fn write(self, connection: &Connection, name: &str) -> rusqlite::Result<()> {
        let text = "INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?)";
        let row = params![name, self.rows, self.sum, self.checksum(name)];
        connection.prepare_cached(text)?.execute(row).map(drop)
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
            seal.write(connection, name)?;
            *written = Some(seal);
        }
        Ok(())
    }

    /// The first table that is not as it was written, if there is one.
    pub(super) fn broken(&mut self, connection: &Connection) -> rusqlite::Result<Option<String>> {
        for (index, name) in NAMES.into_iter().enumerate() {
            let Some((sealed, checksum)) = Seal::read(connection, name)? else {
                return Ok(Some(format!("the seal of `{name}` is missing")));
            };
            let found = self.current[index];
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
