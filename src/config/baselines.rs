//! Measured baselines: what `NAME.baselines.ron` beside `NAME.ron` holds.
//!
//! Invariant: a task takes a baseline only if that was measured on this very task, which its
//! fingerprint tells, so a changed task is never compared with the loss of another; both may be in
//! the file, and measuring one leaves the other. What a task states itself wins: it is read from
//! run directories, and from configurations that give a target of their own.

use std::path::{Path, PathBuf};

use evo_evaluators::TaskConfig;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};

/// AdamW at its best on a task, and which task that was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredBaseline {
    /// The task's name.
    pub task: String,
    /// The task's fingerprint, in hexadecimal digits.
    pub fingerprint: String,
    /// The optimizer that was tuned.
    pub optimizer: String,
    /// Its best incoming learning rate.
    pub learning_rate: f64,
    /// Its best weight decay, if it has one.
    #[serde(default)]
    pub weight_decay: Option<f64>,
    /// Its mean validation loss.
    pub loss: f64,
    /// The kind of CPU it was trained on, whose last bits another need not give.
    #[serde(default)]
    pub cpu: Option<String>,
}

/// The baselines of a configuration and its variants, by task and fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Baselines(Vec<MeasuredBaseline>);

impl Baselines {
    /// Where the baselines of a configuration are: `NAME.baselines.ron` beside it.
    pub fn path(config: &Path) -> PathBuf {
        let mut name = config.file_stem().unwrap_or_default().to_owned();
        name.push(".baselines.ron");
        config.with_file_name(name)
    }

    /// Reads a file of baselines, none where there is no file.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Baselines, ConfigError> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = super::source::read(path)?;
        let options = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        let refused = |place: String, message: String| {
            ConfigError::at(format!("{}{place}: ", path.display()), message)
        };
        let mut baselines: Baselines = options.from_str(&text).map_err(|error| {
            let start = error.span.start;
            refused(format!(":{}:{}", start.line, start.col), error.code.to_string())
        })?;
        let positive = |value: f64| value.is_finite() && value > 0.0;
        for MeasuredBaseline { task, learning_rate, loss, .. } in &baselines.0 {
            if !(positive(*learning_rate) && positive(*loss)) {
                let message = format!("`{task}`: learning rate and loss must be positive numbers");
                return Err(refused(String::new(), message));
            }
        }
        // A hand may have changed the order.
        baselines.0.sort_by_key(Self::key);
        Ok(baselines)
    }

    fn key(measured: &MeasuredBaseline) -> (String, String) {
        (measured.task.clone(), measured.fingerprint.clone())
    }

    /// Takes in a baseline in place of what was measured on the same task.
    pub fn keep(&mut self, measured: MeasuredBaseline) {
        match self.0.binary_search_by_key(&Self::key(&measured), Self::key) {
            Ok(place) => self.0[place] = measured,
            Err(place) => self.0.insert(place, measured),
        }
    }

    /// The baselines of a task's name, by fingerprint.
    pub fn of<'a>(&'a self, task: &'a str) -> impl Iterator<Item = &'a MeasuredBaseline> {
        self.0.iter().filter(move |it| it.task == task)
    }

    /// The text of the file.
    pub fn to_ron(&self) -> String {
        let pretty =
            ron::ser::PrettyConfig::new().extensions(ron::extensions::Extensions::IMPLICIT_SOME);
        let text = ron::ser::to_string_pretty(self, pretty);
        text.expect("a baseline has no value that RON cannot write") + "\n"
    }
}

/// A task without a baseline, and why it has none.
pub(super) struct Lack {
    /// Where the task stands: `evaluation.tasks[1]`.
    pub key: String,
    pub reason: &'static str,
}

impl Config {
    /// Gives tasks that state nothing the baselines measured on them; the first task that still has
    /// none.
    pub(super) fn take_baselines(&mut self, path: &Path) -> Result<Option<Lack>, ConfigError> {
        if !self.evaluation.lacks_baseline() {
            return Ok(None);
        }
        let baselines = Baselines::read(&Baselines::path(path))?;
        let original = self.evaluation.clone();
        let mut first = None;
        let evaluation = &mut self.evaluation;
        let tasks = evaluation.tasks.iter_mut().enumerate().map(|it| ("tasks", it));
        let held_out = evaluation.held_out.iter_mut().enumerate().map(|it| ("held_out", it));
        for (list, (index, task)) in tasks.chain(held_out) {
            let key = format!("evaluation.{list}[{index}]");
            let fingerprint = |task: &TaskConfig| {
                let print = original.fingerprint(task, Path::new(""));
                print.map_err(|error| ConfigError::from_task(&key, error))
            };
            let reason = match (task.learning_rate, task.baseline_loss) {
                (Some(_), Some(_)) => continue,
                (None, None) if baselines.of(&task.name).next().is_none() => "has no baseline",
                (None, None) => {
                    let fingerprint = fingerprint(task)?.to_string();
                    let mut measured = baselines.of(&task.name);
                    match measured.find(|it| it.fingerprint == fingerprint) {
                        None => "was changed since its baseline was measured",
                        Some(it) => {
                            (task.learning_rate, task.baseline_loss) =
                                (Some(it.learning_rate), Some(it.loss));
                            continue;
                        }
                    }
                }
                _ => "states only one of `learning_rate` and `baseline_loss`; leave both out",
            };
            first.get_or_insert(Lack { key, reason });
        }
        Ok(first)
    }
}
