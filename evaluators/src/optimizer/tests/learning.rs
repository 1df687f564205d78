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
