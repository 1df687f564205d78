//! Hurdles: the least fitness with which an evaluation goes on behind each stage.
//!
//! Invariant: a candidate carries the hurdles that were up at its birth, which depend on the
//! outcomes absorbed by then and on nothing else. A hurdle is a percentile of the latest *unique*
//! fitness values seen behind its stage, as in AutoML-Zero (arXiv 2003.03384): duplicates of a good
//! program would raise it until nothing new came through. Those stopped at a hurdle count too, or
//! it could only rise.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::SearchError;

/// When an evaluation is stopped before its last task; never, unless `percentile` is set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HurdleConfig {
    /// The percentage of unique fitness values behind a stage that lie below its hurdle, above 0
    /// and below 100. Default: no hurdles.
    pub percentile: Option<f64>,
    /// How many of the latest unique values count. Default: 1000.
    pub history: usize,
    /// Unique values needed before the first hurdle is put up. Default: 50.
    pub warm_up: usize,
}

impl Default for HurdleConfig {
    fn default() -> HurdleConfig {
        HurdleConfig { percentile: None, history: 1_000, warm_up: 50 }
    }
}

/// The most values that count; all of them are moved when one comes in.
const LONGEST_HISTORY: usize = 100_000;

impl HurdleConfig {
    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        if self.percentile.is_some_and(|percentile| !(percentile > 0.0 && percentile < 100.0)) {
            let message = "must be above 0 and below 100";
            return Err(SearchError::config("hurdles.percentile", message));
        }
        if !(1..=LONGEST_HISTORY).contains(&self.history) {
            let message = format!("must be 1 to {LONGEST_HISTORY}");
            return Err(SearchError::config("hurdles.history", message));
        }
        if !(1..=self.history).contains(&self.warm_up) {
            let message = format!("must be 1 to {}, the history", self.history);
            return Err(SearchError::config("hurdles.warm_up", message));
        }
        Ok(())
    }
}

/// The hurdles of a search.
pub(crate) struct Hurdles {
    config: HurdleConfig,
    history: HurdleHistory,
    up: Arc<[f64]>,
}

impl Hurdles {
    pub(crate) fn new(config: HurdleConfig) -> Hurdles {
        Hurdles { config, history: HurdleHistory::default(), up: Arc::new([]) }
    }

    /// The hurdles now up, behind each stage. Candidates share them until one changes.
    pub(crate) fn up(&self) -> &Arc<[f64]> {
        &self.up
    }

    /// Takes in the fitness behind each stage that an evaluation reached.
    pub(crate) fn absorb(&mut self, stages: impl Iterator<Item = f64>) {
        self.history.absorb(&self.config, stages);
        self.put_up();
    }

    /// Forgets all that was seen.
    pub(crate) fn clear(&mut self) {
        self.restore(HurdleHistory::default());
    }

    pub(crate) fn history(&self) -> &HurdleHistory {
        &self.history
    }

    /// Goes on from what was seen earlier.
    pub(crate) fn restore(&mut self, history: HurdleHistory) {
        self.history = history;
        self.put_up();
    }

    fn put_up(&mut self) {
        let up = self.history.thresholds(&self.config);
        if *self.up != *up {
            self.up = up.into();
        }
    }
}

/// What was seen behind every stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct HurdleHistory {
    stages: Vec<Stage>,
}

/// The latest unique fitness values behind a stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Stage {
    /// In the order they came.
    latest: VecDeque<f64>,
    /// The same, ascending.
    sorted: Vec<f64>,
}

impl HurdleHistory {
    /// Takes in the fitness behind each stage that an evaluation reached.
    fn absorb(&mut self, config: &HurdleConfig, stages: impl Iterator<Item = f64>) {
        if config.percentile.is_none() {
            return;
        }
        for (index, fitness) in stages.enumerate() {
            if index == self.stages.len() {
                self.stages.push(Stage::default());
            }
            self.stages[index].absorb(config.history, fitness);
        }
    }

    /// The hurdle behind each stage; negative infinity for one that is not up yet.
    fn thresholds(&self, config: &HurdleConfig) -> Vec<f64> {
        let Some(percentile) = config.percentile else { return Vec::new() };
        self.stages.iter().map(|stage| stage.threshold(percentile, config.warm_up)).collect()
    }
}

impl Stage {
    fn absorb(&mut self, history: usize, fitness: f64) {
        // NaN has no place in an order; a program that scores it is below every hurdle.
        if fitness.is_nan() {
            return;
        }
        let Err(place) = self.sorted.binary_search_by(|seen| seen.total_cmp(&fitness)) else {
            return;
        };
        self.sorted.insert(place, fitness);
        self.latest.push_back(fitness);
        if self.latest.len() > history
            && let Some(oldest) = self.latest.pop_front()
            && let Ok(place) = self.sorted.binary_search_by(|seen| seen.total_cmp(&oldest))
        {
            self.sorted.remove(place);
        }
    }

    /// The nearest rank: the smallest value with at least the percentage of all values at or below
    /// it.
    fn threshold(&self, percentile: f64, warm_up: usize) -> f64 {
        if self.sorted.len() < warm_up {
            return f64::NEG_INFINITY;
        }
        let rank = (percentile / 100.0 * self.sorted.len() as f64).ceil() as usize;
        self.sorted[rank.clamp(1, self.sorted.len()) - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(history: usize, warm_up: usize) -> HurdleConfig {
        HurdleConfig { percentile: Some(50.0), history, warm_up }
    }

    #[test]
    fn a_hurdle_is_the_percentile_of_unique_values_once_there_are_enough() {
        let config = config(100, 4);
        let mut hurdles = HurdleHistory::default();
        for fitness in [1.0, 1.0, 3.0, 2.0, 1.0] {
            hurdles.absorb(&config, [fitness, 10.0 * fitness].into_iter());
            assert_eq!(hurdles.thresholds(&config).first(), Some(&f64::NEG_INFINITY));
        }
        hurdles.absorb(&config, std::iter::once(4.0));
        assert_eq!(hurdles.thresholds(&config), [2.0, f64::NEG_INFINITY]);
        hurdles.absorb(&config, std::iter::once(f64::NAN));
        assert_eq!(hurdles.thresholds(&config)[0], 2.0);
    }

    #[test]
    fn old_values_leave_in_the_order_they_came() {
        let config = config(3, 1);
        let mut hurdles = HurdleHistory::default();
        for fitness in [9.0, 8.0, 1.0, 2.0, 3.0] {
            hurdles.absorb(&config, std::iter::once(fitness));
        }
        assert_eq!(hurdles.stages[0].sorted, [1.0, 2.0, 3.0]);
        assert_eq!(hurdles.thresholds(&config), [2.0]);
    }

    #[test]
    fn without_a_percentile_there_are_none() {
        let config = HurdleConfig::default();
        let mut hurdles = HurdleHistory::default();
        hurdles.absorb(&config, (0..5).map(f64::from));
        assert_eq!(
            (hurdles.thresholds(&config), &hurdles),
            (Vec::new(), &HurdleHistory::default())
        );
    }
}
