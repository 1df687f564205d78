//! Every kind of data and every family of networks can be learned: AdamW ends far below the loss it
//! starts with, and twice with the same bits.

use super::{adamw_loss, task};

/// Trains a task with AdamW twice and compares its validation loss with `bound` and with itself.
#[track_caller]
fn learns(model: &str, data: &str, rest: &str, bound: f64) {
    let text =
        format!("(name: \"task\", model: {model}, data: {data}, baseline_loss: 1.0, {rest})");
    task(&text).check().expect("a task that fits");
    let loss = adamw_loss(&text);
    assert!(loss < bound, "{loss} is not below {bound}");
    assert!(loss > 0.0, "a loss that a logarithm is taken of");
    assert_eq!(loss.to_bits(), adamw_loss(&text).to_bits(), "not the same bits twice");
}

const SMALL: &str = "batch_size: 16, steps: 150, learning_rate: 8.0";

const TRANSFORMER: &str = "Transformer(width: 32, layers: 1, heads: 2, context: 12)";

#[test]
fn mixtures() {
    // From ln(3) = 1.10.
    let data = "Mixture(inputs: 8, classes: 3, clusters: 2, separation: 4.0, examples: 1000)";
    learns("Mlp(hidden: [16])", data, SMALL, 0.3);
}

#[test]
fn clothes() {
    // From ln(10) = 2.30.
    learns("Mlp(hidden: [16])", "Fashion", SMALL, 0.9);
    learns("Conv(channels: [4, 8])", "Fashion", SMALL, 0.9);
    let model = "VisionTransformer(patch: 7, width: 16, layers: 1, heads: 2)";
    learns(model, "Fashion", SMALL, 1.3);
}

#[test]
fn letters() {
    // From ln(26) = 3.26.
    let rest = "batch_size: 32, steps: 300, learning_rate: 16.0";
    learns("Mlp(hidden: [32])", "Letter", rest, 1.2);
    learns("ResidualMlp(width: 32, depth: 2)", "Letter", rest, 1.2);
}

#[test]
fn plays() {
    // From ln(69) = 4.23; 3.27 where only the shares of the symbols are known.
    learns(TRANSFORMER, "Shakespeare", SMALL, 2.9);
    learns("Recurrent(width: 32, context: 12)", "Shakespeare", SMALL, 2.9);
}

#[test]
fn digits_as_curves() {
    // From ln(10) = 2.30.
    let data = "Mnist1d(examples: 4000)";
    let rest = "batch_size: 32, steps: 400, learning_rate: 8.0";
    learns("Mlp(hidden: [64])", data, rest, 1.5);
    learns("Conv(channels: [16, 16, 16])", data, rest, 1.2);
}

#[test]
fn grammar_text() {
    // From ln(9) = 2.20.
    let data = "Grammar(brackets: 2, fillers: 5, depth: 4, length: 5000)";
    learns(TRANSFORMER, data, SMALL, 1.7);
}

#[test]
fn modular_addition() {
    // From ln(34) = 3.53, by way of a rise: at first only the pairs trained on are known.
    let loss = adamw_loss(
        "(name: \"task\", model: Transformer(width: 32, layers: 1, heads: 2, context: 4),
        data: Modular(modulus: 31), batch_size: 64, steps: 800, learning_rate: 4.0,
        baseline_loss: 1.0)",
    );
    assert!(loss < 2.0, "{loss}");
}

#[test]
fn sequence_problems() {
    // From ln(8) = 2.08 or a little more.
    for (problem, bound) in [("Copy", 0.6), ("Sort", 0.6), ("Parity", 1.8), ("Addition", 1.5)] {
        let data = format!("Sequences(problem: {problem}, symbols: 5, length: 3, examples: 4000)");
        learns(TRANSFORMER, &data, SMALL, bound);
    }
}

#[test]
fn networks_of_every_style() {
    // From ln(10) = 2.30.
    for style in [
        "activation: Tanh",
        "activation: Gelu",
        "activation: Silu, weight_scale: 0.7",
        "normalisation: Layer",
        "normalisation: Rms, activation: Tanh",
    ] {
        learns(&format!("Mlp(hidden: [16], {style})"), "Digits", SMALL, 1.0);
    }
    for style in ["activation: Gelu, normalisation: Layer", "normalisation: Rms"] {
        learns(&format!("Conv(channels: [4, 8], {style})"), "Digits", SMALL, 0.5);
    }
}

#[test]
fn residual_networks() {
    // From ln(10) = 2.30.
    learns("ResidualMlp(width: 16, depth: 3)", "Digits", SMALL, 0.8);
    learns("ResidualMlp(width: 16, depth: 3, normalisation: None)", "Digits", SMALL, 0.8);
}

#[test]
fn autoencoders() {
    // From the mean square of the pixels, about 0.24; their variance at each place is about 0.07.
    learns("Autoencoder(hidden: [32, 8])", "Digits", SMALL, 0.045);
    let model = "Autoencoder(hidden: [32, 8], activation: Silu, normalisation: Layer)";
    learns(model, "Digits", SMALL, 0.045);
}

#[test]
fn vision_transformers() {
    // From ln(10) = 2.30.
    let model = "VisionTransformer(patch: 4, width: 16, layers: 1, heads: 2)";
    learns(model, "Digits", "batch_size: 16, steps: 150, learning_rate: 16.0", 1.1);
}

#[test]
fn recurrent_networks() {
    // From ln(6) = 1.79.
    let data = "Markov(symbols: 6, order: 1, length: 4000)";
    learns("Recurrent(width: 16, context: 12, cell: Elman)", data, SMALL, 1.1);
    learns("Recurrent(width: 16, context: 12, layers: 2)", data, SMALL, 1.1);
}

#[test]
fn recurrent_networks_find_the_parity_of_sequences_longer_than_any_trained_on() {
    // From ln(5) = 1.61, and ln(2) = 0.69 where only the length of the alphabet is known.
    let data = "Sequences(problem: Parity, symbols: 2, length: 4, validation_length: 8,
        examples: 1000)";
    let rest = "batch_size: 16, steps: 400, learning_rate: 8.0";
    learns("Recurrent(width: 32, context: 12)", data, rest, 0.55);
}

#[test]
fn quadratics() {
    // From about the sum of the eigenvalues, 21.4.
    for (options, bound) in
        [("", 1.0), (", rotated: true", 1.0), (", rotated: true, noise: 1.0", 1.2)]
    {
        let model = format!("Quadratic(dimension: 100, smallest: 0.01, largest: 1.0{options})");
        learns(&model, "None", "batch_size: 16, steps: 300, learning_rate: 32.0", bound);
    }
}

#[test]
fn noisy_labels_and_few_examples_cost_validation_loss() {
    let loss = |rest: &str| {
        adamw_loss(&format!(
            "(name: \"task\", model: Mlp(hidden: [16]), data: Digits, baseline_loss: 1.0,
            {SMALL}{rest})"
        ))
    };
    let all = loss("");
    assert_eq!(all.to_bits(), loss(", data_fraction: 1.0, label_noise: 0.0").to_bits());
    let (few, noisy, random) =
        (loss(", data_fraction: 0.02"), loss(", label_noise: 0.3"), loss(", label_noise: 1.0"));
    assert!(few > all + 0.2, "{few} with 28 examples, {all} with all");
    assert!(noisy > all + 0.2, "{noisy} with noise, {all} without");
    assert!(random > 2.2, "{random} with labels that say nothing");
}
