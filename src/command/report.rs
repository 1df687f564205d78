//! `evo report`: what a run came to, or several beside each other, as one HTML file.
//!
//! Invariant: the file is whole in itself, without network and scripts, and a function of what it
//! was made from: no clock is in it. Runs are only read, as by `evo lineage`, so one that is under
//! way can be reported; nothing is written but the files asked for, of which the default lies in
//! the first run.

pub(super) mod axis;
pub(super) mod chart;
mod comparison;
mod comparison_figures;
mod configured;
mod document;
pub(super) mod figure;
mod funnel;
mod ink;
mod number;
mod run;
mod run_figures;
mod run_section;
mod simplified;
mod story;

use std::path::{Path, PathBuf};

use anyhow::Context;

use self::document::Document;
use self::run::Run;
use super::whole_file;
use crate::args::ReportArgs;
use crate::exit_code::ExitCode;
use crate::output;

/// The name of the report in a run directory.
const REPORT: &str = "report.html";

pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let runs = Run::read_all(&args.run_directories)?;
    let folder = |folder: &Option<PathBuf>, name: &str| folder.as_ref().map(|it| it.join(name));
    let document = Document {
        runs: &runs,
        comparison: folder(&args.comparison, "comparison.json")
            .map(|path| comparison::read(&path))
            .transpose()?,
        funnel: folder(&args.funnel, "funnel.json").map(|path| funnel::read(&path)).transpose()?,
        simplified: folder(&args.simplified, "simplified.json")
            .map(|path| simplified::read(&path))
            .transpose()?,
    };
    let sections = document.sections();
    let out = args.out.clone().unwrap_or_else(|| args.run_directories[0].join(REPORT));
    whole_file::write(&out, sections.html()?.as_bytes())?;
    if let Some(folder) = &args.figures {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        for figure in sections.figures() {
            let path = folder.join(format!("{}.svg", figure.name));
            whole_file::write(&path, figure.paper.as_bytes())?;
        }
    }
    output::print(&format!("{}\n", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The content of a file of JSON.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}
