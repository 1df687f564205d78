//! `evo cache`: what a cache of evaluations holds, whether that is so, and what it need not hold.

mod attached;
mod export;
mod prune;
mod stats;
mod verify;

use crate::args::{CacheCommand, CacheCommandArgs};
use crate::exit_code::ExitCode;

pub(crate) use attached::Attached;

pub(crate) fn run(args: &CacheCommandArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        CacheCommand::Stats(args) => stats::run(args),
        CacheCommand::Verify(args) => verify::run(args),
        CacheCommand::Export(args) => export::run(args),
        CacheCommand::Prune(args) => prune::run(args),
    }
}
