//! Memory does not grow with evaluations: candle keeps a graph alive for as long as one of its
//! tensors lives, and would not say so.

#![cfg(target_os = "linux")]

use std::path::Path;

use evo_domain::{Evaluator, Outcome, Trial};
use evo_dsl::{Program, zoo};
use evo_evaluators::{OptimizerConfig, OptimizerEvaluator};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Evaluations before the first look, while allocators fill their pools, and all of them.
const WARM_UP: usize = 300;
const EVALUATIONS: usize = 10_000;

/// KiB by which it may grow, a hundredth of what one small tensor lost at each step would come to.
const MOST: usize = 2048;

const TASKS: &str = "(tasks: [
    (name: \"mlp\", model: Mlp(hidden: [16], normalisation: Layer), data: Digits, batch_size: 16, steps: 4),
    (name: \"conv\", model: Conv(channels: [4, 4]), data: Digits, batch_size: 8, steps: 3),
    (name: \"transformer\", model: Transformer(width: 8, layers: 1, heads: 2, context: 8),
        data: Markov(symbols: 8, order: 1, length: 600), batch_size: 4, steps: 3),
    (name: \"recurrent\", model: Recurrent(width: 8, context: 8),
        data: Markov(symbols: 8, order: 1, length: 600), batch_size: 4, steps: 3),
], data_seed: 0, learning_rate_multiples: [1.0])";

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has the line");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn evaluations_leave_nothing_behind() {
    let options =
        ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let mut config: OptimizerConfig = options.from_str(TASKS).expect("well-formed");
    for task in &mut config.tasks {
        (task.learning_rate, task.baseline_loss) = (Some(1.0), Some(1.0));
    }
    let evaluator = OptimizerEvaluator::new(&config, Path::new("")).expect("generated data");
    let programs: Vec<Program> = zoo::entries().iter().map(|entry| entry.program()).collect();
    let mut before = 0;
    for round in 0..EVALUATIONS {
        if round == WARM_UP {
            before = resident();
        }
        let program = &programs[round % programs.len()];
        let outcome = evaluator.evaluate(&[Trial::of(program)]).remove(0);
        assert!(!matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    }
    let grown = resident().saturating_sub(before);
    println!("{before} KiB after {WARM_UP} evaluations, {grown} KiB more after {EVALUATIONS}");
    assert!(grown < MOST, "{grown} KiB more after {} evaluations", EVALUATIONS - WARM_UP);
}
