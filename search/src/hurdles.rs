//! Hurdles: the least fitness with which an evaluation goes on behind each stage.
//!
//! Invariant: a candidate carries the hurdles that were up at its birth, which depend on the
//! outcomes absorbed by then and on nothing else. A hurdle is a percentile of the latest *unique*
//! fitness values seen behind its stage, as in AutoML-Zero (arXiv 2003.03384): duplicates of a good
//! program would raise it until nothing new came through. Those stopped at a hurdle count too, or
//! it could only rise. Stages inside a task have a percentile of their own, far lower: what is seen
//! there is a guess at a fitness.

use std::collections::VecDeque;
use std::sync::Arc;

use evo_domain::Outcome;
use serde::{Deserialize, Serialize};

use crate::{PartialHurdles, SearchError};

/// When an evaluation is stopped before its last task; never, unless `percentile` or `partial` is
/// set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HurdleConfig {
    /// The percentage of unique fitness values behind a stage that lie below its hurdle, above 0
    /// and below 100. Default: no hurdles.
    pub percentile: Option<f64>,
    /// Hurdles inside of tasks. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<PartialHurdles>,
    /// How many of the latest unique values count. Default: 1000.
    pub history: usize,
    /// Unique values needed before the first hurdle is put up. Default: 50.
    pub warm_up: usize,
}

impl Default for HurdleConfig {
    fn default() -> HurdleConfig {
        HurdleConfig { percentile: None, partial: None, history: 1_000, warm_up: 50 }
    }
}

/// That a share of fitness values is not one that a hurdle can be put at.
pub(crate) fn check_percentile(key: &str, percentile: f64) -> Result<(), SearchError> {
    match percentile > 0.0 && percentile < 100.0 {
        true => Ok(()),
        false => Err(SearchError::config(key, "must be above 0 and below 100")),
    }
}

/// The most values that count; all of them are moved when one comes in.
const LONGEST_HISTORY: usize = 100_000;

impl HurdleConfig {
    /// Whether an evaluation may be stopped at all.
    pub(crate) fn are_on(&self) -> bool {
        self.percentile.is_some() || self.partial.is_some()
    }

    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        if let Some(percentile) = self.percentile {
            check_percentile("hurdles.percentile", percentile)?;
        }
        if let Some(partial) = &self.partial {
            partial.validate()?;
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
    /// Of each stage, whether it lies inside a task; others do not.
    partial_stages: Vec<bool>,
    history: HurdleHistory,
    up: Arc<[f64]>,
}

impl Hurdles {
    pub(crate) fn new(config: HurdleConfig) -> Hurdles {
        let (partial_stages, history) = (Vec::new(), HurdleHistory::default());
        Hurdles { config, partial_stages, history, up: Arc::new([]) }
    }

    /// Says of each stage whether it lies inside a task.
    pub(crate) fn set_partial_stages(&mut self, partial_stages: Vec<bool>) {
        self.partial_stages = partial_stages;
    }

    /// The settings of hurdles inside of tasks.
    pub(crate) fn partial(&self) -> Option<&PartialHurdles> {
        self.config.partial.as_ref()
    }

    pub(crate) fn is_partial(&self, stage: usize) -> bool {
        self.partial_stages.get(stage).copied().unwrap_or(false)
    }

    /// These hurdles without those inside of tasks.
    pub(crate) fn without_partial(&self, hurdles: &[f64]) -> Arc<[f64]> {
        let lowered = |(stage, &hurdle)| match self.is_partial(stage) {
            true => f64::NEG_INFINITY,
            false => hurdle,
        };
        hurdles.iter().enumerate().map(lowered).collect()
    }

    /// The percentage of values behind a stage that lie below its hurdle; `None`: it has none.
    fn percentile(&self, stage: usize) -> Option<f64> {
        match self.is_partial(stage) {
            true => self.config.partial.as_ref().map(|partial| partial.percentile),
            false => self.config.percentile,
        }
    }

    /// The hurdles now up, behind each stage. Candidates share them until one changes.
    pub(crate) fn up(&self) -> &Arc<[f64]> {
        &self.up
    }

    /// Takes in the fitness behind each stage that an evaluation reached.
    ///
    /// One that was stopped inside a task counts at the next stage behind a task as well, with
    /// what it had: most of these are weak, and hurdles there would rise for want of them.
    pub(crate) fn absorb(&mut self, outcome: &Outcome) {
        if !self.config.are_on() {
            return;
        }
        for (stage, fitness) in outcome.stages().enumerate() {
            self.note(stage, fitness);
        }
        if let Outcome::Stopped(stopped) = outcome
            && self.is_partial(stopped.stage)
            && let mut later = self.partial_stages.iter().enumerate().skip(stopped.stage)
            && let Some((stage, _)) = later.find(|(_, partial)| !**partial)
        {
            self.note(stage, stopped.fitness);
        }
        self.put_up();
    }

    fn note(&mut self, stage: usize, fitness: f64) {
        let history = self.percentile(stage).map_or(0, |_| self.config.history);
        self.history.absorb(stage, history, fitness);
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
        let threshold = |(index, stage): (usize, &Stage)| match self.percentile(index) {
            Some(percentile) => stage.threshold(percentile, self.config.warm_up),
            None => f64::NEG_INFINITY,
        };
        let up: Vec<f64> = self.history.stages.iter().enumerate().map(threshold).collect();
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
    /// Takes in the fitness behind a stage, of which so many values count.
    fn absorb(&mut self, stage: usize, history: usize, fitness: f64) {
        if stage >= self.stages.len() {
            self.stages.resize(stage + 1, Stage::default());
        }
        self.stages[stage].absorb(history, fitness);
    }
}

impl Stage {
    fn absorb(&mut self, history: usize, fitness: f64) {
        // NaN has no place in an order; a program that scores it is below every hurdle.
        if fitness.is_nan() || history == 0 {
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
    use evo_domain::{Score, Stopped};

    fn hurdles(history: usize, warm_up: usize) -> Hurdles {
        let percentile = Some(50.0);
        Hurdles::new(HurdleConfig { percentile, history, warm_up, ..HurdleConfig::default() })
    }

    fn reached(stages: &[f64]) -> Outcome {
        Outcome::Scored(Score { stages: stages.to_vec(), ..Score::new(0.0, vec![]) })
    }

    #[test]
    fn a_hurdle_is_the_percentile_of_unique_values_once_there_are_enough() {
        let mut hurdles = hurdles(100, 4);
        for fitness in [1.0, 1.0, 3.0, 2.0, 1.0] {
            hurdles.absorb(&reached(&[fitness, 10.0 * fitness]));
            assert_eq!(hurdles.up().first(), Some(&f64::NEG_INFINITY));
        }
        hurdles.absorb(&reached(&[4.0]));
        assert_eq!(**hurdles.up(), [2.0, f64::NEG_INFINITY]);
        hurdles.absorb(&reached(&[f64::NAN]));
        assert_eq!(hurdles.up()[0], 2.0);
    }

    #[test]
    fn old_values_leave_in_the_order_they_came() {
        let mut hurdles = hurdles(3, 1);
        for fitness in [9.0, 8.0, 1.0, 2.0, 3.0] {
            hurdles.absorb(&reached(&[fitness]));
        }
        assert_eq!(hurdles.history().stages[0].sorted, [1.0, 2.0, 3.0]);
        assert_eq!(**hurdles.up(), [2.0]);
    }

    #[test]
    fn without_a_percentile_there_are_none() {
        let mut hurdles = Hurdles::new(HurdleConfig::default());
        hurdles.absorb(&reached(&[1.0, 2.0]));
        assert_eq!((&**hurdles.up(), hurdles.history()), (&[][..], &HurdleHistory::default()));
    }

    fn partial(percentile: Option<f64>, within: bool) -> Hurdles {
        let partial = PartialHurdles { percentile: 25.0, ..PartialHurdles::default() };
        let partial = Some(partial).filter(|_| within);
        let config = HurdleConfig { percentile, partial, warm_up: 1, ..HurdleConfig::default() };
        let mut hurdles = Hurdles::new(config);
        hurdles.set_partial_stages(vec![true, true, false]);
        hurdles
    }

    #[test]
    fn stages_inside_a_task_have_a_percentile_of_their_own() {
        let up = |percentile, within| {
            let mut hurdles = partial(percentile, within);
            [1.0, 2.0, 3.0, 4.0].iter().for_each(|it| hurdles.absorb(&reached(&[*it; 3])));
            (hurdles.up().to_vec(), hurdles.without_partial(hurdles.up()).to_vec())
        };
        let none = f64::NEG_INFINITY;
        assert_eq!(up(Some(75.0), true), (vec![1.0, 1.0, 3.0], vec![none, none, 3.0]));
        assert_eq!(up(None, true).0, [1.0, 1.0, none]);
        assert_eq!(up(Some(75.0), false).0, [none, none, 3.0]);
    }

    #[test]
    fn what_is_stopped_inside_a_task_raises_no_hurdle_behind_it() {
        let stopped = |fitness, cleared: &[f64]| {
            let (stage, cleared) = (cleared.len(), cleared.to_vec());
            Outcome::Stopped(Stopped { stage, fitness, cleared, whole: None })
        };
        let mut hurdles = partial(Some(50.0), true);
        [7.0, 8.0].iter().for_each(|fitness| hurdles.absorb(&reached(&[*fitness; 3])));
        assert_eq!(hurdles.up()[2], 7.0);
        hurdles.absorb(&stopped(1.0, &[]));
        hurdles.absorb(&stopped(2.0, &[3.0]));
        assert_eq!(hurdles.history().stages[2].sorted, [1.0, 2.0, 7.0, 8.0]);
        // Behind a task it is seen itself.
        hurdles.absorb(&stopped(3.0, &[9.0, 9.0]));
        assert_eq!(hurdles.history().stages[2].sorted, [1.0, 2.0, 3.0, 7.0, 8.0]);
        assert_eq!(hurdles.history().stages.len(), 3);
    }
}
