//! A funnel as `evo funnel` left it: what became of every candidate, stage by stage.

use std::path::Path;

use anyhow::bail;
use evo::funnel_mean;
use serde::{Deserialize, Serialize};

use super::number::{NONE, interval, signed};
use super::read_json;

/// The stages, in order.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Funnel {
    stages: Vec<Stage>,
}

#[derive(Clone, Debug, Deserialize)]
struct Stage {
    stage: String,
    tasks: Vec<String>,
    keep: usize,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
struct Entry {
    name: String,
    /// By task and seed; `None` where it does not train.
    gains: Vec<Option<Vec<f64>>>,
    dropped_behind: Option<usize>,
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
        self.stages.iter().map(Stage::table).collect()
    }
}

impl Stage {
    fn table(&self) -> StageTable {
        let mut entries: Vec<_> =
            self.entries.iter().map(|entry| (entry, funnel_mean(&entry.gains))).collect();
        let rank = |(entry, mean): &(&Entry, Option<evo::Estimate>)| {
            let behind = entry.dropped_behind.unwrap_or(usize::MAX);
            (behind, mean.map_or(f64::NEG_INFINITY, |it| it.low))
        };
        entries.sort_by(|a, b| {
            let ((behind_a, low_a), (behind_b, low_b)) = (rank(a), rank(b));
            behind_b.cmp(&behind_a).then(low_b.total_cmp(&low_a))
        });
        let row = |(entry, mean): (&Entry, Option<evo::Estimate>)| Row {
            name: entry.name.clone(),
            gain: mean.map_or(NONE.to_owned(), |it| signed(it.value)),
            interval: mean.map_or(String::new(), |it| interval(it.low, it.high, signed)),
            tasks: entry.dropped_behind.unwrap_or(self.tasks.len()),
            passed: entry.dropped_behind.is_none(),
        };
        StageTable {
            name: self.stage.clone(),
            tasks: self.tasks.clone(),
            keep: self.keep,
            rows: entries.into_iter().map(row).collect(),
        }
    }
}
