//! Partial hurdles: hurdles inside of tasks, and how often they stop what they should not.
//!
//! Invariant: which births are reprieved follows from seed and birth alone, whatever becomes of
//! them. A reprieved birth that a partial hurdle stops is evaluated to its end all the same, which
//! is counted and changes nothing else: its outcome is that it was stopped. So the reprieved are a
//! fair sample of all births, and those among them that were stopped and belong to the fittest
//! tenth of their time tell what share of such programs a run loses.

use evo_domain::Outcome;
use evo_hashes::SeedPurpose;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::hurdles::check_percentile;
use crate::{RecheckRate, SearchError};

/// Hurdles at shares of the steps of every task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartialHurdles {
    /// Shares of a task's steps behind which the fitness so far is looked at, in (0, 1) and rising.
    /// The task itself counts there by its partial loss, that of training. Default: 0.25 and 0.5.
    pub at: Vec<f64>,
    /// The percentage of unique values there that lie below the hurdle, above 0 and below 100.
    /// Default: 20.
    pub percentile: f64,
    /// The share of births, 0 to 1, that are evaluated to their end where a partial hurdle stops
    /// them, to see what was lost. Default: 0.05.
    pub reprieve: f64,
}

impl Default for PartialHurdles {
    fn default() -> PartialHurdles {
        PartialHurdles { at: vec![0.25, 0.5], percentile: 20.0, reprieve: 0.05 }
    }
}

/// The most places in a task.
const MOST_PLACES: usize = 100;

impl PartialHurdles {
    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        if !(1..=MOST_PLACES).contains(&self.at.len()) {
            let message = format!("must be 1 to {MOST_PLACES} shares of a task's steps");
            return Err(SearchError::config("hurdles.partial.at", message));
        }
        let mut before = 0.0;
        for (index, &share) in self.at.iter().enumerate() {
            let key = format!("hurdles.partial.at[{index}]");
            if !(share > 0.0 && share < 1.0) {
                return Err(SearchError::config(key, "must be above 0 and below 1"));
            }
            if share <= before {
                let message = format!("must be above {before}, the one before");
                return Err(SearchError::config(key, message));
            }
            before = share;
        }
        check_percentile("hurdles.partial.percentile", self.percentile)?;
        if !(0.0..=1.0).contains(&self.reprieve) {
            let message = "must be 0 to 1";
            return Err(SearchError::config("hurdles.partial.reprieve", message));
        }
        Ok(())
    }

    /// Whether a birth would be evaluated to its end.
    pub(crate) fn reprieves(&self, streams: SeedPurpose, birth: u64) -> bool {
        self.reprieve > 0.0 && streams.stream(birth).random::<f64>() < self.reprieve
    }
}

/// What came of the births that were reprieved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reprieves {
    /// Evaluations absorbed of births drawn to be reprieved.
    pub reprieved: u64,
    /// Those among them that a partial hurdle stopped.
    pub stopped: u64,
    /// Those that belong to the fittest tenth of the [`ERA`] evaluations of their time, stopped or
    /// not.
    pub top: u64,
    /// Those of these that a partial hurdle stopped.
    pub lost: u64,
}

/// Evaluations, one after another, among which a fittest tenth is told.
pub const ERA: usize = 200;

impl Reprieves {
    /// How often one of the fittest tenth was stopped, and its interval.
    pub fn rate(&self) -> RecheckRate {
        RecheckRate { rechecked: self.top, disagreed: self.lost }
    }

    /// Every count by its name.
    pub(crate) fn named(&self) -> [(&'static str, u64); 4] {
        let Reprieves { reprieved, stopped, top, lost } = *self;
        let names = ["reprieved", "reprieved_stopped", "reprieved_top", "reprieved_lost"];
        [(names[0], reprieved), (names[1], stopped), (names[2], top), (names[3], lost)]
    }

    /// The counts with these values by their names; `None` where one is missing.
    pub(crate) fn of_named(value: impl Fn(&str) -> Option<u64>) -> Option<Reprieves> {
        Some(Reprieves {
            reprieved: value("reprieved")?,
            stopped: value("reprieved_stopped")?,
            top: value("reprieved_top")?,
            lost: value("reprieved_lost")?,
        })
    }
}

/// The count of reprieves while a run goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ReprieveCount {
    /// Of the eras that are over.
    counts: Reprieves,
    /// The evaluations of this one, in order.
    era: Vec<Seen>,
}

/// An evaluation as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    /// Of one that was reprieved, that which it was stopped short of.
    fitness: f64,
    reprieved: bool,
    stopped: bool,
}

impl ReprieveCount {
    /// Takes in what an evaluation came to.
    pub(crate) fn absorb(&mut self, outcome: &Outcome, reprieved: bool) {
        let whole = outcome.whole();
        let fitness = whole.unwrap_or(outcome).fitness();
        self.era.push(Seen { fitness, reprieved, stopped: whole.is_some() });
        if self.era.len() == ERA {
            self.counts = self.counts();
            self.era.clear();
        }
    }

    /// The counts so far, this era as far as it has come.
    pub(crate) fn counts(&self) -> Reprieves {
        let mut fitness: Vec<f64> = self.era.iter().map(|seen| seen.fitness).collect();
        fitness.retain(|fitness| *fitness > f64::NEG_INFINITY);
        fitness.sort_by(|a, b| b.total_cmp(a));
        let least = fitness.get(self.era.len().div_ceil(10).saturating_sub(1)).or(fitness.last());
        let least = least.copied().unwrap_or(f64::INFINITY);
        let mut counts = self.counts;
        for seen in self.era.iter().filter(|seen| seen.reprieved) {
            let is_top = seen.fitness >= least;
            counts.reprieved += 1;
            counts.stopped += u64::from(seen.stopped);
            counts.top += u64::from(is_top);
            counts.lost += u64::from(is_top && seen.stopped);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo_domain::{Score, Stopped};

    fn scored(fitness: f64) -> Outcome {
        Outcome::Scored(Score::new(fitness, vec![]))
    }

    fn stopped(whole: Option<f64>) -> Outcome {
        let whole = whole.map(|fitness| Box::new(scored(fitness)));
        Outcome::Stopped(Stopped { stage: 0, fitness: 0.0, cleared: vec![], whole })
    }

    #[test]
    fn the_lost_are_those_stopped_that_belong_to_the_fittest_tenth_of_their_time() {
        let mut count = ReprieveCount::default();
        for _ in 0..2 {
            // Ranks from 0; the first twenty of two hundred are the fittest tenth.
            for rank in 0..ERA {
                let fitness = -(rank as f64);
                let (outcome, reprieved) = match rank {
                    3 | 19 | 20 => (stopped(Some(fitness)), true),
                    4 | 30 => (scored(fitness), true),
                    100.. => (stopped(None), rank > 190),
                    _ => (scored(fitness), false),
                };
                count.absorb(&outcome, reprieved);
            }
        }
        let era = Reprieves { reprieved: 14, stopped: 3, top: 3, lost: 2 };
        let Reprieves { reprieved, stopped: of_them, top, lost } = era;
        let twice = Reprieves {
            reprieved: 2 * reprieved,
            stopped: 2 * of_them,
            top: 2 * top,
            lost: 2 * lost,
        };
        assert_eq!(count.counts(), twice);
        // An era that has only begun counts as far as it has come.
        count.absorb(&stopped(Some(1.0)), true);
        assert_eq!(count.counts().lost, twice.lost + 1);
        let named: std::collections::BTreeMap<_, _> = twice.named().into_iter().collect();
        assert_eq!(Reprieves::of_named(|name| named.get(name).copied()), Some(twice));
    }

    #[test]
    fn where_nothing_is_scored_nothing_is_lost() {
        let mut count = ReprieveCount::default();
        for _ in 0..50 {
            count.absorb(&stopped(None), true);
        }
        assert_eq!(count.counts(), Reprieves { reprieved: 50, ..Reprieves::default() });
    }

    #[test]
    fn settings_that_are_none_are_refused_at_their_key() {
        let with = |change: fn(&mut PartialHurdles)| {
            let mut partial = PartialHurdles::default();
            change(&mut partial);
            partial.validate().expect_err("it cannot be searched with").to_string()
        };
        for (error, key) in [
            (with(|it| it.at = vec![]), "hurdles.partial.at"),
            (with(|it| it.at = vec![0.5, 0.5]), "hurdles.partial.at[1]"),
            (with(|it| it.at = vec![1.0]), "hurdles.partial.at[0]"),
            (with(|it| it.at = vec![f64::NAN]), "hurdles.partial.at[0]"),
            (with(|it| it.percentile = 100.0), "hurdles.partial.percentile"),
            (with(|it| it.percentile = f64::NAN), "hurdles.partial.percentile"),
            (with(|it| it.reprieve = 1.5), "hurdles.partial.reprieve"),
            (with(|it| it.reprieve = f64::NAN), "hurdles.partial.reprieve"),
        ] {
            assert!(error.contains(&format!("`{key}`")) || error.starts_with(key), "{error}");
        }
    }
}
