//! How births were known, over the course of a run: hits by level, and what in programs has no
//! effect.
//!
//! Invariant: it is told from texts, structures and the rows of births alone, and not from what the
//! run counted, so runs under every policy, and of earlier versions, are told by one measure.

use std::collections::{BTreeMap, BTreeSet};

use evo_domain::Domain;
use evo_hashes::Hash;

use super::Store;
use super::history::Step;
use super::hits::TEXTS;
use super::schema;
use crate::SearchError;

/// A stretch of births, each known by the first of these that holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownBirths {
    /// All births of the stretch.
    pub births: u64,
    /// Those with the very text of an earlier one.
    pub text: u64,
    /// Those with the structure of an earlier one.
    pub structural: u64,
    /// Those that behave like an earlier one, as the run told them.
    pub functional: u64,
    /// Statements of all of them.
    pub statements: u64,
    /// Statements without an effect.
    pub dead: u64,
}

impl Store {
    /// The births of the run in stretches of this length, in order; of an earlier version that knew
    /// no levels, none.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn known_births<D: Domain>(
        &self,
        domain: &D,
        stretch: u64,
    ) -> Result<Vec<KnownBirths>, SearchError> {
        if self.version()? < schema::WITH_RECHECKS {
            return Ok(Vec::new());
        }
        let again = self.evaluated_again()?;
        let query = self.steps()? + " ORDER BY birth";
        let mut statement = self.connection.prepare(&query).map_err(|error| self.error(error))?;
        let steps = statement.query_map([], Step::read).map_err(|error| self.error(error))?;
        let mut texts: BTreeMap<u64, String> = BTreeMap::new();
        let (mut seen_texts, mut seen_structures) = (BTreeSet::new(), BTreeSet::new());
        let mut stretches: Vec<KnownBirths> = Vec::new();
        for step in steps {
            let step = step.map_err(|error| self.error(error))?;
            let text = self.text_of(domain, &step, &texts)?;
            let program = self.read_program(domain, step.birth, &text)?;
            let analysis = domain.analyse(&program);
            if stretches.last().is_none_or(|last| last.births == stretch) {
                stretches.push(KnownBirths::default());
            }
            let known = stretches.last_mut().expect("one was pushed");
            known.births += 1;
            let new_text = seen_texts.insert(Hash::of(text.as_bytes()));
            let new_structure = seen_structures.insert(domain.structure(&program, &analysis));
            if !new_text {
                known.text += 1;
            } else if !new_structure {
                known.structural += 1;
            } else if step.evaluation != step.birth || again.contains(&step.birth) {
                known.functional += 1;
            }
            let parts = domain.parts(&program) as u64;
            known.statements += parts;
            known.dead += parts.saturating_sub(domain.size(&program, &analysis).length as u64);
            texts.insert(step.birth, text);
            if texts.len() > TEXTS {
                texts.pop_first();
            }
        }
        Ok(stretches)
    }

    /// Births that were evaluated though they were equal to an earlier one.
    fn evaluated_again(&self) -> Result<BTreeSet<u64>, SearchError> {
        let query = "SELECT birth FROM evaluations WHERE recheck IS NOT NULL";
        let births = self.rows(query, [], |row| Ok(row.get::<_, i64>(0)? as u64))?;
        Ok(births.into_iter().collect())
    }
}
