//! Sizes: every family on every kind of data, tiny and huge. Whatever fits is trained, and what
//! does not is refused at its key, by the sizes that the files themselves have; nothing ends the
//! process.

use std::path::Path;

use super::super::proxy_task::ProxyTask;
use super::{task, zoo};
use crate::{
    Evaluator, EvaluatorError, OptimizerConfig, OptimizerEvaluator, Outcome, TaskConfig, Trial,
};

/// Families with small sizes, each with the kinds of data it takes.
const MODELS: [(&str, &[&str]); 10] = [
    ("Mlp(hidden: [])", ROWS),
    ("Mlp(hidden: [4, 3], normalisation: Layer, activation: Tanh)", ROWS),
    ("Conv(channels: [2, 3, 2])", IMAGES),
    ("ResidualMlp(width: 4, depth: 2)", ROWS),
    ("Autoencoder(hidden: [3, 2])", ROWS),
    ("VisionTransformer(patch: 1, width: 4, layers: 1, heads: 2)", IMAGES),
    ("Transformer(width: 4, layers: 2, heads: 2, context: 8)", TOKENS),
    ("Recurrent(width: 3, layers: 2, context: 8)", TOKENS),
    ("Recurrent(width: 3, context: 8, cell: Elman)", TOKENS),
    ("Quadratic(dimension: 5, smallest: 0.1, largest: 1.0, rotated: true)", &["None"]),
];

const IMAGES: &[&str] = &[
    "Digits",
    "Fashion",
    "Mnist1d(examples: 20)",
    "Textures(side: 4, classes: 2, examples: 20)",
    "Idx(images: \"grey\", labels: \"labels\")",
    "Idx(images: \"colour\", labels: \"labels\")",
    "Idx(images: \"pixel\", labels: \"wide_labels\")",
    "Cifar(files: [\"cifar\"])",
];
const ROWS: &[&str] = &[
    "Digits",
    "Fashion",
    "Mnist1d(examples: 20)",
    "Textures(side: 4, classes: 2, examples: 20)",
    "Idx(images: \"grey\", labels: \"labels\")",
    "Idx(images: \"colour\", labels: \"labels\")",
    "Idx(images: \"pixel\", labels: \"wide_labels\")",
    "Cifar(files: [\"cifar\"])",
    "Letter",
    "Teacher(inputs: 3, hidden: 2, classes: 2, examples: 20)",
    "Mixture(inputs: 3, classes: 2, clusters: 2, separation: 2.0, examples: 20)",
];
const TOKENS: &[&str] = &[
    "Shakespeare",
    "Text(path: \"text\")",
    "Markov(symbols: 3, order: 2, length: 200)",
    "Grammar(brackets: 2, fillers: 2, depth: 3, length: 200)",
    "Modular(modulus: 3)",
    "Sequences(problem: Copy, symbols: 3, length: 3, examples: 60)",
    "Sequences(problem: Parity, symbols: 3, length: 3, validation_length: 5, examples: 60)",
];

/// The data files of the tasks above, and images of a million pixels.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    let write = |name: &str, words: &[u32], count: usize| {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.extend((0..count).map(|index| (index * index % 7) as u8));
        std::fs::write(folder.path().join(name), bytes).expect("a writable temporary folder");
    };
    write("grey", &[0x0803, 10, 8, 8], 640);
    write("colour", &[0x0804, 10, 3, 4, 3], 360);
    write("pixel", &[0x0803, 10, 1, 1], 10);
    write("large", &[0x0803, 10, 1024, 1024], 10 << 20);
    write("labels", &[0x0801, 10], 10);
    let labels: Vec<u32> = (0..10).map(|index| 6553 * index).collect();
    write("wide_labels", &[&[0x0c01, 10], &labels[..]].concat(), 0);
    write("cifar", &[], 10 * 3073);
    write("text", &[], 300);
    // What promises far more than it has.
    write("lying", &[0x0804, u32::MAX, u32::MAX, u32::MAX, u32::MAX], 100);
    write("truncated", &[0x0803, 10, 60_000, 60_000], 100);
    folder
}

fn of(model: &str, data: &str, batch: &str) -> TaskConfig {
    task(&format!(
        "(name: \"task\", model: {model}, data: {data}, batch_size: {batch}, steps: 2,
        learning_rate: 1.0, baseline_loss: 1.0)"
    ))
}

fn built(task: &TaskConfig, folder: &Path) -> Result<OptimizerEvaluator, EvaluatorError> {
    let mut config = OptimizerConfig::new(vec![task.clone()]);
    config.learning_rate_multiples = vec![1.0];
    OptimizerEvaluator::new(&config, folder)
}

/// The key of the error that refuses a task, if one does.
fn refused(task: &TaskConfig, folder: &Path) -> Option<String> {
    match built(task, folder) {
        Ok(_) => None,
        Err(EvaluatorError::Config { key, .. } | EvaluatorError::Data { key, .. }) => {
            Some(key.replace("tasks[0].", ""))
        }
        Err(other) => panic!("{other} of {task:?}"),
    }
}

#[track_caller]
fn assert_trains(model: &str, data: &str, folder: &Path) {
    let evaluator = built(&of(model, data, "2"), folder)
        .unwrap_or_else(|error| panic!("{model} on {data}: {error}"));
    let outcome = evaluator.evaluate(&[Trial::of(&zoo("signsgd"))]).remove(0);
    assert!(matches!(outcome, Outcome::Scored(_)), "{model} on {data}: {outcome:?}");
}

#[test]
fn every_family_trains_on_all_data_of_its_form_however_small() {
    let folder = folder();
    for (model, all) in MODELS {
        for data in all {
            assert_trains(model, data, folder.path());
        }
    }
}

#[test]
fn a_file_counts_by_its_own_sizes_and_not_by_those_of_mnist() {
    let folder = folder();
    let vision = "VisionTransformer(patch: 1, width: 64, layers: 4, heads: 4)";
    let key = |model: &str, images: &str, batch: &str| {
        let data = format!("Idx(images: {images:?}, labels: \"labels\")");
        refused(&of(model, &data, batch), folder.path())
    };
    assert_eq!(key(vision, "grey", "64"), None, "64 patches are few");
    assert_eq!(key("Mlp(hidden: [150000])", "grey", "2"), None);
    for model in [
        "Mlp(hidden: [4096])",
        "ResidualMlp(width: 4096, depth: 1)",
        "Autoencoder(hidden: [4096])",
        "VisionTransformer(patch: 1, width: 4, layers: 1, heads: 1)",
        "VisionTransformer(patch: 1024, width: 256, layers: 1, heads: 1)",
        "Conv(channels: [1024])",
    ] {
        assert_eq!(key(model, "large", "1").as_deref(), Some("model"), "{model}");
    }
    assert_eq!(key("Conv(channels: [2])", "large", "64").as_deref(), Some("batch_size"));
    assert_eq!(key("Mlp(hidden: [2])", "large", "512").as_deref(), Some("batch_size"));
    for model in [
        "Mlp(hidden: [2])",
        "Conv(channels: [1])",
        "VisionTransformer(patch: 128, width: 4, layers: 1, heads: 1)",
    ] {
        assert_trains(model, "Idx(images: \"large\", labels: \"labels\")", folder.path());
    }
    let classes = "Idx(images: \"pixel\", labels: \"wide_labels\")";
    let wide = of("Mlp(hidden: [4096])", classes, "1");
    assert_eq!(refused(&wide, folder.path()).as_deref(), Some("model"), "59,000 classes");
}

#[test]
fn files_that_promise_more_than_they_have_are_refused() {
    let folder = folder();
    for images in ["lying", "truncated"] {
        let data = format!("Idx(images: {images:?}, labels: \"labels\")");
        let key = refused(&of("Mlp(hidden: [2])", &data, "1"), folder.path());
        assert_eq!(key.as_deref(), Some("data.images"), "{images}");
    }
    let data = "Idx(images: \"grey\", labels: \"lying\")";
    let key = refused(&of("Mlp(hidden: [2])", data, "1"), folder.path());
    assert_eq!(key.as_deref(), Some("data.labels"));
}

/// The text with each of its counts in turn replaced by another one.
fn with_each_number(text: &str, number: u64) -> Vec<String> {
    let counts = text.match_indices([' ', '[']).filter_map(|(before, _)| {
        let rest = &text[before + 1..];
        let length = rest.find(|c: char| !c.is_ascii_digit())?;
        let is_count = length > 0 && !rest[length..].starts_with('.');
        is_count.then(|| format!("{}{number}{}", &text[..=before], &rest[length..]))
    });
    counts.collect()
}

#[test]
fn estimates_hold_the_weights_of_every_network_and_not_many_more() {
    let folder = folder();
    let sizes = |model: &str| {
        model.replace("width: 4", "width: 12").replace("[4, 3", "[24, 13").replace("[2, 3", "[8, 9")
    };
    for (model, all) in MODELS {
        for data in all {
            let task = of(&sizes(model), data, "2");
            let proxy = ProxyTask::load(&task, folder.path(), 0).expect("it fits");
            let counted = proxy.layout.len() as f64;
            let estimate = task.model.weights(&proxy.data.reads());
            assert!(estimate >= counted, "{estimate} for {counted} weights of {task:?}");
            // Normalisations that are not there, and the rotation of a quadratic.
            let slack = 60.0;
            assert!(estimate <= 1.5 * counted + slack, "{estimate} for {counted} of {task:?}");
        }
    }
}

#[test]
fn whatever_is_huge_is_refused_at_a_key_or_fits() {
    let folder = folder();
    let mut counts = [0, 0];
    for (model, all) in MODELS {
        for data in all {
            for number in [1 << 14, 1 << 24, 1 << 33, 1 << 48, u64::MAX / 2, u64::MAX] {
                let models = with_each_number(model, number).into_iter();
                let models = models.map(|model| of(&model, data, "2"));
                let batch = of(model, data, &number.to_string());
                for task in models.chain([batch]) {
                    let key = refused(&task, folder.path());
                    let fits = number < 1 << 33 || model.starts_with("Quadratic");
                    assert!(key.is_some() || fits, "{task:?} is not refused");
                    let of_model = |key: &String| {
                        // Windows may be too long for the tokens there are.
                        key.starts_with("model") || key == "batch_size" || key == "data"
                    };
                    assert!(key.as_ref().is_none_or(of_model), "{key:?} of {task:?}");
                    counts[usize::from(key.is_some())] += 1;
                }
            }
            for number in [1 << 33, 1 << 48, u64::MAX / 2, u64::MAX] {
                for data in with_each_number(data, number) {
                    // No more than so many brackets are ever open, so any limit of them will do.
                    let task = of(model, &data, "2");
                    let key = refused(&task, folder.path());
                    let fits = data.contains(&format!("depth: {number}"));
                    assert!(key.is_some() || fits, "{task:?} is not refused");
                    counts[usize::from(key.is_some())] += 1;
                }
            }
        }
    }
    println!("{} fit, {} are refused", counts[0], counts[1]);
    assert!(counts[0] > 50 && counts[1] > 500, "{counts:?}");
}
