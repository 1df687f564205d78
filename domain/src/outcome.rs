//! Outcomes: what evaluating one program led to.
//!
//! Invariant: an outcome is a function of the trial (a program, its hurdles and its repeat) and the
//! evaluator's configuration, so it can be cached and compared bit for bit. Without
//! [`Outcome::Stopped`] it is one of program and repeat alone, and its stages tell how any hurdles
//! would have stopped it. A bad program is data ([`Outcome::Invalid`]) and never a Rust error;
//! [`Outcome::Failed`] is kept apart because it is the engine's fault and must not be remembered as
//! a property of the program.
//! [`Outcome::Ended`] rests on limits of time and memory, which no seed decides: it is the
//! program's by decree, remembered so that none is let loose twice. Limits far above what any
//! program that trains takes keep it from depending on the machine.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::TaskRuns;
use crate::trial::stops;

/// What evaluating one program led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// Every task was trained to its end.
    Scored(Score),
    /// The program cannot train one of the tasks.
    Invalid(Invalid),
    /// The program did not clear a hurdle of its trial.
    Stopped(Stopped),
    /// The evaluation was ended from outside, because of what the program did to the process.
    Ended(Ended),
    /// The engine failed while evaluating; says nothing about the program.
    Failed {
        /// What went wrong, for a person to read.
        message: String,
    },
}

impl Outcome {
    /// The fitness (higher is better); negative infinity for a program without a score.
    pub fn fitness(&self) -> f64 {
        match self {
            Outcome::Scored(score) => score.fitness,
            Outcome::Invalid(_)
            | Outcome::Stopped(_)
            | Outcome::Ended(_)
            | Outcome::Failed { .. } => f64::NEG_INFINITY,
        }
    }

    /// The fitness so far behind each stage that was reached, the one it was stopped behind
    /// included.
    pub fn stages(&self) -> impl Iterator<Item = f64> {
        let (cleared, last) = match self {
            Outcome::Scored(score) => (&score.stages[..], None),
            Outcome::Invalid(invalid) => (&invalid.stages[..], None),
            Outcome::Stopped(stopped) => (&stopped.cleared[..], Some(stopped.fitness)),
            Outcome::Ended(_) | Outcome::Failed { .. } => (&[][..], None),
        };
        cleared.iter().copied().chain(last)
    }

    /// How an evaluation with this outcome ends where there are these hurdles: stopped, or, for
    /// `None`, as it did. Not for an outcome that hurdles of its own have cut short above these.
    pub fn stopped_by(&self, hurdles: &[f64]) -> Option<Stopped> {
        let mut stages = self.stages().enumerate();
        let (stage, fitness) = stages.find(|&(stage, fitness)| stops(hurdles, stage, fitness))?;
        let cleared = self.stages().take(stage).collect();
        Some(Stopped { stage, fitness, cleared, whole: None })
    }

    /// What a reprieved trial that was stopped came to without that.
    pub fn whole(&self) -> Option<&Outcome> {
        match self {
            Outcome::Stopped(stopped) => stopped.whole.as_deref(),
            _ => None,
        }
    }
}

/// The result of a program that trained every task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean over the tasks of ln(baseline loss / loss), bounded above for each; 0 equals the
    /// baseline, higher is better.
    pub fitness: f64,
    /// Validation loss on each task in configuration order, averaged over the task's runs.
    pub losses: Vec<f64>,
    /// What every run came to, task by task. Empty for an evaluator without runs.
    #[serde(default, deserialize_with = "crate::runs::read")]
    pub runs: Vec<TaskRuns>,
    /// Fitness over the tasks so far behind each stage; empty for an evaluator without stages.
    #[serde(default)]
    pub stages: Vec<f64>,
}

impl Score {
    /// The score of an evaluator without runs and stages.
    pub fn new(fitness: f64, losses: Vec<f64>) -> Score {
        Score { fitness, losses, runs: Vec::new(), stages: Vec::new() }
    }
}

/// Where a program that could train was given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    /// The stage, counted from 0, behind which a hurdle was not cleared.
    pub stage: usize,
    /// The fitness over the tasks so far, below that hurdle.
    pub fitness: f64,
    /// The fitness behind each stage before.
    pub cleared: Vec<f64>,
    /// Of a reprieved trial, what it came to without the hurdles inside its tasks. It is there to
    /// be counted, and changes nothing that a search does.
    #[serde(default)]
    pub whole: Option<Box<Outcome>>,
}

/// Why and where a program failed to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invalid {
    /// What was observed.
    pub reason: InvalidReason,
    /// The name of the task it was observed on.
    pub task: String,
    /// The training step, counted from 1, at which the run was stopped; 0 where none was begun.
    pub step: u64,
    /// Fitness over the tasks so far behind each stage reached before. A hurdle there would have
    /// come first.
    #[serde(default)]
    pub stages: Vec<f64>,
}

/// What makes a program invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvalidReason {
    /// A weight or a loss became infinite or not a number.
    NonFinite,
    /// The training loss stayed above the divergence limit.
    Diverged,
    /// An activation whose derivative would be longer than a program may be.
    NoDerivative,
}

impl fmt::Display for InvalidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidReason::NonFinite => "a weight or the loss became infinite or NaN",
            InvalidReason::Diverged => "the training loss diverged",
            InvalidReason::NoDerivative => "the derivative is longer than a program may be",
        })
    }
}

/// Why an evaluation was ended from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// What the program did.
    pub reason: EndReason,
    /// What was observed, as a limit or a signal, for a person to read.
    pub message: String,
}

/// What ends an evaluation from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndReason {
    /// It took longer than any program may.
    Hung,
    /// The process it ran in broke down.
    Crashed,
    /// It took more memory than any program may.
    OutOfMemory,
    /// The evaluator refused it by an exception, as code of a user does that meets what it was not
    /// written for.
    Raised,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EndReason::Hung => "the evaluation hung",
            EndReason::Crashed => "the evaluation crashed",
            EndReason::OutOfMemory => "the evaluation ran out of memory",
            EndReason::Raised => "the evaluation raised an exception",
        })
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_score_has_a_finite_fitness() {
        let scored = scored(&[]);
        assert_eq!(scored.fitness(), 0.25);
        let invalid = Outcome::Invalid(Invalid {
            reason: InvalidReason::NonFinite,
            task: "digits".into(),
            step: 3,
            stages: vec![0.5],
        });
        assert_eq!(invalid.fitness(), f64::NEG_INFINITY);
        let stopped = Stopped { stage: 0, fitness: 0.5, cleared: vec![], whole: None };
        assert_eq!(invalid.stopped_by(&[0.6]), Some(stopped.clone()));
        assert_eq!(Outcome::Stopped(stopped).fitness(), f64::NEG_INFINITY);
        let ended = Ended { reason: EndReason::Hung, message: "10 s".to_owned() };
        assert_eq!(ended.to_string(), "the evaluation hung: 10 s");
        let ended = Outcome::Ended(ended);
        // How far it came is not known, so no hurdle has anything to say of it.
        assert_eq!((ended.fitness(), ended.stopped_by(&[9.0])), (f64::NEG_INFINITY, None));
    }

    fn scored(stages: &[f64]) -> Outcome {
        Outcome::Scored(Score { stages: stages.to_vec(), ..Score::new(0.25, vec![1.0]) })
    }

    #[test]
    fn an_outcome_is_stopped_by_the_first_hurdle_above_its_stage() {
        let scored = scored(&[0.1, 0.3, f64::NAN]);
        let at = |hurdles: &[f64]| scored.stopped_by(hurdles);
        for cleared in [
            &[][..],
            &[0.1],
            &[0.1, 0.3],
            &[0.0, f64::NEG_INFINITY],
            &[0.1, 0.2, f64::NEG_INFINITY, 9.0],
        ] {
            assert_eq!(at(cleared), None, "{cleared:?}");
        }
        assert_eq!(
            at(&[0.2, 0.4]),
            Some(Stopped { stage: 0, fitness: 0.1, cleared: vec![], whole: None })
        );
        let second = Stopped { stage: 1, fitness: 0.3, cleared: vec![0.1], whole: None };
        assert_eq!(at(&[0.1, 0.4]), Some(second.clone()));
        assert_eq!(Outcome::Stopped(second).stages().collect::<Vec<_>>(), [0.1, 0.3]);
        assert_eq!(at(&[0.1, 0.3, -9.0]).map(|stopped| stopped.stage), Some(2), "NaN is below");
    }
}
