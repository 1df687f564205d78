//! The command line of what rests on studies.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::threads;

/// How studies are made, and where they are kept.
#[derive(Debug, Args)]
pub(crate) struct StudyArgs {
    /// Where studies are kept and figures written; studies that are there are not made again
    /// [default: runs/compare-NAME, or funnel-NAME, by the configuration of the tasks]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Worker threads [default: one for each core]; does not change the result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
    /// No progress on standard error
    #[arg(long)]
    pub quiet: bool,
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The programs: zoo:NAME, a file, RUN_DIR (its best) or RUN_DIR:BIRTH
    #[arg(required = true, value_name = "PROGRAM")]
    pub programs: Vec<String>,
    /// Tasks and budget (RON), or the configuration of a search, whose tasks are taken
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Replace a value of the configuration, as in repeats=20 (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// What programs are compared with
    #[arg(long, value_name = "PROGRAM", default_value = "zoo:adamw")]
    pub reference: String,
    #[command(flatten)]
    pub studies: StudyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The configuration of a search
    pub config: PathBuf,
    /// Replace a value of the configuration (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// The tasks that count and the budget on them, as for `evo compare`
    #[arg(long, value_name = "FILE")]
    pub targets: PathBuf,
    /// Replace a value of the targets' configuration, as in repeats=3 (repeatable)
    #[arg(long = "set-target", value_name = "KEY=VALUE")]
    pub target_overrides: Vec<String>,
    /// Programs to rank: zoo, variants:N, N@RUN_DIR or a program (several)
    #[arg(long, value_name = "PART", num_args = 1.., default_values = ["zoo", "variants:11"])]
    pub panel: Vec<String>,
    /// Score in those ways only that have this in their names, as in configured (several) [default:
    /// all]
    #[arg(long = "way", value_name = "NAME", num_args = 1..)]
    pub ways: Vec<String>,
    #[command(flatten)]
    pub studies: StudyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FunnelArgs {
    /// Run directories, and other programs to let in: zoo:NAME, a file or RUN_DIR:BIRTH
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// The stages (RON)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Replace a value of the configuration, as in stages[0].keep=5 (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    #[command(flatten)]
    pub studies: StudyArgs,
}
