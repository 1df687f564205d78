//! Training: one network, one learning rate, one program, from its initial weights to its loss.
//!
//! Invariant: a run is a function of the task, the run and the updates alone, and stops at the first
//! step that shows it cannot succeed. A non-finite weight is looked for directly, and not only in
//! the loss: comparisons in a network can hide it for a while.

use super::proxy_task::{ProxyTask, Run};
use crate::layers::values;
use crate::proxies::{Batch, Parameters, initial_weights};
use crate::{EvaluatorError, Invalid, InvalidReason};

/// Consecutive steps above the divergence limit that stop a run.
const DIVERGED_STEPS: u32 = 10;

/// What updates the weights of a run.
pub(super) trait Update {
    /// Subtracts one update from `weights`; false once a weight is not finite.
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], learning_rate: f64) -> bool;
}

impl Update for evo_dsl::Executor {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], learning_rate: f64) -> bool {
        Self::step(self, weights, gradient, learning_rate)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ending {
    /// All steps were made; the mean validation loss.
    Finished { loss: f64 },
    /// It was stopped at a step, counted from 1.
    Stopped { reason: InvalidReason, step: u64 },
}

/// Trains `task` with `update` and measures the validation loss.
///
/// # Errors
/// [`EvaluatorError::Internal`] when candle refuses an operation.
pub(super) fn train(
    task: &ProxyTask,
    run: &Run,
    update: &mut impl Update,
    divergence: f64,
) -> Result<Ending, EvaluatorError> {
    let mut weights = initial_weights(&task.leaves, &mut run.seed.stream("weights", 0));
    let mut gradient = vec![0.0; weights.len()];
    let parameters = Parameters::<f32>::new(&task.leaves)?;
    let mut batches = run.seed.stream("batches", 0);
    let mut watch = Watch::new(divergence);
    for step in 0..task.steps {
        let batch = Batch::draw(&task.data, task.batch_size, &mut batches)?;
        parameters.load(&weights)?;
        let loss = task.proxy.loss::<f32>(parameters.variables(), &batch)?;
        parameters.differentiate(&loss, &mut gradient)?;
        let stopped = |reason| Ok(Ending::Stopped { reason, step: step + 1 });
        let loss = f64::from(values::<f32>(&loss)?[0]);
        if let Some(reason) = watch.reason_to_stop(loss) {
            return stopped(reason);
        }
        let learning_rate = run.learning_rate * task.schedule.factor(step, task.steps);
        if !update.step(&mut weights, &gradient, learning_rate) {
            return stopped(InvalidReason::NonFinite);
        }
    }
    parameters.load(&weights)?;
    let loss = validation_loss(task, &parameters)?;
    Ok(if loss.is_finite() {
        Ending::Finished { loss }
    } else {
        Ending::Stopped { reason: InvalidReason::NonFinite, step: task.steps }
    })
}

/// The mean validation loss over `runs`, each with an update of its own; the first run that is stopped
/// decides for all.
///
/// # Errors
/// As for [`train`].
pub(super) fn mean_loss<U: Update>(
    task: &ProxyTask,
    runs: &[Run],
    divergence: f64,
    mut fresh: impl FnMut() -> U,
) -> Result<Result<f64, Invalid>, EvaluatorError> {
    let mut total = 0.0;
    for run in runs {
        match train(task, run, &mut fresh(), divergence)? {
            Ending::Finished { loss } => total += loss,
            Ending::Stopped { reason, step } => {
                let task = task.name.clone();
                return Ok(Err(Invalid { reason, task, step, stages: Vec::new() }));
            }
        }
    }
    Ok(Ok(total / runs.len() as f64))
}

fn validation_loss(task: &ProxyTask, parameters: &Parameters<f32>) -> Result<f64, EvaluatorError> {
    let (mut total, mut predictions) = (0.0, 0);
    for batch in &task.validation {
        let loss = task.proxy.loss::<f32>(parameters.variables(), batch)?;
        total += f64::from(values::<f32>(&loss)?[0]) * batch.predictions() as f64;
        predictions += batch.predictions();
    }
    Ok(total / predictions as f64)
}

/// Follows the training loss of one run.
pub(super) struct Watch {
    divergence: f64,
    /// Infinite until the first loss is seen.
    limit: f64,
    above: u32,
}

impl Watch {
    pub(super) fn new(divergence: f64) -> Self {
        Self { divergence, limit: f64::INFINITY, above: 0 }
    }

    pub(super) fn reason_to_stop(&mut self, loss: f64) -> Option<InvalidReason> {
        if !loss.is_finite() {
            return Some(InvalidReason::NonFinite);
        }
        if self.limit.is_infinite() {
            self.limit = self.divergence * loss;
        }
        self.above = if loss > self.limit { self.above + 1 } else { 0 };
        (self.above == DIVERGED_STEPS).then_some(InvalidReason::Diverged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_stopped_after_consecutive_losses_above_the_limit() {
        let mut watch = Watch::new(2.0);
        let mut step = |loss| watch.reason_to_stop(loss);
        assert_eq!(step(1.0), None);
        for _ in 1..DIVERGED_STEPS {
            assert_eq!(step(2.1), None);
        }
        assert_eq!(step(1.9), None);
        for _ in 1..DIVERGED_STEPS {
            assert_eq!(step(2.1), None);
        }
        assert_eq!(step(2.1), Some(InvalidReason::Diverged));
        assert_eq!(step(f64::NAN), Some(InvalidReason::NonFinite));
    }
}
