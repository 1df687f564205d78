//! The hall of fame: the fittest individual of every length.
//!
//! Invariant: births are offered in birth order and only a fitter one displaces another, so equal
//! runs give equal bytes. Length counts live statements: dead ones cost nothing when the program is
//! used, and counting them would fill the rows with copies of one behaviour. A row holds what its
//! very program scored: an individual that shares the evaluation of another program only lays claim
//! to a row, until it has been evaluated itself.

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
    /// The functional hash of its program; none of one that is not finite on the probe.
    pub functional_hash: Option<Hash>,
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
    /// By length, individuals that may be fitter than its champion, each fitter than those before
    /// it if its shared outcome holds.
    claims: BTreeMap<usize, Vec<Individual>>,
}

impl HallOfFame {
    /// Takes the individual in if it is the fittest of its length so far, by an outcome of its own.
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

    /// Remembers an individual that would be the fittest of its length so far, if the outcome it
    /// shares is its own.
    pub(crate) fn claim(&mut self, individual: &Individual) {
        let (length, fitness) = (individual.length, individual.fitness);
        let least = self.champions.get(&length).map(|champion| champion.individual.fitness);
        let claims = self.claims.entry(length).or_default();
        claims.retain(|claim| least.is_none_or(|least| claim.fitness > least));
        let least = claims.last().map(|claim| claim.fitness).or(least);
        if fitness > least.unwrap_or(f64::NEG_INFINITY) {
            claims.push(individual.clone());
        }
    }

    /// The claims by length, whether they still stand or not.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &Individual> {
        self.claims.values().flatten()
    }

    /// Removes and gives the claims above their champions.
    pub(crate) fn take_claims(&mut self) -> impl Iterator<Item = Individual> {
        let stands = |claim: &Individual| {
            let champion = self.champions.get(&claim.length);
            champion.is_none_or(|champion| claim.fitness > champion.individual.fitness)
        };
        std::mem::take(&mut self.claims).into_values().flatten().filter(stands)
    }

    /// Puts a claim back that was saved.
    pub(crate) fn restore_claim(&mut self, individual: Individual) {
        self.claims.entry(individual.length).or_default().push(individual);
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
                champion.functional_hash.map(|hash| hash.to_string()).unwrap_or_default(),
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
