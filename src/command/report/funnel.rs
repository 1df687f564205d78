//! A funnel as `evo funnel` left it: what became of every candidate, stage by stage.

use std::path::Path;

use anyhow::bail;
use evo::Estimate;
use serde::{Deserialize, Serialize};

use super::number::{NONE, interval, signed};
use super::read_json;
use crate::command::funnel::{Entry, StageRecord};

/// The stages, in order.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Funnel {
    stages: Vec<StageRecord>,
}

/// A stage as a table of a page.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StageTable {
    name: String,
    tasks: Vec<String>,
    keep: usize,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, Serialize)]
struct Row {
    name: String,
    gain: String,
    interval: String,
    tasks: usize,
    passed: bool,
}

/// Reads a funnel.
pub(super) fn read(path: &Path) -> anyhow::Result<Funnel> {
    let funnel: Funnel = read_json(path)?;
    for stage in &funnel.stages {
        if stage.entries.iter().any(|entry| entry.gains.len() > stage.tasks.len()) {
            bail!("{}: stage `{}` has gains on unknown tasks", path.display(), stage.stage);
        }
    }
    Ok(funnel)
}

impl Funnel {
    /// A table for each stage, those that passed first and then by how far they came.
    pub(super) fn tables(&self) -> Vec<StageTable> {
        self.stages.iter().map(table).collect()
    }
}

fn table(stage: &StageRecord) -> StageTable {
    let row = |(entry, mean): (&Entry, Option<Estimate>)| Row {
        name: entry.name.clone(),
        gain: mean.map_or(NONE.to_owned(), |it| signed(it.value)),
        interval: mean.map_or(String::new(), |it| interval(it.low, it.high, signed)),
        tasks: entry.dropped_behind.unwrap_or(stage.tasks.len()),
        passed: entry.dropped_behind.is_none(),
    };
    StageTable {
        name: stage.stage.clone(),
        tasks: stage.tasks.clone(),
        keep: stage.keep,
        rows: stage.ranked().into_iter().map(row).collect(),
    }
}
