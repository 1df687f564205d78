//! The hall of fame: the fittest individual of every length.
//!
//! Invariant: births are offered in birth order and only a fitter one displaces another, so equal
//! runs give equal bytes. Length counts the parts that have an effect: the others cost nothing when
//! the program is used, and counting them would fill the rows with copies of one behaviour. A row
//! holds what its very program scored: an individual that shares the evaluation of another program
//! only lays claim to a row, until it has been evaluated itself.

use std::collections::BTreeMap;
use std::io::Write;

use evo_domain::{Domain, Score};
use evo_hashes::Hash;

use crate::{Individual, SearchError};

/// The fittest individual of one length.
#[derive(Clone, Debug)]
pub struct Champion<P> {
    /// Number of parts that have an effect.
    pub length: usize,
    /// The individual.
    pub individual: Individual<P>,
    /// Its loss on each task, in configuration order.
    pub losses: Vec<f64>,
    /// The hash of its program's structure.
    pub structural_hash: Hash,
    /// The hash of its program's behaviour; none where that cannot be told.
    pub functional_hash: Option<Hash>,
}

impl<P: Clone> Champion<P> {
    fn of<D: Domain<Program = P>>(
        individual: Individual<P>,
        losses: Vec<f64>,
        domain: &D,
    ) -> Champion<P> {
        let analysis = domain.analyse(&individual.program);
        Champion {
            length: individual.length,
            losses,
            structural_hash: domain.structure(&individual.program, &analysis),
            functional_hash: domain.behaviour(&individual.program, &analysis),
            individual,
        }
    }
}

/// The fittest individual of every length.
#[derive(Clone, Debug)]
pub struct HallOfFame<P> {
    champions: BTreeMap<usize, Champion<P>>,
    /// The length of the fittest of all.
    best: usize,
    /// By length, individuals that may be fitter than its champion, each fitter than those before
    /// it if its shared outcome holds.
    claims: BTreeMap<usize, Vec<Individual<P>>>,
}

impl<P> Default for HallOfFame<P> {
    fn default() -> HallOfFame<P> {
        HallOfFame { champions: BTreeMap::new(), best: 0, claims: BTreeMap::new() }
    }
}

impl<P: Clone> HallOfFame<P> {
    /// Takes the individual in if it is the fittest of its length so far, by an outcome of its own.
    pub(crate) fn offer<D: Domain<Program = P>>(
        &mut self,
        individual: &Individual<P>,
        score: &Score,
        domain: &D,
    ) {
        if individual.fitness == f64::NEG_INFINITY {
            return;
        }
        let length = individual.length;
        let fitter = |champion: &Champion<P>| individual.fitness > champion.individual.fitness;
        if !self.champions.get(&length).is_none_or(fitter) {
            return;
        }
        if self.best().is_none_or(fitter) {
            self.best = length;
        }
        let champion = Champion::of(individual.clone(), score.losses.clone(), domain);
        self.champions.insert(length, champion);
    }

    /// Remembers an individual that would be the fittest of its length so far, if the outcome it
    /// shares is its own.
    pub(crate) fn claim(&mut self, individual: &Individual<P>) {
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
    pub(crate) fn claims(&self) -> impl Iterator<Item = &Individual<P>> {
        self.claims.values().flatten()
    }

    /// Removes and gives the claims above their champions.
    pub(crate) fn take_claims(&mut self) -> impl Iterator<Item = Individual<P>> {
        let stands = |claim: &Individual<P>| {
            let champion = self.champions.get(&claim.length);
            champion.is_none_or(|champion| claim.fitness > champion.individual.fitness)
        };
        std::mem::take(&mut self.claims).into_values().flatten().filter(stands)
    }

    /// Puts a claim back that was saved.
    pub(crate) fn restore_claim(&mut self, individual: Individual<P>) {
        self.claims.entry(individual.length).or_default().push(individual);
    }

    /// Puts a champion back that was saved; `best` says whether it was the fittest of all.
    pub(crate) fn restore<D: Domain<Program = P>>(
        &mut self,
        individual: Individual<P>,
        losses: Vec<f64>,
        best: bool,
        domain: &D,
    ) {
        let champion = Champion::of(individual, losses, domain);
        if best {
            self.best = champion.length;
        }
        self.champions.insert(champion.length, champion);
    }

    /// The champions, shortest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Champion<P>> {
        self.champions.values()
    }

    /// The fittest of all, among equals the one that took the lead first.
    pub fn best(&self) -> Option<&Champion<P>> {
        self.champions.get(&self.best)
    }

    /// Writes a CSV table with one row for each length, shortest first: `length`, `fitness`,
    /// `birth`, `structural_hash`, `functional_hash`, `losses` (joined by `;`) and `program`, the
    /// text without what has no effect. Numbers are written in the shortest form that reads back
    /// exactly.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_csv<D: Domain<Program = P>>(
        &self,
        domain: &D,
        writer: impl Write,
    ) -> Result<(), SearchError> {
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
                domain.live_text(&champion.individual.program),
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
