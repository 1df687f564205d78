//! Outcomes: what evaluating one program led to.
//!
//! Invariant: an outcome is a function of the program and the evaluator's configuration, so it can
//! be cached and compared bit for bit. A bad program is data ([`Outcome::Invalid`]) and never a
//! Rust error; [`Outcome::Failed`] is kept apart because it is the engine's fault and must not be
//! remembered as a property of the program.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What evaluating one program led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// Every task was trained to its end.
    Scored(Score),
    /// The program cannot train one of the tasks.
    Invalid(Invalid),
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
            Outcome::Invalid(_) | Outcome::Failed { .. } => f64::NEG_INFINITY,
        }
    }
}

/// The result of a program that trained every task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean over the tasks of ln(baseline loss / loss); 0 equals the baseline, higher is better.
    pub fitness: f64,
    /// Validation loss on each task in configuration order, averaged over the task's runs.
    pub losses: Vec<f64>,
}

/// Why and where a program failed to train.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalid {
    /// What was observed.
    pub reason: InvalidReason,
    /// The name of the task it was observed on.
    pub task: String,
    /// The training step, counted from 1, at which the run was stopped.
    pub step: u64,
}

/// What makes a program invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvalidReason {
    /// A weight or a loss became infinite or not a number.
    NonFinite,
    /// The training loss stayed above the divergence limit.
    Diverged,
}

impl fmt::Display for InvalidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidReason::NonFinite => "a weight or the loss became infinite or NaN",
            InvalidReason::Diverged => "the training loss diverged",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_score_has_a_finite_fitness() {
        let scored = Outcome::Scored(Score { fitness: 0.25, losses: vec![1.0] });
        assert_eq!(scored.fitness(), 0.25);
        let invalid = Outcome::Invalid(Invalid {
            reason: InvalidReason::NonFinite,
            task: "digits".into(),
            step: 3,
        });
        assert_eq!(invalid.fitness(), f64::NEG_INFINITY);
    }
}
