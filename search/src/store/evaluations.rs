//! The table `evaluations`: programs that were evaluated and what became of them.
//!
//! Invariant: `outcome` holds the outcome in RON, which reads back to the bit and lets later
//! versions add fields; `kind`, `fitness` and `losses` repeat it for people and their tools.

use evo_dsl::Program;
use evo_evaluators::Outcome;
use evo_hashes::Hash;
use rusqlite::{OptionalExtension, Row, params};

use super::Store;
use super::checksum::Checksum;
use crate::SearchError;
use crate::deduplication::Identity;

/// An evaluation read back.
#[derive(Debug)]
pub(crate) struct StoredEvaluation {
    pub(crate) birth: u64,
    pub(crate) structure: Hash,
    pub(crate) behaviour: Hash,
    pub(crate) outcome: Outcome,
    /// Whether a shared cache answered it.
    pub(crate) cached: bool,
}

pub(super) const COLUMNS: &str =
    "birth, structural_hash, behaviour, cached, program, outcome, checksum FROM evaluations";

impl Store {
    /// Writes an evaluation that has ended.
    pub(crate) fn note_evaluation(
        &mut self,
        birth: u64,
        identity: Identity,
        program: &Program,
        outcome: &Outcome,
        cached: bool,
    ) -> Result<(), SearchError> {
        let Identity { structure, behaviour, .. } = identity;
        let (kind, fitness, losses) = for_people(outcome);
        let detail = detail(outcome);
        let outcome = ron::to_string(outcome).expect("an outcome has no value RON cannot write");
        let program = program.to_string();
        let birth = birth as i64;
        let checksum = row_checksum(birth, &structure, &behaviour, cached, &program, &outcome);
        self.write(|connection| {
            let text = "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
            connection.prepare_cached(text)?.execute(params![
                birth,
                structure.0,
                behaviour.0,
                kind,
                fitness,
                losses,
                cached,
                program,
                outcome,
                checksum,
                detail
            ])
        })
    }

    /// The evaluation of a birth.
    pub(crate) fn evaluation(&self, birth: u64) -> Result<StoredEvaluation, SearchError> {
        let query = format!("SELECT {COLUMNS} WHERE birth = ?");
        let found = self.query_evaluation(&query, params![birth as i64])?;
        found.ok_or_else(|| self.damage(&format!("the evaluation of birth {birth} is missing")))
    }

    /// The latest evaluation of a behaviour before a birth.
    pub(crate) fn latest_evaluation(
        &self,
        behaviour: &Hash,
        before: u64,
    ) -> Result<Option<StoredEvaluation>, SearchError> {
        let query = format!(
            "SELECT {COLUMNS} WHERE behaviour = ? AND birth < ? ORDER BY birth DESC LIMIT 1"
        );
        self.query_evaluation(&query, params![behaviour.0, before as i64])
    }

    /// All evaluations from a birth on.
    pub(crate) fn evaluations_from(
        &self,
        birth: u64,
    ) -> Result<Vec<StoredEvaluation>, SearchError> {
        let query = format!("SELECT {COLUMNS} WHERE birth >= ? ORDER BY birth");
        let mut statement = self.connection.prepare(&query).map_err(|error| self.error(error))?;
        let mut rows = statement.query([birth as i64]).map_err(|error| self.error(error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| self.error(error))? {
            found.push(self.read_evaluation(row)?);
        }
        Ok(found)
    }

    /// Whether every evaluation is as it was written.
    pub(super) fn check_evaluations(&self) -> Result<(), SearchError> {
        let query = format!("SELECT {COLUMNS}");
        let mut statement = self.connection.prepare(&query).map_err(|error| self.error(error))?;
        let mut rows = statement.query([]).map_err(|error| self.error(error))?;
        while let Some(row) = rows.next().map_err(|error| self.error(error))? {
            self.check_row(row)?;
        }
        Ok(())
    }

    fn query_evaluation(
        &self,
        query: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Option<StoredEvaluation>, SearchError> {
        let mut statement =
            self.connection.prepare_cached(query).map_err(|error| self.error(error))?;
        let mut rows = statement.query(parameters).map_err(|error| self.error(error))?;
        let row = rows.next().map_err(|error| self.error(error))?;
        row.map(|row| self.read_evaluation(row)).transpose()
    }

    fn read_evaluation(&self, row: &Row<'_>) -> Result<StoredEvaluation, SearchError> {
        let (birth, structure, behaviour, cached, outcome) = self.check_row(row)?;
        let outcome = ron::from_str(&outcome)
            .map_err(|error| self.damage(&format!("the outcome of birth {birth}: {error}")))?;
        Ok(StoredEvaluation { birth: birth as u64, structure, behaviour, outcome, cached })
    }

    fn check_row(&self, row: &Row<'_>) -> Result<(i64, Hash, Hash, bool, String), SearchError> {
        let read = || {
            let (structure, behaviour) = (Hash(row.get(1)?), Hash(row.get(2)?));
            let (cached, program, outcome): (bool, String, String) =
                (row.get(3)?, row.get(4)?, row.get(5)?);
            rusqlite::Result::Ok((row.get(0)?, structure, behaviour, cached, program, outcome))
        };
        let unreadable = |error: rusqlite::Error| self.damage(&error.to_string());
        let (birth, structure, behaviour, cached, program, outcome) = read().map_err(unreadable)?;
        let checksum: i64 = row.get(6).map_err(unreadable)?;
        if checksum != row_checksum(birth, &structure, &behaviour, cached, &program, &outcome) {
            return Err(self.damage(&format!("the evaluation of birth {birth} has been altered")));
        }
        Ok((birth, structure, behaviour, cached, outcome))
    }

    /// The text of a program that was evaluated.
    pub(super) fn evaluated_program(&self, birth: u64) -> Result<Option<String>, SearchError> {
        let query = "SELECT program FROM evaluations WHERE birth = ?";
        let text = self.connection.query_row(query, [birth as i64], |row| row.get(0)).optional();
        text.map_err(|error| self.error(error))
    }
}

/// Kind, fitness and losses as the table shows them.
fn for_people(outcome: &Outcome) -> (&'static str, Option<f64>, Option<String>) {
    match outcome {
        Outcome::Scored(score) => {
            let losses: Vec<String> = score.losses.iter().map(|loss| format!("{loss:?}")).collect();
            let losses = format!("[{}]", losses.join(","));
            ("scored", Some(score.fitness), Some(losses))
        }
        Outcome::Invalid(_) => ("invalid", None, None),
        Outcome::Stopped(_) => ("stopped", None, None),
        Outcome::Failed { .. } => ("failed", None, None),
    }
}

/// Why there is no score, in words.
fn detail(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Scored(_) => None,
        Outcome::Invalid(invalid) => {
            Some(format!("{} at step {} of {}", invalid.reason, invalid.step, invalid.task))
        }
        Outcome::Stopped(stopped) => {
            Some(format!("fitness {} behind stage {}", stopped.fitness, stopped.stage))
        }
        Outcome::Failed { message } => Some(message.clone()),
    }
}

pub(super) fn row_checksum(
    birth: i64,
    structure: &Hash,
    behaviour: &Hash,
    cached: bool,
    program: &str,
    outcome: &str,
) -> i64 {
    let numbers = Checksum::default().number(birth).number(i64::from(cached));
    let hashes = numbers.bytes(&structure.0).bytes(&behaviour.0);
    hashes.text(Some(program)).text(Some(outcome)).value()
}
