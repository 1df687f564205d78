//! History: programs read back from a store, and the paths that led to them.

use evo_domain::Domain;
use rusqlite::{OptionalExtension, Row, params};

use super::Store;
use super::schema;
use crate::SearchError;

/// One step on the path from a start program to an individual.
#[derive(Clone, Debug, PartialEq)]
pub struct Ancestor {
    /// The number of its birth.
    pub birth: u64,
    /// Its parent's birth; none of a start program.
    pub parent: Option<u64>,
    /// The birth of its second parent, of which a crossover took a part.
    pub mate: Option<u64>,
    /// The mutation that led here; none where it took several, or of a start program.
    pub mutation: Option<String>,
    /// The birth whose evaluation it shares, or its own.
    pub evaluation: u64,
    /// Its fitness; none for a program without a score.
    pub fitness: Option<f64>,
    /// The text of its program.
    pub program: String,
}

/// A row of the path, before its program is known.
pub(super) struct Step {
    pub(super) birth: u64,
    pub(super) parent: Option<u64>,
    mate: Option<u64>,
    mutation: Option<String>,
    edit: Option<String>,
    pub(super) evaluation: u64,
    fitness: Option<f64>,
}

impl Step {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Step> {
        Ok(Step {
            birth: row.get::<_, i64>(0)? as u64,
            parent: row.get::<_, Option<i64>>(1)?.map(|parent| parent as u64),
            mutation: row.get(2)?,
            edit: row.get(3)?,
            evaluation: row.get::<_, i64>(4)? as u64,
            fitness: row.get(5)?,
            mate: row.get::<_, Option<i64>>(6)?.map(|mate| mate as u64),
        })
    }
}

impl Store {
    /// The fittest individual of the hall of fame as last saved, by birth; of the evaluations,
    /// where a run of an earlier version was killed before it saved one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn best(&self) -> Result<Option<u64>, SearchError> {
        for scored in ["hall_of_fame", "evaluations WHERE kind = 'scored'"] {
            let query = format!("SELECT birth FROM {scored} ORDER BY fitness DESC, birth LIMIT 1");
            let birth = self.connection.query_row(&query, [], |row| row.get::<_, i64>(0));
            if let Some(birth) = birth.optional().map_err(|error| self.error(error))? {
                return Ok(Some(birth as u64));
            }
        }
        Ok(None)
    }

    /// The path from a start program to a birth by first parents, the start program first; `None`
    /// when there is no such birth.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn lineage<D: Domain>(
        &self,
        domain: &D,
        birth: u64,
    ) -> Result<Option<Vec<Ancestor>>, SearchError> {
        let Some(mut step) = self.step(birth)? else { return Ok(None) };
        let mut steps = Vec::new();
        while let Some(parent) = step.parent {
            // Parents come before their children, so the path ends.
            if parent >= step.birth {
                return Err(self.damage(&format!("birth {} precedes its parent", step.birth)));
            }
            steps.push(step);
            let missing = || self.damage(&format!("birth {parent} is missing"));
            step = self.step(parent)?.ok_or_else(missing)?;
        }
        steps.push(step);
        let mut path: Vec<Ancestor> = Vec::with_capacity(steps.len());
        for step in steps.into_iter().rev() {
            let parent = path.last().map(|parent| parent.program.as_str());
            let program = self.program_of(domain, &step, parent)?;
            let Step { birth, parent, mate, mutation, evaluation, fitness, .. } = step;
            path.push(Ancestor { birth, parent, mate, mutation, evaluation, fitness, program });
        }
        Ok(Some(path))
    }

    /// The query of steps, for a store of any version.
    pub(super) fn steps(&self) -> Result<String, SearchError> {
        let mate = if self.version()? < schema::WITH_MATES { "NULL" } else { "mate" };
        let columns = "birth, parent, mutation, edit, evaluation, fitness";
        Ok(format!("SELECT {columns}, {mate} FROM individuals"))
    }

    fn step(&self, birth: u64) -> Result<Option<Step>, SearchError> {
        let query = self.steps()? + " WHERE birth = ?";
        let row = self.connection.query_row(&query, params![birth as i64], Step::read);
        row.optional().map_err(|error| self.error(error))
    }

    /// The text of a program: as it was evaluated, or its parent's with the edit made.
    pub(super) fn program_of<D: Domain>(
        &self,
        domain: &D,
        step: &Step,
        parent: Option<&str>,
    ) -> Result<String, SearchError> {
        if step.evaluation == step.birth
            && let Some(program) = self.evaluated_program(step.birth)?
        {
            return Ok(program);
        }
        let unfit = || self.damage(&format!("the program of birth {} is missing", step.birth));
        if let (None, Some(text)) = (step.parent, &step.edit) {
            return Ok(text.clone());
        }
        let (parent, edit) = parent.zip(step.edit.as_deref()).ok_or_else(unfit)?;
        domain.apply(parent, edit).ok_or_else(unfit)
    }
}
