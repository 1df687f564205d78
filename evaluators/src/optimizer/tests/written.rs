//! Configurations as files hold them: old ones read as they did, and what is left out stays so.

use std::path::Path;

use ron::extensions::Extensions;

use super::{CONV, MARKOV, MLP, TEACHER, task};
use crate::{DataConfig, ModelConfig, Schedule, TaskConfig};

fn written(task: &TaskConfig) -> String {
    let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
    options.to_string(task).expect("every task can be written")
}

/// A task of a model and data, with more fields.
fn with(model: &str, data: &str, rest: &str) -> String {
    format!("(name: \"task\", model: {model}, data: {data}, batch_size: 2, steps: 100{rest})")
}

#[test]
fn values_left_out_are_not_written_either() {
    for text in [MLP, CONV, TEACHER, MARKOV] {
        let text = written(&task(text));
        for key in ["data_fraction", "label_noise", "activation", "normalisation", "weight_scale"] {
            assert!(!text.contains(key), "{text}");
        }
    }
}

#[test]
fn defaults_are_what_was_before_there_were_options() {
    let hidden = vec![16.try_into().expect("not zero")];
    assert_eq!(task(MLP).model, ModelConfig::mlp(hidden));
    let (mlp, schedule) = (task(MLP), task(&with("Mlp(hidden: [])", "Digits", "")).schedule);
    assert_eq!((mlp.data_fraction, mlp.label_noise), (1.0, 0.0));
    assert_eq!(schedule, Schedule::Cosine { warmup_steps: 0 });
    let scheduled = |schedule: &str| {
        let rest = format!(", schedule: {schedule}");
        task(&with("Mlp(hidden: [])", "Digits", &rest)).schedule
    };
    assert_eq!(scheduled("Constant"), Schedule::Constant);
    assert_eq!(scheduled("Warmup(warmup_steps: 3)"), Schedule::Warmup { warmup_steps: 3 });
    let trapezoid = Schedule::Trapezoid { warmup_steps: 0, cooldown_steps: 4 };
    assert_eq!(scheduled("Trapezoid(cooldown_steps: 4)"), trapezoid);
    assert_eq!(scheduled("Linear()"), Schedule::Linear { warmup_steps: 0 });
}

#[test]
fn every_model_and_data_set_reads_as_it_was_written() {
    let models = [
        "Mlp(hidden: [3, 4], activation: Tanh, normalisation: Layer, weight_scale: 0.5)",
        "Conv(channels: [3], activation: Gelu, normalisation: Rms, weight_scale: 2.0)",
        "ResidualMlp(width: 4, depth: 2, activation: Silu, normalisation: None)",
        "Autoencoder(hidden: [4, 2])",
        "VisionTransformer(patch: 2, width: 4, layers: 1, heads: 2)",
        "Transformer(width: 4, layers: 1, heads: 2, context: 9)",
        "Recurrent(width: 4, layers: 2, context: 9, cell: Elman)",
        "Quadratic(dimension: 4, smallest: 0.1, largest: 1.0, rotated: true, noise: 0.5)",
    ];
    let data = [
        "Digits",
        "Fashion",
        "Letter",
        "Shakespeare",
        "Mnist1d(examples: 9)",
        "Idx(images: \"a\", labels: \"b\")",
        "Cifar(files: [\"a\"], validation_files: [\"b\"], label_bytes: 2)",
        "Text(path: \"a\")",
        "Teacher(inputs: 2, hidden: 2, classes: 2, examples: 9)",
        "Mixture(inputs: 2, classes: 2, clusters: 2, separation: 1.5, examples: 9)",
        "Markov(symbols: 2, order: 1, length: 9)",
        "Grammar(brackets: 2, fillers: 2, depth: 3, length: 9)",
        "Modular(modulus: 5, operation: Multiply)",
        "Sequences(problem: Sort, symbols: 3, length: 2, validation_length: 4, examples: 9)",
        "None",
    ];
    let rest = ", data_fraction: 0.5, label_noise: 0.1";
    let texts = models.map(|model| with(model, "Digits", rest)).into_iter();
    let texts = texts.chain(data.map(|data| with("Mlp(hidden: [])", data, rest)));
    for text in texts {
        let first = task(&text);
        assert_eq!(task(&written(&first)), first, "{text}");
    }
}

#[test]
fn the_paths_of_every_file_can_be_changed() {
    let paths = |data: &str| {
        let mut task = task(&with("Mlp(hidden: [])", data, ""));
        task.data.paths_mut().into_iter().for_each(|path| *path = Path::new("base").join(&*path));
        task.data
    };
    let expected = DataConfig::Text { path: "base/a".into() };
    assert_eq!(paths("Text(path: \"a\")"), expected);
    let DataConfig::Cifar { files, validation_files, .. } =
        paths("Cifar(files: [\"a\", \"b\"], validation_files: [\"c\"])")
    else {
        panic!("it stays CIFAR data");
    };
    assert_eq!((files.len(), validation_files), (2, vec!["base/c".into()]));
    assert_eq!(paths("Digits"), DataConfig::Digits);
}
