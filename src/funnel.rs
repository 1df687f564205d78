//! Funnels: candidates of finished searches on stages of tasks that no search saw, fewer behind
//! each.
//!
//! Invariant: a decision is a function of the studies so far, which are paired by seed, and of a
//! stated error rate; so a funnel that is made again, or resumed, decides alike. The error rate is
//! that of chance in initial weights and batches on the tasks of the stage: that these tasks speak
//! for others is what an audit is for.

use evo_evaluators::StudyConfig;
use evo_hashes::Seed;
use evo_statistics::{Bootstrap, Estimate};
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

/// How candidates are selected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunnelConfig {
    /// The best of each run that enter, each of another fitness, besides its hall of fame. Default:
    /// 20.
    #[serde(default = "default_candidates")]
    pub candidates: usize,
    /// How often a stage may drop a candidate that belongs to those it keeps, in (0, 1). Default:
    /// 0.05.
    #[serde(default = "default_error_rate")]
    pub error_rate: f64,
    /// The stages, in order.
    pub stages: Vec<FunnelStage>,
}

/// A stage of a funnel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunnelStage {
    /// Its name.
    pub name: String,
    /// The most candidates that pass it.
    pub keep: NonZeroUsize,
    /// Its tasks, and what tuning and reporting may cost.
    pub studies: StudyConfig,
}

fn default_candidates() -> usize {
    20
}

fn default_error_rate() -> f64 {
    0.05
}

/// What a stage decides by: of each candidate the gains over the reference, by task and seed;
/// `None` for a task that it does not train.
pub type Gains = Vec<Vec<Option<Vec<f64>>>>;

/// A stage under way.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// Tasks of the whole stage.
    pub tasks: usize,
    /// The most candidates that pass.
    pub keep: usize,
    /// How often it may drop one that should pass.
    pub error_rate: f64,
}

impl Race {
    /// The candidates that cannot be among the best any more, by their places, when the first tasks
    /// are done: those that do not train one of them, and from half of the tasks on those that are
    /// behind as many others as pass by more than chance explains.
    pub fn dropped(&self, gains: &Gains) -> Vec<usize> {
        let done = gains.first().map_or(0, Vec::len);
        let trained: Vec<usize> = (0..gains.len()).filter(|&it| trains(&gains[it])).collect();
        // As often as it is asked, and for each candidate.
        let tests = (self.tasks.div_ceil(2) * gains.len().max(1)) as f64;
        let bootstrap = Bootstrap { level: 1.0 - 2.0 * self.error_rate / tests, ..bootstrap() };
        let behind = |own: usize| {
            let ahead = trained.iter().filter(|&&other| {
                other != own && difference(&gains[own], &gains[other], &bootstrap).high < 0.0
            });
            ahead.count()
        };
        let judged = 2 * done >= self.tasks;
        let is_out = |&it: &usize| !trains(&gains[it]) || (judged && behind(it) >= self.keep);
        (0..gains.len()).filter(is_out).collect()
    }

    /// The candidates that pass the whole stage, the best first: by the lower end of the interval
    /// of their mean gain, of equals the first.
    pub fn promoted(&self, gains: &Gains) -> Vec<usize> {
        let bound = |own: &usize| mean(&gains[*own]).map_or(f64::NEG_INFINITY, |it| it.low);
        let mut places: Vec<usize> = (0..gains.len()).filter(|&it| trains(&gains[it])).collect();
        places.sort_by(|a, b| bound(b).total_cmp(&bound(a)));
        places.truncate(self.keep);
        places
    }
}

fn bootstrap() -> Bootstrap {
    Bootstrap { resamples: 4_000, ..Bootstrap::new(Seed(0).derive("funnel")) }
}

fn trains(gains: &[Option<Vec<f64>>]) -> bool {
    gains.iter().all(Option::is_some)
}

/// The mean over tasks and seeds with its interval; `None` where a task is not trained, or there is
/// one seed only.
pub fn mean(gains: &[Option<Vec<f64>>]) -> Option<Estimate> {
    let numbers: Option<Vec<&Vec<f64>>> = gains.iter().map(Option::as_ref).collect();
    bootstrap().mean_of_groups(&numbers?)
}

/// By how much one gains more than another on the tasks so far, seed by seed.
fn difference(
    own: &[Option<Vec<f64>>],
    other: &[Option<Vec<f64>>],
    bootstrap: &Bootstrap,
) -> Estimate {
    let pairs = own.iter().zip(other).map(|(own, other)| {
        let pairs = own.iter().flatten().zip(other.iter().flatten());
        pairs.map(|(own, other)| own - other).collect()
    });
    let differences: Vec<Vec<f64>> = pairs.collect();
    let known = bootstrap.mean_of_groups(&differences);
    // With one seed nothing is known of chance.
    known.unwrap_or(Estimate { value: 0.0, low: f64::NEG_INFINITY, high: f64::INFINITY })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gains about a mean, by four seeds on each task.
    fn gains(mean: f64, tasks: usize) -> Vec<Option<Vec<f64>>> {
        let seeds = [-0.02, 0.01, 0.03, -0.01];
        (0..tasks)
            .map(|task| {
                let offset = 0.005 * task as f64;
                Some(seeds.iter().map(|it| mean + it * (1.0 + offset)).collect())
            })
            .collect()
    }

    fn race(keep: usize) -> Race {
        Race { tasks: 4, keep, error_rate: 0.05 }
    }

    #[test]
    fn those_surely_behind_are_dropped_from_half_of_the_tasks_on() {
        let all = |tasks| vec![gains(0.3, tasks), gains(0.299, tasks), gains(-0.2, tasks)];
        assert_eq!(race(2).dropped(&all(1)), [0; 0], "too early");
        assert_eq!(race(2).dropped(&all(2)), [2]);
        assert_eq!(race(1).dropped(&all(4)), [1, 2], "a thousandth on every seed is sure");
        assert_eq!(race(3).dropped(&all(4)), [0; 0], "three pass");
    }

    #[test]
    fn chance_drops_nobody_and_what_does_not_train_goes_at_once() {
        let mut close = vec![gains(0.3, 2), gains(0.3, 2)];
        for numbers in close[1].iter_mut().flatten() {
            numbers.reverse();
        }
        assert_eq!(race(1).dropped(&close), [0; 0]);
        close[0][0] = None;
        assert_eq!(race(1).dropped(&close), [0]);
        let alone = vec![vec![Some(vec![0.5])], vec![Some(vec![0.1])]];
        assert_eq!(Race { tasks: 1, ..race(1) }.dropped(&alone), [0; 0], "one seed says nothing");
    }

    #[test]
    fn the_best_pass_by_their_lower_bounds() {
        let mut all = vec![gains(0.1, 4), gains(0.3, 4), gains(0.2, 4), gains(0.5, 4)];
        all[3][2] = None;
        assert_eq!(race(2).promoted(&all), [1, 2]);
        // As good on the whole, and less sure.
        all[1][0] = Some(vec![2.3, -1.7, 1.9, -1.3]);
        assert_eq!(race(2).promoted(&all), [2, 0]);
    }
}
