//! What `evo simplify` is asked.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::threads;

#[derive(Debug, Args)]
pub(crate) struct SimplifyArgs {
    /// The program: a file, zoo:NAME, or RUN_DIR[:BIRTH], a run of learners being the one selected
    pub program: String,
    /// What may happen to rounding
    #[arg(long, value_enum, default_value_t = RoundingArg::Exact)]
    pub rounding: RoundingArg,
    /// Tasks and budget, as for `evo compare`: drop and round what costs nothing on them; for a
    /// learner the configuration of a search, whose tasks to select by decide
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Replace a value of that configuration (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "config")]
    pub overrides: Vec<String>,
    /// The most that the short program may cost on these tasks, in ln(loss) [default: 0.01]; a
    /// learner in fitness [default: 0.001]
    #[arg(long, value_name = "COST", value_parser = cost, requires = "config")]
    pub tolerance: Option<f64>,
    /// How often constants are varied in the end, not those of a learner [default: 30]
    #[arg(long, value_name = "N", requires = "config")]
    pub retune: Option<u32>,
    /// Where studies are kept and results written, a folder of nothing else [default:
    /// runs/simplify]
    #[arg(long, value_name = "DIR", requires = "config")]
    pub out: Option<PathBuf>,
    /// Worker threads [default: one for each core]; does not change the result
    #[arg(long, value_name = "N", value_parser = threads, requires = "config")]
    pub threads: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoundingArg {
    /// Every bit stays
    Exact,
    /// Algebra too: results stay within 1e-5
    Allow,
}

fn cost(text: &str) -> Result<f64, String> {
    let cost = text.parse().ok().filter(|cost: &f64| cost.is_finite() && *cost >= 0.0);
    cost.ok_or_else(|| "must be a number from 0 on".to_owned())
}
