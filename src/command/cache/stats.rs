//! `evo cache stats`: whose outcomes a cache holds.

use evo::{CacheContents, CachedEvaluator};
use serde::Serialize;

use crate::args::CacheStatsArgs;
use crate::exit_code::ExitCode;
use crate::output;

#[derive(Serialize)]
struct Stats {
    file: String,
    /// Of the file that hold something.
    bytes: u64,
    entries: u64,
    evaluators: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    domain: String,
    structure_version: u32,
    fingerprint: String,
    entries: u64,
    /// Of programs and outcomes.
    bytes: u64,
    lookups: u64,
    hits: u64,
    evaluator: String,
}

impl From<CachedEvaluator> for Row {
    fn from(it: CachedEvaluator) -> Row {
        let CachedEvaluator { key, entries, bytes, lookups, hits } = it;
        Row {
            domain: key.domain().to_owned(),
            structure_version: key.structure_version(),
            fingerprint: key.fingerprint().to_string(),
            entries,
            bytes,
            lookups,
            hits,
            evaluator: key.description().to_owned(),
        }
    }
}

pub(crate) fn run(args: &CacheStatsArgs) -> anyhow::Result<ExitCode> {
    let contents = CacheContents::read(&args.file)?;
    let evaluators: Vec<Row> = contents.evaluators()?.into_iter().map(Row::from).collect();
    let stats = Stats {
        file: args.file.display().to_string(),
        bytes: contents.bytes()?,
        entries: evaluators.iter().map(|row| row.entries).sum(),
        evaluators,
    };
    output::print(&match args.json {
        true => serde_json::to_string_pretty(&stats)? + "\n",
        false => stats.text(),
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Stats {
    fn text(&self) -> String {
        let headings = ["domain", "hash", "fingerprint", "entries", "KiB", "lookups", "found"];
        let row = |row: &Row| {
            let counts = [row.entries, row.bytes >> 10, row.lookups, row.hits];
            let hash = format!("v{}", row.structure_version);
            [row.domain.clone(), hash, row.fingerprint.clone()]
                .into_iter()
                .chain(counts.map(|count| count.to_string()))
                .collect()
        };
        let rows = self.evaluators.iter().map(row);
        let headings = headings.map(str::to_owned).to_vec();
        let table = output::table(&std::iter::once(headings).chain(rows).collect::<Vec<_>>());
        let names = self.evaluators.iter();
        let names = names.map(|row| format!("{}: {}\n", row.fingerprint, row.evaluator));
        format!(
            "{}: {} entries, {} KiB\n\n{table}\n{}",
            self.file,
            self.entries,
            self.bytes >> 10,
            names.collect::<String>()
        )
    }
}
