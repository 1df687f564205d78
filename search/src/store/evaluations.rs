//! The table `evaluations`: programs that were evaluated and what became of them.
//!
//! Invariant: `outcome` holds the outcome in RON, which reads back to the bit and lets later
//! versions add fields; `kind`, `fitness` and `losses` repeat it for people and their tools.

use evo_domain::Outcome;
use evo_hashes::Hash;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Store;
use super::seals::{Seal, Sealed};
use crate::SearchError;
use crate::checksum::Checksum;
use crate::identity::Identity;

/// An evaluation read back.
#[derive(Debug)]
pub(crate) struct StoredEvaluation {
    pub(crate) birth: u64,
    pub(crate) behaviour: Hash,
    pub(crate) outcome: Outcome,
    /// Whether a shared cache answered it.
    pub(crate) cached: bool,
}

/// How an outcome came to a birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Provenance {
    /// Whether a shared cache answered it.
    pub(crate) cached: bool,
    /// The birth whose evaluation it would have shared, had it not been evaluated all the same.
    pub(crate) recheck: Option<u64>,
}

pub(super) const COLUMNS: &str = "birth, structural_hash, behaviour, cached, recheck, program, \
    outcome, checksum FROM evaluations";

impl Store {
    /// Writes an evaluation that has ended.
    pub(crate) fn note_evaluation(
        &mut self,
        birth: u64,
        identity: Identity,
        program: &str,
        outcome: &Outcome,
        provenance: Provenance,
    ) -> Result<(), SearchError> {
        let Identity { structure, behaviour, .. } = identity;
        let (kind, fitness, losses) = for_people(outcome);
        let detail = detail(outcome);
        let outcome = ron::to_string(outcome).expect("an outcome has no value RON cannot write");
        let birth = birth as i64;
        let checksum = row_checksum(birth, &structure, &behaviour, provenance, program, &outcome);
        let shown = Shown { kind, fitness, losses: losses.as_deref(), detail: detail.as_deref() };
        let sealed = shown.with(checksum);
        let recheck = provenance.recheck.map(|evaluation| evaluation as i64);
        self.write(|connection, seals| {
            let text = "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
            connection.prepare_cached(text)?.execute(params![
                birth,
                structure.0,
                behaviour.0,
                kind,
                fitness,
                losses,
                provenance.cached,
                program,
                outcome,
                checksum,
                detail,
                recheck
            ])?;
            seals.of(Sealed::Evaluations).add(sealed);
            Ok(())
        })
    }

    /// The evaluation of a birth.
    pub(crate) fn evaluation(&self, birth: u64) -> Result<StoredEvaluation, SearchError> {
        let found = self.find_evaluation(birth)?;
        found.ok_or_else(|| self.damage(&format!("the evaluation of birth {birth} is missing")))
    }

    /// The evaluation of a birth, if it has ended.
    pub(super) fn find_evaluation(
        &self,
        birth: u64,
    ) -> Result<Option<StoredEvaluation>, SearchError> {
        let query = format!("SELECT {COLUMNS} WHERE birth = ?");
        self.query_evaluation(&query, params![birth as i64])
    }

    /// The latest evaluation, before a birth, of a structure or of a behaviour; a recheck is one of
    /// its structure alone, or of neither. One that joins the mean of another is none of its own.
    pub(crate) fn latest_evaluation(
        &self,
        hash: &Hash,
        before: u64,
        rechecks_speak: bool,
    ) -> Result<Option<StoredEvaluation>, SearchError> {
        let latest = |hash_is: &str| {
            format!(
                "SELECT max(own.birth) FROM evaluations AS own LEFT JOIN candidates USING (birth)
                 WHERE {hash_is} AND own.birth < ?2
                 AND ifnull(candidates.evaluation, own.birth) = own.birth"
            )
        };
        let query = format!(
            "SELECT {COLUMNS} WHERE birth = max(ifnull(({}), -1), ifnull(({}), -1))",
            latest("structural_hash = ?1 AND (recheck IS NULL OR ?3)"),
            latest("behaviour = ?1 AND recheck IS NULL"),
        );
        self.query_evaluation(&query, params![hash.0, before as i64, rechecks_speak])
    }

    /// Every evaluation that has ended with its outcome, in order of birth: the birth, the text of
    /// the program that was evaluated, and what came of it.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn outcomes(&self) -> Result<Vec<(u64, String, Outcome)>, SearchError> {
        let query = format!("SELECT {COLUMNS} ORDER BY birth");
        let mut statement = self.connection.prepare(&query).map_err(|error| self.error(error))?;
        let mut rows = statement.query([]).map_err(|error| self.error(error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| self.error(error))? {
            let EvaluationRow { birth, program, outcome, .. } = self.check_row(row)?;
            found.push((birth as u64, program, self.read_outcome(birth, &outcome)?));
        }
        Ok(found)
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

    /// Whether every evaluation is as it was written; their seal.
    pub(super) fn check_evaluations(&self) -> Result<Seal, SearchError> {
        let query = format!("SELECT {}", COLUMNS.replacen(" FROM", &format!(", {SHOWN} FROM"), 1));
        let mut seal = Seal::default();
        let mut statement = self.connection.prepare(&query).map_err(|error| self.error(error))?;
        let mut rows = statement.query([]).map_err(|error| self.error(error))?;
        while let Some(row) = rows.next().map_err(|error| self.error(error))? {
            let checksum = self.check_row(row)?.checksum;
            let sealed = Shown::read(row, 8).map(|shown| shown.with(checksum));
            seal.add(sealed.map_err(|error| self.damage(&error.to_string()))?);
        }
        Ok(seal)
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
        let EvaluationRow { birth, behaviour, provenance, outcome, .. } = self.check_row(row)?;
        let outcome = self.read_outcome(birth, &outcome)?;
        let cached = provenance.cached;
        Ok(StoredEvaluation { birth: birth as u64, behaviour, outcome, cached })
    }

    /// An outcome as it is written.
    pub(super) fn read_outcome(&self, birth: i64, text: &str) -> Result<Outcome, SearchError> {
        ron::from_str(text)
            .map_err(|error| self.damage(&format!("the outcome of birth {birth}: {error}")))
    }

    fn check_row(&self, row: &Row<'_>) -> Result<EvaluationRow, SearchError> {
        let read = EvaluationRow::read(row).map_err(|error| self.damage(&error.to_string()))?;
        if !read.is_sound() {
            let birth = read.birth;
            return Err(self.damage(&format!("the evaluation of birth {birth} has been altered")));
        }
        Ok(read)
    }

    /// The text of a program that was evaluated.
    pub(super) fn evaluated_program(&self, birth: u64) -> Result<Option<String>, SearchError> {
        let query = "SELECT program FROM evaluations WHERE birth = ?";
        let text = self.connection.query_row(query, [birth as i64], |row| row.get(0)).optional();
        text.map_err(|error| self.error(error))
    }
}

/// A row as it stands, of [`COLUMNS`].
pub(super) struct EvaluationRow {
    pub(super) birth: i64,
    pub(super) structure: Hash,
    pub(super) behaviour: Hash,
    pub(super) provenance: Provenance,
    pub(super) program: String,
    pub(super) outcome: String,
    checksum: i64,
}

impl EvaluationRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<EvaluationRow> {
        let recheck: Option<i64> = row.get(4)?;
        Ok(EvaluationRow {
            birth: row.get(0)?,
            structure: Hash(row.get(1)?),
            behaviour: Hash(row.get(2)?),
            provenance: Provenance {
                cached: row.get(3)?,
                recheck: recheck.map(|evaluation| evaluation as u64),
            },
            program: row.get(5)?,
            outcome: row.get(6)?,
            checksum: row.get(7)?,
        })
    }

    /// Whether it is as it was written.
    pub(super) fn is_sound(&self) -> bool {
        self.checksum == self.expected_checksum()
    }

    pub(super) fn expected_checksum(&self) -> i64 {
        let EvaluationRow { birth, structure, behaviour, provenance, program, outcome, .. } = self;
        row_checksum(*birth, structure, behaviour, *provenance, program, outcome)
    }
}

/// The columns that repeat the outcome for people.
const SHOWN: &str = "kind, fitness, losses, detail";

/// Their values.
struct Shown<'a> {
    kind: &'a str,
    fitness: Option<f64>,
    losses: Option<&'a str>,
    detail: Option<&'a str>,
}

impl Shown<'_> {
    /// Reads [`SHOWN`] from a column on.
    fn read<'a>(row: &'a Row<'_>, first: usize) -> rusqlite::Result<Shown<'a>> {
        Ok(Shown {
            kind: row.get_ref(first)?.as_str()?,
            fitness: row.get(first + 1)?,
            losses: row.get_ref(first + 2)?.as_str_or_null()?,
            detail: row.get_ref(first + 3)?.as_str_or_null()?,
        })
    }

    /// What a seal counts for a row with this checksum. The checksum itself leaves these columns
    /// out, as it did before there were seals, so that older stores are read by the same code.
    fn with(&self, checksum: i64) -> i64 {
        let Shown { kind, fitness, losses, detail } = *self;
        let bits = fitness.map_or(-1, |fitness| fitness.to_bits() as i64);
        let numbers = Checksum::default().number(checksum).number(bits);
        numbers.text(Some(kind)).text(losses).text(detail).value()
    }
}

/// The seal of a table of an earlier version, as it is found.
pub(super) fn seal(connection: &Connection) -> rusqlite::Result<Seal> {
    let query = format!("SELECT checksum, {SHOWN} FROM evaluations");
    let mut statement = connection.prepare(&query)?;
    let rows = statement.query_map([], |row| Ok(Shown::read(row, 1)?.with(row.get(0)?)))?;
    Ok(Seal::of(rows.collect::<Result<Vec<i64>, _>>()?))
}

/// Kind, fitness and losses as the table shows them.
fn for_people(outcome: &Outcome) -> (&'static str, Option<f64>, Option<String>) {
    match outcome {
        Outcome::Scored(score) => {
            let losses: Vec<String> = score.losses.iter().map(|loss| format!("{loss:?}")).collect();
            let losses = format!("[{}]", losses.join(","));
            // What SQLite would give back: it has no NaN, and one zero.
            let fitness = Some(score.fitness + 0.0).filter(|fitness| !fitness.is_nan());
            ("scored", fitness, Some(losses))
        }
        Outcome::Invalid(_) => ("invalid", None, None),
        Outcome::Stopped(_) => ("stopped", None, None),
        Outcome::Ended(_) => ("ended", None, None),
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
        Outcome::Ended(ended) => Some(ended.to_string()),
        Outcome::Failed { message } => Some(message.clone()),
    }
}

fn row_checksum(
    birth: i64,
    structure: &Hash,
    behaviour: &Hash,
    provenance: Provenance,
    program: &str,
    outcome: &str,
) -> i64 {
    let numbers = Checksum::default().number(birth).number(i64::from(provenance.cached));
    let hashes = numbers.bytes(&structure.0).bytes(&behaviour.0);
    let texts = hashes.text(Some(program)).text(Some(outcome));
    match provenance.recheck {
        Some(evaluation) => texts.number(evaluation as i64).value(),
        None => texts.value(),
    }
}
