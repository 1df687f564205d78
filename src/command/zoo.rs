//! `evo zoo`: the known optimizers, learners and compute graphs.

use anyhow::Context;
use evo::{GraphZooEntry, LearnerZooEntry, zoo};

use crate::args::ZooArgs;
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &ZooArgs) -> anyhow::Result<ExitCode> {
    let text = match &args.name {
        Some(name) if LearnerZooEntry::named(name).is_some() => {
            LearnerZooEntry::named(name).map(|entry| entry.text.to_owned()).unwrap_or_default()
        }
        Some(name) if GraphZooEntry::named(name).is_some() => {
            GraphZooEntry::named(name).map(|entry| entry.text.to_owned()).unwrap_or_default()
        }
        Some(name) => {
            // The loader's error names the nearest entry.
            let source = format!("zoo:{name}");
            evo::load_program(&source, "".as_ref())?;
            zoo::get(name).context("the loader found it")?.text.to_owned()
        }
        None => {
            let row = |name: &str, description: &str| vec![format!("{name:<26} {description}")];
            let optimizers = zoo::entries().iter().map(|it| row(it.name, it.description()));
            let learners = LearnerZooEntry::all().iter().map(|it| row(it.name, it.description()));
            let graphs = GraphZooEntry::all().iter().map(|it| row(it.name, it.description()));
            output::table(&optimizers.chain(learners).chain(graphs).collect::<Vec<_>>())
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
