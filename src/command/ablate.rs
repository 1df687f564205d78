//! `evo ablate`: what telling duplicates apart is worth, by runs with it and without.
//!
//! Invariant: every arm runs the search of the configuration with the same seeds, and all arms are
//! checked before one is begun. A run that is done is kept and never made again.

mod arms;
mod cost;
mod figures;
mod files;
mod leg;
mod store;
mod subject;
mod summary;
mod table;
mod thinned;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};
use evo::{ConfigError, shell_path};

use self::arms::Arm;
use self::leg::{Clock, Finished};
use self::store::LegStore;
use self::subject::{Means, Subject};
use self::summary::{Ablation, Runs, median};
use super::place::Place;
use super::session::{INTERRUPTED, interruptible_by};
use super::whole_file;
use crate::args::AblateArgs;
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &AblateArgs) -> anyhow::Result<ExitCode> {
    let place = Place::open(&args.device)?;
    let arms = Arm::all(&args.arms, &args.mantissa, args.only)?;
    let mut loaded = load(args, &place, arms)?;
    let folder = folder(args);
    let mut store = LegStore::open(&folder)?;
    let again = format!("the same command, which keeps what is in {}", shell_path(&folder));
    let cancel = interruptible_by(&again)?;
    let seeds: Vec<u64> = (args.first_seed..).take(args.seeds.get()).collect();
    let means = Means { place: &place, threads: place.threads(args.threads), cancel };
    let mut runs = Vec::new();
    // Seed by seed, so that what an interruption leaves has something of every arm.
    for &seed in &seeds {
        for (arm, subject) in &mut loaded {
            subject.seed(seed);
            let key = subject.key(&place)?;
            if store.get(key).is_none() {
                let finished = subject.run(&means).with_context(|| arm.name.clone())?;
                let Some(finished) = finished.filter(|_| !cancel.load(Ordering::Relaxed)) else {
                    eprintln!("interrupted; go on with {again}");
                    return Ok(ExitCode::from(INTERRUPTED));
                };
                if !args.quiet {
                    eprintln!("{} with seed {seed}: {}", arm.name, line(&finished));
                }
                store.keep(key, (&arm.name, seed), finished)?;
            }
            runs.push(store.get(key).cloned().expect("it was kept just now"));
        }
    }
    let ablation = ablation(args, &loaded, seeds, &runs)?;
    write(&folder, &ablation)?;
    output::print(&match args.json {
        true => files::json(&ablation)?,
        false => table::text(&ablation),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The folder of runs: as asked, or by the name of the configuration.
fn folder(args: &AblateArgs) -> PathBuf {
    let stem = || args.config.config.file_stem().unwrap_or_default().to_string_lossy();
    let own = || Path::new("runs").join(format!("ablate-{}", stem()));
    args.out.clone().unwrap_or_else(own)
}

/// Every arm with what it searches. A default arm that the evaluator does not allow is left out;
/// any other is refused by its name.
fn load(args: &AblateArgs, place: &Place, arms: Vec<Arm>) -> anyhow::Result<Vec<(Arm, Subject)>> {
    let mut loaded = Vec::new();
    for arm in arms {
        let sets: Vec<String> = args.config.overrides.iter().chain(&arm.sets).cloned().collect();
        let subject = Subject::load((&args.config.config, &args.device), &sets, place);
        match subject {
            Ok(subject) if !args.mantissa.is_empty() && !subject.has_mantissa() => {
                bail!("--mantissa: these programs are hashed with a fixed number of bits")
            }
            Ok(subject) => loaded.push((arm, subject)),
            Err(error) if arm.default && is_of_level(&error) => {
                if !args.quiet {
                    eprintln!("{} is left out: {error:#}", arm.name);
                }
            }
            Err(error) => return Err(error.context(format!("arm `{}`", arm.name))),
        }
    }
    Ok(loaded)
}

/// Whether a configuration is refused for the level of its deduplication alone.
fn is_of_level(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<ConfigError>();
    error.is_some_and(|error| error.key() == "deduplication.level")
}

fn line(finished: &Finished) -> String {
    let (end, seconds) = (finished.end(), finished.seconds(Clock::Wall));
    format!(
        "{} candidates, {} evaluations, best {:+.4}, {seconds:.1} s",
        end.births,
        end.evaluations,
        finished.best()
    )
}

/// All runs, by arm.
fn ablation(
    args: &AblateArgs,
    loaded: &[(Arm, Subject)],
    seeds: Vec<u64>,
    runs: &[Finished],
) -> anyhow::Result<Ablation> {
    let of_arm = |(index, (arm, _)): (usize, &(Arm, Subject))| Runs {
        arm: arm.name.clone(),
        runs: runs.iter().skip(index).step_by(loaded.len()).cloned().collect(),
    };
    let arms: Vec<Runs> = loaded.iter().enumerate().map(of_arm).collect();
    let first = arms.first().context("no arm is left to run")?;
    let target = median(first.runs.iter().map(Finished::best).collect());
    Ok(Ablation {
        target: args.target.unwrap_or(target),
        optimum: loaded.first().and_then(|(_, subject)| subject.optimum()),
        arms,
        seeds,
        budgets: args.budgets.clone(),
        clock: if args.wall { Clock::Wall } else { Clock::Cpu },
    })
}

/// Writes all tables and figures, the latter for light ground and for dark.
fn write(folder: &Path, ablation: &Ablation) -> anyhow::Result<()> {
    files::write(folder, ablation)?;
    for figure in figures::all(ablation) {
        for (drawing, ending) in [(&figure.paper, ".svg"), (&figure.night, "-dark.svg")] {
            let path = folder.join(format!("{}{ending}", figure.name));
            whole_file::write(&path, drawing.as_bytes())?;
        }
    }
    Ok(())
}
