//! `evo baseline`: an optimizer tuned on every task of a configuration.
//!
//! Invariant: every optimizer is tuned over the same grid with the same runs, so that a comparison
//! by it is a fair one. Only those of AdamW are kept: fitness is measured against them.

use std::path::Path;

use anyhow::bail;
use evo::{Baseline, Baselines, Config, EvaluatorError, Grid, MeasuredBaseline, TaskConfig};

use super::{cpu, place, whole_file};
use crate::args::BaselineArgs;
use crate::exit_code::ExitCode;
use crate::output;

/// The optimizer that fitness is measured against.
const ADAMW: &str = "zoo:adamw";

pub(crate) fn run(args: &BaselineArgs) -> anyhow::Result<ExitCode> {
    let path = &args.config.config;
    let config = Config::load(path, &args.config.overrides)?;
    let mut programs = Vec::new();
    for source in &args.optimizers {
        programs.push((source.as_str(), evo::load_program(source, "".as_ref())?));
    }
    if args.out.is_some() && !args.optimizers.iter().any(|source| source == ADAMW) {
        bail!("--out: only the baselines of {ADAMW} are written");
    }
    let out = args.out.clone().unwrap_or_else(|| Baselines::path(path));
    check_place(&out)?;
    Baselines::read(&out)?;
    let mut all = Vec::new();
    let mut missing = false;
    for (source, program) in &programs {
        let tuned = tune(args, &config, source, &Grid::of(program))?;
        output::print(&table(&config, &tuned))?;
        let lacking = tuned.iter().any(|(_, baseline)| baseline.is_none());
        if *source == ADAMW && !lacking {
            keep(&out, &config, &tuned)?;
        }
        missing |= lacking;
        all.push((*source, tuned));
    }
    if all.len() > 1 {
        output::print(&format!("\n{}", losses(&config, &all)))?;
    }
    Ok(if missing { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Writes the baselines of AdamW down.
fn keep(out: &Path, config: &Config, tuned: &Tuned<'_>) -> anyhow::Result<()> {
    let mut baselines = Baselines::read(out)?;
    add(&mut baselines, config, tuned)?;
    whole_file::write(out, baselines.to_ron().as_bytes())?;
    eprintln!("written to {}", out.display());
    Ok(())
}

/// Refuses a place that could not be written once everything is tuned.
fn check_place(out: &Path) -> anyhow::Result<()> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) || out.is_dir() {
        bail!("{}: cannot be written there", out.display());
    }
    Ok(())
}

/// Each task with its baseline, `None` where every setting diverged.
type Tuned<'a> = Vec<(&'a TaskConfig, Option<Baseline>)>;

fn tune<'a>(
    args: &BaselineArgs,
    config: &'a Config,
    source: &str,
    grid: &Grid,
) -> anyhow::Result<Tuned<'a>> {
    let evaluation = &config.evaluation;
    let (rates, decays) = grid.size();
    let runs = evaluation.learning_rate_multiples.len() * evaluation.repeats.get() as usize;
    let threads = place::cores(args.threads);
    eprintln!(
        "tuning {source}: {rates} learning rates x {decays} weight decays x {runs} runs on each \
         task, on {threads} threads"
    );
    let count = evaluation.tasks.len() + evaluation.held_out.len();
    let mut tuned = Vec::new();
    for task in evaluation.tasks.iter().chain(&evaluation.held_out) {
        eprintln!("{}/{count} {}", tuned.len() + 1, task.name);
        let baseline = match evaluation.tune(grid, task, "".as_ref(), threads) {
            Ok(baseline) => Some(baseline),
            Err(error @ EvaluatorError::NoBaseline { .. }) => {
                eprintln!("{error}");
                None
            }
            Err(error) => return Err(error.into()),
        };
        tuned.push((task, baseline));
    }
    Ok(tuned)
}

/// What the table calls a task.
fn label(config: &Config, tuned: &Tuned<'_>, index: usize) -> String {
    let held_out = index >= config.evaluation.tasks.len();
    format!("{}{}", if held_out { "held out: " } else { "" }, tuned[index].0.name)
}

/// The losses of several optimizers side by side, and the fitness of each against the first.
fn losses(config: &Config, all: &[(&str, Tuned<'_>)]) -> String {
    let (_, first) = &all[0];
    let row = |label: String, cell: &dyn Fn(&Tuned<'_>) -> Option<String>| -> Vec<String> {
        let cells = all.iter().map(|(_, tuned)| cell(tuned).unwrap_or_else(|| "-".to_owned()));
        std::iter::once(label).chain(cells).collect()
    };
    let names = all.iter().map(|(source, _)| (*source).to_owned());
    let mut rows = vec![std::iter::once(String::new()).chain(names).collect()];
    for index in 0..first.len() {
        rows.push(row(label(config, first, index), &|tuned| {
            tuned[index].1.map(|it| format!("{:.6}", it.loss))
        }));
    }
    let tasks = config.evaluation.tasks.len();
    for (name, range) in [("mean gain", 0..tasks), ("mean gain, held out", tasks..first.len())] {
        if range.is_empty() {
            continue;
        }
        rows.push(row(name.to_owned(), &|tuned| {
            let pairs = first[range.clone()].iter().zip(&tuned[range.clone()]);
            let gain =
                |((_, first), (_, own)): (&(_, Option<Baseline>), &(_, Option<Baseline>))| {
                    Some(first.as_ref()?.gain(own.as_ref()?.loss))
                };
            let gains: Option<f64> = pairs.map(gain).sum();
            gains.map(|gains| format!("{:+.4}", gains / range.len() as f64))
        }));
    }
    output::table(&rows)
}

fn table(config: &Config, tuned: &Tuned<'_>) -> String {
    let headings = ["", "learning rate", "weight decay", "loss"].map(str::to_owned).to_vec();
    let row = |(index, (_, baseline)): (usize, &(&TaskConfig, Option<Baseline>))| {
        let missing = || "-".to_owned();
        let decay = baseline.and_then(|it| it.weight_decay);
        vec![
            label(config, tuned, index),
            baseline.map_or_else(missing, |it| it.learning_rate.to_string()),
            decay.map_or_else(missing, |decay| decay.to_string()),
            baseline.map_or_else(missing, |it| format!("{:.6}", it.loss)),
        ]
    };
    let rows = std::iter::once(headings).chain(tuned.iter().enumerate().map(row));
    let mut text = output::table(&rows.collect::<Vec<_>>());
    for (task, baseline) in tuned {
        if baseline.is_some_and(|it| Grid::at_edge(it.learning_rate)) {
            text.push_str(&format!(
                "{}: a better learning rate may lie beyond the grid\n",
                task.name
            ));
        }
    }
    text
}

/// Adds what was measured; baselines of other variants of a task stay.
fn add(baselines: &mut Baselines, config: &Config, tuned: &Tuned<'_>) -> anyhow::Result<()> {
    for (task, baseline) in tuned {
        let Some(baseline) = baseline else { continue };
        let measured = MeasuredBaseline {
            task: task.name.clone(),
            fingerprint: config.evaluation.fingerprint(task, "".as_ref())?.to_string(),
            optimizer: ADAMW.to_owned(),
            learning_rate: baseline.learning_rate,
            weight_decay: baseline.weight_decay,
            loss: baseline.loss,
            cpu: Some(cpu::description()),
        };
        baselines.keep(measured);
    }
    Ok(())
}
