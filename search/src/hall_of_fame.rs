//! The hall of fame: the fittest individual of every length.
//!
//! Invariant: births are offered in birth order and only a fitter one displaces another, so equal
//! runs give equal bytes. Length counts live statements: dead ones cost nothing when the program is
//! used, and counting them would fill the rows with copies of one behaviour.

use std::collections::BTreeMap;
use std::io::Write;

use evo_evaluators::Score;
use evo_hashes::{FunctionalHasher, Hash, structural_hash};

use crate::{Individual, SearchError};

/// The fittest individual of one length.
#[derive(Clone, Debug)]
pub struct Champion {
    /// Number of live statements.
    pub length: usize,
    /// The individual.
    pub individual: Individual,
    /// Its loss on each task, in configuration order.
    pub losses: Vec<f64>,
    /// The structural hash of its program.
    pub structural_hash: Hash,
    /// The functional hash of its program.
    pub functional_hash: Hash,
}

impl Champion {
    fn of(individual: Individual, losses: Vec<f64>, hasher: &FunctionalHasher) -> Champion {
        Champion {
            length: individual.length,
            losses,
            structural_hash: structural_hash(&individual.program),
            functional_hash: hasher.hash(&individual.program),
            individual,
        }
    }
}

/// The fittest individual of every length.
#[derive(Clone, Debug, Default)]
pub struct HallOfFame {
    champions: BTreeMap<usize, Champion>,
    /// The length of the fittest of all.
    best: usize,
}

impl HallOfFame {
    /// Takes the individual in if it is the fittest of its length so far.
    pub(crate) fn offer(
        &mut self,
        individual: &Individual,
        score: &Score,
        hasher: &FunctionalHasher,
    ) {
        if individual.fitness == f64::NEG_INFINITY {
            return;
        }
        let length = individual.length;
        let fitter = |champion: &Champion| individual.fitness > champion.individual.fitness;
        if !self.champions.get(&length).is_none_or(fitter) {
            return;
        }
        if self.best().is_none_or(fitter) {
            self.best = length;
        }
        let champion = Champion::of(individual.clone(), score.losses.clone(), hasher);
        self.champions.insert(length, champion);
    }

    /// Puts a champion back that was saved; `best` says whether it was the fittest of all.
    pub(crate) fn restore(
        &mut self,
        individual: Individual,
        losses: Vec<f64>,
        best: bool,
        hasher: &FunctionalHasher,
    ) {
        let champion = Champion::of(individual, losses, hasher);
        if best {
            self.best = champion.length;
        }
        self.champions.insert(champion.length, champion);
    }

    /// The champions, shortest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Champion> {
        self.champions.values()
    }

    /// The fittest of all, among equals the one that took the lead first.
    pub fn best(&self) -> Option<&Champion> {
        self.champions.get(&self.best)
    }

    /// Writes a CSV table with one row for each length, shortest first: `length`, `fitness`,
    /// `birth`, `structural_hash`, `functional_hash`, `losses` (joined by `;`) and `program`, the
    /// text without dead statements. Numbers are written in the shortest form that reads back
    /// exactly.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_csv(&self, writer: impl Write) -> Result<(), SearchError> {
        let mut csv = csv::Writer::from_writer(writer);
        csv.write_record([
            "length",
            "fitness",
            "birth",
            "structural_hash",
            "functional_hash",
            "losses",
            "program",
        ])?;
        for champion in self.iter() {
            let losses: Vec<String> = champion.losses.iter().map(shortest).collect();
            csv.write_record([
                champion.length.to_string(),
                shortest(&champion.individual.fitness),
                champion.individual.birth.to_string(),
                champion.structural_hash.to_string(),
                champion.functional_hash.to_string(),
                losses.join(";"),
                champion.individual.program.live().to_string(),
            ])?;
        }
        csv.flush().map_err(csv::Error::from)?;
        Ok(())
    }
}

/// The debug form: it switches to an exponent where the display form writes out hundreds of zeros.
fn shortest(number: &f64) -> String {
    format!("{number:?}")
}
