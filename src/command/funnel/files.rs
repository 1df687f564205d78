//! What a funnel leaves behind: every score, and the programs that passed.

use std::path::Path;

use evo::{Estimate, FunnelConfig, FunnelStage, funnel_mean};
use serde::Serialize;

use super::write_program;
use crate::command::studies::Named;
use crate::command::whole_file;
use crate::output;

/// What became of the candidates of a stage.
#[derive(Serialize)]
pub(super) struct StageRecord {
    stage: String,
    tasks: Vec<String>,
    keep: usize,
    pub entries: Vec<Entry>,
}

/// What became of a candidate.
#[derive(Serialize)]
pub(super) struct Entry {
    pub name: String,
    /// ln(AdamW's loss / loss) by task and seed, as far as it came; `None` where it does not train.
    pub gains: Vec<Option<Vec<f64>>>,
    /// The tasks behind which it was dropped; `None` for one that passed.
    pub dropped_behind: Option<usize>,
    /// The candidate, no longer than this, that has the same gains on every seed.
    pub same_as: Option<String>,
}

impl StageRecord {
    pub(super) fn new(stage: &FunnelStage) -> StageRecord {
        StageRecord {
            stage: stage.name.clone(),
            tasks: stage.studies.tasks.iter().map(|task| task.name.clone()).collect(),
            keep: stage.keep.get(),
            entries: Vec::new(),
        }
    }

    /// The entries, the best first.
    fn ranked(&self) -> Vec<(&Entry, Option<Estimate>)> {
        let mut rows: Vec<(&Entry, Option<Estimate>)> =
            self.entries.iter().map(|it| (it, funnel_mean(&it.gains))).collect();
        let rank = |(entry, mean): &(&Entry, Option<Estimate>)| {
            let tasks = entry.dropped_behind.unwrap_or(usize::MAX);
            (tasks, mean.map_or(f64::NEG_INFINITY, |it| it.low))
        };
        rows.sort_by(|a, b| {
            let ((tasks_a, low_a), (tasks_b, low_b)) = (rank(a), rank(b));
            tasks_b.cmp(&tasks_a).then(low_b.total_cmp(&low_a))
        });
        rows
    }
}

/// Everything as JSON.
pub(super) fn json(config: &FunnelConfig, records: &[StageRecord]) -> anyhow::Result<String> {
    let whole = serde_json::json!({ "config": config, "stages": records });
    Ok(serde_json::to_string_pretty(&whole)? + "\n")
}

/// Writes everything as JSON, and the programs that passed.
pub(super) fn write(
    folder: &Path,
    config: &FunnelConfig,
    records: &[StageRecord],
    passed: &[Named],
) -> anyhow::Result<()> {
    whole_file::write(&folder.join("funnel.json"), json(config, records)?.as_bytes())?;
    for (index, candidate) in passed.iter().enumerate() {
        write_program(folder, &format!("passed-{}.py", index + 1), candidate)?;
    }
    Ok(())
}

/// What a person reads.
pub(super) fn text(records: &[StageRecord], passed: &[Named]) -> String {
    let mut text = String::new();
    for record in records {
        let (count, tasks) = (record.entries.len(), record.tasks.len());
        text += &format!("{}: {count} candidates, {} may pass\n", record.stage, record.keep);
        let headings = ["", "gain", "95%", "tasks"].map(str::to_owned).to_vec();
        let rows = record.ranked().into_iter().map(|(entry, mean)| {
            let (gain, interval) = match mean {
                None => ("-".to_owned(), String::new()),
                Some(it) => {
                    (format!("{:+.4}", it.value), format!("{:+.4} to {:+.4}", it.low, it.high))
                }
            };
            let done = match (entry.dropped_behind, &entry.same_as) {
                (None, _) => format!("{tasks}, passed"),
                (Some(behind), None) => behind.to_string(),
                (Some(behind), Some(other)) => format!("{behind}, as {other}"),
            };
            vec![entry.name.clone(), gain, interval, done]
        });
        text += &output::table(&std::iter::once(headings).chain(rows).collect::<Vec<_>>());
        text.push('\n');
    }
    match passed.first() {
        Some((name, program)) => text += &format!("the first, {name}:\n{}", program.live()),
        None => text += "no candidate trains every task\n",
    }
    text += "gain: mean of ln(tuned AdamW's loss / loss) over the tasks behind a candidate, both \
             tuned alike on each\n";
    text
}
