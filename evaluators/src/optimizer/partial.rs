//! Partial losses: what the runs on a task have come to at stated shares of their steps, for
//! hurdles inside the task.
//!
//! Invariant: a partial loss follows from the training losses up to its share and from nothing
//! else, so looking at it moves no training and costs nothing; a validation would cost a dozen
//! steps. It is the mean over the latter half of the steps made: the loss of one step is that of
//! one batch, the first ones are alike for every program, and where else runs are looked at must
//! not matter. The runs on a task are trained abreast, all up to a share before one goes on, and
//! come to what they come to one after another.

use candle_core::Result;
use evo_dsl::{Executor, Program};

use super::proxy_task::{ProxyTask, Run};
use super::rates::{Trained, joined};
use super::training::{Ending, Stop, UnderWay, Watching};
use crate::{Invalid, OptimizerConfig, TaskRuns};

/// The step of a run of so many that is nearest to a share of them: neither none nor, where it has
/// more than one, all of them.
pub(super) fn step_at(share: f64, steps: u64) -> u64 {
    ((share * steps as f64).round() as u64).clamp(1, steps.max(2) - 1)
}

/// The partial losses of a run, as its training losses come.
#[derive(Debug)]
pub(super) struct PartialLosses(Vec<Latter>);

/// The latter half of the steps up to one.
#[derive(Debug)]
struct Latter {
    step: u64,
    sum: f64,
}

impl PartialLosses {
    /// Of a run of so many steps behind these shares of them.
    pub(super) fn new(shares: &[f64], steps: u64) -> Self {
        let latter = |&share: &f64| Latter { step: step_at(share, steps), sum: 0.0 };
        Self(shares.iter().map(latter).collect())
    }

    /// Takes in the training loss of a step, counted from 1.
    pub(super) fn note(&mut self, step: u64, loss: f64) {
        let counts = |latter: &&mut Latter| latter.step / 2 < step && step <= latter.step;
        self.0.iter_mut().filter(counts).for_each(|latter| latter.sum += loss);
    }

    /// Each step with the partial loss there, as far as the losses up to it have come.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, f64)> {
        self.0.iter().map(|&Latter { step, sum }| (step, sum / (step - step / 2) as f64))
    }
}

/// The runs on a task with one program, all as far as they have been trained.
pub(super) struct Abreast<'a> {
    task: &'a ProxyTask,
    parts: Vec<Part<'a>>,
}

/// The runs that count together: those before the first that is known to be stopped.
struct Part<'a> {
    runs: Vec<UnderWay<'a, Executor>>,
    stop: Option<Stop>,
}

impl<'a> Abreast<'a> {
    /// The parts of the runs on `task` before their first steps.
    ///
    /// # Errors
    /// Candle refuses an operation; so for all methods.
    pub(super) fn start(
        task: &'a ProxyTask,
        program: &Program,
        parts: impl Iterator<Item = &'a [Run]>,
        watching: Watching<'a>,
    ) -> Result<Self> {
        let start = |run: &'a Run| {
            let update = Executor::new(&run.program(program), &task.layout);
            UnderWay::start(task, run, update, watching)
        };
        let part = |runs: &'a [Run]| {
            Ok(Part { runs: runs.iter().map(start).collect::<Result<_>>()?, stop: None })
        };
        Ok(Self { task, parts: parts.map(part).collect::<Result<_>>()? })
    }

    /// Trains all runs up to the share of this number; the partial loss of the task there, that
    /// of its best part, which is infinite where no part can be trained.
    pub(super) fn loss_at(&mut self, place: usize) -> Result<f64> {
        let mut best = f64::INFINITY;
        for part in &mut self.parts {
            best = best.min(part.loss_at(place)?);
        }
        Ok(best)
    }

    /// What the runs come to in the end.
    pub(super) fn ending(self) -> Trained {
        let parts = self.parts.into_iter().map(|part| part.ending(&self.task.name));
        let parts: Vec<_> = parts.collect::<Result<_>>()?;
        Ok(joined(&self.task.name, parts.into_iter()))
    }
}

impl Part<'_> {
    fn loss_at(&mut self, place: usize) -> Result<f64> {
        let mut total = 0.0;
        for index in 0..self.runs.len() {
            let run = &mut self.runs[index];
            if let Some(stop) = run.advance_to(place)? {
                self.stop = Some(stop);
                self.runs.truncate(index);
                break;
            }
            total += run.partial_loss(place);
        }
        Ok(if self.stop.is_some() { f64::INFINITY } else { total / self.runs.len() as f64 })
    }

    /// As of runs one after another: the first that is stopped decides for all.
    fn ending(self, task: &str) -> Result<std::result::Result<TaskRuns, Invalid>> {
        let mut results = Vec::with_capacity(self.runs.len());
        for under_way in self.runs {
            let run = under_way.run();
            match under_way.ending()? {
                Ending::Finished { loss, course } => results.push(run.result(loss, course)),
                Ending::Stopped(stop) => return Ok(Err(stop.invalid(task))),
            }
        }
        Ok(match self.stop {
            Some(stop) => Err(stop.invalid(task)),
            None => Ok(TaskRuns { task: task.to_owned(), runs: results }),
        })
    }
}

impl OptimizerConfig {
    /// Of each stage of an evaluation that looks inside its tasks at so many shares, in order,
    /// whether it is one of those.
    pub fn partial_stages(&self, shares: usize) -> Vec<bool> {
        let mut stages = Vec::new();
        for task in 1..=self.tasks.len() {
            stages.extend(std::iter::repeat_n(true, shares));
            stages.extend(self.stages.contains(&task).then_some(false));
        }
        stages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_step_on_the_way_and_its_loss_that_of_the_latter_half() {
        assert_eq!([0.01, 0.25, 0.5, 0.99].map(|share| step_at(share, 10)), [1, 3, 5, 9]);
        assert_eq!([1, 2].map(|steps| step_at(0.5, steps)), [1, 1]);
        let mut losses = PartialLosses::new(&[0.1, 0.2, 0.4, 0.5], 10);
        let all = [9.0, 8.0, 7.0, 6.0, 5.0, 100.0];
        (1..).zip(all).for_each(|(step, loss)| losses.note(step, loss));
        let found: Vec<_> = losses.iter().collect();
        assert_eq!(found, [(1, 9.0), (2, 8.0), (4, 6.5), (5, 6.0)]);
    }
}
