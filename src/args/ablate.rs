//! The command line of ablations and of enumerated spaces.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::{ConfigArgs, DeviceArgs, threads};

#[derive(Debug, Args)]
pub(crate) struct AblateArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Where runs are kept and figures written; runs that are there are not made again [default:
    /// runs/ablate-NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Runs of each arm, with the seeds from --first-seed on
    #[arg(long, value_name = "N", default_value = "3")]
    pub seeds: NonZeroUsize,
    /// The first of these seeds
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub first_seed: u64,
    /// An arm besides off, structural and functional: its name and what it sets, as in 'small:
    /// window=8; strategy=OnePlusLambda(lambda: 8)' (repeatable)
    #[arg(long = "arm", value_name = "NAME: KEY=VALUE; …")]
    pub arms: Vec<String>,
    /// Run the arms of --arm and --mantissa alone
    #[arg(long)]
    pub only: bool,
    /// An arm with functional hashes of so many bits of mantissa, for each of these
    #[arg(long, value_name = "BITS,…", value_delimiter = ',')]
    pub mantissa: Vec<u32>,
    /// The fitness whose cost is told [default: the median of what the first arm ends with]
    #[arg(long, value_name = "FITNESS", allow_negative_numbers = true)]
    pub target: Option<f64>,
    /// Tell the best fitness behind these numbers of evaluations
    #[arg(long = "at", value_name = "EVALUATIONS,…", value_delimiter = ',')]
    pub budgets: Vec<u64>,
    /// Measure wall time instead of that of the CPU
    #[arg(long)]
    pub wall: bool,
    /// Worker threads of a run [default: one for each core]; does not change the result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// No progress on standard error
    #[arg(long)]
    pub quiet: bool,
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EnumerateArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Where the table is [default: `evaluation.table`]; one that is there is only told of
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Tell what functional hashes of so many bits of mantissa join, too
    #[arg(long, value_name = "BITS,…", value_delimiter = ',')]
    pub mantissa: Vec<u32>,
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
