//! What the runs of every arm come to, side by side.
//!
//! Invariant: arms are compared at costs that all of them came to: evaluations, or time, up to
//! where the first run ended, those left out that ended before their limits, of which nothing more
//! was to come. What clocks say is in [`Timed`] alone.

use evo::{Bootstrap, RecheckRate, Seed};
use serde::Serialize;

use super::leg::{Clock, Finished};

/// The runs of an arm.
pub(super) struct Runs {
    pub(super) arm: String,
    /// By seed.
    pub(super) runs: Vec<Finished>,
}

/// All runs, and what is told of them.
pub(super) struct Ablation {
    /// The one that others are compared with first.
    pub(super) arms: Vec<Runs>,
    pub(super) seeds: Vec<u64>,
    /// The highest fitness there is, where it is known.
    pub(super) optimum: Option<f64>,
    /// The fitness whose cost is told.
    pub(super) target: f64,
    /// Numbers of evaluations behind which the best is told.
    pub(super) budgets: Vec<u64>,
    pub(super) clock: Clock,
}

/// A mean over seeds, with its 95% bootstrap interval where there are two or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Mean {
    pub(super) value: f64,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

/// An arm, as far as no clock has a say.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) arm: String,
    pub(super) seeds: usize,
    /// Means over the seeds.
    pub(super) candidates: f64,
    pub(super) evaluations: f64,
    /// Candidates processed for each evaluation.
    pub(super) saved: f64,
    /// Shares of all births, and of those in the last quarter of each run.
    pub(super) structural_hits: f64,
    pub(super) functional_hits: f64,
    pub(super) late_hits: f64,
    /// The best fitness at the end; none where a run scored nothing.
    pub(super) best: Option<Mean>,
    /// The best fitness at as many evaluations as every run has.
    pub(super) best_at_equal_evaluations: Option<Mean>,
    /// Medians over the seeds of what it took to the target; none where half of them miss it.
    pub(super) births_to_target: Option<f64>,
    pub(super) evaluations_to_target: Option<f64>,
    pub(super) reached_target: usize,
    pub(super) rechecked: u64,
    pub(super) disagreed: u64,
    pub(super) disagreed_low: f64,
    pub(super) disagreed_high: f64,
    pub(super) structures_per_behaviour: f64,
}

/// What clocks say of an arm.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Timed {
    pub(super) arm: String,
    /// The mean of all runs.
    pub(super) seconds: f64,
    /// The best fitness at a time that every run has.
    pub(super) best_at_equal_time: Option<Mean>,
    /// The median; none where half of the runs miss the target.
    pub(super) seconds_to_target: Option<f64>,
    /// How many times as fast as the first arm that is.
    pub(super) speedup: Option<f64>,
    /// The share of the CPU that telling programs apart takes.
    pub(super) hashing_share: f64,
}

/// The best fitness of an arm behind some evaluations.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AtBudget {
    pub(super) arm: String,
    pub(super) evaluations: u64,
    pub(super) best: Option<Mean>,
    /// How far that is below the highest fitness there is, where that is known.
    pub(super) regret: Option<Mean>,
}

impl Mean {
    /// Of numbers of which all are finite.
    pub(super) fn of(numbers: &[f64], resamples: u32) -> Option<Mean> {
        if numbers.is_empty() || numbers.iter().any(|number| !number.is_finite()) {
            return None;
        }
        let value = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let bootstrap = Bootstrap { resamples, ..Bootstrap::new(Seed(0)) };
        let estimate = bootstrap.mean(numbers);
        Some(Mean { value, low: estimate.map(|it| it.low), high: estimate.map(|it| it.high) })
    }
}

/// Resamples behind an interval of a table.
pub(super) const RESAMPLES: u32 = 10_000;

/// The middle of numbers that may be infinite, the lower of two: half of them or more are no
/// larger.
pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len().checked_sub(1);
    last.map_or(f64::NAN, |last| numbers[last / 2])
}

impl Runs {
    fn mean(&self, of: impl Fn(&Finished) -> f64) -> f64 {
        self.runs.iter().map(of).sum::<f64>() / (self.runs.len() as f64).max(1.0)
    }

    fn bests(&self, of: impl Fn(&Finished) -> f64) -> Option<Mean> {
        Mean::of(&self.runs.iter().map(of).collect::<Vec<_>>(), RESAMPLES)
    }

    fn to_target(&self, target: f64, clock: Clock, what: usize) -> Option<f64> {
        let costs = self.runs.iter().map(|run| run.until(target, clock)[what]);
        Some(median(costs.collect())).filter(|cost| cost.is_finite())
    }

    fn row(&self, target: f64, evaluations: f64) -> Row {
        let total = |of: fn(&Finished) -> u64| self.runs.iter().map(of).sum::<u64>();
        let share = |part: u64, of: u64| part as f64 / (of as f64).max(1.0);
        let births = total(|run| run.end().births);
        let (rechecked, disagreed) =
            (total(|run| run.leg.rechecked), total(|run| run.leg.disagreed));
        let (low, high) = RecheckRate { rechecked, disagreed }.interval();
        let reached = |run: &&Finished| run.best() >= target;
        Row {
            arm: self.arm.clone(),
            seeds: self.runs.len(),
            candidates: self.mean(|run| run.end().births as f64),
            evaluations: self.mean(|run| run.end().evaluations as f64),
            saved: share(births, total(|run| run.end().evaluations)),
            structural_hits: share(total(|run| run.end().structural), births),
            functional_hits: share(total(|run| run.end().functional), births),
            late_hits: self.mean(late_hits),
            best: self.bests(Finished::best),
            best_at_equal_evaluations: self.bests(|run| run.best_within(evaluations)),
            births_to_target: self.to_target(target, Clock::Cpu, 0),
            evaluations_to_target: self.to_target(target, Clock::Cpu, 1),
            reached_target: self.runs.iter().filter(reached).count(),
            rechecked,
            disagreed,
            disagreed_low: low,
            disagreed_high: high,
            structures_per_behaviour: share(
                total(|run| run.leg.structures),
                total(|run| run.leg.behaviours),
            ),
        }
    }
}

/// The share of hits among the births of the last quarter of a run.
fn late_hits(run: &Finished) -> f64 {
    let end = run.end();
    let late = run.leg.curve.iter().find(|point| 4 * point.births >= 3 * end.births);
    let Some(from) = late.filter(|from| from.births < end.births) else { return 0.0 };
    let hits = |point: &super::leg::Point| (point.structural + point.functional) as f64;
    (hits(&end) - hits(from)) / (end.births - from.births) as f64
}

impl Ablation {
    /// The least that every run came to, those left out that ended before their limits; the most,
    /// where all did.
    pub(super) fn common(&self, of: impl Fn(&Finished) -> f64) -> f64 {
        let all = || self.arms.iter().flat_map(|it| &it.runs);
        let least = all().filter(|run| !run.leg.early).map(&of).reduce(f64::min);
        least.or_else(|| all().map(&of).reduce(f64::max)).unwrap_or(0.0)
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let evaluations = self.common(|run| run.end().evaluations as f64);
        self.arms.iter().map(|arm| arm.row(self.target, evaluations)).collect()
    }

    pub(super) fn timed(&self) -> Vec<Timed> {
        let clock = self.clock;
        let seconds = self.common(|run| run.seconds(clock));
        let first = self.arms.first().and_then(|arm| arm.to_target(self.target, clock, 2));
        let timed = |arm: &Runs| {
            let own = arm.to_target(self.target, clock, 2);
            let cpu = arm.mean(|run| run.seconds(Clock::Cpu));
            Timed {
                arm: arm.arm.clone(),
                seconds: arm.mean(|run| run.seconds(clock)),
                best_at_equal_time: arm.bests(|run| run.best_by(seconds, clock)),
                seconds_to_target: own,
                speedup: first.zip(own).map(|(first, own)| first / own),
                hashing_share: arm.mean(|run| run.times.hashing) / cpu,
            }
        };
        self.arms.iter().map(timed).collect()
    }

    pub(super) fn at_budgets(&self) -> Vec<AtBudget> {
        let arms = self.arms.iter();
        let at = |arm: &Runs, evaluations: u64| {
            let best = |run: &Finished| run.best_within(evaluations as f64);
            AtBudget {
                arm: arm.arm.clone(),
                evaluations,
                best: arm.bests(best),
                regret: self.optimum.and_then(|optimum| arm.bests(|run| optimum - best(run))),
            }
        };
        arms.flat_map(|arm| self.budgets.iter().map(move |budget| at(arm, *budget))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::leg::tests::finished;
    use super::*;

    fn ablation(arms: Vec<(&str, Vec<Finished>)>) -> Ablation {
        let runs = |(arm, runs): (&str, _)| Runs { arm: arm.to_owned(), runs };
        Ablation {
            arms: arms.into_iter().map(runs).collect(),
            seeds: vec![0, 1],
            optimum: Some(4.0),
            target: 1.0,
            budgets: vec![1, 40],
            clock: Clock::Cpu,
        }
    }

    #[test]
    fn arms_are_compared_at_what_all_of_them_came_to() {
        let slow = vec![finished(&[0.0, 0.0, 0.5, 1.0], 50), finished(&[0.0, 2.0], 50)];
        let quick = vec![finished(&[0.0, 3.0], 500), finished(&[0.0], 500)];
        let it = ablation(vec![("off", slow), ("quick", quick)]);
        let rows = it.rows();
        assert_eq!((rows[0].saved, rows[1].saved), (1.0, 10.0));
        assert_eq!((rows[0].structural_hits, rows[1].structural_hits), (0.0, 0.9));
        assert_eq!((rows[0].evaluations_to_target, rows[0].reached_target), (Some(11.0), 2));
        assert_eq!((rows[1].evaluations_to_target, rows[1].reached_target), (Some(11.0), 1));
        let best = rows[1].best.expect("all were scored");
        assert!(best.value == 1.5 && best.low <= Some(1.5) && best.high >= Some(1.5), "{best:?}");
        // One run of the second arm ended after a second.
        let timed = it.timed();
        assert_eq!(timed[0].best_at_equal_time.map(|it| it.value), Some(1.0));
        assert_eq!((timed[0].seconds_to_target, timed[0].speedup), (Some(1.0), Some(1.0)));
        assert_eq!((timed[1].seconds_to_target, timed[1].speedup), (Some(1.0), Some(1.0)));
        let regrets: Vec<Option<f64>> =
            it.at_budgets().iter().map(|it| it.regret.map(|it| it.value)).collect();
        assert_eq!(regrets, [Some(4.0), Some(2.5), Some(4.0), Some(2.5)]);
    }

    #[test]
    fn a_median_may_be_infinite_and_a_mean_must_not() {
        assert_eq!(median(vec![3.0, 1.0, 2.0, 10.0]), 2.0);
        assert_eq!(median(vec![f64::INFINITY, 1.0, f64::INFINITY]), f64::INFINITY);
        assert!(median(vec![]).is_nan());
        assert_eq!(Mean::of(&[1.0, f64::NEG_INFINITY], 10), None);
        assert_eq!(Mean::of(&[2.0], 10), Some(Mean { value: 2.0, low: None, high: None }));
    }
}
