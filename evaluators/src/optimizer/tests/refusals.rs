//! Configurations that cannot be trained are refused at their key, before any training.

use std::path::Path;

use super::{CONV, MARKOV, MLP, TEACHER, task};
use crate::{EvaluatorError, OptimizerConfig, OptimizerEvaluator};

/// Checks the beginning of the error of each task, which stands behind another one.
#[track_caller]
pub(super) fn refused<T: AsRef<str>>(cases: &[(T, &str)]) {
    for (text, expected) in cases {
        let config = OptimizerConfig::new(vec![task(MLP), task(text.as_ref())]);
        let error: EvaluatorError =
            OptimizerEvaluator::new(&config, Path::new("base")).expect_err("it cannot be trained");
        let found = error.to_string();
        assert!(found.starts_with(expected), "{found}, not {expected}");
    }
}

/// The transformer's task with other data.
fn markov_as(data: &str) -> String {
    MARKOV.replace("Markov(symbols: 6, order: 1, length: 4000)", data)
}

#[test]
fn values_out_of_range_and_damaged_data() {
    refused(&[
        (CONV.replace("8.0", "8.0, data_fraction: 0.0"), "tasks[1].data_fraction: must be above 0"),
        (CONV.replace("8.0", "8.0, label_noise: 1.5"), "tasks[1].label_noise: must be from 0"),
        (
            CONV.replace("8.0", "8.0, schedule: Linear(warmup_steps: 120)"),
            "tasks[1].schedule.warmup_steps: must be less than `steps` (120)",
        ),
        (
            CONV.replace("Digits", "Cifar(files: [\"a\", \"b\"])"),
            "tasks[1].data.files[0]: base/a: expected a CIFAR batch file",
        ),
        (CONV.replace("Digits", "Cifar(files: [])"), "tasks[1].data.files: needs at least one"),
        (
            CONV.replace("Digits", "Cifar(files: [\"a\"], label_bytes: 3)"),
            "tasks[1].data.label_bytes: must be 1",
        ),
        (
            CONV.replace("Digits", "Modular(modulus: 5)"),
            "tasks[1].model: Conv cannot be trained on Modular data; it needs Digits, Idx or Cifar",
        ),
        (
            TEACHER
                .replace("hidden: 4, classes: 3", "classes: 3, clusters: 1, separation: -1.0")
                .replace("Teacher", "Mixture"),
            "tasks[1].data.separation: ",
        ),
    ]);
}

#[test]
fn token_data_that_cannot_be_made_or_do_not_fit() {
    refused(&[
        (markov_as("Modular(modulus: 1)"), "tasks[1].data.modulus: needs at least 2"),
        (
            markov_as("Sequences(problem: Addition, symbols: 10, length: 3, examples: 100)"),
            "tasks[1].model.context: must be at least 11: the longest example has 12 tokens",
        ),
        (
            markov_as(
                "Sequences(problem: Copy, symbols: 10, length: 3, validation_length: 3,
                examples: 100)",
            ),
            "tasks[1].data.validation_length: must be above `length` (3)",
        ),
        (
            markov_as("Sequences(problem: Parity, symbols: 2, length: 1, examples: 9)"),
            "tasks[1].data: 2 different examples are too few",
        ),
    ]);
}
