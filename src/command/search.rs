//! `evo search`: from a configuration to a discovered optimizer.
#![expect(
    clippy::disallowed_methods,
    reason = "clocks and cores decide how long a run takes, which is reported, and nothing else"
)]

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context;
use evo::{
    Config, Evaluator, OptimizerEvaluator, Program, RunOptions, Search, StopReason,
    structural_hash, zoo,
};
use serde::Serialize;

use super::comparison::Comparison;
use super::progress::Progress;
use super::run_directory::RunDirectory;
use crate::args::SearchArgs;
use crate::output;

/// Exit code of a run that was interrupted and saved what it had.
const INTERRUPTED: u8 = 130;

/// Set by the first interrupt.
static CANCEL: AtomicBool = AtomicBool::new(false);

/// What a run comes to, as `--json` prints it.
#[derive(Serialize)]
struct Report {
    run_directory: String,
    stop_reason: StopReason,
    seed: u64,
    seconds: f64,
    counters: evo::Counters,
    comparison: Comparison,
    program: String,
}

pub(crate) fn run(args: &SearchArgs) -> anyhow::Result<ExitCode> {
    let mut overrides = args.config.overrides.clone();
    overrides.extend(args.seed.map(|seed| format!("seed={seed}")));
    let config = Config::load(&args.config.config, &overrides)?;
    let directory = RunDirectory::plan(args.out.as_deref(), &args.config.config, config.seed)?;
    let say = |text: &str| {
        if !args.quiet {
            eprintln!("{text}");
        }
    };
    if config.evaluation.lacks_baseline() {
        say("tuning AdamW on the tasks that state no baseline");
    }
    let config = config.resolved()?;
    let evaluator = config.evaluator()?;
    if args.dry_run {
        return dry_run(&config, &evaluator, args);
    }
    let mut search = config.search()?;
    let threads = threads(args.threads);
    directory.create(&config)?;
    say(&format!(
        "searching with seed {} on {threads} threads, into {}",
        config.seed,
        directory.path().display()
    ));
    interruptible()?;
    let started = Instant::now();
    let mut progress = Progress::new(&directory, args.quiet);
    let options = RunOptions { threads, cohort: NonZeroUsize::MIN, cancel: Some(&CANCEL) };
    let reason = evo::run(&mut search, &evaluator, &mut progress, &options)?;
    if let Some(error) = progress.save_error.take() {
        return Err(error.context("the results could not be saved"));
    }
    let seconds = started.elapsed().as_secs_f64();
    if reason == StopReason::Cancelled {
        let counters = search.counters();
        say(&format!(
            "interrupted after {} candidates; saved in {}",
            counters.births,
            directory.path().display()
        ));
        return Ok(ExitCode::from(INTERRUPTED));
    }
    if search.best().is_none() {
        eprintln!(
            "no program could train the tasks; see `evo evaluate {} --config …`",
            config.start
        );
        return Ok(ExitCode::from(1));
    }
    report(args, &config, &evaluator, &search, &directory, seconds)?;
    let missed = config.stopping.fitness.is_some() && !matches!(reason, StopReason::Fitness(_));
    Ok(if missed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// The number of worker threads: as asked, or one for each core.
pub(crate) fn threads(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// The first interrupt ends the run in good order, the second at once.
fn interruptible() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if CANCEL.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        eprintln!("finishing what is being evaluated; interrupt again to quit at once");
    })
    .context("the handler for interrupts could not be set")
}

fn dry_run(
    config: &Config,
    evaluator: &OptimizerEvaluator,
    args: &SearchArgs,
) -> anyhow::Result<ExitCode> {
    let program = config.start_program()?;
    let started = Instant::now();
    let outcome = evaluator.evaluate(&[&program]).pop().context("one outcome for one program")?;
    let seconds = started.elapsed().as_secs_f64();
    let threads = threads(args.threads);
    let mut text = format!(
        "{program}start program: fitness {:+.4}, {seconds:.3} s an evaluation\n",
        outcome.fitness()
    );
    let limits = [(config.stopping.evaluations, ""), (config.stopping.candidates, "at most ")];
    for (limit, bound) in limits {
        if let Some(limit) = limit {
            let total = seconds * limit as f64 / threads.get() as f64;
            text.push_str(&format!(
                "{limit} evaluations on {threads} threads: {bound}{total:.0} s\n"
            ));
        }
    }
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn report(
    args: &SearchArgs,
    config: &Config,
    evaluator: &OptimizerEvaluator,
    search: &Search,
    directory: &RunDirectory,
    seconds: f64,
) -> anyhow::Result<()> {
    let Some(best) = search.best() else {
        anyhow::bail!(
            "no program could train the tasks; see `evo evaluate {} --config …`",
            config.start
        );
    };
    let known = |label: &str, name: &str| {
        let entry = zoo::get(name).context("the zoo has the programs of the table")?;
        anyhow::Ok((label.to_owned(), entry.program()))
    };
    let winner = best.individual.program.live();
    let mut programs = vec![known("AdamW", "adamw")?, known("Lion", "lion")?];
    let start = config.start_program()?;
    let same = |(_, other): &(String, Program)| structural_hash(other) == structural_hash(&start);
    if !programs.iter().any(same) {
        programs.push(("start".to_owned(), start));
    }
    programs.push(("winner".to_owned(), winner.clone()));
    let comparison = Comparison::of(config, evaluator, &programs, threads(args.threads))?;
    let report = Report {
        run_directory: directory.path().display().to_string(),
        stop_reason: search.stop_reason().context("the search has ended")?,
        seed: config.seed,
        seconds,
        counters: *search.counters(),
        comparison,
        program: winner.to_string(),
    };
    let json = serde_json::to_string_pretty(&report)? + "\n";
    directory.write("report.json", json.as_bytes())?;
    if args.json {
        return output::print(&json);
    }
    let counters = &report.counters;
    output::print(&format!(
        "\n{}\n{}\nEnded because {}. {} candidates, {} evaluated, {seconds:.0} s.\nSaved in {}: best.py, hall_of_fame.csv, report.json, config.ron\n",
        report.comparison.table(),
        report.program,
        report.stop_reason,
        counters.births,
        counters.evaluations,
        directory.path().display(),
    ))
}
