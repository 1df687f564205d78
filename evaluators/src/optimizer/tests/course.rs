//! Courses: losses on the way are those of shorter training, and looking at them moves nothing.

use std::num::NonZeroUsize;

use super::*;
use crate::{Device, Lanes, Score};

/// Tasks with data of each form, one with its own rotation and noise.
fn config(loss_at: &[f64]) -> OptimizerConfig {
    let short = |text: &str, steps: &str| {
        let start = text.find("steps: ").expect("a task has steps");
        let end = start + text[start..].find(',').expect("more follows");
        format!("{}steps: {steps}{}", &text[..start], &text[end..])
    };
    let bowl = "(name: \"bowl\", model: Quadratic(dimension: 12, smallest: 0.1, largest: 1.0, \
        rotated: true, noise: 0.5), data: None, batch_size: 4, steps: 9, schedule: Constant, \
        learning_rate: 8.0, baseline_loss: 1.0)";
    let recurrent = "(name: \"recurrent\", model: Recurrent(width: 6, context: 8), \
        data: Markov(symbols: 5, order: 1, length: 2000), batch_size: 4, steps: 12, \
        learning_rate: 8.0, baseline_loss: 1.0)";
    let texts = [&short(MLP, "40"), &short(CONV, "12"), &short(MARKOV, "10"), bowl, recurrent];
    let mut config = OptimizerConfig::new(texts.iter().map(|text| task(text)).collect());
    config.loss_at = loss_at.to_vec();
    config.repeats = 2.try_into().expect("not zero");
    config.stages = vec![2];
    config
}

fn scores(evaluator: &OptimizerEvaluator, programs: &[Program]) -> Vec<Option<Score>> {
    let trials: Vec<Trial<'_>> = programs.iter().map(Trial::of).collect();
    let score = |outcome| match outcome {
        Outcome::Scored(score) => Some(score),
        Outcome::Invalid(_) => None,
        other => panic!("expected a score, not {other:?}"),
    };
    evaluator.evaluate(&trials).into_iter().map(score).collect()
}

fn without_courses(mut scores: Vec<Option<Score>>) -> Vec<Option<Score>> {
    let runs = scores.iter_mut().flatten().flat_map(|score| &mut score.runs);
    runs.flat_map(|it| &mut it.runs).for_each(|run| run.course.clear());
    scores
}

fn alone(config: &OptimizerConfig) -> OptimizerEvaluator {
    OptimizerEvaluator::new(config, Path::new(".")).expect("it is trainable")
}

fn laned(config: &OptimizerConfig, number: usize) -> OptimizerEvaluator {
    let count = NonZeroUsize::new(number).expect("not zero");
    alone(config).with_lanes(Lanes::new(Device::cpu(), count)).expect("a CPU")
}

fn programs() -> Vec<Program> {
    vec![zoo("adamw"), program(EXPLODING), zoo("lion")]
}

#[test]
fn looking_at_losses_on_the_way_moves_no_bit_of_anything() {
    let (none, some) = (config(&[]), config(&[0.01, 0.25, 0.5, 0.75, 0.99]));
    for evaluator in [alone, |config: &OptimizerConfig| laned(config, 4)] {
        let expected = scores(&evaluator(&none), &programs());
        let found = scores(&evaluator(&some), &programs());
        assert!(expected[0].is_some() && expected[1].is_none());
        let courses = found.iter().flatten().flat_map(|score| &score.runs);
        for (runs, task) in courses.zip(some.tasks.iter().cycle()) {
            let steps: Vec<u64> = runs.course().iter().map(|it| it.0).collect();
            assert_eq!(steps, some.stated_steps(task), "{}", task.name);
            assert!(steps.len() >= 4 && runs.runs.len() == 6);
        }
        assert_ne!(found, expected);
        assert_eq!(without_courses(found), expected);
    }
    let fingerprint = |config: &OptimizerConfig| {
        config.fingerprint(&config.tasks[0], Path::new(".")).expect("no file is read")
    };
    assert_eq!(fingerprint(&some), fingerprint(&none));
}

#[test]
fn a_loss_on_the_way_is_that_of_training_so_far() {
    let mut whole = OptimizerConfig::new(vec![task(
        &TEACHER.replace("150", "40").replace("8.0", "8.0, schedule: Constant"),
    )]);
    whole.loss_at = vec![0.25, 0.5];
    let mut half = whole.clone();
    half.tasks[0].steps = 20.try_into().expect("not zero");
    half.loss_at = vec![0.5];
    for evaluator in [alone, |config: &OptimizerConfig| laned(config, 1)] {
        let runs = |config: &OptimizerConfig| {
            let scores = scores(&evaluator(config), &[zoo("adamw")]);
            scores[0].clone().expect("AdamW trains").runs.remove(0).runs
        };
        for (whole, half) in runs(&whole).iter().zip(runs(&half)) {
            assert_eq!(whole.course[0], half.course[0]);
            assert_eq!(whole.course[1], (20, half.loss));
        }
    }
}

#[test]
fn courses_with_lanes_have_the_same_bits_whatever_the_neighbours() {
    let config = config(&[0.3, 0.6]);
    let expected: Vec<Option<Score>> =
        programs().chunks(1).flat_map(|program| scores(&laned(&config, 1), program)).collect();
    for number in [2, 3, 5] {
        assert_eq!(scores(&laned(&config, number), &programs()), expected, "{number} lanes");
    }
    let mut reversed = programs();
    reversed.reverse();
    let mut found = scores(&laned(&config, 3), &reversed);
    found.reverse();
    assert_eq!(found, expected);
}

#[test]
fn fresh_repeats_are_validated_at_their_end_alone() {
    let judges = Judges::new(&config(&[0.5]), Path::new(".")).expect("it is trainable");
    let fresh = scores(&judges.fresh[0], &[zoo("adamw")]).remove(0).expect("AdamW trains");
    assert!(fresh.runs.iter().all(|runs| runs.runs.len() == 3 && runs.course().is_empty()));
    assert!(fresh.runs[0].runs.iter().all(|run| run.repeat == 2) && fresh.stages.is_empty());
}
