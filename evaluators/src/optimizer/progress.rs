//! Progress: how far the evaluation of one trial has come, task by task.
//!
//! Invariant: it is told the losses in the order of the tasks and nothing else, so that an outcome
//! is the same whether a trial is evaluated at one go or with others, task after task.

use crate::{Invalid, Outcome, Score, Stopped, TaskRuns, Trial};

/// The most that a task adds to the sum a fitness is the mean of: a loss below the baseline's by
/// more than e² = 7.4 is worth no more than that.
///
/// Training better than tuned AdamW does not go so far; what does has found a way around the task,
/// and would buy the mean over all tasks with the one that has such a way. Losses that are too
/// high need no bound: a run is stopped long before it could sink a mean, and search begins from
/// programs that are far below the baseline and have to see their way up.
pub(crate) const MOST_GAIN: f64 = 2.0;

/// What a task adds to the sum a fitness is the mean of.
pub(crate) fn gain(baseline_loss: f64, loss: f64) -> f64 {
    libm::log(baseline_loss / loss).min(MOST_GAIN)
}

/// The evaluation of one trial so far.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    trial: Trial<'a>,
    /// What the runs on a task come to.
    measure: fn(&TaskRuns) -> f64,
    losses: Vec<f64>,
    runs: Vec<TaskRuns>,
    stages: Vec<f64>,
    gain: f64,
}

impl<'a> Progress<'a> {
    /// No task has been trained yet; `measure` gives the loss on a task from its runs.
    pub(crate) fn new(trial: Trial<'a>, measure: fn(&TaskRuns) -> f64) -> Self {
        let (losses, runs, stages) = (Vec::new(), Vec::new(), Vec::new());
        Self { trial, measure, losses, runs, stages, gain: 0.0 }
    }

    /// The trial.
    pub(crate) fn trial(&self) -> Trial<'a> {
        self.trial
    }

    /// Takes in the runs on the next task, or why there are none; the outcome where
    /// it ends here. `stages` are the numbers of tasks after which a hurdle is tested.
    pub(crate) fn absorb(
        &mut self,
        runs: Result<TaskRuns, Invalid>,
        baseline_loss: f64,
        stages: &[usize],
    ) -> Option<Outcome> {
        match runs {
            Ok(runs) => {
                let loss = (self.measure)(&runs);
                self.gain += gain(baseline_loss, loss);
                self.losses.push(loss);
                self.runs.push(runs);
            }
            Err(invalid) => {
                let stages = std::mem::take(&mut self.stages);
                return Some(Outcome::Invalid(Invalid { stages, ..invalid }));
            }
        }
        match stages.contains(&self.losses.len()) {
            true => self.reach(self.gain / self.losses.len() as f64),
            false => None,
        }
    }

    /// Takes in the partial loss on the next task at a share of its steps; the outcome where it
    /// ends here. The fitness so far has it in place of the loss, and is finite: outcomes travel
    /// as JSON, which has no infinity.
    pub(crate) fn pass(&mut self, partial_loss: f64, baseline_loss: f64) -> Option<Outcome> {
        let gain = self.gain + gain(baseline_loss, partial_loss.min(f64::MAX));
        self.reach(gain / (self.losses.len() + 1) as f64)
    }

    /// Comes to the next stage with this fitness so far.
    fn reach(&mut self, fitness: f64) -> Option<Outcome> {
        let stage = self.stages.len();
        if self.trial.stops(stage, fitness) {
            let cleared = std::mem::take(&mut self.stages);
            return Some(Outcome::Stopped(Stopped { stage, fitness, cleared, whole: None }));
        }
        self.stages.push(fitness);
        None
    }

    /// The outcome when all tasks were trained.
    pub(crate) fn score(self) -> Outcome {
        let fitness = self.gain / self.losses.len() as f64;
        let Self { losses, runs, stages, .. } = self;
        Outcome::Scored(Score { fitness, losses, runs, stages })
    }
}
