//! Scoring: how the runs on a task become its loss, and what the task is made harder by.
//!
//! Invariant: baselines are tuned under the same scoring as programs are judged by, and what is
//! drawn here is drawn from the task's seed and the repeat: never from a program, nor from the
//! multiple of the learning rate, so that multiples are compared on equal terms.

use std::sync::Arc;

use evo_hashes::{Seed, StreamRng};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use serde::{Deserialize, Serialize};

use crate::EvaluatorError;
use crate::data::part;
use crate::proxies::Leaf;

/// How runs are scored. The defaults are the mean over the learning rates of the loss in the end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scoring {
    /// Which of the learning rates of a task count. Default: `Mean`.
    pub rates: Rates,
    /// What a run comes to. Default: `Final`.
    pub loss: RunLoss,
    /// Whether the update of every leaf is given the root mean square of 0.001 times the schedule,
    /// so that a program decides on directions and the task's learning rate on how far they go;
    /// a readout is multiplied by the same. Outcomes then depend on how a program is written, to
    /// rounding, so duplicates are told by structure. Default: no.
    pub normalise_updates: bool,
    /// Weights in other units: those that a program sees are the network's divided by a factor.
    /// Default: none.
    pub reparametrise: Option<Factor>,
    /// What gradients are multiplied by. Default: nothing.
    pub scale_gradients: Option<Factor>,
    /// Shares of a task's steps, in (0, 1], of which one is drawn for every repeat: how long its
    /// runs are, schedule included. Default: none, all steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub horizons: Vec<f64>,
    /// Shares of a task's batch size, in (0, 1], of which one is drawn for every repeat. Default:
    /// none, whole batches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<f64>,
}

/// Which of the learning rates of a task count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rates {
    /// All: the loss is the mean over them, and a program has to train with each.
    #[default]
    Mean,
    /// The best: the loss is that with the multiple of the lowest mean over the repeats, and a
    /// multiple that a program cannot train with is none to choose. A tuning inside of the
    /// evaluation, whose cost is the number of multiples.
    Best,
}

/// What a run comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunLoss {
    /// The validation loss behind the last step.
    #[default]
    Final,
    /// The mean of the training losses of all steps: early progress counts, and one lucky last
    /// step does not. No run is validated.
    MeanTraining,
}

/// A factor that is drawn log-uniformly for every repeat.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// The smallest.
    pub smallest: f64,
    /// The largest.
    pub largest: f64,
    /// Whether every leaf has one of its own. Default: one for all.
    #[serde(default)]
    pub by_leaf: bool,
}

/// The smallest and the largest factor that is taken: beyond, float32 has little room left.
const FACTORS: (f64, f64) = (1e-6, 1e6);

impl Scoring {
    /// Checks the settings; keys start inside them.
    pub(super) fn check(&self) -> Result<(), EvaluatorError> {
        let factors =
            [("reparametrise", self.reparametrise), ("scale_gradients", self.scale_gradients)];
        for (key, factor) in factors {
            let Some(Factor { smallest, largest, .. }) = factor else { continue };
            let (least, most) = FACTORS;
            // NaN is in no range.
            if !(smallest >= least && smallest <= largest && largest <= most) {
                let message = format!(
                    "`smallest` and `largest` must be {least:?} to {most:?}, in this order"
                );
                return Err(EvaluatorError::config(key, message));
            }
        }
        for (key, shares) in [("horizons", &self.horizons), ("batches", &self.batches)] {
            for (index, share) in shares.iter().enumerate() {
                if !(*share > 0.0 && *share <= 1.0) {
                    let message = "must be above 0 and at most 1";
                    return Err(EvaluatorError::config(format!("{key}[{index}]"), message));
                }
            }
        }
        Ok(())
    }

    /// The fewest steps that a run of a task with so many may have.
    pub fn shortest(&self, steps: u64) -> u64 {
        share_of(steps, self.horizons.iter().copied().fold(1.0, f64::min))
    }
}

/// One of `shares` of `whole`, drawn for `purpose` of a repeat of the task with this seed; all of
/// it where there are none.
pub(super) fn drawn_part(
    shares: &[f64],
    whole: u64,
    purpose: &str,
    seed: Seed,
    repeat: u32,
) -> u64 {
    let drawn = shares.choose(&mut seed.stream(purpose, u64::from(repeat)));
    drawn.map_or(whole, |&share| share_of(whole, share))
}

fn share_of(whole: u64, share: f64) -> u64 {
    part(whole as usize, share) as u64
}

/// A number whose logarithm is drawn uniformly between those of two.
pub(super) fn log_uniform(low: f64, high: f64, stream: &mut StreamRng) -> f64 {
    let (low, high) = (libm::log(low), libm::log(high));
    libm::exp(low + (high - low) * stream.random::<f64>())
}

impl Factor {
    /// The factor of each leaf, drawn for `purpose` of a repeat of the task with this seed.
    pub(super) fn draw(
        self,
        purpose: &str,
        seed: Seed,
        repeat: u32,
        leaves: &[Leaf],
    ) -> Arc<[f32]> {
        let mut stream = seed.stream(purpose, u64::from(repeat));
        let mut draw = || log_uniform(self.smallest, self.largest, &mut stream) as f32;
        match self.by_leaf {
            true => leaves.iter().map(|_| draw()).collect(),
            false => vec![draw(); leaves.len()].into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_in_their_range_alike_for_a_repeat_and_else_different() {
        let leaves = [Leaf::zeros([3]), Leaf::zeros([2, 2])];
        let factor = |by_leaf| Factor { smallest: 1e-3, largest: 1e3, by_leaf };
        let draw = |by_leaf, repeat| factor(by_leaf).draw("test", Seed(7), repeat, &leaves);
        let one = draw(false, 0);
        assert!(one[0] == one[1] && (1e-3..=1e3).contains(&one[0]), "{one:?}");
        assert_eq!(draw(false, 0), one);
        assert_ne!(draw(false, 1), one);
        assert_ne!(draw(true, 0)[0], draw(true, 0)[1]);
    }

    #[test]
    fn every_share_of_a_list_is_drawn_and_a_repeat_has_one() {
        let draw = |repeat| drawn_part(&[0.25, 0.5, 1.0], 100, "test", Seed(7), repeat);
        let drawn: Vec<u64> = (0..60).map(draw).collect();
        for part in [25, 50, 100] {
            let count = drawn.iter().filter(|&&it| it == part).count();
            assert!(count > 9, "{part} was drawn {count} times of 60");
        }
        assert_eq!(drawn, (0..60).map(draw).collect::<Vec<_>>());
        assert_eq!(drawn_part(&[], 100, "test", Seed(7), 0), 100);
        assert_eq!(drawn_part(&[1e-9], 100, "test", Seed(7), 0), 1);
    }

    #[test]
    fn shares_that_are_none_are_refused_with_their_key() {
        for share in [0.0, -0.5, 1.5, f64::NAN, f64::INFINITY] {
            let horizons = Scoring { horizons: vec![1.0, share], ..Scoring::default() };
            let batches = Scoring { batches: vec![share], ..Scoring::default() };
            for (scoring, key) in [(horizons, "horizons[1]"), (batches, "batches[0]")] {
                let error = scoring.check().expect_err("no share").to_string();
                assert!(error.starts_with(key), "{error}");
            }
        }
    }

    #[test]
    fn factors_that_are_none_are_refused_with_their_key() {
        for (smallest, largest) in [(0.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (1.0, 1e9)] {
            let factor = Some(Factor { smallest, largest, by_leaf: false });
            let scoring = Scoring { reparametrise: factor, ..Scoring::default() };
            let error = scoring.check().expect_err("no range").to_string();
            assert!(error.starts_with("reparametrise"), "{error}");
            let scoring = Scoring { scale_gradients: factor, ..Scoring::default() };
            assert!(scoring.check().is_err());
        }
    }
}
