//! `evo cache export`: every outcome as a line, the one written first coming first.

use evo::{CacheContents, CachedOutcome, Outcome};
use serde::Serialize;

use crate::args::{CacheExportArgs, CacheFormat};
use crate::exit_code::ExitCode;
use crate::output;

/// Bytes that are printed together.
const TOGETHER: usize = 1 << 16;

#[derive(Serialize)]
struct Line {
    domain: String,
    structure_version: u32,
    fingerprint: String,
    structure: String,
    kind: &'static str,
    fitness: Option<f64>,
    program: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
}

impl Line {
    fn of(it: CachedOutcome, whole: bool) -> Line {
        let CachedOutcome { key, structure, program, outcome } = it;
        let (kind, fitness) = match &outcome {
            Outcome::Scored(score) => ("scored", Some(score.fitness)),
            Outcome::Invalid(_) => ("invalid", None),
            Outcome::Stopped(stopped) => ("stopped", Some(stopped.fitness)),
            Outcome::Ended(_) => ("ended", None),
            Outcome::Failed { .. } => ("failed", None),
        };
        Line {
            domain: key.domain().to_owned(),
            structure_version: key.structure_version(),
            fingerprint: key.fingerprint().to_string(),
            structure: structure.to_string(),
            kind,
            fitness,
            program,
            outcome: whole.then_some(outcome),
        }
    }
}

pub(crate) fn run(args: &CacheExportArgs) -> anyhow::Result<ExitCode> {
    let contents = CacheContents::read(&args.file)?;
    let mut printed = Ok(());
    match args.format {
        CacheFormat::Json => {
            let mut lines = String::new();
            contents.for_each(|it| {
                let line = serde_json::to_string(&Line::of(it, true));
                lines += &line.expect("an outcome has no value that JSON cannot write");
                lines.push('\n');
                if lines.len() >= TOGETHER {
                    printed = output::print(&std::mem::take(&mut lines));
                }
                printed.is_ok()
            })?;
            printed?;
            output::print(&lines)?;
        }
        CacheFormat::Csv => {
            let mut table = csv::Writer::from_writer(std::io::stdout());
            let mut written = Ok(());
            contents.for_each(|it| {
                written = table.serialize(Line::of(it, false));
                written.is_ok()
            })?;
            written?;
            table.flush()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
