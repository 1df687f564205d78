//! How good a *learner* is: its fitness on tasks it is trained on from nothing.

mod classes;
mod config;
mod evaluator;
mod regression;

pub use config::{LearnerConfig, LearnerProblem, LearnerSet};
pub use evaluator::{LearnerEvaluator, LearnerJudges};
