//! The configuration of activation evaluation: networks, and how they are trained.
//!
//! Invariant: the activation that a network states is the one to beat, and everything else of it is
//! the same for every candidate: data, draws of initial weights and batches, AdamW and the learning
//! rates it is tuned over. What training is made of is configured as for optimizers, and checked
//! there.

use std::num::NonZeroU32;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::optimizer::config::{default_divergence, default_multiples, keyed};
use crate::{EvaluatorError, ModelConfig, OptimizerConfig, TaskConfig};

/// How expressions are scored as activations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationConfig {
    /// The tasks the fitness is computed from. A task states AdamW's `learning_rate`, in units of
    /// 0.001, and no `baseline_loss`: that is measured, with the activation its model states.
    pub tasks: Vec<TaskConfig>,
    /// Tasks the search never sees, for judging its winners.
    #[serde(default)]
    pub held_out: Vec<TaskConfig>,
    /// Numbers of tasks after which a hurdle is tested, rising, each from 1 to one less than there
    /// are tasks. Default: none.
    #[serde(default)]
    pub stages: Vec<usize>,
    /// Factors of each task's learning rate: what every activation is tuned over, and the
    /// baseline as well. Default: 0.4, 1, 2.5.
    #[serde(default = "default_multiples")]
    pub learning_rate_multiples: Vec<f64>,
    /// Runs for each factor, with initial weights and batches of their own. Default: 1.
    #[serde(default = "once")]
    pub repeats: NonZeroU32,
    /// Repeats that no search trains with, by which winners are judged, on the tasks and on those
    /// held out. Default: 8.
    #[serde(default = "default_fresh_repeats")]
    pub fresh_repeats: NonZeroU32,
    /// Seed of all data, initial weights and batches. Default: 0.
    #[serde(default)]
    pub data_seed: u64,
    /// A run whose training loss stays above this factor times its first loss is stopped. Default:
    /// 4.
    #[serde(default = "default_divergence")]
    pub divergence: f64,
}

fn once() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn default_fresh_repeats() -> NonZeroU32 {
    NonZeroU32::new(8).expect("not zero")
}

impl ActivationConfig {
    /// A configuration of `tasks` with every default.
    pub fn new(tasks: Vec<TaskConfig>) -> Self {
        Self {
            tasks,
            held_out: Vec::new(),
            stages: Vec::new(),
            learning_rate_multiples: default_multiples(),
            repeats: once(),
            fresh_repeats: default_fresh_repeats(),
            data_seed: 0,
            divergence: default_divergence(),
        }
    }

    /// Checks everything that can be checked without reading data.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] with a key path such as `tasks[1].model`.
    pub fn check(&self) -> Result<(), EvaluatorError> {
        self.training().check()?;
        let tasks = keyed("tasks", &self.tasks).chain(keyed("held_out", &self.held_out));
        for (key, task) in tasks {
            check_task(task).map_err(|error| error.within(&key))?;
        }
        Ok(())
    }

    /// The fingerprints of all tasks, those held out behind the others; relative paths start at
    /// `base_dir`.
    ///
    /// # Errors
    /// [`EvaluatorError::Data`] for a file that cannot be read, with a key path such as
    /// `tasks[1].data`.
    pub(super) fn fingerprints(&self, base_dir: &Path) -> Result<Vec<String>, EvaluatorError> {
        let training = self.training();
        let tasks = keyed("tasks", &self.tasks).chain(keyed("held_out", &self.held_out));
        let fingerprint = |(key, task): (String, &TaskConfig)| {
            let print = training.fingerprint(task, base_dir);
            print.map(|print| print.to_string()).map_err(|error| error.within(&key))
        };
        tasks.map(fingerprint).collect()
    }

    /// Every task, those held out behind the others.
    pub fn tasks_mut(&mut self) -> impl Iterator<Item = &mut TaskConfig> {
        self.tasks.iter_mut().chain(&mut self.held_out)
    }

    /// How the networks are trained, in the terms of optimizers.
    fn training(&self) -> OptimizerConfig {
        OptimizerConfig {
            held_out: self.held_out.clone(),
            stages: self.stages.clone(),
            learning_rate_multiples: self.learning_rate_multiples.clone(),
            repeats: self.repeats,
            fresh_repeats: self.fresh_repeats.get(),
            data_seed: self.data_seed,
            divergence: self.divergence,
            ..OptimizerConfig::new(self.tasks.clone())
        }
    }
}

fn check_task(task: &TaskConfig) -> Result<(), EvaluatorError> {
    if !has_activation(&task.model) {
        let message = "has no activation between its layers, so every expression trains it alike";
        return Err(EvaluatorError::config("model", message));
    }
    if task.learning_rate.is_none() {
        let message = "is missing; state AdamW's, in units of 0.001";
        return Err(EvaluatorError::config("learning_rate", message));
    }
    if task.baseline_loss.is_some() {
        let message = "leave it out: it is measured, with the activation of `model`";
        return Err(EvaluatorError::config("baseline_loss", message));
    }
    Ok(())
}

fn has_activation(model: &ModelConfig) -> bool {
    match model {
        ModelConfig::Mlp { hidden, .. } => !hidden.is_empty(),
        // The last of them is the code, which is linear.
        ModelConfig::Autoencoder { hidden, .. } => hidden.len() > 1,
        ModelConfig::Conv { .. }
        | ModelConfig::ResidualMlp { .. }
        | ModelConfig::VisionTransformer { .. }
        | ModelConfig::Transformer { .. } => true,
        ModelConfig::Recurrent { .. } | ModelConfig::Quadratic { .. } => false,
    }
}
