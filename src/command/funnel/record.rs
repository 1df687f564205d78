//! The record of a funnel's stage, as it is written to JSON and read from there.

use evo::{Estimate, FunnelStage, funnel_mean};
use serde::{Deserialize, Serialize};

/// What became of the candidates of a stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StageRecord {
    pub stage: String,
    pub tasks: Vec<String>,
    pub keep: usize,
    pub entries: Vec<Entry>,
}

/// What became of a candidate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub name: String,
    /// ln(AdamW's loss / loss) by task and seed, as far as it came; `None` where it does not train.
    pub gains: Vec<Option<Vec<f64>>>,
    /// The tasks behind which it was dropped; `None` for one that passed.
    pub dropped_behind: Option<usize>,
    /// The candidate, no longer than this, that has the same gains on every seed.
    #[serde(default)]
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

    /// The entries with their mean gains: those that passed first, then by how far they came.
    pub(crate) fn ranked(&self) -> Vec<(&Entry, Option<Estimate>)> {
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
