//! An entry: the outcome of one program, as a row has it.
//!
//! Invariant: an entry that is read is the one that was written. Its checksum covers the key, and
//! with it whose outcome it is, so an entry that has been moved to another program or evaluator is
//! found out as one that has been altered. The outcome is RON, as in the store of a run: it reads
//! back to the bit and lets later versions add fields. A whole outcome takes the place of one that
//! a hurdle stopped, and one that was stopped later that of one stopped earlier; nothing else
//! does.

use evo_domain::Outcome;
use evo_hashes::Hash;
use rusqlite::Row;

use crate::checksum::Checksum;

/// The columns that [`Entry::read`] reads.
pub(super) const COLUMNS: &str = "key, structure, reach, program, outcome, checksum";

/// A row.
pub(super) struct Entry {
    pub(super) key: Hash,
    pub(super) structure: Hash,
    reach: i64,
    pub(super) program: String,
    pub(super) outcome: String,
    pub(super) checksum: i64,
}

impl Entry {
    /// The text of an outcome.
    pub(super) fn text_of(outcome: &Outcome) -> String {
        ron::to_string(outcome).expect("an outcome has no value RON cannot write")
    }

    /// Reads [`COLUMNS`]; an error for values of other types than were written.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
        Ok(Entry {
            key: Hash(row.get(0)?),
            structure: Hash(row.get(1)?),
            reach: row.get(2)?,
            program: row.get(3)?,
            outcome: row.get(4)?,
            checksum: row.get(5)?,
        })
    }

    /// Whether it is what was written under this key.
    pub(super) fn is_sound(&self, key: &Hash) -> bool {
        let Entry { structure, reach, program, outcome, .. } = self;
        self.key == *key && self.checksum == checksum(key, structure, *reach, program, outcome)
    }

    /// The outcome, where it is one that a cache holds.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        ron::from_str(&self.outcome).ok().filter(lasts)
    }
}

/// Whether an outcome holds for other processes too: what a clock has made is a property of the
/// program to those that were there, and a failure is none at all.
pub(super) fn lasts(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Scored(_) | Outcome::Invalid(_) | Outcome::Stopped(_) => true,
        Outcome::Ended(_) | Outcome::Failed { .. } => false,
    }
}

/// How much an outcome says: the stage that it was stopped behind, and above all stages where it
/// was not.
pub(super) fn reach(outcome: &Outcome) -> i64 {
    match outcome {
        Outcome::Stopped(stopped) => stopped.stage as i64,
        _ => i64::MAX,
    }
}

/// The checksum of a row.
pub(super) fn checksum(
    key: &Hash,
    structure: &Hash,
    reach: i64,
    program: &str,
    outcome: &str,
) -> i64 {
    let hashes = Checksum::default().bytes(&key.0).bytes(&structure.0).number(reach);
    hashes.text(Some(program)).text(Some(outcome)).value()
}
