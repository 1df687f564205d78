//! `evo completions`: what a shell needs to complete the command line.

use clap::CommandFactory;

use crate::args::{Arguments, CompletionsArgs};
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "evo", &mut script);
    output::print(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
