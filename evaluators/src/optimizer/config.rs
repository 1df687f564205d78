//! The configuration of optimizer evaluation: the tasks and how runs on them become a fitness.
//!
//! Invariant: the configuration alone decides every data set, initial weight and batch. Fields left
//! out have the defaults stated here, so a short file and its resolved form mean the same.

use serde::{Deserialize, Serialize};

use super::grid::Grid;
use super::scoring::Scoring;
use crate::{EvaluatorError, TaskConfig};

/// The most runs for each learning rate, and the most that are fresh.
const MOST_REPEATS: u32 = 1_000;

/// How programs of the optimizer domain are scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// The tasks the fitness is computed from.
    pub tasks: Vec<TaskConfig>,
    /// Tasks the search never sees, for judging its winners.
    #[serde(default)]
    pub held_out: Vec<TaskConfig>,
    /// Numbers of tasks after which a hurdle is tested, rising, each from 1 to one less than there
    /// are tasks. Cheap tasks belong in front of them. Default: none.
    #[serde(default)]
    pub stages: Vec<usize>,
    /// Factors of each task's learning rate; a task is trained once with each. Default: 0.4, 1,
    /// 2.5.
    #[serde(default = "default_multiples")]
    pub learning_rate_multiples: Vec<f64>,
    /// Runs for each factor, with initial weights and batches of their own. Default: 1.
    #[serde(default = "default_repeats")]
    pub repeats: std::num::NonZeroU32,
    /// Repeats that no search trains with, by which programs are judged in tables: a winner's
    /// fitness is the luckiest of many, and that on these is not. Default: 8.
    #[serde(default = "default_fresh_repeats")]
    pub fresh_repeats: u32,
    /// Shares of a task's steps, in (0, 1) and rising, behind which a run is validated too: its
    /// course. Each costs a pass over the validation data and moves no training. Default: none.
    #[serde(default)]
    pub loss_at: Vec<f64>,
    /// Seed of all data, initial weights and batches. Default: 0.
    #[serde(default)]
    pub data_seed: u64,
    /// A run whose training loss stays above this factor times its first loss is stopped. Default:
    /// 4.
    #[serde(default = "default_divergence")]
    pub divergence: f64,
    /// How runs are scored, baselines included.
    #[serde(default)]
    pub scoring: Scoring,
}

pub(crate) fn default_multiples() -> Vec<f64> {
    vec![0.4, 1.0, 2.5]
}

pub(crate) fn default_repeats() -> std::num::NonZeroU32 {
    std::num::NonZeroU32::MIN
}

fn default_fresh_repeats() -> u32 {
    8
}

pub(crate) fn default_divergence() -> f64 {
    4.0
}

impl OptimizerConfig {
    /// A configuration of `tasks` with every default.
    pub fn new(tasks: Vec<TaskConfig>) -> Self {
        Self {
            tasks,
            held_out: Vec::new(),
            stages: Vec::new(),
            learning_rate_multiples: default_multiples(),
            repeats: default_repeats(),
            fresh_repeats: default_fresh_repeats(),
            loss_at: Vec::new(),
            data_seed: 0,
            divergence: default_divergence(),
            scoring: Scoring::default(),
        }
    }

    /// Checks everything that can be checked without reading data.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] with a key path such as `tasks[1].model`.
    pub fn check(&self) -> Result<(), EvaluatorError> {
        if self.tasks.is_empty() {
            return Err(EvaluatorError::config("tasks", "needs at least one task"));
        }
        self.check_stages()?;
        self.check_loss_at()?;
        self.scoring.check().map_err(|error| error.within("scoring"))?;
        self.check_horizons()?;
        if self.learning_rate_multiples.is_empty()
            || !self
                .learning_rate_multiples
                .iter()
                .all(|multiple| multiple.is_finite() && *multiple > 0.0)
        {
            return Err(EvaluatorError::config(
                "learning_rate_multiples",
                "needs at least one number, all positive",
            ));
        }
        for (key, repeats) in
            [("repeats", self.repeats.get()), ("fresh_repeats", self.fresh_repeats)]
        {
            if repeats > MOST_REPEATS {
                let message = format!("must be at most {MOST_REPEATS}");
                return Err(EvaluatorError::config(key, message));
            }
        }
        self.check_rates()?;
        if self.divergence.is_nan() || self.divergence <= 1.0 {
            return Err(EvaluatorError::config("divergence", "must be above 1"));
        }
        let mut names = Vec::new();
        for (key, task) in self.keyed_tasks() {
            task.check().map_err(|error| error.within(&key))?;
            if names.contains(&&task.name) {
                return Err(EvaluatorError::config(
                    format!("{key}.name"),
                    format!("`{}` names two tasks; names seed them", task.name),
                ));
            }
            names.push(&task.name);
        }
        Ok(())
    }

    /// Refuses runs too short for the schedule of their task, and stated steps that runs of several
    /// lengths would not share.
    fn check_horizons(&self) -> Result<(), EvaluatorError> {
        if self.scoring.horizons.is_empty() {
            return Ok(());
        }
        if !self.loss_at.is_empty() {
            let message = "cannot be stated where `scoring.horizons` makes runs of several lengths";
            return Err(EvaluatorError::config("loss_at", message));
        }
        for (_, task) in self.keyed_tasks() {
            let shortest = self.scoring.shortest(task.steps.get());
            let needs = task.schedule.shortest().max(task.schedule.warmup_steps() + 1);
            if shortest < needs {
                let message = format!(
                    "make runs of {shortest} steps on `{}`, and its schedule needs {needs}",
                    task.name
                );
                return Err(EvaluatorError::config("scoring.horizons", message));
            }
        }
        Ok(())
    }

    /// Refuses learning rates whose multiples are no numbers.
    fn check_rates(&self) -> Result<(), EvaluatorError> {
        let largest = self.learning_rate_multiples.iter().copied().fold(0.0, f64::max);
        for (key, task) in self.keyed_tasks() {
            let rate = task.learning_rate.unwrap_or(Grid::largest_rate());
            if !(rate * largest).is_finite() {
                let message = format!("times the multiple {largest:?} is too large a number");
                return Err(EvaluatorError::config(format!("{key}.learning_rate"), message));
            }
        }
        if !(Grid::largest_rate() * largest).is_finite() {
            let message = "are too large for the learning rates that baselines are tuned over";
            return Err(EvaluatorError::config("learning_rate_multiples", message));
        }
        Ok(())
    }

    fn check_stages(&self) -> Result<(), EvaluatorError> {
        let mut before = 0;
        for (index, &stage) in self.stages.iter().enumerate() {
            let refused = |message| EvaluatorError::config(format!("stages[{index}]"), message);
            if stage >= self.tasks.len() {
                let tasks = self.tasks.len();
                let message =
                    format!("must be below {tasks}, the number of tasks: none would be saved");
                return Err(refused(message));
            }
            if stage <= before {
                let message = match index {
                    0 => "must be 1 or more".to_owned(),
                    _ => format!("must be above {before}, the one before"),
                };
                return Err(refused(message));
            }
            before = stage;
        }
        Ok(())
    }

    /// Whether a task states no learning rate or no baseline loss, so that AdamW has to be tuned.
    pub fn lacks_baseline(&self) -> bool {
        let lacks =
            |task: &TaskConfig| task.learning_rate.is_none() || task.baseline_loss.is_none();
        self.tasks.iter().chain(&self.held_out).any(lacks)
    }

    fn keyed_tasks(&self) -> impl Iterator<Item = (String, &TaskConfig)> {
        keyed("tasks", &self.tasks).chain(keyed("held_out", &self.held_out))
    }
}

/// Tasks with their key paths: `list[0]`, `list[1]`, …
pub(crate) fn keyed<'a>(
    list: &'a str,
    tasks: &'a [TaskConfig],
) -> impl Iterator<Item = (String, &'a TaskConfig)> {
    tasks.iter().enumerate().map(move |(index, task)| (format!("{list}[{index}]"), task))
}
