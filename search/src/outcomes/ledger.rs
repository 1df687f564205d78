//! The ledger: how often each behaviour has been seen and evaluated, and the mean that came of it.
//!
//! Invariant: births are noted in birth order as they are settled, and outcomes in birth order as
//! they are absorbed; so what is decided, and the mean a birth has, depend on no timing. An entry
//! is known by the birth its evaluations begin with. One that is forgotten is found by no later
//! birth, and stays until all births that had found it are absorbed. Only policies beyond caching
//! need a ledger; it lives in memory and in snapshots, and so it is bounded.

use std::collections::{BTreeMap, BTreeSet};

use evo_domain::{Outcome, Score};
use serde::{Deserialize, Serialize};

use super::sighting::Sighting;

/// Behaviours in the ledger, as many as the cache of AutoML-Zero has; the oldest is forgotten
/// first.
const MOST: usize = 100_000;

/// What is known of one behaviour since the first of its evaluations, or since it was forgotten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Births that have found it, the first included.
    pub(super) births: u64,
    /// Evaluations begun.
    pub(super) evaluations: u32,
    /// As that, with those before it was forgotten: the number of the next repeat.
    pub(super) repeats: u32,
    /// Whether no later birth finds it.
    forgotten: bool,
    mean: Mean,
}

/// The mean of the evaluations absorbed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mean {
    count: u32,
    fitness: f64,
    losses: Vec<f64>,
    /// Whether one of them has no score, and so none of them counts.
    spoilt: bool,
}

impl Mean {
    /// A failure of the engine is no evaluation.
    fn absorb(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Scored(score) => {
                self.count += 1;
                self.fitness += score.fitness;
                self.losses.resize(score.losses.len(), 0.0);
                self.losses.iter_mut().zip(&score.losses).for_each(|(sum, loss)| *sum += loss);
            }
            Outcome::Failed { .. } => {}
            Outcome::Invalid(_) | Outcome::Stopped(_) | Outcome::Ended(_) => self.spoilt = true,
        }
    }

    fn score(&self) -> Option<Score> {
        let count = f64::from(self.count);
        let losses = || self.losses.iter().map(|sum| sum / count).collect();
        let scored = self.count > 0 && !self.spoilt;
        scored.then(|| Score::new(self.fitness / count, losses()))
    }
}

/// Means as they are going to be, once births in the window are absorbed one after another: of each
/// entry that these move.
#[derive(Debug, Default)]
pub(crate) struct MeansAhead(BTreeMap<u64, Mean>);

/// What is known of behaviours, where they are not simply cached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// By the birth each begins with.
    entries: BTreeMap<u64, Entry>,
    /// Those among them that are forgotten, each behind a birth that none but earlier ones have
    /// found it before.
    forgotten: BTreeSet<(u64, u64)>,
}

impl Ledger {
    /// The entry that begins with a birth, unless it is forgotten.
    pub(super) fn get(&self, evaluation: u64) -> Option<&Entry> {
        self.entries.get(&evaluation).filter(|entry| !entry.forgotten)
    }

    /// Makes an entry forgotten for this birth and all later ones.
    pub(super) fn forget(&mut self, evaluation: u64, birth: u64) {
        if let Some(entry) = self.entries.get_mut(&evaluation).filter(|it| !it.forgotten) {
            entry.forgotten = true;
            self.forgotten.insert((birth, evaluation));
        }
    }

    /// Notes what has been decided of a birth.
    pub(super) fn note(&mut self, birth: u64, sighting: Sighting) {
        if sighting.is_first() {
            let repeats = sighting.repeat() + 1;
            let first = Entry { births: 1, evaluations: 1, repeats, ..Entry::default() };
            self.entries.insert(birth, first);
            self.bound(birth);
        } else if let Some(entry) = sighting.shared().and_then(|it| self.entries.get_mut(&it)) {
            entry.births += 1;
            entry.evaluations += u32::from(sighting.is_evaluated());
            entry.repeats += u32::from(sighting.is_evaluated());
        }
    }

    /// Forgets the oldest where there are too many.
    fn bound(&mut self, birth: u64) {
        if self.entries.len() - self.forgotten.len() > MOST
            && let Some((&oldest, _)) = self.entries.iter().find(|(_, entry)| !entry.forgotten)
        {
            self.forget(oldest, birth);
        }
    }

    /// Takes in what an evaluation came to, and gives the mean it has part in; `None` where there
    /// is no score.
    pub(super) fn absorb(&mut self, evaluation: u64, outcome: &Outcome) -> Option<Score> {
        let entry = self.entries.get_mut(&evaluation)?;
        entry.mean.absorb(outcome);
        entry.mean.score()
    }

    /// The mean of the evaluations absorbed; `None` where there is no score.
    pub(super) fn mean(&self, evaluation: u64) -> Option<Score> {
        self.entries.get(&evaluation)?.mean.score()
    }

    /// As [`Ledger::absorb`], of what is going to be.
    pub(super) fn absorb_ahead(
        &self,
        ahead: &mut MeansAhead,
        evaluation: u64,
        outcome: &Outcome,
    ) -> Option<Score> {
        let entry = self.entries.get(&evaluation)?;
        let mean = ahead.0.entry(evaluation).or_insert_with(|| entry.mean.clone());
        mean.absorb(outcome);
        mean.score()
    }

    /// As [`Ledger::mean`], of what is going to be.
    pub(super) fn mean_ahead(&self, ahead: &MeansAhead, evaluation: u64) -> Option<Score> {
        ahead.0.get(&evaluation).map_or_else(|| self.mean(evaluation), Mean::score)
    }

    /// Drops what is forgotten once so many births are absorbed, and none is left that found it.
    pub(super) fn drop_forgotten(&mut self, absorbed: u64) {
        while let Some(&(birth, evaluation)) = self.forgotten.first()
            && birth <= absorbed
        {
            self.forgotten.pop_first();
            self.entries.remove(&evaluation);
        }
    }

    /// Forgets what begins with a birth below this one, at a birth that is to come: what some of
    /// those before it share stays for them, and the rest goes.
    pub(super) fn forget_below(&mut self, below: u64, shared: &BTreeSet<u64>, birth: u64) {
        self.entries.retain(|first, _| *first >= below || shared.contains(first));
        let entries = &self.entries;
        self.forgotten.retain(|(_, entry)| entries.contains_key(entry));
        for first in shared.range(..below) {
            self.forget(*first, birth);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(fitness: f64) -> Outcome {
        Outcome::Scored(Score::new(fitness, vec![2.0 * fitness]))
    }

    fn scored_mean(fitness: f64) -> Score {
        Score::new(fitness, vec![2.0 * fitness])
    }

    #[test]
    fn the_mean_is_that_of_all_scores_and_none_where_a_program_cannot_train() {
        let mut ledger = Ledger::default();
        ledger.note(3, Sighting::New);
        let again = |repeat| Sighting::Aggregated { evaluation: 3, same_structure: true, repeat };
        ledger.note(5, again(1));
        let entry = ledger.get(3).expect("it was noted");
        assert_eq!((entry.births, entry.evaluations, entry.repeats), (2, 2, 2));
        assert_eq!(ledger.mean(3), None);
        let mut ahead = MeansAhead::default();
        assert_eq!(ledger.absorb_ahead(&mut ahead, 3, &scored(5.0)), Some(scored_mean(5.0)));
        assert_eq!(ledger.mean_ahead(&ahead, 3), Some(scored_mean(5.0)));
        assert_eq!(ledger.mean(3), None);
        ledger.absorb(3, &scored(1.0));
        assert_eq!(ledger.mean_ahead(&MeansAhead::default(), 3), Some(scored_mean(1.0)));
        ledger.absorb(3, &Outcome::Failed { message: String::new() });
        assert_eq!(ledger.absorb(3, &scored(2.0)), Some(Score::new(1.5, vec![3.0])));
        assert_eq!(ledger.mean(3), Some(Score::new(1.5, vec![3.0])));
        let stopped = evo_domain::Stopped { stage: 0, fitness: 9.0, cleared: vec![], whole: None };
        assert_eq!(ledger.absorb(3, &Outcome::Stopped(stopped)), None);
        assert_eq!(ledger.absorb(3, &scored(2.0)), None);
    }

    #[test]
    fn what_is_forgotten_is_there_for_those_who_found_it_and_goes_with_the_last() {
        let mut ledger = Ledger::default();
        ledger.note(0, Sighting::New);
        ledger.absorb(0, &scored(1.0));
        ledger.forget(0, 7);
        ledger.note(7, Sighting::Anew { repeat: 1 });
        assert!(ledger.get(0).is_none() && ledger.mean(0).is_some());
        assert_eq!(ledger.get(7).map(|entry| entry.repeats), Some(2));
        ledger.drop_forgotten(6);
        assert!(ledger.mean(0).is_some());
        ledger.drop_forgotten(7);
        assert!(ledger.mean(0).is_none() && ledger.get(7).is_some());
    }

    #[test]
    fn the_oldest_is_forgotten_where_there_are_too_many() {
        let mut ledger = Ledger::default();
        for birth in 0..MOST as u64 + 10 {
            ledger.note(birth, Sighting::New);
        }
        assert!(ledger.get(9).is_none() && ledger.get(10).is_some());
        ledger.drop_forgotten(u64::MAX);
        assert_eq!(ledger.entries.len(), MOST);
    }

    #[test]
    fn at_a_snapshot_what_is_shared_stays_for_those_who_share_it_and_is_found_by_none() {
        let mut ledger = Ledger::default();
        (0..10).for_each(|birth| ledger.note(birth, Sighting::New));
        ledger.absorb(2, &scored(1.0));
        ledger.forget(4, 6);
        ledger.forget_below(5, &BTreeSet::from([2, 7]), 10);
        assert!(ledger.get(2).is_none() && ledger.mean(2).is_some() && ledger.get(7).is_some());
        assert_eq!((ledger.entries.len(), ledger.forgotten.len()), (6, 1));
        ledger.drop_forgotten(10);
        assert!(ledger.mean(2).is_none());
    }
}
