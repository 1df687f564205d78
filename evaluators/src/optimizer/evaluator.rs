//! The optimizer evaluator: trains every task with a program and compares with tuned AdamW.
//!
//! Invariant: evaluating changes nothing in the evaluator, so threads share one; the same program
//! gives the same bits alone, in a cohort, and on any thread. Cohort members are trained one after
//! another: measured on CPUs, training them as one batched network is slower for all but the
//! tiniest networks.

use std::path::Path;

use evo_dsl::{Executor, Program};

use super::config::keyed;
use super::proxy_task::{ProxyTask, Run};
use super::training::mean_loss;
use crate::{
    Evaluator, EvaluatorError, Invalid, OptimizerConfig, Outcome, Score, Stopped, TaskConfig, Trial,
};

/// Scores programs of the optimizer domain by training proxy networks with them.
///
/// The fitness is the mean over the tasks of ln(baseline loss / loss), a task's loss being the mean
/// validation loss over its runs (in nats where it is a cross-entropy): one for each learning rate multiple and repeat. Tasks are
/// trained in order of the configuration; behind each of its stages the mean so far has to clear
/// the trial's hurdle.
#[derive(Debug)]
pub struct OptimizerEvaluator {
    tasks: Vec<Contest>,
    held_out: Vec<Contest>,
    /// Numbers of tasks after which a hurdle is tested.
    stages: Vec<usize>,
    divergence: f64,
}

/// A task, the runs on it, and the loss to beat.
#[derive(Debug)]
struct Contest {
    task: ProxyTask,
    runs: Vec<Run>,
    baseline_loss: f64,
}

impl OptimizerEvaluator {
    /// Loads the data of every task; relative paths start at `base_dir`.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] or [`EvaluatorError::Data`], with a key path that starts in
    /// `config`; a task whose `learning_rate` or `baseline_loss` is missing is one of them (see
    /// [`OptimizerConfig::resolve_baselines`]).
    pub fn new(config: &OptimizerConfig, base_dir: &Path) -> Result<Self, EvaluatorError> {
        config.check()?;
        let contests = |list, tasks| {
            keyed(list, tasks)
                .map(|(key, task)| {
                    Contest::load(task, config, base_dir).map_err(|error| error.within(&key))
                })
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            tasks: contests("tasks", &config.tasks)?,
            held_out: contests("held_out", &config.held_out)?,
            stages: config.stages.clone(),
            divergence: config.divergence,
        })
    }

    /// The loss of `program` on each held-out task, or why it cannot train it, in order.
    ///
    /// # Errors
    /// [`EvaluatorError::Internal`] when candle refuses an operation.
    pub fn held_out_loss(
        &self,
        program: &Program,
    ) -> Result<Vec<Result<f64, Invalid>>, EvaluatorError> {
        self.held_out.iter().map(|contest| contest.loss(program, self.divergence)).collect()
    }

    fn outcome(&self, trial: &Trial<'_>) -> Outcome {
        let mut losses = Vec::with_capacity(self.tasks.len());
        let mut stages = Vec::with_capacity(self.stages.len());
        let mut gain = 0.0;
        for contest in &self.tasks {
            match contest.loss(trial.program, self.divergence) {
                Ok(Ok(loss)) => {
                    gain += libm::log(contest.baseline_loss / loss.max(SMALLEST_LOSS));
                    losses.push(loss);
                }
                Ok(Err(invalid)) => return Outcome::Invalid(Invalid { stages, ..invalid }),
                Err(error) => {
                    return Outcome::Failed { message: error.to_string() };
                }
            }
            let stage = stages.len();
            if self.stages.get(stage) == Some(&losses.len()) {
                let fitness = gain / losses.len() as f64;
                if trial.stops(stage, fitness) {
                    return Outcome::Stopped(Stopped { stage, fitness, cleared: stages });
                }
                stages.push(fitness);
            }
        }
        Outcome::Scored(Score { fitness: gain / self.tasks.len() as f64, losses, stages })
    }
}

/// Losses below this count as this, so that a fitness is always finite.
const SMALLEST_LOSS: f64 = 1e-12;

impl Evaluator for OptimizerEvaluator {
    fn evaluate(&self, cohort: &[Trial<'_>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| self.outcome(trial)).collect()
    }
}

impl Contest {
    fn load(
        config: &TaskConfig,
        all: &OptimizerConfig,
        base_dir: &Path,
    ) -> Result<Self, EvaluatorError> {
        let required = |key: &str, value: Option<f64>| {
            value.ok_or_else(|| {
                EvaluatorError::config(key, "is missing, and baselines have not been tuned")
            })
        };
        let learning_rate = required("learning_rate", config.learning_rate)?;
        let baseline_loss = required("baseline_loss", config.baseline_loss)?;
        let task = ProxyTask::load(config, base_dir, all.data_seed)?;
        let multiples = &all.learning_rate_multiples;
        Ok(Self {
            runs: task.runs(learning_rate, multiples, all.repeats.get()),
            task,
            baseline_loss,
        })
    }

    fn loss(
        &self,
        program: &Program,
        divergence: f64,
    ) -> Result<Result<f64, Invalid>, EvaluatorError> {
        mean_loss(&self.task, &self.runs, divergence, || Executor::new(program, &self.task.layout))
    }
}
