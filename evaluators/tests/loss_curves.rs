//! Training beside PyTorch: from the same weights and batches, the same losses.
//!
//! `data/loss_curves.json` holds the losses of PyTorch (`tests/python/loss_curves.py` writes it, in
//! float64) on what the ignored test here writes down. Weights and batches count into a digest, so
//! a fixture that belongs to others is told from a wrong loss.

use std::collections::BTreeMap;
use std::path::Path;

use evo_dsl::zoo;
use evo_evaluators::{OptimizerConfig, Recording, TaskConfig, Workload};
use evo_hashes::Hash;
use serde::{Deserialize, Serialize};

/// Where our losses may differ from PyTorch's, relative to them.
const TOLERANCE: f64 = 1e-3;

/// Rules of the zoo, and a task that each trains on.
const TASKS: [(&str, &str); 5] = [
    (
        "adamw",
        "(name: \"mlp\", model: Mlp(hidden: [32]), data: Digits, batch_size: 64, steps: 50, \
         learning_rate: 4.0)",
    ),
    (
        "adamw",
        "(name: \"conv\", model: Conv(channels: [8, 16]), data: Digits, batch_size: 64, \
         steps: 50, learning_rate: 4.0)",
    ),
    (
        "adamw",
        "(name: \"transformer\", model: Transformer(width: 32, layers: 2, heads: 4, context: 16), \
         data: Markov(symbols: 32, order: 1, length: 16384), batch_size: 16, steps: 50, \
         learning_rate: 4.0)",
    ),
    (
        "adamw_ema",
        "(name: \"averaged\", model: Mlp(hidden: [16]), data: Digits, batch_size: 16, steps: 100, \
         learning_rate: 16.0)",
    ),
    (
        "schedule_free_adamw",
        "(name: \"schedule_free\", model: Mlp(hidden: [16]), data: Digits, batch_size: 16, \
         steps: 100, schedule: Constant, learning_rate: 4.0)",
    ),
];

/// A task with its recording, as the script reads it.
#[derive(Serialize)]
struct Case {
    name: String,
    rule: String,
    digest: String,
    /// Tokens of a window, where there are tokens, and heads.
    context: usize,
    heads: usize,
    learning_rates: Vec<f64>,
    #[serde(flatten)]
    recording: Recording,
}

/// The losses of PyTorch on the case of a digest.
#[derive(Deserialize)]
struct Curve {
    digest: String,
    losses: Vec<f64>,
    validated: Vec<(u64, f64)>,
}

fn case((rule, text): (&str, &str)) -> Case {
    let options =
        ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let task: TaskConfig = options.from_str(text).expect("a well-formed task");
    let config = OptimizerConfig::new(vec![task.clone()]);
    let workload = Workload::load(&config, &task, Path::new("")).expect("generated data");
    let program = zoo::get(rule).expect("a zoo entry").program();
    let steps = task.steps.get();
    let recording = workload.record(&program, steps).expect("candle accepts the network");
    let usual = if rule == "schedule_free_adamw" { 0.0025 } else { 0.001 };
    let rate = usual * task.learning_rate.expect("it is stated");
    let factor = |step| rate * task.schedule.factor(step, steps);
    let given = Recording { losses: Vec::new(), validated: Vec::new(), ..recording.clone() };
    let digest = Hash::of(&serde_json::to_vec(&given).expect("finite numbers")).to_string();
    Case {
        name: task.name.clone(),
        rule: rule.to_owned(),
        digest,
        context: 16,
        heads: 4,
        learning_rates: (0..steps).map(factor).collect(),
        recording,
    }
}

#[test]
fn losses_follow_those_of_pytorch() {
    let text = include_str!("data/loss_curves.json");
    let curves: BTreeMap<String, Curve> = serde_json::from_str(text).expect("a fixture");
    assert_eq!(curves.len(), TASKS.len());
    for task in TASKS {
        let case = case(task);
        let curve = &curves[&case.name];
        assert_eq!(
            case.digest, curve.digest,
            "weights or batches of {} changed: `just loss-curves` makes the fixture anew",
            case.name
        );
        assert_eq!(curve.losses.len(), case.recording.losses.len());
        let last = curve.losses.last().expect("a run has steps");
        assert!(*last < 0.8 * curve.losses[0], "{} hardly trains", case.name);
        for (step, (ours, theirs)) in case.recording.losses.iter().zip(&curve.losses).enumerate() {
            let error = (ours / theirs - 1.0).abs();
            assert!(error <= TOLERANCE, "{}, step {step}: {ours}, in PyTorch {theirs}", case.name);
        }
        assert_eq!(curve.validated.len(), curve.losses.len() / 10);
        for ((step, ours), (_, theirs)) in case.recording.validated.iter().zip(&curve.validated) {
            let error = (ours / theirs - 1.0).abs();
            let name = &case.name;
            assert!(error <= TOLERANCE, "{name}, behind step {step}: {ours}, in PyTorch {theirs}");
        }
    }
}

/// Writes the cases that `tests/python/loss_curves.py` reads into the folder `EVO_LOSS_CASES`.
#[test]
#[ignore = "writes the cases of another program"]
fn write_cases() {
    let folder = std::env::var("EVO_LOSS_CASES").expect("EVO_LOSS_CASES names a folder");
    std::fs::create_dir_all(&folder).expect("it can be made");
    for task in TASKS {
        let case = case(task);
        let file = Path::new(&folder).join(format!("{}.json", case.name));
        let json = serde_json::to_vec(&case).expect("finite numbers");
        std::fs::write(file, json).expect("it can be written");
    }
}
