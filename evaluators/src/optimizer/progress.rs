//! Progress: how far the evaluation of one trial has come, task by task.
//!
//! Invariant: it is told the losses in the order of the tasks and nothing else, so that an outcome is
//! the same whether a trial is evaluated at one go or with others, task after task.

use crate::{Invalid, Outcome, Score, Stopped, Trial};

/// Losses below this count as this, so that a fitness is always finite.
const SMALLEST_LOSS: f64 = 1e-12;

/// The evaluation of one trial so far.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    trial: Trial<'a>,
    losses: Vec<f64>,
    stages: Vec<f64>,
    gain: f64,
}

impl<'a> Progress<'a> {
    /// No task has been trained yet.
    pub(super) fn new(trial: Trial<'a>) -> Self {
        Self { trial, losses: Vec::new(), stages: Vec::new(), gain: 0.0 }
    }

    /// The trial.
    pub(super) fn trial(&self) -> Trial<'a> {
        self.trial
    }

    /// Takes in the loss on the next task, or why there is none; the outcome where it ends here.
    /// `stages` are the numbers of tasks after which a hurdle is tested.
    pub(super) fn absorb(
        &mut self,
        loss: Result<f64, Invalid>,
        baseline_loss: f64,
        stages: &[usize],
    ) -> Option<Outcome> {
        match loss {
            Ok(loss) => {
                self.gain += libm::log(baseline_loss / loss.max(SMALLEST_LOSS));
                self.losses.push(loss);
            }
            Err(invalid) => {
                let stages = std::mem::take(&mut self.stages);
                return Some(Outcome::Invalid(Invalid { stages, ..invalid }));
            }
        }
        let stage = self.stages.len();
        if stages.get(stage) == Some(&self.losses.len()) {
            let fitness = self.gain / self.losses.len() as f64;
            if self.trial.stops(stage, fitness) {
                let cleared = std::mem::take(&mut self.stages);
                return Some(Outcome::Stopped(Stopped { stage, fitness, cleared }));
            }
            self.stages.push(fitness);
        }
        None
    }

    /// The outcome when all tasks were trained.
    pub(super) fn score(self) -> Outcome {
        let fitness = self.gain / self.losses.len() as f64;
        Outcome::Scored(Score { fitness, losses: self.losses, stages: self.stages })
    }
}
