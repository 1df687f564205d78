//! From version 2 to 3 of a store: structural hashes are those of the canonical form.
//!
//! Invariant: only the hashes and the checksums over them change. A behaviour that was a structural
//! hash (where births are compared by structure, or not at all) becomes the new one, so that a run
//! goes on finding what it has evaluated; a functional hash stays.

use evo_hashes::Hash;
use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::evaluations::{COLUMNS, EvaluationRow};

/// The hash of the structure of the program with a text.
pub(super) type Structure<'a> = dyn Fn(&str) -> Result<Hash, String> + 'a;

/// Gives every evaluation the structural hash of today.
pub(super) fn rehash(connection: &Connection, structure: &Structure<'_>) -> rusqlite::Result<()> {
    let mut births = connection.prepare("SELECT birth FROM evaluations ORDER BY birth")?;
    let births: Vec<i64> = births.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    // These versions know of no rechecks.
    let columns = COLUMNS.replacen("recheck", "NULL", 1);
    let mut read = connection.prepare(&format!("SELECT {columns} WHERE birth = ?"))?;
    let text =
        "UPDATE evaluations SET structural_hash = ?, behaviour = ?, checksum = ? WHERE birth = ?";
    let mut write = connection.prepare(text)?;
    for birth in births {
        let mut row = read.query_row([birth], EvaluationRow::read)?;
        // A damaged row is left as it is, for the reader of the store to name.
        if row.is_sound() {
            rehash_row(&mut row, structure)?;
            let checksum = row.expected_checksum();
            write.execute(params![row.structure.0, row.behaviour.0, checksum, row.birth])?;
        }
    }
    Ok(())
}

fn rehash_row(row: &mut EvaluationRow, structure: &Structure<'_>) -> rusqlite::Result<()> {
    let structure = structure(&row.program)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(5, Type::Text, error.into()))?;
    if row.behaviour == row.structure {
        row.behaviour = structure;
    }
    row.structure = structure;
    Ok(())
}
