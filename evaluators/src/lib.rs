//! How *good* a program is: data, proxy networks and their training for optimizers, points to fit
//! for expressions, tasks for learners, images for compute graphs.
//!
//! # Overview
//! [`OptimizerEvaluator`] scores optimizers for a search. It trains the small networks of an
//! [`OptimizerConfig`] (a list of [`TaskConfig`]s, each a [`ModelConfig`] on a [`DataConfig`]) with
//! each program and compares the validation losses with those of tuned AdamW. Forward and backward
//! passes run through candle, with the hot layers as custom operations; the update is the program's
//! own.
//!
//! [`ExpressionEvaluator`] scores expressions by their error on the points of an
//! [`ExpressionConfig`]'s task, a table, a formula or a published [`Equation`]. It needs no candle.
//! [`ActivationEvaluator`] scores them as what stands between the layers of the networks of an
//! [`ActivationConfig`], trained by AdamW.
//!
//! [`LearnerEvaluator`] scores learners by what they come to on the tasks of a [`LearnerConfig`],
//! each trained from nothing. It needs no candle either.
//!
//! [`GraphEvaluator`] scores compute graphs: the cell that one is, stacked as a [`GraphConfig`]
//! says and trained on images by AdamW. Its [`CellProbe`] sees what a graph computes.

mod activation;
mod data;
mod device;
mod enumerated;
mod error;
mod expression;
mod file;
mod graph;
mod inner_threads;
mod layers;
mod learner;
mod optimizer;
mod parallel;
mod proxies;
mod schedule;
mod task;

use evo_domain::{
    DependsOn, Evaluator, Invalid, InvalidReason, Outcome, RunResult, Score, Stopped, TaskRuns,
};

pub use activation::{ActivationConfig, ActivationEvaluator, ActivationJudges, known_activations};
pub use device::Device;
pub use enumerated::{Enumerated, EnumeratedConfig, SpaceRow, SpaceTable, TrueFitness};
pub use error::EvaluatorError;
pub use expression::{
    Equation, EquationInput, ExpressionConfig, ExpressionData, ExpressionEvaluator, ExpressionLoss,
    ExpressionTask, HeldOutPoints, LEAST_ERROR,
};
pub use file::read_file;
pub use graph::{CellProbe, GraphConfig, GraphEvaluator, GraphJudges, GraphNetwork, MeasuredGraph};
pub use inner_threads::pin_inner_threads;
#[doc(hidden)]
pub use layers::{Multiplication, Product};
pub use learner::{LearnerConfig, LearnerEvaluator, LearnerJudges, LearnerProblem, LearnerSet};
pub use optimizer::{
    AtMultiple, Baseline, Factor, Grid, Judges, Knobs, Lanes, OptimizerConfig, OptimizerEvaluator,
    Rates, RecordedBatch, RecordedLeaf, Recording, RunLoss, Scoring, Setting, Steps, StudiedTask,
    Study, StudyConfig, StudyRun, Tried, Tuning, WeightDecay, Workload, tuned_runs,
};
pub use parallel::parallel_map;
pub use schedule::Schedule;
pub use task::{
    Activation, Cell, DataConfig, ModelConfig, Normalisation, Operation, Problem, TaskConfig,
};

/// A program to evaluate here.
type Trial<'a> = evo_domain::Trial<'a, evo_dsl::Program>;
