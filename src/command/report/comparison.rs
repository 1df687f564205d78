//! A comparison of programs as `evo compare` left it: its standings, courses and rates.
//!
//! Invariant: one that is read has a figure, or none, of every program on every task, so that all
//! that is made of it may count on that; what is damaged is named with its place.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::number::{NONE, signed};
use super::read_json;
use crate::command::compare::cost;

/// What is infinite, which JSON has as `null`.
const ENDLESS: &str = "∞";

/// Programs side by side; the first is the reference.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Comparison {
    pub tasks: Vec<String>,
    pub programs: Vec<Standing>,
    config: Setup,
    seconds_per_step: Vec<Vec<f64>>,
    cpu: String,
    /// The courses of all runs.
    #[serde(skip)]
    pub courses: Vec<Course>,
}

/// What the figures need of its configuration.
#[derive(Clone, Debug, Deserialize)]
struct Setup {
    tasks: Vec<TaskSetup>,
}

#[derive(Clone, Debug, Deserialize)]
struct TaskSetup {
    /// By its name, alone or with its settings.
    model: Value,
}

/// What is said of a program.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Standing {
    pub name: String,
    pub reference: Duel,
    best_rules: Option<Duel>,
    profile_score: f64,
    pub on_tasks: Vec<OnTask>,
}

/// A program against its rivals.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Duel {
    pub gain: Option<Estimate>,
    steps: Option<Estimate>,
    reached: usize,
    wins: usize,
    ties: usize,
    losses: usize,
    pub tasks: Vec<DuelOnTask>,
}

/// On one task.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct DuelOnTask {
    verdict: String,
    /// Steps to the rival's final loss by those of the rival.
    pub steps: Option<f64>,
}

/// A program's own figures on a task.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct OnTask {
    loss: Option<Estimate>,
    stopped: usize,
    at_edge: bool,
    pub by_rate: Vec<(f64, Option<f64>)>,
}

/// A figure with its interval; `None` for what is infinite.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Estimate {
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// A loss on the way of a run.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Course {
    pub program: String,
    pub task: String,
    pub step: u64,
    pub loss: f64,
}

/// A comparison as tables of a page.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Tables {
    reference: String,
    cpu: String,
    against_reference: Vec<Row>,
    /// Empty where no rule of the zoo is among them.
    against_rules: Vec<Row>,
    tasks: Vec<String>,
    losses: Vec<Losses>,
    notes: Vec<String>,
}

/// A program against rivals.
#[derive(Clone, Debug, Serialize)]
struct Row {
    name: String,
    gain: String,
    gain_interval: String,
    steps: String,
    steps_interval: String,
    reached: String,
    time: String,
    won: usize,
    tied: usize,
    lost: usize,
    profile: String,
}

/// The losses of a program by task.
#[derive(Clone, Debug, Serialize)]
struct Losses {
    name: String,
    cells: Vec<LossCell>,
}

#[derive(Clone, Debug, Serialize)]
struct LossCell {
    loss: String,
    /// `win`, `tie` or `loss`.
    verdict: String,
}

/// Reads a comparison and the courses beside it.
pub(super) fn read(path: &Path) -> anyhow::Result<Comparison> {
    let comparison: Comparison = read_json(path)?;
    comparison.check().with_context(|| path.display().to_string())?;
    let path = path.with_file_name("courses.csv");
    let place = || path.display().to_string();
    let read = || -> Result<Vec<Course>, csv::Error> {
        csv::Reader::from_path(&path)?.deserialize().collect()
    };
    let comparison = Comparison { courses: read().with_context(place)?, ..comparison };
    comparison.check_courses().with_context(place)?;
    Ok(comparison)
}

impl Comparison {
    fn check(&self) -> anyhow::Result<()> {
        let tasks = self.tasks.len();
        if tasks == 0 || self.programs.is_empty() {
            bail!("it compares nothing");
        }
        if self.config.tasks.len() != tasks {
            bail!("`config` is not of {tasks} tasks");
        }
        if self.seconds_per_step.len() != self.programs.len() {
            bail!("`seconds_per_step` is not of {} programs", self.programs.len());
        }
        for (program, seconds) in self.programs.iter().zip(&self.seconds_per_step) {
            let duels = program.best_rules.iter().chain([&program.reference]);
            let mut lengths = duels.map(|duel| duel.tasks.len());
            let whole = program.on_tasks.len() == tasks && seconds.len() == tasks;
            if !whole || lengths.any(|length| length != tasks) {
                bail!("`{}` has not a figure for each of {tasks} tasks", program.name);
            }
        }
        Ok(())
    }

    /// All that train on a task have as many rows for it.
    fn check_courses(&self) -> anyhow::Result<()> {
        let mut rows: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for course in &self.courses {
            *rows.entry((&course.task, &course.program)).or_default() += 1;
        }
        for (index, task) in self.tasks.iter().enumerate() {
            let trained = self.programs.iter().filter(|it| it.on_tasks[index].stopped == 0);
            let rows = |it: &Standing| rows.get(&(task, &it.name)).copied().unwrap_or(0);
            let counts: Vec<usize> = trained.map(rows).collect();
            if counts.iter().any(|&count| count == 0 || count != counts[0]) {
                bail!("it has not a course of every program on `{task}`");
            }
        }
        Ok(())
    }

    /// What a loss on a task is, with its unit.
    pub(super) fn loss_on(&self, task: usize) -> &'static str {
        let model = &self.config.tasks[task].model;
        let settings = model.as_object().and_then(|it| it.keys().next());
        match settings.map(String::as_str).or(model.as_str()) {
            Some("Autoencoder") => "loss (mean squared error)",
            Some("Quadratic") => "loss (value of the quadratic)",
            _ => "validation loss (nats)",
        }
    }

    /// Its tables.
    pub(super) fn tables(&self) -> Tables {
        let rows = |duel: fn(&Standing) -> Option<&Duel>| {
            let programs = self.programs.iter().zip(&self.seconds_per_step);
            let rows = programs.filter_map(|(program, seconds)| {
                duel(program).map(|duel| self.row(program, duel, seconds))
            });
            rows.collect::<Vec<Row>>()
        };
        let losses = self.programs.iter().map(|program| {
            let cells = program.on_tasks.iter().zip(&program.reference.tasks);
            let cells = cells.map(|(own, duel)| LossCell {
                loss: text(own.loss.and_then(|it| it.value), |it| format!("{it:.4}")),
                verdict: duel.verdict.to_lowercase(),
            });
            Losses { name: program.name.clone(), cells: cells.collect() }
        });
        Tables {
            reference: self.programs[0].name.clone(),
            cpu: self.cpu.clone(),
            against_reference: rows(|program| Some(&program.reference)),
            against_rules: rows(|program| program.best_rules.as_ref()),
            tasks: self.tasks.clone(),
            losses: losses.collect(),
            notes: self.notes(),
        }
    }

    fn row(&self, program: &Standing, duel: &Duel, seconds: &[f64]) -> Row {
        let factor = |it: f64| format!("{it:.2}");
        let endless = |it: f64| if it.is_finite() { factor(it) } else { ENDLESS.to_owned() };
        Row {
            name: program.name.clone(),
            gain: text(duel.gain.and_then(|it| it.value), signed),
            gain_interval: interval_of(duel.gain, signed),
            steps: text(duel.steps.map(|it| it.value.unwrap_or(f64::INFINITY)), endless),
            steps_interval: interval_of(duel.steps, factor),
            reached: format!("{}/{}", duel.reached, self.tasks.len()),
            time: factor(cost::relative(seconds, &self.seconds_per_step[0])),
            won: duel.wins,
            tied: duel.ties,
            lost: duel.losses,
            profile: format!("{:.3}", program.profile_score),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for program in &self.programs {
            for (task, own) in self.tasks.iter().zip(&program.on_tasks) {
                let name = &program.name;
                if own.stopped > 0 {
                    notes.push(format!("{name} on {task}: {} runs were stopped.", own.stopped));
                } else if own.at_edge {
                    notes.push(format!(
                        "{name} on {task}: a better learning rate may lie beyond those tried."
                    ));
                }
            }
        }
        notes
    }
}

fn text(number: Option<f64>, text: impl Fn(f64) -> String) -> String {
    number.map_or(NONE.to_owned(), text)
}

/// The ends of an interval of which one at least is finite.
fn interval_of(estimate: Option<Estimate>, text: impl Fn(f64) -> String) -> String {
    let end = |end: Option<f64>| end.map_or(ENDLESS.to_owned(), &text);
    match estimate {
        None | Some(Estimate { low: None, high: None, .. }) => String::new(),
        Some(Estimate { low, high, .. }) => format!("{} to {}", end(low), end(high)),
    }
}
