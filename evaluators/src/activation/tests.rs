//! Activations in training: what is equal, what is refused, and what scores.

use std::path::Path;

use evo_dsl::Program;

use super::*;
use crate::{
    Evaluator, InvalidReason, Outcome, Score, TaskConfig, Trial, parallel_map, tuned_runs,
};

const RELU: &str = "def f(x):\n  z = max(x, 0.0)\n  return z\n";
const SILU: &str = "def f(x):\n  a = -x\n  a = exp(a)\n  a = a + 1.0\n  z = x / a\n  return z\n";

const NETWORKS: [&str; 5] = [
    "model: Mlp(hidden: [12, 8]), data: Digits",
    "model: Conv(channels: [3, 4]), data: Digits",
    "model: ResidualMlp(width: 12, depth: 2), data: Digits",
    "model: Autoencoder(hidden: [16, 6]), data: Digits",
    "model: Transformer(width: 8, layers: 1, heads: 2, context: 6), \
     data: Markov(symbols: 6, order: 1, length: 2048)",
];

fn task(text: &str) -> TaskConfig {
    let options =
        ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    options.from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn config(networks: &[&str]) -> ActivationConfig {
    let tasks = networks.iter().enumerate().map(|(index, network)| {
        task(&format!("(name: \"{index}\", {network}, batch_size: 8, steps: 12, learning_rate: 8)"))
    });
    ActivationConfig::new(tasks.collect())
}

fn evaluator(networks: &[&str]) -> ActivationEvaluator {
    ActivationEvaluator::new(&config(networks), Path::new("")).expect("generated data")
}

fn outcome(evaluator: &ActivationEvaluator, text: &str) -> Outcome {
    let program = Program::parse_expression(text).expect(text);
    evaluator.evaluate(&[Trial::of(&program)]).remove(0)
}

fn score(outcome: Outcome) -> Score {
    match outcome {
        Outcome::Scored(score) => score,
        other => panic!("{other:?}"),
    }
}

#[test]
fn relu_as_an_expression_trains_every_network_to_the_bits_of_the_built_in_one() {
    let score = score(outcome(&evaluator(&NETWORKS), RELU));
    assert_eq!(score.fitness, 0.0, "{score:?}");
    assert_eq!(score.losses.len(), NETWORKS.len());
    let flipped = "def f(x):\n  z = max(0.0, x)\n  return z\n";
    assert_eq!(self::score(outcome(&evaluator(&NETWORKS), flipped)), score);
}

#[test]
fn silu_as_an_expression_trains_as_the_built_in_one_does() {
    let networks = NETWORKS.map(|network| {
        let (model, data) = network.split_once("), data").expect("a model and its data");
        format!("{model}, activation: Silu), data{data}")
    });
    let score = score(outcome(&evaluator(&networks.each_ref().map(String::as_str)), SILU));
    assert!(score.fitness != 0.0 && score.fitness.abs() < 1e-3, "{}", score.fitness);
}

#[test]
fn an_outcome_is_the_same_on_any_thread_and_in_any_company() {
    let texts = [RELU, SILU, "def f(x):\n  z = sin(x)\n  return z\n"];
    let programs: Vec<Program> =
        texts.iter().map(|text| Program::parse_expression(text).expect(text)).collect();
    let whole = evaluator(&NETWORKS[..2]);
    let together = whole.evaluate(&programs.iter().map(Trial::of).collect::<Vec<_>>());
    let fresh = evaluator(&NETWORKS[..2]);
    let threads = std::num::NonZeroUsize::new(3).expect("not zero");
    let apart = parallel_map(threads, &programs, |it| fresh.evaluate(&[Trial::of(it)]).remove(0));
    assert_eq!(apart, together);
    assert!(together.iter().all(|it| matches!(it, Outcome::Scored(_))), "{together:?}");
}

#[test]
fn every_repeat_of_a_trial_has_other_runs() {
    let (evaluator, silu) = (evaluator(&NETWORKS[..1]), Program::parse_expression(SILU));
    let silu = silu.expect("it parses");
    let fitness = |repeat| {
        let trial = Trial { repeat, ..Trial::of(&silu) };
        evaluator.evaluate(&[trial]).remove(0).fitness()
    };
    assert_eq!(fitness(1), fitness(1));
    assert!(fitness(0) != fitness(1) && fitness(1) != fitness(2));
}

#[test]
fn a_multiple_that_diverges_is_none_to_choose_and_all_of_them_are_invalid() {
    let evaluator = |multiples: &[f64]| {
        let mut config = config(&NETWORKS[..1]);
        config.learning_rate_multiples = multiples.to_vec();
        config.tasks[0].steps = std::num::NonZeroU64::new(40).expect("not zero");
        ActivationEvaluator::new(&config, Path::new("")).expect("generated data")
    };
    let steep = "def f(x):\n  z = x * x\n  z = z * 500.0\n  z = exp(z)\n  return z\n";
    let one = score(outcome(&evaluator(&[1.0]), RELU));
    let wild = score(outcome(&evaluator(&[1.0, 1e30]), RELU));
    assert_eq!((one.losses, 1), (wild.losses, wild.runs[0].runs.len()));
    let Outcome::Invalid(invalid) = outcome(&evaluator(&[1.0, 1e30]), steep) else {
        panic!("it overflows")
    };
    assert!(invalid.reason != InvalidReason::NoDerivative && invalid.step > 0, "{invalid:?}");
    // Not even relu trains then, which is told as an error and not held against a candidate.
    let error = evaluator(&[1e30]).measure().expect_err("nothing trains").to_string();
    assert!(error.contains("task `0`"), "{error}");
    assert!(matches!(outcome(&evaluator(&[1e30]), RELU), Outcome::Failed { .. }));
}

#[test]
fn what_cannot_be_trained_with_says_why() {
    let evaluator = evaluator(&NETWORKS[..1]);
    let reason = |text: &str| match outcome(&evaluator, text) {
        Outcome::Invalid(invalid) => invalid.reason,
        other => panic!("{other:?}"),
    };
    let root = "def f(x):\n  z = power(x, 0.5)\n  return z\n";
    assert_eq!(reason(root), InvalidReason::NonFinite);
    let long = format!("def f(x):\n{}  return x\n", "  x = tanh(x)\n".repeat(4_000));
    assert_eq!(reason(&long), InvalidReason::NoDerivative);
    let two = Program::parse_expression("def f(x, y):\n  z = x + y\n  return z\n").expect("it is");
    let adamw = evo_dsl::zoo::get("adamw").expect("a zoo entry").program();
    for program in [two, adamw] {
        let outcome = evaluator.evaluate(&[Trial::of(&program)]).remove(0);
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    }
}

#[test]
fn judges_train_what_the_search_does_not() {
    let mut config = config(&NETWORKS[..2]);
    config.held_out = vec![config.tasks.pop().expect("two tasks")];
    config.fresh_repeats = std::num::NonZeroU32::new(2).expect("not zero");
    let judges = ActivationJudges::new(&config, Path::new("")).expect("generated data");
    let found = score(outcome(&judges.search, SILU));
    let fresh = score(outcome(&judges.fresh, SILU));
    let repeats = |score: &Score| -> Vec<u32> {
        tuned_runs(&score.runs[0]).iter().map(|run| run.repeat).collect()
    };
    assert_eq!((repeats(&found), repeats(&fresh)), (vec![0], vec![1, 2]));
    let held_out = score(outcome(&judges.held_out[0], SILU));
    assert_eq!((held_out.runs[0].task.as_str(), repeats(&held_out)), ("1", vec![1, 2]));
}

#[test]
fn configurations_that_make_no_sense_are_refused_at_their_key() {
    let good = "(name: \"a\", model: Mlp(hidden: [4]), data: Digits, batch_size: 8, steps: 5, \
                learning_rate: 8)";
    let markov = "Markov(symbols: 6, order: 1, length: 2048)";
    let recurrent = format!("Recurrent(width: 4, context: 4), data: {markov}");
    for (from, to, key) in [
        ("hidden: [4]", "hidden: []", "held_out[0].model: has no activation"),
        ("Mlp(hidden: [4])", "Autoencoder(hidden: [4])", "held_out[0].model: has no"),
        ("Mlp(hidden: [4]), data: Digits", &recurrent, "held_out[0].model: has no activation"),
        (", learning_rate: 8", "", "held_out[0].learning_rate: is missing"),
        ("learning_rate: 8", "learning_rate: 8, baseline_loss: 1", "held_out[0].baseline_loss"),
        ("\"a\"", "\"b\"", "held_out[0].name: `b` names two tasks"),
    ] {
        assert!(good.contains(from), "{from}");
        let mut config = ActivationConfig::new(vec![task(&good.replace("\"a\"", "\"b\""))]);
        config.held_out = vec![task(&good.replace(from, to))];
        let error = config.check().expect_err(to).to_string();
        assert!(error.starts_with(key), "{error}, not {key}");
    }
    let none = ActivationConfig::new(Vec::new()).check().expect_err("no task").to_string();
    assert!(none.starts_with("tasks: "), "{none}");
}
