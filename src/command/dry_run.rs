//! The dry run: what a search would cost, from one evaluation of its start program.
#![expect(clippy::disallowed_methods, reason = "a clock measures what is printed")]

use std::num::NonZeroUsize;
use std::time::Instant;

use anyhow::Context;
use evo::{Config, Evaluator, OptimizerEvaluator, StrategyConfig, Trial};

use super::memory::{mebibytes, resident};
use crate::output;

/// Bytes a behaviour takes in memory: its hashes, its outcome, and the maps around them.
const BEHAVIOUR: u64 = 400;

/// Behaviours held in memory, whatever the length of the run.
const BEHAVIOURS: u64 = 20_000;

/// Bytes an individual takes: a program of some thirty statements.
const INDIVIDUAL: u64 = 2_500;

/// Pages of the store in memory.
const STORE: u64 = 32 << 20;

/// Evaluates the start program and prints estimates.
pub(crate) fn print(
    config: &Config,
    evaluator: &OptimizerEvaluator,
    threads: NonZeroUsize,
) -> anyhow::Result<()> {
    let program = config.start_program()?;
    let before = resident();
    let started = Instant::now();
    let outcome =
        evaluator.evaluate(&[Trial::of(&program)]).pop().context("one outcome for one program")?;
    let seconds = started.elapsed().as_secs_f64();
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
    if let (Some(before), Some(after)) = (before, resident()) {
        let training = after.saturating_sub(before) * (threads.get() as u64 - 1);
        let total = after + training + search_memory(config);
        text.push_str(&format!("memory: about {} at most\n", mebibytes(total)));
    }
    output::print(&text)
}

/// What the search itself comes to hold.
fn search_memory(config: &Config) -> u64 {
    let individuals = match config.strategy {
        StrategyConfig::RegularizedEvolution { population, .. }
        | StrategyConfig::ConstantTuning { population, .. } => population,
        StrategyConfig::Islands { islands, population, .. } => islands * population,
        _ => 1,
    };
    let limits = [config.stopping.candidates, config.stopping.evaluations];
    let behaviours = limits.into_iter().flatten().min().unwrap_or(u64::MAX).min(BEHAVIOURS);
    let held = individuals as u64 + config.window + config.mutation.max_statements as u64;
    held * INDIVIDUAL + behaviours * BEHAVIOUR + STORE
}
