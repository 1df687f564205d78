//! The command line, from arguments to an exit code: what the binary and the Python package share.
//!
//! Invariant: whatever goes wrong is told on standard error in one line and ends with 2. What is
//! done is in `command/` and the rest of the library.

use std::ffi::OsString;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::command;
use crate::exit_code::ExitCode;

/// Does what the arguments ask for, the first of them being the name of the program.
#[doc(hidden)]
pub fn command_line(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    crate::pin_inner_threads();
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(refusal) => {
            // Where it cannot be printed there is nobody to be told.
            refusal.print().ok();
            return ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2));
        }
    };
    let result = match arguments.command {
        Command::Search(args) => command::search::run(&args),
        Command::Resume(args) => command::resume::run(&args),
        Command::Validate(args) => command::validate::run(&args),
        Command::Baseline(args) => command::baseline::run(&args),
        Command::Bench(args) => command::bench::run(&args),
        Command::Ablate(args) => command::ablate::run(&args),
        Command::Audit(args) => command::audit::run(&args),
        Command::Compare(args) => command::compare::run(&args),
        Command::Funnel(args) => command::funnel::run(&args),
        Command::Enumerate(args) => command::enumerate::run(&args),
        Command::Evaluate(args) => command::evaluate::run(&args),
        Command::Show(args) => command::show::run(&args),
        Command::Simplify(args) => command::simplify::run(&args),
        Command::Export(args) => command::export::run(&args),
        Command::Lineage(args) => command::lineage::run(&args),
        Command::Report(args) => command::report::run(&args),
        Command::Completions(args) => command::completions::run(&args),
        Command::Recheck(args) => command::recheck::run(&args),
        Command::Cache(args) => command::cache::run(&args),
        Command::Zoo(args) => command::zoo::run(&args),
        Command::Ops(args) => command::ops::run(&args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}
