//! `evo zoo`: the known optimizers.

use std::process::ExitCode;

use anyhow::Context;
use evo::zoo;

use crate::args::ZooArgs;
use crate::output;

pub(crate) fn run(args: &ZooArgs) -> anyhow::Result<ExitCode> {
    let text = match &args.name {
        Some(name) => {
            // The loader's error names the nearest entry.
            let source = format!("zoo:{name}");
            evo::load_program(&source, "".as_ref())?;
            zoo::get(name).context("the loader found it")?.text.to_owned()
        }
        None => {
            let row =
                |entry: &zoo::ZooEntry| vec![format!("{:<18} {}", entry.name, entry.description())];
            output::table(&zoo::entries().iter().map(row).collect::<Vec<_>>())
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
