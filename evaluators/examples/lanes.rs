//! Candidates trained one after another and with lanes: steps of a candidate per second.
//!
//! ```text
//! cargo run --release -p evo-evaluators --example lanes -- cpu mlp 1 16 64
//! cargo run --release -p evo-evaluators --features cuda --example lanes -- cuda 64 256 --bf16
//! ```
//! Both ways train the same candidates on the same task by the evaluator itself, validation
//! included; on a CPU on one thread.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use evo_domain::{Evaluator, Outcome, Trial};
use evo_dsl::{Program, zoo};
use evo_evaluators::{
    Device, EvaluatorError, Lanes, OptimizerConfig, OptimizerEvaluator, TaskConfig,
    pin_inner_threads,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Name and configuration of each task, short but as in a search; validation is part of the rate.
const TASKS: [(&str, &str); 3] = [
    (
        "mlp",
        "(name: \"mlp\", model: Mlp(hidden: [32]), data: Digits, batch_size: 64, steps: 400,
        learning_rate: 8.0, baseline_loss: 1.0)",
    ),
    (
        "conv",
        "(name: \"conv\", model: Conv(channels: [8, 16]), data: Digits, batch_size: 64, steps: 60,
        learning_rate: 8.0, baseline_loss: 1.0)",
    ),
    (
        "transformer",
        "(name: \"transformer\", model: Transformer(width: 64, layers: 2, heads: 4, context: 32),
        data: Markov(symbols: 64, order: 1, length: 20000), batch_size: 16, steps: 20,
        learning_rate: 4.0, baseline_loss: 1.0)",
    ),
];

#[expect(clippy::disallowed_methods, reason = "times are what is measured")]
fn now() -> Instant {
    Instant::now()
}

/// Evaluations of which the fastest counts: what else a machine does only ever adds time.
const REPEATS: usize = 9;

/// Seconds an evaluation of `programs` takes.
fn seconds(evaluator: &OptimizerEvaluator, programs: &[Program]) -> f64 {
    let trials: Vec<Trial<'_, Program>> = programs.iter().map(Trial::of).collect();
    let measure = |_| {
        let start = now();
        let outcomes = evaluator.evaluate(&trials);
        let seconds = start.elapsed().as_secs_f64();
        let scored = outcomes.iter().all(|outcome| matches!(outcome, Outcome::Scored(_)));
        assert!(scored, "AdamW trains every task: {outcomes:?}");
        seconds
    };
    (0..REPEATS).map(measure).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), EvaluatorError> {
    pin_inner_threads();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named = arguments.iter().find(|argument| argument.starts_with("cuda"));
    let device = Device::open(named.map_or("cpu", String::as_str))?;
    let bf16 = arguments.iter().any(|argument| argument == "--bf16");
    let counts: Vec<NonZeroUsize> = arguments.iter().filter_map(|it| it.parse().ok()).collect();
    let named = TASKS.iter().map(|(name, _)| *name);
    let wanted: Vec<&str> =
        named.filter(|name| arguments.iter().any(|argument| argument == name)).collect();
    let adamw = zoo::get("adamw").expect("it is in the zoo").program();
    println!("task         lanes  candidate-steps/s  against one after another");
    for (name, text) in TASKS {
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let task: TaskConfig = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
            .from_str(text)
            .expect("a well-formed task");
        let steps = task.steps.get() as f64;
        let mut config = OptimizerConfig::new(vec![task]);
        config.learning_rate_multiples = vec![1.0];
        let load = || OptimizerEvaluator::new(&config, Path::new("."));
        let sequential = load()?;
        let alone = steps / seconds(&sequential, std::slice::from_ref(&adamw));
        println!("{name:<12} {:>5} {alone:>18.0}", "-");
        for &count in &counts {
            let evaluator =
                load()?.with_lanes(Lanes { bf16, ..Lanes::new(device.clone(), count) })?;
            let programs = vec![adamw.clone(); count.get()];
            let rate = count.get() as f64 * steps / seconds(&evaluator, &programs);
            println!("{name:<12} {count:>5} {rate:>18.0} {:>15.2}", rate / alone);
        }
    }
    Ok(())
}
