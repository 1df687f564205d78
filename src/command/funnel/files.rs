//! What a funnel leaves behind: every score, and the programs that passed.

use std::path::Path;

use evo::FunnelConfig;

use super::StageRecord;
use crate::command::studies::Named;
use crate::command::whole_file;
use crate::output;

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
    for (index, (source, program)) in passed.iter().enumerate() {
        let place = folder.join(format!("passed-{}.py", index + 1));
        whole_file::write(&place, format!("# {source}\n{}", program.live()).as_bytes())?;
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
