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
            CONV.replace("8.0", "8.0, schedule: Trapezoid(warmup_steps: 21, cooldown_steps: 100)"),
            "tasks[1].schedule.cooldown_steps: with the warm-up, must be at most `steps` (120)",
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
            "tasks[1].model: Conv cannot be trained on Modular data; it needs Digits, Fashion",
        ),
        (
            CONV.replace("Digits", "Letter"),
            "tasks[1].model: Conv cannot be trained on Letter data; it needs Digits, Fashion",
        ),
        (CONV.replace("Digits", "Mnist1d(examples: 4)"), "tasks[1].data: 4 examples are too few"),
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

#[test]
fn networks_that_cannot_be_made_or_do_not_fit() {
    let model = |model: &str| CONV.replace("Conv(channels: [4, 8])", model);
    let quadratic = |fields: &str| {
        let text = format!("Quadratic(dimension: 2000, smallest: 0.1, largest: 1.0{fields})");
        model(&text).replace("Digits", "None")
    };
    refused(&[
        (model("Mlp(hidden: [], weight_scale: 0.0)"), "tasks[1].model.weight_scale: must be a pos"),
        (model("Autoencoder(hidden: [])"), "tasks[1].model.hidden: needs at least the code"),
        (
            model("VisionTransformer(patch: 3, width: 8, layers: 1, heads: 2)"),
            "tasks[1].model.patch: patches of 3×3 pixels do not divide images of 8×8",
        ),
        (
            model("VisionTransformer(patch: 4, width: 9, layers: 1, heads: 2)"),
            "tasks[1].model.heads: 2 heads do not divide a width of 9",
        ),
        (
            model("Recurrent(width: 4, context: 8)"),
            "tasks[1].model: Recurrent cannot be trained on Digits data; it needs Shakespeare",
        ),
        (
            CONV.replace("Digits", "None"),
            "tasks[1].model: Conv cannot be trained on None data; it needs Digits, Fashion",
        ),
        (
            model("Autoencoder(hidden: [4])").replace("Digits", "Shakespeare"),
            "tasks[1].model: Autoencoder cannot be trained on Shakespeare data; it needs Digits",
        ),
        (
            model("VisionTransformer(patch: 2, width: 8, layers: 1, heads: 2)")
                .replace("Digits", "Mnist1d(examples: 50)"),
            "tasks[1].model.patch: patches of 2×2 pixels do not divide images of 1×40",
        ),
        (
            quadratic("").replace("None", "Digits"),
            "tasks[1].model: Quadratic cannot be trained on Digits data; it needs None",
        ),
        (quadratic(", rotated: true"), "tasks[1].model.rotated: needs a `dimension` of at most"),
        (quadratic(", noise: -1.0"), "tasks[1].model.noise: "),
        (quadratic("").replace("largest: 1.0", "largest: 0.01"), "tasks[1].model.largest: "),
        (quadratic("").replace("8.0", "8.0, label_noise: 0.1"), "tasks[1].label_noise: Quadratic"),
        (
            quadratic("").replace("8.0", "8.0, data_fraction: 0.1"),
            "tasks[1].data_fraction: Quadratic has no examples",
        ),
        (
            model("Autoencoder(hidden: [4])").replace("8.0", "8.0, label_noise: 0.1"),
            "tasks[1].label_noise: Autoencoder reads no labels",
        ),
    ]);
}

#[test]
fn patches_that_do_not_divide_the_images_of_a_file() {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    let write = |name: &str, words: &[u32], payload: &[u8]| {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.extend_from_slice(payload);
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a writable temporary folder");
        path.display().to_string()
    };
    let images = write("images", &[0x0803, 10, 4, 6], &[0; 240]);
    let labels = write("labels", &[0x0801, 10], &[1; 10]);
    let text = CONV
        .replace(
            "Conv(channels: [4, 8])",
            "VisionTransformer(patch: 4, width: 4, layers: 1, heads: 1)",
        )
        .replace("Digits", &format!("Idx(images: {images:?}, labels: {labels:?})"));
    refused(&[(text, "tasks[1].model.patch: patches of 4×4 pixels do not divide images of 4×6")]);
}
