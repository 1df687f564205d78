//! The files of a comparison: JSON with everything, tables for spreadsheets and plotting.

use std::path::Path;

use evo::{Compared, Standings, Study, StudyConfig, WeightDecay};
use serde::Serialize;

use crate::command::csv_table::{cell, table};
use crate::command::{cpu, whole_file};

/// What `comparison.json` holds.
#[derive(Serialize)]
struct Whole<'a> {
    config: &'a StudyConfig,
    cpu: String,
    #[serde(flatten)]
    standings: &'a Standings,
    /// Of each program on each task.
    seconds_per_step: &'a [Vec<f64>],
}

/// The comparison as JSON.
pub(super) fn json(
    config: &StudyConfig,
    standings: &Standings,
    seconds: &[Vec<f64>],
) -> anyhow::Result<String> {
    let whole = Whole { config, cpu: cpu::description(), standings, seconds_per_step: seconds };
    Ok(serde_json::to_string_pretty(&whole)? + "\n")
}

/// Writes all files to a folder.
pub(super) fn write(
    folder: &Path,
    json: &str,
    standings: &Standings,
    compared: &[Compared],
    seconds: &[Vec<f64>],
) -> anyhow::Result<()> {
    whole_file::write(&folder.join("comparison.json"), json.as_bytes())?;
    let tables = [
        ("tasks.csv", tasks(standings, seconds)?),
        ("courses.csv", courses(&standings.tasks, compared)?),
        ("settings.csv", settings(&standings.tasks, compared)?),
    ];
    tables.iter().try_for_each(|(name, table)| whole_file::write(&folder.join(name), table))
}

/// A row for each program and task.
fn tasks(standings: &Standings, seconds: &[Vec<f64>]) -> anyhow::Result<Vec<u8>> {
    let headings = [
        "program",
        "task",
        "loss",
        "loss_low",
        "loss_high",
        "stopped",
        "gain",
        "gain_low",
        "gain_high",
        "p",
        "verdict",
        "steps_ratio",
        "best_rule_gain",
        "best_rule_p",
        "best_rule_verdict",
        "best_rule_steps_ratio",
        "seconds_per_step",
    ];
    let rows = standings.programs.iter().zip(seconds).flat_map(|(program, seconds)| {
        standings.tasks.iter().enumerate().map(move |(index, task)| {
            let own = &program.on_tasks[index];
            let reference = &program.reference.tasks[index];
            let rule = program.best_rules.as_ref().map(|duel| &duel.tasks[index]);
            vec![
                program.name.clone(),
                task.clone(),
                cell(own.loss.map(|it| it.value)),
                cell(own.loss.map(|it| it.low)),
                cell(own.loss.map(|it| it.high)),
                own.stopped.to_string(),
                cell(reference.gain.map(|it| it.value)),
                cell(reference.gain.map(|it| it.low)),
                cell(reference.gain.map(|it| it.high)),
                cell(reference.p),
                format!("{:?}", reference.verdict).to_lowercase(),
                cell(reference.steps),
                cell(rule.and_then(|it| it.gain).map(|it| it.value)),
                cell(rule.and_then(|it| it.p)),
                rule.map_or_else(String::new, |it| format!("{:?}", it.verdict).to_lowercase()),
                cell(rule.and_then(|it| it.steps)),
                seconds[index].to_string(),
            ]
        })
    });
    table(&headings, rows)
}

/// Every study of every program, with the names of both.
fn studies<'a>(
    tasks: &'a [String],
    compared: &'a [Compared],
) -> impl Iterator<Item = (&'a str, &'a str, &'a Study)> {
    compared.iter().flat_map(move |program| {
        let studies = tasks.iter().zip(&program.studies);
        studies.map(|(task, study)| (program.name.as_str(), task.as_str(), study))
    })
}

/// A row for each stated step of each run.
fn courses(tasks: &[String], compared: &[Compared]) -> anyhow::Result<Vec<u8>> {
    let rows = studies(tasks, compared).flat_map(|(program, task, study)| {
        study.runs.iter().flat_map(move |run| {
            run.course.iter().map(move |(step, loss)| {
                let numbers = [run.seed.to_string(), step.to_string(), loss.to_string()];
                [program.to_owned(), task.to_owned()].into_iter().chain(numbers).collect()
            })
        })
    });
    table(&["program", "task", "seed", "step", "loss"], rows)
}

/// A factor of the program's own weight decay, `x2`, or the share of the weights that is added.
fn decay(decay: Option<WeightDecay>) -> String {
    match decay {
        None => String::new(),
        Some(WeightDecay::Own(factor)) => format!("x{factor}"),
        Some(WeightDecay::Added(share)) => share.to_string(),
    }
}

/// A row for each setting that was tried.
fn settings(tasks: &[String], compared: &[Compared]) -> anyhow::Result<Vec<u8>> {
    let rows = studies(tasks, compared).flat_map(|(program, task, study)| {
        study.tried.iter().enumerate().map(move |(index, tried)| {
            let values = &tried.setting.hyperparameters;
            let values: Vec<String> = values.iter().map(f64::to_string).collect();
            vec![
                program.to_owned(),
                task.to_owned(),
                tried.setting.learning_rate.to_string(),
                decay(tried.setting.weight_decay),
                values.join(" "),
                cell(tried.loss),
                (index == study.best).to_string(),
            ]
        })
    });
    let headings =
        ["program", "task", "learning_rate", "weight_decay", "hyperparameters", "loss", "best"];
    table(&headings, rows)
}
