//! Workloads: the training of one task taken apart, for measuring what it costs.
//!
//! Invariant: a step is made of the very phases that an evaluation goes through
//! ([`Training`](super::training::Training)), so what is measured is what a search pays. Clocks are the
//! caller's: nothing in this crate reads one.

use std::path::Path;

use candle_core::Tensor;
use evo_dsl::{Executor, Program};

use super::proxy_task::{ProxyTask, Run};
use super::training::Training;
use crate::proxies::Batch;
use crate::{EvaluatorError, OptimizerConfig, TaskConfig};

/// A task whose training can be measured.
#[derive(Debug)]
pub struct Workload {
    pub(super) task: ProxyTask,
    pub(super) run: Run,
}

/// One run on a [`Workload`], a phase at a time: [`draw`](Steps::draw), [`forward`](Steps::forward),
/// [`backward`](Steps::backward) and [`update`](Steps::update) make a step.
pub struct Steps<'a> {
    workload: &'a Workload,
    training: Training<'a>,
    executor: Executor,
    made: u64,
    batch: Option<Batch>,
    loss: Option<Tensor>,
    value: f64,
}

impl Workload {
    /// Loads a task's data; relative paths start at `base_dir`. The learning rate is the task's, 1
    /// where it has none yet.
    ///
    /// # Errors
    /// A task that cannot be trained or data that cannot be read; keys start inside the task.
    pub fn load(
        config: &OptimizerConfig,
        task: &TaskConfig,
        base_dir: &Path,
    ) -> Result<Self, EvaluatorError> {
        let learning_rate = task.learning_rate.unwrap_or(1.0);
        let task = ProxyTask::load(task, base_dir, config.data_seed)?;
        let run = task.runs(learning_rate, &[1.0], 1).remove(0);
        Ok(Self { task, run })
    }

    /// The task's name.
    pub fn name(&self) -> &str {
        &self.task.name
    }

    /// Parameters of the network.
    pub fn parameters(&self) -> usize {
        self.task.layout.len()
    }

    /// Steps of a run.
    pub fn steps(&self) -> u64 {
        self.task.steps
    }

    /// Begins a run with a program: compiles it and draws the initial weights.
    ///
    /// # Errors
    /// [`EvaluatorError::Internal`] when candle refuses an operation; so for all phases.
    pub fn begin(&self, program: &Program) -> Result<Steps<'_>, EvaluatorError> {
        Ok(Steps {
            workload: self,
            training: Training::start(&self.task, &self.run)?,
            executor: Executor::new(program, &self.task.layout),
            made: 0,
            batch: None,
            loss: None,
            value: f64::NAN,
        })
    }
}

impl Steps<'_> {
    /// Draws a batch.
    ///
    /// # Errors
    /// As for [`Workload::begin`].
    pub fn draw(&mut self) -> Result<(), EvaluatorError> {
        self.batch = Some(self.training.draw()?);
        Ok(())
    }

    /// Computes the loss of the batch.
    ///
    /// # Errors
    /// As for [`Workload::begin`].
    ///
    /// # Panics
    /// No batch was drawn.
    pub fn forward(&mut self) -> Result<(), EvaluatorError> {
        let batch = self.batch.as_ref().expect("a batch was drawn");
        self.loss = Some(self.training.forward(batch)?);
        Ok(())
    }

    /// Computes the gradient of the loss and drops the graph.
    ///
    /// # Errors
    /// As for [`Workload::begin`].
    ///
    /// # Panics
    /// The forward pass was not made.
    pub fn backward(&mut self) -> Result<(), EvaluatorError> {
        let loss = self.loss.take().expect("the forward pass was made");
        self.value = self.training.backward(&loss)?;
        self.batch = None;
        Ok(())
    }

    /// Moves the weights; the loss before it, or `None` where that or a weight is not finite.
    pub fn update(&mut self) -> Option<f64> {
        let Workload { task, run } = self.workload;
        let factor = task.schedule.factor(self.made.min(task.steps - 1), task.steps);
        self.made += 1;
        let finite = self.training.update(&mut self.executor, run.learning_rate * factor);
        (finite && self.value.is_finite()).then_some(self.value)
    }

    /// The mean loss over the validation data.
    ///
    /// # Errors
    /// As for [`Workload::begin`].
    pub fn validate(&self) -> Result<f64, EvaluatorError> {
        Ok(self.training.validate()?)
    }
}
