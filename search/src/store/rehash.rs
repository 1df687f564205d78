//! From version 2 to 3 of a store: structural hashes are those of the canonical form.
//!
//! Invariant: only the hashes and the checksums over them change. A behaviour that was a structural
//! hash (where births are compared by structure, or not at all) becomes the new one, so that a run
//! goes on finding what it has evaluated; a functional hash stays.

use evo_dsl::Program;
use evo_hashes::{Hash, structural_hash};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::evaluations::{COLUMNS, row_checksum};

/// A row with the hashes of its program.
struct Rehashed {
    birth: i64,
    structure: Hash,
    behaviour: Hash,
    checksum: i64,
}

/// Gives every evaluation the structural hash of today.
pub(super) fn rehash(connection: &Connection) -> rusqlite::Result<()> {
    let mut births = connection.prepare("SELECT birth FROM evaluations ORDER BY birth")?;
    let births: Vec<i64> = births.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut read = connection.prepare(&format!("SELECT {COLUMNS} WHERE birth = ?"))?;
    let text =
        "UPDATE evaluations SET structural_hash = ?, behaviour = ?, checksum = ? WHERE birth = ?";
    let mut write = connection.prepare(text)?;
    for birth in births {
        // A damaged row is left as it is, for the reader of the store to name.
        if let Some(new) = read.query_row([birth], rehashed)? {
            write.execute(params![new.structure.0, new.behaviour.0, new.checksum, new.birth])?;
        }
    }
    Ok(())
}

fn rehashed(row: &Row<'_>) -> rusqlite::Result<Option<Rehashed>> {
    let (birth, old, behaviour) = (row.get(0)?, Hash(row.get(1)?), Hash(row.get(2)?));
    let (cached, program): (bool, String) = (row.get(3)?, row.get(4)?);
    let (outcome, checksum): (String, i64) = (row.get(5)?, row.get(6)?);
    if checksum != row_checksum(birth, &old, &behaviour, cached, &program, &outcome) {
        return Ok(None);
    }
    let parsed = Program::parse(&program).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(4, Type::Text, Box::new(error))
    })?;
    let structure = structural_hash(&parsed);
    let behaviour = if behaviour == old { structure } else { behaviour };
    let checksum = row_checksum(birth, &structure, &behaviour, cached, &program, &outcome);
    Ok(Some(Rehashed { birth, structure, behaviour, checksum }))
}
