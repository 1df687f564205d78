//! Cohorts trained with lanes: each candidate ends as it does alone, whatever its place and
//! neighbours.

use std::num::NonZeroUsize;

use evo_dsl::Executor;

use super::super::lanes::{LaneTask, Lanes, train_lanes};
use super::super::proxy_task::{ProxyTask, Run};
use super::super::training::{Watching, train_runs};
use super::*;
use crate::{Device, RunLoss, Scoring};

/// A program that goes down the gradient times `factor` and makes the weights NaN at `step`, where
/// exp overflows.
pub(super) fn breaking(step: u64, factor: f64) -> Program {
    let rate = 700.0 / (step - 1) as f64;
    let lines = [
        "def train(w, g, lr, t):".to_owned(),
        format!("  x = t * {rate:?}"),
        "  e = exp(x)".to_owned(),
        "  z = e * 0.0".to_owned(),
        format!("  d = g * {factor:?}"),
        "  b = w * z".to_owned(),
        "  u = d + b".to_owned(),
        "  return u\n".to_owned(),
    ];
    program(&lines.join("\n"))
}

const MOMENTUM: &str = "def train(w, g, m, lr):
  m = interp(m, g, 0.2)
  s = lr * 0.01
  u = m * s
  return u, m
";

fn count(number: usize) -> NonZeroUsize {
    number.try_into().expect("not zero")
}

fn lanes(number: usize) -> Lanes {
    Lanes::new(Device::cpu(), count(number))
}

/// One run each of a task of every family, with its own number of steps.
fn families(steps: u64) -> Vec<(ProxyTask, Vec<Run>)> {
    let tokens = "data: Markov(symbols: 6, order: 1, length: 4000)";
    let images = "data: Digits";
    [
        ("Mlp(hidden: [16])", images, 16.0),
        ("ResidualMlp(width: 12, depth: 2)", images, 8.0),
        ("Autoencoder(hidden: [16, 4], activation: Gelu)", images, 8.0),
        ("Conv(channels: [4, 8], normalisation: Rms)", images, 8.0),
        ("VisionTransformer(patch: 4, width: 12, layers: 1, heads: 2)", images, 8.0),
        ("Transformer(width: 16, layers: 1, heads: 2, context: 8)", tokens, 8.0),
        ("Recurrent(width: 12, context: 8)", tokens, 8.0),
        (
            "Quadratic(dimension: 30, smallest: 0.01, largest: 1.0, rotated: true, noise: 0.5)",
            "data: None",
            8.0,
        ),
    ]
    .iter()
    .map(|(model, data, learning_rate)| {
        let text =
            format!("(name: \"task\", model: {model}, {data}, batch_size: 8, steps: {steps})");
        let task = ProxyTask::load(&task(&text), Path::new("."), 0).expect("a trainable task");
        let runs = task.runs(*learning_rate, &[0.4, 1.0], 0..1, &Scoring::default());
        (task, runs)
    })
    .collect()
}

/// What is looked at in these tests.
const WATCHING: Watching<'static> =
    Watching { divergence: 4.0, stated: &[3, 7], within: &[], loss: RunLoss::Final };

/// The mean loss of the runs and those on the way.
type Loss = Result<(f64, Vec<(u64, f64)>), Invalid>;

fn with_lanes(task: &ProxyTask, runs: &[Run], programs: &[&Program], lanes: &Lanes) -> Vec<Loss> {
    let lane_task = LaneTask::new(task, lanes).expect("candle works");
    let found = train_lanes(task, &lane_task, runs, programs, lanes, WATCHING);
    let found = found.expect("candle works").into_iter();
    found.map(|it| it.runs.map(|runs| (runs.loss(), runs.course()))).collect()
}

fn alone(task: &ProxyTask, runs: &[Run], program: &Program) -> Loss {
    let update = |run: &Run| Executor::new(&run.program(program), &task.layout);
    let found = train_runs(task, runs, WATCHING, update).expect("candle works");
    found.map(|runs| (runs.loss(), runs.course()))
}

#[track_caller]
fn close(found: &Loss, expected: &Loss, tolerance: f64, what: &str) {
    match (found, expected) {
        (Ok((found, course)), Ok((expected, expected_course))) => {
            let near = |found: f64, expected: f64| {
                let error = (found / expected - 1.0).abs();
                assert!(error < tolerance, "{what}: {found}, not {expected}");
            };
            near(*found, *expected);
            let steps: Vec<u64> = course.iter().map(|it| it.0).collect();
            assert_eq!(steps, WATCHING.stated);
            course.iter().zip(expected_course).for_each(|(a, b)| near(a.1, b.1));
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

#[test]
fn every_family_ends_as_it_does_alone() {
    let programs = [zoo("adamw"), program(MOMENTUM), program(EXPLODING), breaking(33, 0.01)];
    let all: Vec<&Program> = programs.iter().collect();
    for (task, runs) in families(34) {
        let found = with_lanes(&task, &runs, &all, &lanes(4));
        for (index, (found, program)) in found.iter().zip(&programs).enumerate() {
            // Rounding differs from the first step on and grows with the steps.
            let what = format!("{:?}, program {index}", task.proxy);
            close(found, &alone(&task, &runs, program), 2e-4, &what);
        }
        assert!(found[0].is_ok() && found[1].is_ok());
        let step = |at: usize| found[at].as_ref().expect_err("it breaks").step;
        assert!(step(2) < 10, "{}", step(2));
        assert_eq!(step(3), 33);
    }
}

#[test]
fn bits_depend_neither_on_place_nor_on_neighbours_nor_on_how_many_there_are() {
    let mut programs = vec![zoo("adamw"), zoo("lion"), program(MOMENTUM), program(CLIMBING)];
    programs.extend([breaking(5, 0.01), program(EXPLODING)]);
    for (task, runs) in families(12) {
        let one = |at: usize| with_lanes(&task, &runs, &[&programs[at]], &lanes(1)).remove(0);
        let alone: Vec<Loss> = (0..programs.len()).map(one).collect();
        for order in
            [&[0, 5][..], &[4, 2, 3, 0, 1], &[3, 1, 0, 0, 5, 2, 2, 4, 1, 3, 0, 1, 2, 4, 5, 0]]
        {
            let cohort: Vec<&Program> = order.iter().map(|&at| &programs[at]).collect();
            let expected: Vec<Loss> = order.iter().map(|&at| alone[at].clone()).collect();
            for filled in [0, 3] {
                let lanes = lanes(order.len() + filled);
                assert_eq!(with_lanes(&task, &runs, &cohort, &lanes), expected, "{:?}", task.proxy);
            }
        }
    }
}

#[test]
fn a_lane_that_ended_leaves_the_reason_and_step_of_its_first_end() {
    // The second diverges first, and is not a number from step 41 on.
    let programs = [program(CLIMBING), breaking(41, -1.0), breaking(41, 0.01), zoo("adamw")];
    let all: Vec<&Program> = programs.iter().collect();
    let (task, runs) = families(70).remove(0);
    let found = with_lanes(&task, &runs, &all, &lanes(4));
    for (found, program) in found.iter().zip(&programs) {
        close(found, &alone(&task, &runs, program), 1e-4, "loss");
    }
    let reasons: Vec<_> = found.iter().map(|found| found.as_ref().err()).collect();
    assert_eq!(reasons[0].map(|invalid| invalid.reason), Some(InvalidReason::Diverged));
    assert_eq!(reasons[1], reasons[0]);
    assert_eq!(reasons[2].map(|invalid| invalid.step), Some(41));
    // All of them ended: nothing is validated.
    let found = with_lanes(&task, &runs, &all[..3], &lanes(4));
    assert!(found.iter().all(Result::is_err));
}

fn laned(config: &OptimizerConfig, lanes: Lanes) -> OptimizerEvaluator {
    let evaluator = OptimizerEvaluator::new(config, Path::new(".")).expect("it is trainable");
    evaluator.with_lanes(lanes).expect("candle works")
}

#[test]
fn outcomes_with_lanes_are_those_of_one_candidate_after_another() {
    let short = CONV.replace("steps: 120", "steps: 12");
    let second = TEACHER.replace("steps: 150", "steps: 40");
    let third = MARKOV.replace("steps: 120", "steps: 15");
    let config = staged(&[1, 2], &[&short, &second, &third]);
    let sequential = OptimizerEvaluator::new(&config, Path::new(".")).expect("it is trainable");
    let programs = [zoo("adamw"), program(EXPLODING), program(MOMENTUM), program(CLIMBING)];
    let first = sequential.evaluate(&[Trial::of(&programs[0])])[0].stages().collect::<Vec<_>>();
    let (low, high) = ([first[0] - 0.1, first[1] + 0.1], [first[0] + 0.1]);
    let cohort = [
        Trial::of(&programs[0]),
        Trial::of(&programs[1]),
        Trial { hurdles: &high, ..Trial::of(&programs[0]) },
        Trial::of(&programs[2]),
        Trial { hurdles: &low, ..Trial::of(&programs[0]) },
        Trial::of(&programs[3]),
        Trial::of(&programs[0]),
        Trial { repeat: 1, ..Trial::of(&programs[0]) },
        Trial { repeat: 2, ..Trial::of(&programs[2]) },
        Trial { repeat: 1, ..Trial::of(&programs[2]) },
    ];
    let expected = sequential.evaluate(&cohort);
    let found = laned(&config, lanes(3)).evaluate(&cohort);
    for (found, expected) in found.iter().zip(&expected) {
        alike(found, expected);
    }
    assert!(matches!(found[2], Outcome::Stopped(Stopped { stage: 0, .. })));
    assert!(matches!(found[4], Outcome::Stopped(Stopped { stage: 1, .. })));
    assert_eq!(found[0], found[6]);
    assert_ne!(found[0], found[7]);
    assert_ne!(found[8], found[9]);
    for number in [2, 8] {
        let evaluator = laned(&config, lanes(number));
        assert_eq!(evaluator.evaluate(&cohort), found, "{number} lanes");
        let reversed: Vec<Trial<'_>> = cohort.iter().rev().copied().collect();
        let outcomes: Vec<Outcome> = evaluator.evaluate(&reversed).into_iter().rev().collect();
        assert_eq!(outcomes, found, "{number} lanes, reversed");
        assert_eq!(evaluator.evaluate(&cohort[3..5]), found[3..5], "{number} lanes, two of them");
    }
}

/// Compares two outcomes, numbers to the rounding of a short training.
#[track_caller]
pub(super) fn alike(found: &Outcome, expected: &Outcome) {
    let near = |a: &[f64], b: &[f64]| {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 2e-4 * b.abs().max(1.0), "{a}, not {b}");
        }
    };
    let stages = |outcome: &Outcome| outcome.stages().collect::<Vec<_>>();
    near(&stages(found), &stages(expected));
    match (found, expected) {
        (Outcome::Scored(found), Outcome::Scored(expected)) => {
            near(&found.losses, &expected.losses);
            near(&[found.fitness], &[expected.fitness]);
        }
        (Outcome::Invalid(found), Outcome::Invalid(expected)) => {
            let told = |it: &Invalid| (it.reason, it.task.clone(), it.step);
            assert_eq!(told(found), told(expected));
        }
        (Outcome::Stopped(found), Outcome::Stopped(expected)) => {
            assert_eq!(found.stage, expected.stage);
        }
        _ => panic!("{found:?}, not {expected:?}"),
    }
}

#[test]
fn products_in_bf16_train_to_nearly_the_same_loss() {
    let programs = [zoo("adamw"), program(MOMENTUM), program(EXPLODING)];
    let all: Vec<&Program> = programs.iter().collect();
    for (task, runs) in families(20) {
        let mixed = Lanes { bf16: true, ..lanes(3) };
        let (plain, mixed) =
            (with_lanes(&task, &runs, &all, &lanes(3)), with_lanes(&task, &runs, &all, &mixed));
        let quadratic = matches!(task.proxy, crate::proxies::Proxy::Quadratic(_));
        assert_eq!(plain == mixed, quadratic, "only the bowl has no matrix of weights");
        for (plain, mixed) in plain.iter().zip(&mixed) {
            close(mixed, plain, 0.05, &format!("{:?}", task.proxy));
        }
    }
}

#[test]
fn a_device_that_cannot_be_used_is_a_failure_and_not_the_programs_fault() {
    // No configuration gives a network data that it does not read, but a test can.
    let mut all = families(5);
    let (tokens, runs) = all.remove(5);
    let (rows, _) = all.remove(0);
    let lane_task = LaneTask::new(&rows, &lanes(2)).expect("candle works");
    let adamw = zoo("adamw");
    let error = train_lanes(&tokens, &lane_task, &runs, &[&adamw], &lanes(2), WATCHING);
    let error = error.expect_err("an MLP does not read tokens").to_string();
    assert!(error.starts_with("internal failure"), "{error}");
}

#[cfg(feature = "cuda")]
#[test]
#[ignore = "needs a device"]
fn cohorts_train_on_a_device_as_on_the_cpu() {
    let programs = [zoo("adamw"), program(MOMENTUM), program(EXPLODING), breaking(41, 0.01)];
    let all: Vec<&Program> = programs.iter().collect();
    let device = Device::of_tests();
    for (task, runs) in families(50) {
        let on_gpu = Lanes::new(device.clone(), count(6));
        let found = with_lanes(&task, &runs, &all, &on_gpu);
        let expected = with_lanes(&task, &runs, &all, &lanes(6));
        for (found, expected) in found.iter().zip(&expected) {
            close(found, expected, 1e-3, &format!("{:?}", task.proxy));
        }
        assert_eq!(with_lanes(&task, &runs, &all, &on_gpu), found, "not the same bits twice");
        let one = with_lanes(&task, &runs, &all[1..2], &on_gpu);
        assert_eq!(one[0], found[1], "a cohort that is not full gives other bits");
        let mixed = with_lanes(&task, &runs, &all, &Lanes { bf16: true, ..on_gpu });
        for (mixed, found) in mixed.iter().zip(&found) {
            close(mixed, found, 0.05, &format!("bf16, {:?}", task.proxy));
        }
    }
}
