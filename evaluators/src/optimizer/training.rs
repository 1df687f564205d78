//! Training: one network, one learning rate, one program, from its initial weights to its loss.
//!
//! Invariant: a run is a function of the task, the run and the updates alone, and stops at the
//! first step that shows it cannot succeed. A non-finite weight is looked for directly, and not
//! only in the loss: comparisons in a network can hide it for a while. Validation reads the weights
//! and draws nothing, so a run goes on with the same bits wherever it was validated.

use candle_core::{Result, Tensor};
use evo_hashes::StreamRng;

use super::partial::PartialLosses;
use super::proxy_task::{ProxyTask, Run};
use super::scoring::RunLoss;
use super::units::Units;
use crate::layers::{Noted, values};
use crate::proxies::{Batch, Parameters, initial_weights};
use crate::{EvaluatorError, Invalid, InvalidReason, TaskRuns};

/// Consecutive steps above the divergence limit that stop a run.
const DIVERGED_STEPS: u32 = 10;

/// What updates the weights of a run.
pub(crate) trait Update {
    /// Subtracts one update from `weights`; false once a weight is not finite.
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], learning_rate: f64) -> bool;

    /// What has to be subtracted from the weights that the last step was given, to get those to
    /// validate with; `None` where these are the weights behind it.
    fn readout(&self) -> Option<&[f32]>;
}

impl Update for evo_dsl::Executor {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], learning_rate: f64) -> bool {
        Self::step(self, weights, gradient, learning_rate)
    }

    fn readout(&self) -> Option<&[f32]> {
        Self::readout(self)
    }
}

impl<U: Update> Update for &mut U {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], learning_rate: f64) -> bool {
        U::step(self, weights, gradient, learning_rate)
    }

    fn readout(&self) -> Option<&[f32]> {
        U::readout(self)
    }
}

/// What is looked at while a run is trained, beside what trains it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watching<'a> {
    /// The factor of the first training loss above which a run diverges.
    pub(crate) divergence: f64,
    /// The numbers of steps behind which it is validated, rising, each below all of them.
    pub(crate) stated: &'a [u64],
    /// Shares of its steps, rising, behind which its partial loss is looked at.
    pub(crate) within: &'a [f64],
    /// What it comes to.
    pub(crate) loss: RunLoss,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    /// All steps were made; what that comes to, and the validation losses at the stated steps.
    Finished {
        loss: f64,
        course: Vec<(u64, f64)>,
    },
    Stopped(Stop),
}

/// Why a run was stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stop {
    pub(crate) reason: InvalidReason,
    /// Counted from 1.
    pub(crate) step: u64,
}

impl Ending {
    /// The ending behind the last step, with the validation losses there and on the way.
    pub(crate) fn of(loss: f64, course: Vec<(u64, f64)>, steps: u64) -> Ending {
        match loss.is_finite() {
            true => Ending::Finished { loss, course },
            false => Ending::Stopped(Stop { reason: InvalidReason::NonFinite, step: steps }),
        }
    }
}

impl Stop {
    /// The program's fault, on a task of this name.
    pub(crate) fn invalid(self, task: &str) -> Invalid {
        let Stop { reason, step } = self;
        Invalid { reason, task: task.to_owned(), step, stages: Vec::new() }
    }
}

/// One run of training, a phase of a step at a time: draw, forward, backward, update.
pub(crate) struct Training<'a> {
    task: &'a ProxyTask,
    parameters: Parameters<f32>,
    weights: Vec<f32>,
    /// Those that the last step was given, where there is a readout.
    before: Vec<f32>,
    gradient: Vec<f32>,
    batches: StreamRng,
    batch_size: usize,
    units: Units,
}

impl<'a> Training<'a> {
    /// The network of `task` with the initial weights of `run`.
    ///
    /// # Errors
    /// Candle refuses an operation; so for all phases.
    pub(crate) fn start(task: &'a ProxyTask, run: &Run) -> Result<Self> {
        let mut weights = initial_weights(&task.leaves, &mut run.seed.stream("weights", 0));
        let units = Units::of(task, run);
        units.express(&mut weights);
        Ok(Self {
            task,
            units,
            parameters: Parameters::new(&task.leaves)?,
            gradient: vec![0.0; weights.len()],
            weights,
            before: Vec::new(),
            batches: run.seed.stream("batches", 0),
            batch_size: run.batch_size,
        })
    }

    /// The present weights, leaf after leaf.
    pub(crate) fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The leaves of the network at the present weights.
    pub(crate) fn leaves(&self) -> Result<&[Tensor]> {
        self.load(&self.weights)?;
        Ok(self.parameters.variables())
    }

    /// Draws the next batch.
    pub(crate) fn draw(&mut self) -> Result<Batch> {
        Batch::draw(&self.task.data, self.batch_size, &mut self.batches)
    }

    /// The loss of a batch at the present weights, with the graph behind it.
    pub(crate) fn forward(&self, batch: &Batch) -> Result<Noted> {
        self.load(&self.weights)?;
        Noted::of(|| self.task.proxy.loss::<f32>(self.parameters.variables(), batch))
    }

    /// Sets the network's weights from those that programs see.
    fn load(&self, weights: &[f32]) -> Result<()> {
        self.parameters.load(&self.units.converted(weights))
    }

    /// Computes the gradient of a loss and gives its value.
    pub(crate) fn backward(&mut self, loss: &Noted) -> Result<f64> {
        self.parameters.differentiate(loss, &mut self.gradient)?;
        self.units.convert_gradient(&mut self.gradient);
        Ok(f64::from(values::<f32>(loss.loss())?[0]))
    }

    /// Moves the weights; false once one is not finite.
    pub(crate) fn update(&mut self, update: &mut impl Update, learning_rate: f64) -> bool {
        if update.readout().is_some() {
            self.before.clone_from(&self.weights);
        }
        update.step(&mut self.weights, &self.gradient, learning_rate)
    }

    /// The mean loss over the validation data at the present weights, or at those that `update`
    /// has for it; NaN where one of those is not finite.
    pub(crate) fn validate(&self, update: &impl Update) -> Result<f64> {
        match update.readout() {
            Some(readout) if !self.before.is_empty() => {
                let read: Vec<f32> = read_out(&self.before, readout).collect();
                if !read.iter().all(|weight| weight.is_finite()) {
                    return Ok(f64::NAN);
                }
                self.load(&read)?;
            }
            _ => self.load(&self.weights)?,
        }
        let (mut total, mut predictions) = (0.0, 0);
        for batch in &self.task.validation {
            let loss = self.task.proxy.loss::<f32>(self.parameters.variables(), batch)?;
            total += f64::from(values::<f32>(&loss)?[0]) * batch.predictions() as f64;
            predictions += batch.predictions();
        }
        Ok(total / predictions as f64)
    }
}

/// The weights to validate with, from those that a step was given and its readout.
pub(crate) fn read_out<'a>(
    before: &'a [f32],
    readout: &'a [f32],
) -> impl Iterator<Item = f32> + use<'a> {
    before.iter().zip(readout).map(|(weight, offset)| weight - offset)
}

/// A run between two of its steps, with what trains it.
pub(crate) struct UnderWay<'a, U> {
    run: &'a Run,
    update: U,
    watching: Watching<'a>,
    training: Training<'a>,
    watch: Watch,
    /// Steps made.
    made: u64,
    /// The sum of their training losses.
    total: f64,
    partial: PartialLosses,
    /// The validation losses at the stated steps.
    course: Vec<(u64, f64)>,
}

impl<'a, U: Update> UnderWay<'a, U> {
    /// A run on `task` before its first step.
    ///
    /// # Errors
    /// Candle refuses an operation; so for all methods.
    pub(crate) fn start(
        task: &'a ProxyTask,
        run: &'a Run,
        update: U,
        watching: Watching<'a>,
    ) -> Result<Self> {
        let (training, watch) = (Training::start(task, run)?, Watch::new(watching.divergence));
        let course = Vec::with_capacity(watching.stated.len());
        let partial = PartialLosses::new(watching.within, run.steps);
        let (made, total) = (0, 0.0);
        Ok(Self { run, update, watching, training, watch, made, total, partial, course })
    }

    pub(crate) fn run(&self) -> &'a Run {
        self.run
    }

    /// Makes the steps up to the place of this number among those it is looked at.
    pub(super) fn advance_to(&mut self, place: usize) -> Result<Option<Stop>> {
        let step = self.partial.iter().nth(place).map_or(self.run.steps, |(step, _)| step);
        self.advance(step)
    }

    /// The partial loss at that place, once it has come there.
    pub(super) fn partial_loss(&self, place: usize) -> f64 {
        self.partial.iter().nth(place).map_or(f64::INFINITY, |(_, loss)| loss)
    }

    /// Makes the steps up to so many, or those up to where it is stopped, which none may follow.
    pub(crate) fn advance(&mut self, steps: u64) -> Result<Option<Stop>> {
        for step in self.made..steps {
            let batch = self.training.draw()?;
            let loss = self.training.forward(&batch)?;
            let loss = self.training.backward(&loss)?;
            let stopped = |reason| Ok(Some(Stop { reason, step: step + 1 }));
            if let Some(reason) = self.watch.reason_to_stop(loss) {
                return stopped(reason);
            }
            self.made = step + 1;
            self.total += loss;
            self.partial.note(step + 1, loss);
            if !self.training.update(&mut self.update, self.run.learning_rate(step)) {
                return stopped(InvalidReason::NonFinite);
            }
            if self.watching.stated.contains(&(step + 1)) {
                self.course.push((step + 1, self.training.validate(&self.update)?));
            }
        }
        Ok(None)
    }

    /// Makes all steps that are left, and measures what the run comes to.
    pub(crate) fn ending(mut self) -> Result<Ending> {
        if let Some(stop) = self.advance(self.run.steps)? {
            return Ok(Ending::Stopped(stop));
        }
        let loss = match self.watching.loss {
            RunLoss::Final => self.training.validate(&self.update)?,
            RunLoss::MeanTraining => self.total / self.run.steps as f64,
        };
        Ok(Ending::of(loss, self.course, self.run.steps))
    }
}

/// A run on `task` behind its last step with `update`, or where it is stopped.
///
/// # Errors
/// Candle refuses an operation.
pub(crate) fn trained<'a>(
    task: &'a ProxyTask,
    run: &'a Run,
    update: &mut impl Update,
    watching: Watching<'a>,
) -> Result<std::result::Result<Training<'a>, Stop>> {
    let mut under_way = UnderWay::start(task, run, update, watching)?;
    let stop = under_way.advance(run.steps)?;
    Ok(stop.map_or(Ok(under_way.training), Err))
}

/// Trains `task` with `update` and measures the validation losses.
///
/// # Errors
/// Candle refuses an operation.
pub(crate) fn train(
    task: &ProxyTask,
    run: &Run,
    update: &mut impl Update,
    watching: Watching<'_>,
) -> Result<Ending> {
    UnderWay::start(task, run, update, watching)?.ending()
}

/// What each of `runs` comes to, each with an update of its own; the first run that is stopped
/// decides for all.
///
/// # Errors
/// [`EvaluatorError::Internal`] when candle refuses an operation.
pub(crate) fn train_runs<U: Update>(
    task: &ProxyTask,
    runs: &[Run],
    watching: Watching<'_>,
    mut fresh: impl FnMut(&Run) -> U,
) -> std::result::Result<std::result::Result<TaskRuns, Invalid>, EvaluatorError> {
    let mut results = Vec::with_capacity(runs.len());
    for run in runs {
        match train(task, run, &mut fresh(run), watching)? {
            Ending::Finished { loss, course } => results.push(run.result(loss, course)),
            Ending::Stopped(stop) => return Ok(Err(stop.invalid(&task.name))),
        }
    }
    Ok(Ok(TaskRuns { task: task.name.clone(), runs: results }))
}

/// Follows the training loss of one run.
pub(crate) struct Watch {
    divergence: f64,
    /// Infinite until the first loss is seen.
    limit: f64,
    above: u32,
}

impl Watch {
    pub(crate) fn new(divergence: f64) -> Self {
        Self { divergence, limit: f64::INFINITY, above: 0 }
    }

    pub(crate) fn reason_to_stop(&mut self, loss: f64) -> Option<InvalidReason> {
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
