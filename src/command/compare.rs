//! `evo compare`: programs tuned alike on the same tasks, and what their studies say of them.

pub(super) mod cost;
mod files;
mod table;

use evo::{Compared, Standings, load_studies};

use super::place;
use super::studies::{self, Named};
use crate::args::CompareArgs;
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let (config, tasks) = load_studies(&args.config, &args.overrides)?;
    let programs = programs(args)?;
    let folder = studies::folder("compare", &args.studies, &args.config);
    let threads = place::cores(args.studies.threads);
    let studies = studies::of(&folder, (&config, &tasks), &programs, threads, args.studies.quiet)?;
    let names: Vec<String> = config.tasks.iter().map(|task| task.name.clone()).collect();
    let compared: Vec<Compared> = programs
        .iter()
        .zip(studies)
        .map(|((name, _), studies)| Compared { name: name.clone(), studies })
        .collect();
    let standings = Standings::of(&names, &compared);
    let seconds = cost::steps(&config, &programs)?;
    let json = files::json(&config, &standings, &seconds)?;
    files::write(&folder, &json, &standings, &compared, &seconds)?;
    output::print(&match args.studies.json {
        true => json,
        false => table::text(&config, &standings, &seconds),
    })?;
    if !args.studies.quiet {
        eprintln!("written to {}", folder.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The reference, and each program that was named, once.
fn programs(args: &CompareArgs) -> anyhow::Result<Vec<Named>> {
    let mut sources: Vec<&String> = Vec::new();
    for source in std::iter::once(&args.reference).chain(&args.programs) {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    let load = |source: &String| Ok((source.clone(), evo::load_program(source, "".as_ref())?));
    sources.into_iter().map(load).collect()
}
