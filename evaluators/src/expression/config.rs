//! The configuration of expression evaluation: tasks with their data, and how an error is measured.
//!
//! Invariant: the configuration and the files it names decide every point. A search fits one task,
//! `task` of the list, so that one file can hold a whole benchmark and an override picks from it.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Equation, EvaluatorError};

/// How expressions are scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpressionConfig {
    /// The tasks to choose from, each a search of its own.
    pub tasks: Vec<ExpressionTask>,
    /// The name of the task to search. Default: the first.
    #[serde(default)]
    pub task: Option<String>,
    /// What is reported as the loss; fitness does not depend on it. Default: the mean squared
    /// error.
    #[serde(default)]
    pub loss: ExpressionLoss,
    /// Steps of Levenberg and Marquardt's method that the constants of every expression are fitted
    /// by before it is scored, at most 1000; the text of the program stays. Default: 0, none.
    #[serde(default)]
    pub fit_constants: u32,
    /// Seed of all points drawn and of all splits. Default: 0.
    #[serde(default)]
    pub data_seed: u64,
}

/// A data set to find an expression for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpressionTask {
    /// Its name, by which it is chosen. Default: that of its data.
    #[serde(default)]
    pub name: String,
    /// Its points.
    pub data: ExpressionData,
}

/// Where the points of a task come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ExpressionData {
    /// An equation of the benchmark of Uy et al. 2011 by its number, 1 to 12, with its ranges and
    /// number of points.
    Nguyen(u32),
    /// An equation of Udrescu & Tegmark 2020 by its number in the Feynman Lectures, such as
    /// `"I.12.1"`, with its ranges.
    Feynman(String),
    /// Points drawn evenly from ranges, and what a formula gives there.
    Formula {
        /// An expression in the language, such as `"x ** 2 + sin(y)"`, or the text of a whole
        /// `def f(x, y): …`.
        formula: String,
        /// Names and ranges of the inputs, in order.
        inputs: Vec<EquationInput>,
        /// Points to fit.
        points: NonZeroUsize,
        /// Points held out. Default: as many again.
        #[serde(default)]
        test_points: Option<usize>,
        /// Ranges of the points held out, as many as inputs. Default: those of the inputs.
        #[serde(default)]
        test_ranges: Vec<(f64, f64)>,
    },
    /// A table of numbers, comma-separated, the names of its columns in the first line.
    Csv {
        /// The file.
        path: PathBuf,
        /// The column to be found.
        target: String,
        /// The columns it may depend on, in the order of the inputs. Default: all others.
        #[serde(default)]
        inputs: Vec<String>,
        /// The share of rows held out, drawn at random. Default: 0.2.
        #[serde(default = "default_test_share")]
        test_share: f64,
    },
}

/// Name, lowest and highest value of an input: `("x", -1.0, 1.0)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EquationInput(pub String, pub f64, pub f64);

/// What is reported as the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExpressionLoss {
    /// The mean of the squared errors, in the square of the target's unit.
    #[default]
    MeanSquaredError,
    /// The same divided by the variance of the targets to fit: 1 - R² on them.
    Normalised,
}

fn default_test_share() -> f64 {
    0.2
}

/// The most steps of a fit.
const MOST_STEPS: u32 = 1_000;

impl ExpressionConfig {
    /// A configuration of tasks with every default.
    pub fn new(tasks: Vec<ExpressionTask>) -> ExpressionConfig {
        ExpressionConfig {
            tasks,
            task: None,
            loss: ExpressionLoss::default(),
            fit_constants: 0,
            data_seed: 0,
        }
    }

    /// The task that is searched, with its place in the list.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] where there is none, two tasks have one name, or any of them is
    /// an equation that there is none of.
    pub fn chosen(&self) -> Result<(usize, &ExpressionTask), EvaluatorError> {
        let names: Vec<String> = self.tasks.iter().map(ExpressionTask::name).collect();
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                let key = format!("tasks[{index}].name");
                return Err(EvaluatorError::config(key, format!("`{name}` names two tasks")));
            }
            let equation = self.tasks[index].data.equation();
            equation.map_err(|error| error.within(&format!("tasks[{index}]")))?;
        }
        if self.fit_constants > MOST_STEPS {
            let message = format!("must be at most {MOST_STEPS}");
            return Err(EvaluatorError::config("fit_constants", message));
        }
        let index = match &self.task {
            None => 0,
            Some(wanted) => names.iter().position(|name| name == wanted).ok_or_else(|| {
                let known = names.iter().map(String::as_str);
                let hint = match evo_dsl::nearest_name(wanted, known) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => format!("there are {}", names.join(", ")),
                };
                EvaluatorError::config("task", format!("there is no task `{wanted}`; {hint}"))
            })?,
        };
        let task = self.tasks.get(index);
        let task =
            task.ok_or_else(|| EvaluatorError::config("tasks", "needs at least one task"))?;
        Ok((index, task))
    }
}

impl ExpressionTask {
    /// A task with the name of its data.
    pub fn new(data: ExpressionData) -> ExpressionTask {
        ExpressionTask { name: String::new(), data }
    }

    /// Its name, that of its data where it has none of its own.
    pub fn name(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        match &self.data {
            ExpressionData::Nguyen(number) => format!("Nguyen-{number}"),
            ExpressionData::Feynman(number) => format!("Feynman {number}"),
            ExpressionData::Formula { formula, .. } => formula.trim().to_owned(),
            // Where the file lies is no part of what is searched.
            ExpressionData::Csv { path, .. } => {
                path.file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
        }
    }
}

impl ExpressionData {
    /// The published equation that is meant, if one is.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] for a number that no equation has.
    pub(super) fn equation(&self) -> Result<Option<&'static Equation>, EvaluatorError> {
        let unknown = |name: String, key: &str| {
            let all = Equation::all().iter().map(|equation| equation.name);
            let hint = match evo_dsl::nearest_name(&name, all.clone()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("there are {}", all.collect::<Vec<_>>().join(", ")),
            };
            EvaluatorError::config(key, format!("no equation is called `{name}`; {hint}"))
        };
        let (name, key) = match self {
            ExpressionData::Nguyen(number) => (format!("Nguyen-{number}"), "data.Nguyen"),
            ExpressionData::Feynman(number) => (format!("Feynman {number}"), "data.Feynman"),
            _ => return Ok(None),
        };
        Equation::named(&name).map(Some).ok_or_else(|| unknown(name, key))
    }
}
