//! The table `candidates`: every birth and how it came about.

use rusqlite::{OptionalExtension, params};

use super::Store;
use super::seals::{Seal, Sealed};
use crate::SearchError;
use crate::breeding::Descent;
use crate::checksum::Checksum;

impl Store {
    /// Writes a birth just bred, or bred again, without a descent if it is a start program, whose
    /// `text` is kept where it is not evaluated itself; `mutation` is the one that led to it, if it
    /// was one, and `evaluation` the birth whose evaluation it shares, or its own.
    pub(crate) fn note_birth(
        &mut self,
        birth: u64,
        descent: Option<&Descent<impl Sized>>,
        text: Option<&str>,
        mutation: Option<&str>,
        evaluation: u64,
    ) -> Result<(), SearchError> {
        let (birth, evaluation) = (birth as i64, evaluation as i64);
        let parent = descent.map(|descent| descent.lineage.parent as i64);
        let mate = descent.and_then(|descent| descent.lineage.mate).map(|mate| mate as i64);
        let edit = descent.and_then(|descent| descent.edit.as_deref()).or(text);
        let checksum = row_checksum(birth, (parent, mate), mutation, edit, evaluation);
        let replaced = self.stored_candidate(birth)?;
        if replaced == Some(checksum) {
            return Ok(());
        }
        self.write(|connection, seals| {
            let text = "INSERT OR REPLACE INTO candidates VALUES (?, ?, ?, ?, ?, ?, ?)";
            let row = params![birth, parent, mutation, edit, evaluation, checksum, mate];
            connection.prepare_cached(text)?.execute(row)?;
            seals.of(Sealed::Candidates).replace(replaced, checksum);
            Ok(())
        })
    }

    /// The checksum of a birth that is being bred again.
    fn stored_candidate(&self, birth: i64) -> Result<Option<i64>, SearchError> {
        if birth as u64 >= self.found {
            return Ok(None);
        }
        let read = || {
            let query = "SELECT checksum FROM candidates WHERE birth = ?";
            let mut statement = self.connection.prepare_cached(query)?;
            statement.query_row([birth], |row| row.get(0)).optional()
        };
        read().map_err(|error| self.error(error))
    }

    /// The births that were bred. Those evaluated count even where their candidates are missing,
    /// as in runs that earlier versions resumed with a limit that had been reached.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn births(&self) -> Result<u64, SearchError> {
        let query = "SELECT MAX(
            IFNULL((SELECT MAX(birth) + 1 FROM candidates), 0),
            IFNULL((SELECT MAX(birth) + 1 FROM evaluations), 0))";
        let births = self.connection.query_row(query, [], |row| row.get::<_, i64>(0));
        births.map(|births| births as u64).map_err(|error| self.error(error))
    }

    /// Whether every candidate is as it was written; their seal, and the births up to the last.
    pub(super) fn check_candidates(&self) -> Result<(Seal, u64), SearchError> {
        let query = "SELECT birth, parent, mutation, edit, evaluation, checksum, mate
            FROM candidates";
        let mut statement = self.connection.prepare(query).map_err(|error| self.error(error))?;
        let mut rows = statement.query([]).map_err(|error| self.error(error))?;
        let (mut seal, mut births) = (Seal::default(), 0);
        while let Some(row) = rows.next().map_err(|error| self.error(error))? {
            let checksums = || {
                let (birth, parent, evaluation): (i64, _, _) =
                    (row.get(0)?, row.get(1)?, row.get(4)?);
                let (mutation, edit) = (row.get_ref(2)?, row.get_ref(3)?);
                let (mutation, edit) = (mutation.as_str_or_null()?, edit.as_str_or_null()?);
                let parents = (parent, row.get(6)?);
                let expected = row_checksum(birth, parents, mutation, edit, evaluation);
                rusqlite::Result::Ok((birth, row.get::<_, i64>(5)?, expected))
            };
            let (birth, checksum, expected) =
                checksums().map_err(|error: rusqlite::Error| self.damage(&error.to_string()))?;
            if checksum != expected {
                return Err(self.damage(&format!("the row of birth {birth} has been altered")));
            }
            seal.add(checksum);
            births = births.max(birth as u64 + 1);
        }
        Ok((seal, births))
    }
}

fn row_checksum(
    birth: i64,
    (parent, mate): (Option<i64>, Option<i64>),
    mutation: Option<&str>,
    edit: Option<&str>,
    evaluation: i64,
) -> i64 {
    let numbers = Checksum::default().number(birth).number(parent.unwrap_or(-1)).number(evaluation);
    let checksum = numbers.text(mutation).text(edit);
    // Rows of earlier versions have none.
    match mate {
        Some(mate) => checksum.number(mate).value(),
        None => checksum.value(),
    }
}
