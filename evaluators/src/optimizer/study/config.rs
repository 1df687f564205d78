//! The configuration of studies: the tasks, and what tuning and reporting may cost.
//!
//! Invariant: it is the same for every program that is compared, and tuning and reporting have no
//! initial weights or batches in common, nor any with a search.

use std::num::NonZeroU32;
use std::path::Path;

use evo_hashes::Hash;
use serde::{Deserialize, Serialize};

use super::super::config::{default_divergence, keyed};
use crate::{EvaluatorError, OptimizerConfig, TaskConfig};

/// The most runs of one setting.
const MOST_REPEATS: u32 = 1_000;

/// The most settings that are tried, and stated steps.
const MOST: u32 = 10_000;

/// Changes whenever the figures of a study change for the same configuration.
const VERSION: u8 = 2;

/// How programs are compared: each is tuned on each task for itself, and then trained with its best
/// setting on seeds that tuning did not see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyConfig {
    /// The tasks. Learning rates and baseline losses that they state are not used.
    pub tasks: Vec<TaskConfig>,
    /// What tuning may cost.
    #[serde(default)]
    pub tuning: Tuning,
    /// Runs with the best setting, by which programs are reported. Default: 10.
    #[serde(default = "default_repeats")]
    pub repeats: NonZeroU32,
    /// Steps of each of these runs behind which it is validated, evenly spaced, the last one
    /// included: a loss is reached at the first of them. Default: 40.
    #[serde(default = "default_points")]
    pub points: NonZeroU32,
    /// Seed of all data, settings, initial weights and batches. Default: 0.
    #[serde(default)]
    pub data_seed: u64,
    /// A run whose training loss stays above this factor times its first loss is stopped. Default:
    /// 4.
    #[serde(default = "default_divergence")]
    pub divergence: f64,
}

/// What tuning a program on a task may cost: `settings` times `repeats` runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tuning {
    /// Settings that are tried. Default: 24.
    pub settings: NonZeroU32,
    /// Runs with each, over which its loss is the mean. Default: 2.
    pub repeats: NonZeroU32,
    /// The most hyperparameters of a program that are tuned, beside learning rate and weight
    /// decay. Default: 2, as AdamW's betas are.
    pub hyperparameters: u32,
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("no default is zero")
}

fn default_repeats() -> NonZeroU32 {
    number(10)
}

fn default_points() -> NonZeroU32 {
    number(40)
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning { settings: number(24), repeats: number(2), hyperparameters: 2 }
    }
}

impl StudyConfig {
    /// A configuration of `tasks` with every default.
    pub fn new(tasks: Vec<TaskConfig>) -> StudyConfig {
        StudyConfig {
            tasks,
            tuning: Tuning::default(),
            repeats: default_repeats(),
            points: default_points(),
            data_seed: 0,
            divergence: default_divergence(),
        }
    }

    /// Checks everything that can be checked without reading data.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] with a key path such as `tasks[1].model`.
    pub fn check(&self) -> Result<(), EvaluatorError> {
        let Tuning { settings, repeats, .. } = self.tuning;
        for (key, value, most) in [
            ("tuning.settings", settings, MOST),
            ("tuning.repeats", repeats, MOST_REPEATS),
            ("repeats", self.repeats, MOST_REPEATS),
            ("points", self.points, MOST),
        ] {
            if value.get() > most {
                return Err(EvaluatorError::config(key, format!("must be at most {most}")));
            }
        }
        self.evaluation().check()
    }

    /// The fingerprint of the studies on `task`: a hash of all that decides their figures but the
    /// program; relative paths start at `base_dir`.
    ///
    /// # Errors
    /// [`EvaluatorError::Data`] for a file that cannot be read, with the key `data`.
    pub fn fingerprint(&self, task: &TaskConfig, base_dir: &Path) -> Result<Hash, EvaluatorError> {
        let of_task = self.evaluation().fingerprint(task, base_dir)?;
        let budget = ron::to_string(&(self.tuning, self.repeats, self.points));
        let budget = budget.expect("counts have no value that RON cannot write");
        Ok(Hash::of(format!("study {VERSION} {of_task} {budget}").as_bytes()))
    }

    /// The tasks with their key paths.
    pub fn keyed_tasks(&self) -> impl Iterator<Item = (String, &TaskConfig)> {
        keyed("tasks", &self.tasks)
    }

    /// What a search would be told that trains as studies do.
    pub fn evaluation(&self) -> OptimizerConfig {
        OptimizerConfig {
            learning_rate_multiples: vec![1.0],
            data_seed: self.data_seed,
            divergence: self.divergence,
            ..OptimizerConfig::new(self.tasks.clone())
        }
    }
}
