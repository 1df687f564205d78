//! The command line: what can be asked of `evo`.

mod ablate;
mod cache;
mod simplify;
mod studies;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use ablate::{AblateArgs, EnumerateArgs};
pub(crate) use cache::{
    CacheArgs, CacheCommand, CacheCommandArgs, CacheExportArgs, CacheFormat, CachePruneArgs,
    CacheStatsArgs, CacheVerifyArgs,
};
pub(crate) use simplify::{RoundingArg, SimplifyArgs};
pub(crate) use studies::{AuditArgs, CompareArgs, FunnelArgs, StudyArgs};

/// Evolves optimizers: parallel, reproducible program search with functional hashing.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Search as a configuration says; results go to a run directory
    Search(SearchArgs),
    /// Go on with a run that was interrupted, killed, or given a higher limit
    Resume(ResumeArgs),
    /// Check a configuration and everything it refers to
    Validate(ConfigArgs),
    /// Tune AdamW on every task of a configuration, and keep the losses to beat beside it
    Baseline(BaselineArgs),
    /// Measure what training the tasks of a configuration costs on this machine
    Bench(BenchArgs),
    /// Score programs as the search of a configuration would
    Evaluate(EvaluateArgs),
    /// Tune programs alike on the same tasks, and say which is better and by how much
    Compare(CompareArgs),
    /// Say how far the tasks of a search tell which programs are better on other tasks
    Audit(AuditArgs),
    /// Run a search with duplicates told apart and without, and say what that is worth
    Ablate(AblateArgs),
    /// Train and hash every program of a small space, as a table to search and to check hashes by
    Enumerate(EnumerateArgs),
    /// Select among the finds of searches on stages of tasks that these did not see
    Funnel(FunnelArgs),
    /// Print a program, with dead statements marked
    Show(ShowArgs),
    /// Make a program shorter without changing what it does
    Simplify(SimplifyArgs),
    /// Write a program as code of another language
    Export(ExportArgs),
    /// Print the mutations that led from a start program to a winner
    Lineage(LineageArgs),
    /// Write what a run came to, or several beside each other, as one HTML file
    Report(ReportArgs),
    /// Evaluate every functional duplicate of finished runs, and say how often its outcome was
    /// wrong
    Recheck(RecheckArgs),
    /// Look at a cache of evaluations (`evo search --cache`), check it, or make it smaller
    Cache(CacheCommandArgs),
    /// List the known optimizers, learners and compute graphs, or print one
    Zoo(ZooArgs),
    /// Print the table of ops
    Ops(OpsArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The configuration (RON)
    pub config: PathBuf,
    /// Replace a value of the configuration, as in stopping.candidates=3000 (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The seed of the search; wins over --set seed=N
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// The run directory, new or empty [default: runs/NAME-seedN]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Train a few steps of each task, or search learners for a second, estimate the cost, and
    /// write nothing
    #[arg(long, conflicts_with = "json")]
    pub dry_run: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Where networks are trained.
#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    /// Where networks are trained: cpu, or cuda:N in a binary built for CUDA
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
    /// Candidates trained at a time [default: 1 on a CPU, where it does not change the result; 256
    /// on a GPU, as one batched network]
    #[arg(long, value_name = "N", value_parser = cohort)]
    pub cohort: Option<NonZeroUsize>,
    /// Make the products of the forward and backward passes in bf16 (on a GPU)
    #[arg(long)]
    pub bf16: bool,
}

/// How a run is carried out; on a CPU nothing of it changes the result.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Worker threads [default: one for each core]; does not change the result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
    /// No progress on standard error
    #[arg(long)]
    pub quiet: bool,
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The run directory
    pub run_directory: PathBuf,
    /// Change a limit, as in stopping.candidates=6000, or where a data file lies (repeatable);
    /// nothing else may change
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Go on even if this CPU is of another kind, and may round differently, than the run's
    #[arg(long)]
    pub accept_cpu: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LineageArgs {
    /// The individual: RUN_DIR for the best of a run, of learners the one selected; or
    /// RUN_DIR:BIRTH
    pub individual: String,
    /// Worker threads, where the run keeps no births and is made again [default: one for each
    /// core]; does not change the result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
    /// Print the lineage as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run directories, finished or not; several are compared, as with controls
    #[arg(required = true, value_name = "RUN_DIR")]
    pub run_directories: Vec<PathBuf>,
    /// Where the file goes [default: report.html in the first RUN_DIR]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// A folder of `evo compare` to report too
    #[arg(long, value_name = "DIR")]
    pub comparison: Option<PathBuf>,
    /// A folder of `evo funnel` to report too
    #[arg(long, value_name = "DIR")]
    pub funnel: Option<PathBuf>,
    /// A folder of `evo simplify --config` to report too
    #[arg(long, value_name = "DIR")]
    pub simplified: Option<PathBuf>,
    /// Write every figure to a folder too, as SVG that stands alone
    #[arg(long, value_name = "DIR")]
    pub figures: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RecheckArgs {
    /// The run directories
    #[arg(required = true, value_name = "RUN_DIR")]
    pub run_directories: Vec<PathBuf>,
    #[command(flatten)]
    pub judging: JudgingArgs,
}

/// How programs are scored outside a run, and what is printed of it.
#[derive(Debug, Args)]
pub(crate) struct JudgingArgs {
    /// Worker threads [default: one for each core]; does not change the result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The optimizer: zoo:NAME, a file, or RUN_DIR[:BIRTH]; any but zoo:adamw is only printed.
    /// Given several times, all are tuned alike and compared with the first
    #[arg(long = "optimizer", value_name = "PROGRAM", default_value = "zoo:adamw")]
    pub optimizers: Vec<String>,
    /// Write elsewhere; searches read NAME.baselines.ron beside NAME.ron
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Worker threads [default: one for each core]; does not change the result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The program to train with: zoo:NAME, a file, or RUN_DIR[:BIRTH] [default: the first start
    /// program]
    #[arg(long, value_name = "PROGRAM")]
    pub program: Option<String>,
    /// About how long to measure each task, twice: on one thread and on all
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    pub seconds: f64,
    /// Threads that train at the same time [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Programs: a file, zoo:NAME, or RUN_DIR[:BIRTH], a run of learners being the one selected
    #[arg(required = true, value_name = "PROGRAM")]
    pub programs: Vec<String>,
    /// The configuration (RON) whose tasks are trained
    #[arg(long)]
    pub config: PathBuf,
    /// Replace a value of the configuration (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    #[command(flatten)]
    pub judging: JudgingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The program: a file, zoo:NAME, or RUN_DIR[:BIRTH], a run of learners being the one selected
    pub program: String,
    #[command(flatten)]
    pub form: ShowForm,
}

/// What to show; by default the text, with dead statements marked.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct ShowForm {
    /// The text, nothing added
    #[arg(long)]
    pub plain: bool,
    /// The canonical form: live code renamed and ordered, so that programs of one dataflow print
    /// alike
    #[arg(long)]
    pub canonical: bool,
    /// Only the live statements
    #[arg(long)]
    pub live: bool,
    /// The structural and the functional hash
    #[arg(long)]
    pub hash: bool,
    /// The type of every statement's result
    #[arg(long)]
    pub types: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The program: a file, zoo:NAME, or RUN_DIR[:BIRTH], a run of learners being the one selected;
    /// of latex-table RUN_DIR
    pub program: String,
    /// The language: torch, optax, python, rust, latex or dot; or latex-table, the hall of fame; of
    /// a learner numpy, rust or latex
    #[arg(long, value_name = "TARGET")]
    pub to: String,
    /// Digits of the numbers in a latex-table [default: 3]
    #[arg(long, value_name = "N", value_parser = digits)]
    pub digits: Option<usize>,
    /// The most rows of a latex-table, the fittest first [default: 10]
    #[arg(long, value_name = "N")]
    pub rows: Option<NonZeroUsize>,
    /// The name of the class or function [default: the zoo's, the file's or the run's]
    #[arg(long)]
    pub name: Option<String>,
    /// Write to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ZooArgs {
    /// The optimizer to print
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OpsArgs {
    /// The op set to print: lion45, modern or automl_zero
    #[arg(long, value_name = "NAME", default_value = "modern")]
    pub set: String,
}

/// The digits that a number of double precision has at most.
const MOST_DIGITS: usize = 17;

fn digits(text: &str) -> Result<usize, String> {
    count(text, MOST_DIGITS).map(NonZeroUsize::get)
}

/// The most worker threads: far more than cores help nobody, and a slip should not drown a machine.
const MOST_THREADS: usize = 1024;

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    count(text, MOST_THREADS)
}

/// The most candidates trained at a time: more fill no device.
const LARGEST_COHORT: usize = 65_536;

fn cohort(text: &str) -> Result<NonZeroUsize, String> {
    count(text, LARGEST_COHORT)
}

fn count(text: &str, most: usize) -> Result<NonZeroUsize, String> {
    match text.parse() {
        Ok(count) if count <= most => {
            NonZeroUsize::new(count).ok_or_else(|| "at least 1".to_owned())
        }
        Ok(_) => Err(format!("at most {most}")),
        Err(_) => Err("expected a whole number of 1 or more".to_owned()),
    }
}
