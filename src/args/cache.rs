//! The command line of caches of evaluations.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::JudgingArgs;

/// The cache of a run.
#[derive(Debug, Args)]
pub(crate) struct CacheArgs {
    /// Look outcomes up in a file that runs share, also at the same time, and add this run's; it is
    /// made where there is none. Does not change the result
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
    /// How large that file may become, in bytes or with K, M or G; the outcomes written first go
    /// first [default: 1G]
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "cache")]
    pub cache_limit: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct CacheCommandArgs {
    #[command(subcommand)]
    pub command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Print whose outcomes a cache holds, and how often they were found
    Stats(CacheStatsArgs),
    /// Check every entry, and evaluate a sample of them again
    Verify(CacheVerifyArgs),
    /// Write every outcome as a line
    Export(CacheExportArgs),
    /// Remove outcomes
    Prune(CachePruneArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CacheStatsArgs {
    /// The cache
    pub file: PathBuf,
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CacheVerifyArgs {
    /// The cache
    pub file: PathBuf,
    /// The configuration (RON) of a search whose outcomes are evaluated again
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Replace a value of the configuration (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "config")]
    pub overrides: Vec<String>,
    /// How many outcomes are evaluated again
    #[arg(long, value_name = "N", default_value_t = 20, requires = "config")]
    pub sample: usize,
    /// Which ones: another seed, another sample
    #[arg(long, value_name = "N", default_value_t = 0, requires = "config")]
    pub seed: u64,
    #[command(flatten)]
    pub judging: JudgingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CacheExportArgs {
    /// The cache
    pub file: PathBuf,
    /// The form of a line
    #[arg(long, value_enum, default_value_t = CacheFormat::Json)]
    pub format: CacheFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum CacheFormat {
    /// An object of JSON, with every run of the outcome
    Json,
    /// Values with commas between, below a line of their names
    Csv,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
pub(crate) struct CachePruneArgs {
    /// The cache
    pub file: PathBuf,
    /// Remove entries that are not what was written
    #[arg(long, group = "what")]
    pub damaged: bool,
    /// Remove outcomes of the evaluator whose fingerprint begins so (repeatable)
    #[arg(long = "fingerprint", value_name = "HEX", group = "what")]
    pub fingerprints: Vec<String>,
    /// Remove outcomes of this domain
    #[arg(long, value_name = "NAME", group = "what")]
    pub domain: Option<String>,
    /// Remove outcomes of this version of a structural hash
    #[arg(long, value_name = "N", group = "what")]
    pub structure_version: Option<u32>,
    /// Remove the oldest outcomes until the file is no larger, in bytes or with K, M or G
    #[arg(long, value_name = "SIZE", value_parser = size, group = "what")]
    pub to: Option<u64>,
    /// Print what was removed as JSON
    #[arg(long)]
    pub json: bool,
}

/// The smallest size of a cache: below, its tables alone take a good part of it.
const LEAST_SIZE: u64 = 64 << 10;

fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 10),
        Some((at, 'M' | 'm')) => (&text[..at], 20),
        Some((at, 'G' | 'g')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << unit));
    let bytes = bytes.ok_or_else(|| "expected a whole number, as in 500M".to_owned())?;
    if bytes < LEAST_SIZE { Err("at least 64K".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_unit() {
        assert_eq!(size("70000"), Ok(70_000));
        assert_eq!((size("64K"), size("3M"), size("2g")), (Ok(65_536), Ok(3 << 20), Ok(2 << 30)));
        for wrong in ["", "G", "1.5G", "-3M", "63K", "99999999999G", "3T"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
