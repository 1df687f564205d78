//! Functional hits: births that were given the outcome of another program that behaves like
//! theirs, or would have been, and were rechecked.
//!
//! Invariant: nothing is taken from what the run counted; whether two programs differ in structure
//! is found from their texts, which is what makes this fit to judge the run by.

use std::collections::BTreeMap;

use evo_domain::{Domain, Outcome};
use evo_hashes::Hash;
use rusqlite::Row;

use super::Store;
use super::history::Step;
use super::schema;
use crate::SearchError;

/// A birth that shares the evaluation of a program of another structure, or would have shared it
/// and was evaluated all the same: a recheck, or any of a counterfactual run.
#[derive(Clone, Debug)]
pub struct FunctionalHit<P> {
    /// Its birth.
    pub birth: u64,
    /// The birth whose evaluation it shares, or would have shared.
    pub evaluation: u64,
    /// Its own program.
    pub program: P,
    /// The program that was evaluated.
    pub evaluated: P,
    /// The outcome of that evaluation.
    pub outcome: Outcome,
}

/// Texts kept to make those of their children from; an older parent's is put together anew.
pub(super) const TEXTS: usize = 50_000;

impl Store {
    /// Every functional hit of the run, in order of birth.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn functional_hits<D: Domain>(
        &self,
        domain: &D,
    ) -> Result<Vec<FunctionalHit<D::Program>>, SearchError> {
        let structure_of =
            |program: &D::Program| domain.structure(program, &domain.analyse(program));
        if self.version()? < schema::WITH_RECHECKS {
            return Err(self.damage("an earlier version wrote it, and knew no functional hits"));
        }
        let rechecks = self.rechecks()?;
        let query = self.steps()? + " ORDER BY birth";
        let mut statement = self.connection.prepare(&query).map_err(|error| self.error(error))?;
        let steps = statement.query_map([], Step::read).map_err(|error| self.error(error))?;
        let mut texts: BTreeMap<u64, String> = BTreeMap::new();
        let mut evaluated: BTreeMap<u64, (Hash, D::Program)> = BTreeMap::new();
        let mut hits = Vec::new();
        for step in steps {
            let step = step.map_err(|error| self.error(error))?;
            let text = self.text_of(domain, &step, &texts)?;
            let program = self.read_program(domain, step.birth, &text)?;
            let structure = structure_of(&program);
            let own = step.evaluation == step.birth;
            let shared = if own { rechecks.get(&step.birth) } else { Some(&step.evaluation) };
            if let Some(shared) = shared {
                let unknown = || self.damage(&format!("birth {shared} is missing"));
                let (other, first) = evaluated.get(shared).ok_or_else(unknown)?;
                if *other != structure {
                    hits.extend(self.hit(step.birth, *shared, &program, first)?);
                }
            }
            if own {
                evaluated.insert(step.birth, (structure, program));
            }
            texts.insert(step.birth, text);
            if texts.len() > TEXTS {
                texts.pop_first();
            }
        }
        Ok(hits)
    }

    /// `None` while the evaluation it shares has not ended.
    fn hit<P: Clone>(
        &self,
        birth: u64,
        evaluation: u64,
        program: &P,
        first: &P,
    ) -> Result<Option<FunctionalHit<P>>, SearchError> {
        let Some(found) = self.find_evaluation(evaluation)? else { return Ok(None) };
        let (program, evaluated) = (program.clone(), first.clone());
        let outcome = found.outcome;
        Ok(Some(FunctionalHit { birth, evaluation, program, evaluated, outcome }))
    }

    /// The births that were evaluated although they equal an earlier one, with that one.
    fn rechecks(&self) -> Result<BTreeMap<u64, u64>, SearchError> {
        let query = "SELECT birth, recheck FROM evaluations WHERE recheck IS NOT NULL";
        let mut statement = self.connection.prepare(query).map_err(|error| self.error(error))?;
        let pair = |row: &Row<'_>| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64));
        let rows = statement.query_map([], pair).map_err(|error| self.error(error))?;
        rows.collect::<Result<_, _>>().map_err(|error| self.error(error))
    }

    pub(super) fn text_of<D: Domain>(
        &self,
        domain: &D,
        step: &Step,
        texts: &BTreeMap<u64, String>,
    ) -> Result<String, SearchError> {
        let Some(parent) = step.parent else { return self.program_of(domain, step, None) };
        if let Some(parent) = texts.get(&parent) {
            return self.program_of(domain, step, Some(parent));
        }
        let lineage = self.lineage(domain, step.birth)?.and_then(|mut path| path.pop());
        let missing = || self.damage(&format!("birth {parent} is missing"));
        Ok(lineage.ok_or_else(missing)?.program)
    }

    pub(super) fn read_program<D: Domain>(
        &self,
        domain: &D,
        birth: u64,
        text: &str,
    ) -> Result<D::Program, SearchError> {
        domain
            .read(text)
            .map_err(|error| self.damage(&format!("the program of birth {birth}: {error}")))
    }
}
