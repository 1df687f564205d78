//! The evaluator as a whole: families train, outcomes repeat, bad programs and configurations are
//! reported.

mod course;
mod judgement;
mod lanes;
mod learning;
mod partial;
mod readout;
mod refusals;
mod scoring;
mod sizes;
mod study;
mod written;

use std::path::Path;

use evo_dsl::Program;
use ron::extensions::Extensions;

use crate::{
    Evaluator, Invalid, InvalidReason, Judges, OptimizerConfig, OptimizerEvaluator, Outcome, Rates,
    Stopped, TaskConfig, Trial,
};

const MLP: &str = "(name: \"mlp\", model: Mlp(hidden: [16]), data: Digits,
    batch_size: 32, steps: 200, learning_rate: 16.0, baseline_loss: 1.0)";
const CONV: &str = "(name: \"conv\", model: Conv(channels: [4, 8]), data: Digits,
    batch_size: 16, steps: 120, learning_rate: 8.0, baseline_loss: 1.0)";
const TEACHER: &str = "(name: \"teacher\", model: Mlp(hidden: [16]),
    data: Teacher(inputs: 8, hidden: 4, classes: 3, examples: 1000),
    batch_size: 32, steps: 150, learning_rate: 8.0, baseline_loss: 1.0)";
const MARKOV: &str = "(name: \"markov\",
    model: Transformer(width: 16, layers: 1, heads: 2, context: 8),
    data: Markov(symbols: 6, order: 1, length: 4000),
    batch_size: 8, steps: 120, learning_rate: 8.0, baseline_loss: 1.0)";

const EXPLODING: &str = "def train(w, g, lr):\n  u = w * -1e12\n  return u\n";
const CLIMBING: &str = "def train(w, g, lr):\n  u = g * -1.0\n  return u\n";

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> ron::error::SpannedResult<T> {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME).from_str(text)
}

fn task(text: &str) -> TaskConfig {
    parse(text).expect("a well-formed task")
}

fn evaluator(tasks: &[&str]) -> OptimizerEvaluator {
    let config = OptimizerConfig::new(tasks.iter().map(|text| task(text)).collect());
    OptimizerEvaluator::new(&config, Path::new(".")).expect("a trainable configuration")
}

fn zoo(name: &str) -> Program {
    evo_dsl::zoo::get(name).expect("a zoo entry").program()
}

fn program(text: &str) -> Program {
    Program::parse(text).expect("a well-formed program")
}

/// The validation loss of AdamW on a task.
fn adamw_loss(text: &str) -> f64 {
    match &evaluator(&[text]).evaluate(&[Trial::of(&zoo("adamw"))])[..] {
        [Outcome::Scored(score)] => score.losses[0],
        other => panic!("AdamW trains every task, but: {other:?}"),
    }
}

#[test]
fn an_mlp_learns_digits() {
    let loss = adamw_loss(MLP);
    assert!(loss < 0.5, "{loss}, from ln(10) = 2.30");
}

#[test]
fn a_conv_net_learns_digits() {
    let loss = adamw_loss(CONV);
    assert!(loss < 0.6, "{loss}, from ln(10) = 2.30");
}

#[test]
fn an_mlp_learns_a_teacher() {
    let loss = adamw_loss(TEACHER);
    assert!(loss < 0.6, "{loss}, from ln(3) = 1.10");
}

#[test]
fn a_transformer_learns_markov_text() {
    let loss = adamw_loss(MARKOV);
    assert!(loss < 1.3, "{loss}, from ln(6) = 1.79");
}

#[test]
fn outcomes_are_the_same_alone_in_a_cohort_and_on_another_thread() {
    let evaluator = evaluator(&[MLP, CONV, MARKOV]);
    let (adamw, lion, bad) = (zoo("adamw"), zoo("lion"), program(EXPLODING));
    let cohort = evaluator.evaluate(&[&adamw, &bad, &lion].map(Trial::of));
    let alone = |program: &Program| evaluator.evaluate(&[Trial::of(program)]).remove(0);
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| [alone(&lion), alone(&adamw)]);
        let second = scope.spawn(|| [alone(&adamw), alone(&bad)]);
        (first.join(), second.join())
    });
    let first = first.expect("evaluation does not panic");
    let second = second.expect("evaluation does not panic");
    assert_eq!(first, [cohort[2].clone(), cohort[0].clone()]);
    assert_eq!(second, [cohort[0].clone(), cohort[1].clone()]);
    assert!(cohort[0].fitness().is_finite());
}

#[test]
fn an_exploding_program_is_invalid_at_its_step() {
    let outcomes = evaluator(&[CONV, MLP]).evaluate(&[Trial::of(&program(EXPLODING))]);
    let [Outcome::Invalid(Invalid { reason, task, step, .. })] = &outcomes[..] else {
        panic!("expected an invalid outcome, not {outcomes:?}");
    };
    assert_eq!((*reason, task.as_str()), (InvalidReason::NonFinite, "conv"));
    assert!((2..10).contains(step), "step {step}");
    assert_eq!(outcomes[0].fitness(), f64::NEG_INFINITY);
}

#[test]
fn a_program_that_climbs_has_diverged() {
    let outcomes = evaluator(&[MLP]).evaluate(&[Trial::of(&program(CLIMBING))]);
    let [Outcome::Invalid(invalid)] = &outcomes[..] else {
        panic!("expected an invalid outcome, not {outcomes:?}");
    };
    assert_eq!(invalid.reason, InvalidReason::Diverged);
}

#[test]
fn fitness_is_the_mean_log_ratio_of_baseline_and_loss() {
    let outcomes = evaluator(&[MLP, TEACHER]).evaluate(&[Trial::of(&zoo("adamw"))]);
    let [Outcome::Scored(score)] = &outcomes[..] else {
        panic!("expected a score, not {outcomes:?}");
    };
    let expected = -(libm::log(score.losses[0]) + libm::log(score.losses[1])) / 2.0;
    assert!((score.fitness - expected).abs() < 1e-12);
}

fn staged(stages: &[usize], tasks: &[&str]) -> OptimizerConfig {
    let tasks = tasks.iter().map(|text| task(text)).collect();
    OptimizerConfig { stages: stages.to_vec(), ..OptimizerConfig::new(tasks) }
}

#[test]
fn hurdles_end_an_evaluation_at_the_first_stage_below_one_and_change_nothing_else() {
    let config = staged(&[1, 2], &[CONV, TEACHER, MARKOV]);
    let evaluator = OptimizerEvaluator::new(&config, Path::new(".")).expect("it is trainable");
    let program = zoo("adamw");
    let with = |hurdles: &[f64]| {
        let trial = Trial { hurdles, ..Trial::of(&program) };
        evaluator.evaluate(&[trial]).remove(0)
    };
    let Outcome::Scored(score) = with(&[]) else { panic!("AdamW trains every task") };
    let gain = |task: usize| libm::log(1.0 / score.losses[task]);
    assert_eq!(score.stages, [gain(0), (gain(0) + gain(1)) / 2.0]);
    let [first, second] = score.stages[..] else { unreachable!("there are two stages") };
    let full = Outcome::Scored(score.clone());
    for cleared in [&[first][..], &[first, second], &[f64::NEG_INFINITY; 9]] {
        assert_eq!(with(cleared), full, "{cleared:?}");
    }
    let stopped = |stage, fitness, cleared: &[f64]| {
        Outcome::Stopped(Stopped { stage, fitness, cleared: cleared.to_vec(), whole: None })
    };
    for (hurdles, outcome) in [
        ([first + 1e-9, second + 1.0], stopped(0, first, &[])),
        ([first, second + 1e-9], stopped(1, second, &[first])),
    ] {
        assert_eq!(with(&hurdles), outcome);
        assert_eq!(full.stopped_by(&hurdles).map(Outcome::Stopped), Some(outcome));
    }
}

#[test]
fn a_program_invalid_behind_a_stage_tells_its_fitness_there() {
    let short = CONV.replace("steps: 120", "steps: 2");
    let config = staged(&[1], &[&short, MLP]);
    let evaluator = OptimizerEvaluator::new(&config, Path::new(".")).expect("it is trainable");
    let program = program(CLIMBING);
    let outcome = |hurdles: &[f64]| {
        let trial = Trial { hurdles, ..Trial::of(&program) };
        evaluator.evaluate(&[trial]).remove(0)
    };
    let Outcome::Invalid(invalid) = outcome(&[]) else { panic!("it diverges on the second task") };
    assert_eq!((invalid.task.as_str(), invalid.stages.len()), ("mlp", 1));
    let hurdle = [invalid.stages[0] + 1.0];
    let stopped = Outcome::Invalid(invalid).stopped_by(&hurdle).map(Outcome::Stopped);
    assert_eq!(Some(outcome(&hurdle)), stopped);
}

#[test]
fn stages_that_save_nothing_or_do_not_rise_are_refused_at_their_key() {
    for (stages, expected) in [
        (&[0, 1][..], "stages[0]: must be 1 or more"),
        (&[1, 3], "stages[1]: must be below 3"),
        (&[2, 2], "stages[1]: must be above 2"),
    ] {
        let error = staged(stages, &[CONV, TEACHER, MARKOV]).check().expect_err("no such stages");
        assert!(error.to_string().starts_with(expected), "{error}, not {expected}");
    }
    let fine = staged(&[1, 2], &[CONV, TEACHER, MARKOV]).check();
    assert!(fine.is_ok(), "{fine:?}");
}

#[test]
fn missing_baselines_are_tuned_and_then_reached_by_adamw() {
    let short =
        "(name: \"short\", model: Mlp(hidden: [8]), data: Digits, batch_size: 16, steps: 60)";
    let mut config = OptimizerConfig::new(vec![task(short)]);
    let error = OptimizerEvaluator::new(&config, Path::new(".")).expect_err("no baseline");
    assert!(error.to_string().starts_with("tasks[0].learning_rate: "), "{error}");
    config.held_out = vec![task(&TEACHER.replace("steps: 150", "steps: 30"))];
    config.resolve_baselines(Path::new(".")).expect("AdamW trains");
    assert!(config.tasks[0].baseline_loss.is_some_and(|loss| loss < 1.5));
    assert_eq!(config.held_out[0].baseline_loss, Some(1.0));
    let evaluator = OptimizerEvaluator::new(&config, Path::new(".")).expect("resolved");
    let fitness = evaluator.evaluate(&[Trial::of(&zoo("adamw"))])[0].fitness();
    assert!(fitness <= 1e-12 && fitness > -0.2, "{fitness}");
    let judges = Judges::new(&config, Path::new(".")).expect("resolved");
    assert_eq!(judges.search.evaluate(&[Trial::of(&zoo("adamw"))])[0].fitness(), fitness);
    let [held_out] = &judges.held_out[..] else { panic!("one task is held out") };
    let held_out = held_out.evaluate(&[Trial::of(&zoo("adamw"))]).remove(0);
    let Outcome::Scored(score) = held_out else { panic!("AdamW trains, but: {held_out:?}") };
    assert!(score.losses[0] < 1.1 && score.runs[0].task == "teacher", "{score:?}");
    assert_eq!(score.fitness, libm::log(1.0 / score.losses[0]));
}

#[test]
fn where_the_best_multiple_counts_the_baselines_rate_is_that_of_the_one_nearest_to_1() {
    let short =
        "(name: \"short\", model: Mlp(hidden: [8]), data: Digits, batch_size: 16, steps: 60)";
    let mut config = OptimizerConfig::new(vec![task(short)]);
    config.scoring.rates = Rates::Best;
    let best_at = |multiples: &[f64]| {
        let mut config = config.clone();
        config.learning_rate_multiples = multiples.to_vec();
        config.resolve_baselines(Path::new(".")).expect("AdamW trains");
        config.tasks[0].learning_rate.expect("it is tuned")
    };
    // Of rates in steps of two, those times 1/16, 1/4, 1 and 4 are the same rates again.
    let alone = best_at(&[1.0]);
    let among = best_at(&[0.0625, 0.25, 1.0, 4.0]);
    assert!((0.25..=4.0).contains(&(among / alone)), "{among} beside {alone}");
}

#[test]
fn configurations_that_cannot_be_trained_name_their_key() {
    let cases = [
        (
            MARKOV.replace("Markov(symbols: 6, order: 1, length: 4000)", "Digits"),
            "tasks[1].model: Transformer cannot",
        ),
        (MARKOV.replace("heads: 2", "heads: 3"), "tasks[1].model.heads: "),
        (MARKOV.replace("length: 4000", "length: 40"), "tasks[1].data: 40 tokens"),
        (CONV.replace("[4, 8]", "[]"), "tasks[1].model.channels: "),
        (CONV.replace("8.0", "-8.0"), "tasks[1].learning_rate: "),
        (MLP.to_owned(), "tasks[1].name: "),
        (
            CONV.replace("Digits", "Idx(images: \"a\", labels: \"b\")"),
            "tasks[1].data.images: base/a: expected an IDX image file",
        ),
    ];
    refusals::refused(&cases);
}

#[test]
fn counts_of_zero_and_unknown_keys_are_refused_at_their_place() {
    for (text, line, word) in [
        (MLP.replace("[16]", "[0]"), 1, "nonzero"),
        (MLP.replace("steps: 200", "steps: -1"), 2, "Integer"),
        (MLP.replace("batch_size", "batch"), 2, "batch"),
    ] {
        let error = parse::<TaskConfig>(&text).expect_err("refused");
        assert_eq!(error.span.start.line, line, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}
