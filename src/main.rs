//! The `evo` binary: arguments in, exit code out. What is done is in `command/` and the library.

mod args;
mod command;
mod output;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// Training small nets allocates and frees many small tensors; measured against glibc's allocator
/// in `docs/records/`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    evo::pin_inner_threads();
    let result = match Arguments::parse().command {
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
