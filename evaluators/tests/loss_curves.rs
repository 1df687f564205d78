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

const STEPS: u64 = 50;

/// Where our losses may differ from PyTorch's, relative to them.
const TOLERANCE: f64 = 1e-3;

const TASKS: [&str; 3] = [
    "(name: \"mlp\", model: Mlp(hidden: [32]), data: Digits, batch_size: 64, steps: 50, learning_rate: 4.0)",
    "(name: \"conv\", model: Conv(channels: [8, 16]), data: Digits, batch_size: 64, steps: 50, \
     learning_rate: 4.0)",
    "(name: \"transformer\", model: Transformer(width: 32, layers: 2, heads: 4, context: 16), \
     data: Markov(symbols: 32, order: 1, length: 16384), batch_size: 16, steps: 50, learning_rate: 4.0)",
];

/// A task with its recording, as the script reads it.
#[derive(Serialize)]
struct Case {
    name: String,
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
}

fn case(text: &str) -> Case {
    let options =
        ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let task: TaskConfig = options.from_str(text).expect("a well-formed task");
    let config = OptimizerConfig::new(vec![task.clone()]);
    let workload = Workload::load(&config, &task, Path::new("")).expect("generated data");
    let adamw = zoo::get("adamw").expect("a zoo entry").program();
    let recording = workload.record(&adamw, STEPS).expect("candle accepts the network");
    let factor = |step| 0.004 * task.schedule.factor(step, STEPS);
    let given = Recording { losses: Vec::new(), ..recording.clone() };
    let digest = Hash::of(&serde_json::to_vec(&given).expect("finite numbers")).to_string();
    Case {
        name: task.name.clone(),
        digest,
        context: 16,
        heads: 4,
        learning_rates: (0..STEPS).map(factor).collect(),
        recording,
    }
}

#[test]
fn losses_follow_those_of_pytorch() {
    let text = include_str!("data/loss_curves.json");
    let curves: BTreeMap<String, Curve> = serde_json::from_str(text).expect("a fixture");
    assert_eq!(curves.len(), TASKS.len());
    for text in TASKS {
        let case = case(text);
        let curve = &curves[&case.name];
        assert_eq!(
            case.digest, curve.digest,
            "weights or batches of {} changed: `just loss-curves` makes the fixture anew",
            case.name
        );
        assert_eq!(curve.losses.len() as u64, STEPS);
        assert!(curve.losses[49] < 0.8 * curve.losses[0], "{} hardly trains", case.name);
        for (step, (ours, theirs)) in case.recording.losses.iter().zip(&curve.losses).enumerate() {
            let error = (ours / theirs - 1.0).abs();
            assert!(error <= TOLERANCE, "{}, step {step}: {ours}, in PyTorch {theirs}", case.name);
        }
    }
}

/// Writes the cases that `tests/python/loss_curves.py` reads into the folder `EVO_LOSS_CASES`.
#[test]
#[ignore = "writes the cases of another program"]
fn write_cases() {
    let folder = std::env::var("EVO_LOSS_CASES").expect("EVO_LOSS_CASES names a folder");
    std::fs::create_dir_all(&folder).expect("it can be made");
    for text in TASKS {
        let case = case(text);
        let file = Path::new(&folder).join(format!("{}.json", case.name));
        let json = serde_json::to_vec(&case).expect("finite numbers");
        std::fs::write(file, json).expect("it can be written");
    }
}
