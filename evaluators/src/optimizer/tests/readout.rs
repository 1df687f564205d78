//! Readouts: a run is validated with the weights that the program says, wherever that is, and goes
//! on with its own.

use std::num::NonZeroUsize;

use super::*;
use crate::{Device, Lanes, RunResult};

const SHORT: &str = "(name: \"mlp\", model: Mlp(hidden: [8]), data: Digits,
    batch_size: 16, steps: 10, learning_rate: 8.0, baseline_loss: 1.0)";

/// Momentum, with such a readout.
fn momentum(readout: &str) -> Program {
    program(&format!(
        "def train(w, g, m, lr):\n  m = interp(g, m, 0.9)\n  u = m * 0.01\n  u = u * lr\n  \
         zero = u * 0.0\n  return {readout}, m\n"
    ))
}

fn config() -> OptimizerConfig {
    let mut config = OptimizerConfig::new(vec![task(SHORT)]);
    config.loss_at = vec![0.5, 0.6, 0.9];
    config
}

/// The runs of each program, alone or in a cohort.
fn runs(programs: &[Program], lanes: Option<usize>) -> Vec<Vec<RunResult>> {
    let evaluator = OptimizerEvaluator::new(&config(), Path::new(".")).expect("it is trainable");
    let evaluator = match lanes {
        None => evaluator,
        Some(count) => {
            let count = NonZeroUsize::new(count).expect("not zero");
            evaluator.with_lanes(Lanes::new(Device::cpu(), count)).expect("a CPU")
        }
    };
    let trials: Vec<Trial<'_>> = programs.iter().map(Trial::of).collect();
    let outcomes = evaluator.evaluate(&trials).into_iter();
    let runs = outcomes.map(|outcome| match outcome {
        Outcome::Scored(score) => score.runs[0].runs.clone(),
        other => panic!("expected a score, not {other:?}"),
    });
    runs.collect()
}

#[test]
fn a_run_is_validated_with_the_weights_read_out_and_trained_with_its_own() {
    let programs = ["u", "(u, u)", "(u, zero)"].map(momentum);
    let [plain, same, before] = runs(&programs, None).try_into().expect("three programs");
    assert_eq!(plain, same, "a readout that is the update");
    for (plain, before) in plain.iter().zip(&before) {
        let at = |run: &RunResult, step| {
            let course = run.course.iter().copied().chain([(10, run.loss)]);
            course.into_iter().find(|it| it.0 == step).expect("it is stated").1
        };
        // Nothing subtracted: the weights that the step was given.
        assert_eq!([at(before, 6), at(before, 10)], [at(plain, 5), at(plain, 9)]);
        assert_ne!(at(plain, 6), at(before, 6));
    }
}

#[test]
fn lanes_with_and_without_readouts_are_validated_as_each_alone() {
    let mut programs = ["u", "(u, zero)", "(u, u)"].map(momentum).to_vec();
    programs.extend(["adamw_ema", "adamw", "schedule_free_adamw"].map(zoo));
    let alone = runs(&programs, None);
    for (program, (alone, lane)) in programs.iter().zip(alone.iter().zip(runs(&programs, Some(6))))
    {
        for (alone, lane) in alone.iter().zip(&lane) {
            let pairs = alone.course.iter().zip(&lane.course).map(|(a, b)| (a.1, b.1));
            for (expected, found) in pairs.chain([(alone.loss, lane.loss)]) {
                assert!((expected - found).abs() < 1e-5 * expected, "{alone:?} {lane:?} {program}");
            }
        }
    }
}

#[test]
fn weights_read_out_that_are_not_finite_end_a_run_at_its_last_step() {
    let broken =
        program("def train(w, g, lr):\n  u = g * 0.01\n  r = reciprocal(g)\n  return (u, r)\n");
    let evaluator = OptimizerEvaluator::new(&config(), Path::new(".")).expect("it is trainable");
    match &evaluator.evaluate(&[Trial::of(&broken)])[..] {
        [Outcome::Invalid(Invalid { reason: InvalidReason::NonFinite, step: 10, .. })] => {}
        other => panic!("{other:?}"),
    }
}
