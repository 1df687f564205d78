//! The configuration of learner evaluation: the problem, and sets of tasks of it.
//!
//! Invariant: the configuration and the files it names decide every example. Each of the three
//! sets has seeds of its own, so regression tasks share nothing. Tasks of classes are drawn from
//! one data set: the search and `select` share pairs of classes, and examples of them under other
//! projections; the last set has the pairs that are held out, or where none is the same ones. A
//! class may be in pairs of both kinds.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{DataConfig, EvaluatorError};
use evo_dsl::{LearnerDraws, LearnerLoss, LearnerTraining};

/// How learners are scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnerConfig {
    /// What is to be learnt.
    pub problem: LearnerProblem,
    /// Features of an example, at most 64.
    pub features: NonZeroUsize,
    /// The tasks that a fitness is the mean of.
    pub search: LearnerSet,
    /// The tasks by which finds are selected, which no fitness of the search comes from. Default:
    /// 100 tasks of 1,000 examples and 100 for validation.
    #[serde(default)]
    pub select: LearnerSet,
    /// The tasks that a winner is judged by in the end. Default: as `select`.
    #[serde(default, rename = "final")]
    pub last: LearnerSet,
    /// An error above this ends an evaluation. Default: 100.
    #[serde(default = "most_error")]
    pub most_error: f64,
    /// Seed of all tasks. Default: 0.
    #[serde(default)]
    pub data_seed: u64,
}

/// What is to be learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum LearnerProblem {
    /// Normal features, and labels that are their product with normal weights.
    Linear,
    /// The same with a normal bias.
    Affine,
    /// Labels of a network with one layer of ReLU and normal weights, the first and the third of
    /// its units without any, as in the released program of AutoML-Zero. Needs three features.
    Network,
    /// Labels 0 and 1 for two classes of a data set whose examples are projected to the features
    /// by a normal matrix, each feature scaled to mean 0 and variance 1 in training.
    Classes {
        /// The data; classes are those of its labels.
        data: DataConfig,
        /// Pairs of classes for the final tasks alone; all others are for the others. Default:
        /// those that the released program of AutoML-Zero holds out.
        #[serde(default = "held_out_pairs")]
        held_out_pairs: Vec<(u32, u32)>,
    },
}

/// A set of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnerSet {
    /// How many.
    pub tasks: NonZeroUsize,
    /// Examples to train on in each epoch.
    pub examples: NonZeroUsize,
    /// Examples to validate on. Of data that has fewer, all that are set aside.
    pub validation: NonZeroUsize,
    /// Epochs, behind each of which a learner is validated; the best counts. Default: 1.
    #[serde(default = "one")]
    pub epochs: NonZeroUsize,
}

impl Default for LearnerSet {
    fn default() -> LearnerSet {
        let size = |size| NonZeroUsize::new(size).expect("it is above 0");
        let (tasks, validation) = (size(100), size(100));
        LearnerSet { tasks, examples: size(1_000), validation, epochs: size(1) }
    }
}

impl LearnerSet {
    /// The memory that the tasks take with so many features, all copies together.
    fn bytes(&self, features: usize) -> usize {
        let examples = self.examples.get().saturating_mul(self.epochs.get());
        let examples = examples.saturating_add(self.validation.get());
        let numbers = examples.saturating_mul(features + 1);
        let task = numbers.saturating_mul(size_of::<f64>()).saturating_add(LearnerDraws::BYTES);
        // Lanes without a task take as much as the others.
        let tasks = self.tasks.get().saturating_add(15);
        task.saturating_mul(tasks).saturating_mul(COPIES)
    }
}

fn most_error() -> f64 {
    100.0
}

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

fn held_out_pairs() -> Vec<(u32, u32)> {
    vec![(0, 5), (0, 9), (1, 8), (2, 9), (3, 5), (3, 6), (3, 8), (4, 6), (8, 9)]
}

/// The most features: a matrix of that many squared is 32 KiB in every lane.
const MOST_FEATURES: usize = 64;

/// The most memory that a set of tasks takes while it is made and searched with, all copies
/// together, in MiB.
const MOST_MEBIBYTES: usize = 4_096;

/// Copies of all numbers at a time: the tasks as they are drawn, those packed for lanes, and the
/// packed ones that behaviours are looked at with; or the first, and the bytes that are hashed.
const COPIES: usize = 3;

impl LearnerConfig {
    /// Checks what can be checked without data.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] at the key that is wrong.
    pub(super) fn check(&self) -> Result<(), EvaluatorError> {
        let features = self.features.get();
        let least = if self.problem == LearnerProblem::Network { 3 } else { 1 };
        if !(least..=MOST_FEATURES).contains(&features) {
            let message = format!("must be {least} to {MOST_FEATURES}");
            return Err(EvaluatorError::config("features", message));
        }
        if self.most_error.is_nan() || self.most_error <= 0.0 {
            return Err(EvaluatorError::config("most_error", "must be above 0"));
        }
        for (key, set) in self.sets() {
            let mebibytes = set.bytes(features) >> 20;
            if mebibytes > MOST_MEBIBYTES {
                let message =
                    format!("takes {mebibytes} MiB of memory, and may take {MOST_MEBIBYTES}");
                return Err(EvaluatorError::config(key, message));
            }
        }
        Ok(())
    }

    /// The sets by their keys.
    pub(super) fn sets(&self) -> [(&'static str, LearnerSet); 3] {
        [("search", self.search), ("select", self.select), ("final", self.last)]
    }

    pub(super) fn training(&self) -> LearnerTraining {
        let loss = match self.problem {
            LearnerProblem::Classes { .. } => LearnerLoss::Accuracy,
            _ => LearnerLoss::RootMeanSquare,
        };
        LearnerTraining { loss, most_error: self.most_error }
    }

    /// What is searched for, in words.
    pub fn name(&self) -> String {
        let features = self.features;
        match &self.problem {
            LearnerProblem::Linear => format!("linear regression of {features} features"),
            LearnerProblem::Affine => format!("affine regression of {features} features"),
            LearnerProblem::Network => format!("network regression of {features} features"),
            LearnerProblem::Classes { .. } => {
                format!("classification by {features} projected features")
            }
        }
    }

    /// Every path of a data file, with its number among them.
    pub fn paths_mut(&mut self) -> Vec<(usize, &mut PathBuf)> {
        match &mut self.problem {
            LearnerProblem::Classes { data, .. } => {
                data.paths_mut().into_iter().enumerate().collect()
            }
            _ => Vec::new(),
        }
    }
}
