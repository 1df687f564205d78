//! `evo export`: a program as code for another language, or a run's hall of fame as a table.

use std::path::Path;

use anyhow::bail;
use evo::{ExportTarget, LearnerTarget, nearest_name, zoo};

use crate::args::ExportArgs;
use crate::command::{latex_table, whole_file};
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let text = match args.to.eq_ignore_ascii_case(latex_table::TARGET) {
        true => latex_table::text(args)?,
        false => program_text(args)?,
    };
    match &args.out {
        None => output::print(&text)?,
        Some(path) => whole_file::write(path, text.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn program_text(args: &ExportArgs) -> anyhow::Result<String> {
    if args.digits.is_some() || args.rows.is_some() {
        bail!("--digits and --rows are options of --to {}", latex_table::TARGET);
    }
    if evo::is_learner(&args.program, "".as_ref()) {
        return learner_text(args);
    }
    // Of what cannot be read it is not known which exports there are.
    let program = evo::load_program(&args.program, "".as_ref())?;
    Ok(evo::export(&program, &name(args)?, target(&args.to)?))
}

fn learner_text(args: &ExportArgs) -> anyhow::Result<String> {
    let learner = evo::load_learner(&args.program, "".as_ref())?;
    let Some(target) = LearnerTarget::from_name(&args.to) else {
        let names = LearnerTarget::ALL.map(LearnerTarget::name).join(", ");
        bail!("no export of a learner to `{}`; there are {names}", args.to);
    };
    Ok(evo::export_learner(&learner, &name(args)?, target))
}

/// The name of the class.
fn name(args: &ExportArgs) -> anyhow::Result<String> {
    let name = args.name.clone().unwrap_or_else(|| default_name(&args.program));
    if !name.chars().any(|c| c.is_ascii_alphabetic()) {
        bail!("`{name}` cannot be the name of a class: it holds no letter");
    }
    Ok(name)
}

fn target(name: &str) -> anyhow::Result<ExportTarget> {
    if let Some(target) = ExportTarget::from_name(name) {
        return Ok(target);
    }
    if let Some(target) = LearnerTarget::from_name(name) {
        let python = ExportTarget::Python.name();
        bail!("`{}` is an export of learners; NumPy is `{python}` here", target.name());
    }
    let names: Vec<&str> = (ExportTarget::ALL.map(ExportTarget::name).into_iter())
        .chain([latex_table::TARGET])
        .collect();
    match nearest_name(name, names.iter().copied()) {
        Some(nearest) => bail!("no export to `{name}`; did you mean `{nearest}`?"),
        None => bail!("no export to `{name}`; there are {}", names.join(", ")),
    }
}

/// A zoo program is called what it is known as, another by its file or run.
fn default_name(source: &str) -> String {
    if let Some(entry) = source.strip_prefix("zoo:").and_then(zoo::get) {
        return entry.title.to_owned();
    }
    if let Some(name) = source.strip_prefix("zoo:") {
        return name.to_owned();
    }
    let stem = |text: &str| Path::new(text).file_stem().map(|stem| stem.to_string_lossy().into());
    let path = if Path::new(source).exists() {
        source
    } else {
        source.rsplit_once(':').map_or(source, |(run, _)| run)
    };
    stem(path.trim_end_matches('/'))
        .filter(|name: &String| name.chars().any(|c| c.is_ascii_alphabetic()))
        .unwrap_or_else(|| "Evolved".to_owned())
}
