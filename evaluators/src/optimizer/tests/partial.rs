//! Hurdles inside of tasks: what runs come to is what they come to without, how far they are
//! trained is what stages say, alone and in cohorts.

use std::num::NonZeroUsize;

use super::lanes::{alike, breaking};
use super::*;
use crate::{Device, Lanes, Scoring};

const SHARES: [f64; 2] = [0.25, 0.5];

/// Two tasks with a stage between them, two multiples and two repeats.
fn config(rates: Rates) -> OptimizerConfig {
    let tasks =
        [MLP.replace("steps: 200", "steps: 24"), TEACHER.replace("steps: 150", "steps: 40")];
    OptimizerConfig {
        repeats: 2.try_into().expect("not zero"),
        learning_rate_multiples: vec![0.03, 1.0],
        scoring: Scoring { rates, horizons: vec![0.5, 1.0], ..Scoring::default() },
        ..staged(&[1], &[&tasks[0], &tasks[1]])
    }
}

fn plain(config: &OptimizerConfig) -> OptimizerEvaluator {
    OptimizerEvaluator::new(config, Path::new(".")).expect("it is trainable")
}

fn looking(config: &OptimizerConfig) -> OptimizerEvaluator {
    plain(config).within(&SHARES).expect("networks are small")
}

fn programs() -> Vec<Program> {
    let text = [EXPLODING, CLIMBING];
    let ended = [breaking(7, 0.01), breaking(30, 0.01)];
    let texts = text.map(program).into_iter();
    [zoo("adamw"), zoo("lion")].into_iter().chain(texts).chain(ended).collect()
}

fn whole(evaluator: &OptimizerEvaluator, programs: &[Program]) -> Vec<Outcome> {
    let trials: Vec<Trial<'_>> = programs.iter().map(Trial::of).collect();
    evaluator.evaluate(&trials)
}

/// The outcome with only those of its stages that lie between tasks.
fn between(outcome: Outcome, partial: &[bool]) -> Outcome {
    let kept = |stages: Vec<f64>| {
        let kept = stages.into_iter().zip(partial).filter(|(_, partial)| !**partial);
        kept.map(|(fitness, _)| fitness).collect()
    };
    match outcome {
        Outcome::Scored(score) => {
            Outcome::Scored(crate::Score { stages: kept(score.stages.clone()), ..score })
        }
        Outcome::Invalid(invalid) => {
            Outcome::Invalid(Invalid { stages: kept(invalid.stages.clone()), ..invalid })
        }
        other => panic!("no hurdle was up, and yet {other:?}"),
    }
}

#[test]
fn looking_inside_of_tasks_adds_stages_and_moves_nothing_else() {
    for rates in [Rates::Mean, Rates::Best] {
        let config = config(rates);
        let partial = config.partial_stages(SHARES.len());
        assert_eq!(partial, [true, true, false, true, true]);
        let programs = programs();
        let found = whole(&looking(&config), &programs);
        let expected = whole(&plain(&config), &programs);
        assert!(matches!(expected[0], Outcome::Scored(_)));
        assert!(expected.iter().any(|outcome| matches!(outcome, Outcome::Invalid(_))));
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(found.stages().all(f64::is_finite), "JSON has no other: {found:?}");
            assert_eq!(between(found, &partial), expected, "{rates:?}");
        }
    }
}

#[test]
fn a_hurdle_inside_of_a_task_ends_the_evaluation_there_and_the_whole_tells_where() {
    let config = config(Rates::Best);
    let evaluator = looking(&config);
    for program in &programs() {
        let whole = evaluator.evaluate(&[Trial::of(program)]).remove(0);
        for stage in 0..whole.stages().count() {
            let fitness = whole.stages().nth(stage).expect("it was reached");
            let mut hurdles = vec![f64::NEG_INFINITY; stage];
            hurdles.push(fitness.next_up());
            let trial = Trial { hurdles: &hurdles, ..Trial::of(program) };
            let found = evaluator.evaluate(&[trial]).remove(0);
            assert_eq!(Some(found), whole.stopped_by(&hurdles).map(Outcome::Stopped));
            hurdles[stage] = fitness;
            let trial = Trial { hurdles: &hurdles, ..Trial::of(program) };
            assert_eq!(evaluator.evaluate(&[trial]).remove(0), whole);
        }
    }
}

#[test]
fn a_program_that_can_no_longer_train_is_far_below_all_that_can() {
    let config = config(Rates::Mean);
    let evaluator = looking(&config);
    let programs = [zoo("adamw"), breaking(2, 0.01)];
    let [whole, broken] = &whole(&evaluator, &programs)[..] else { unreachable!("two") };
    let first = |outcome: &Outcome| outcome.stages().next().expect("it was reached");
    assert!(first(broken) < -500.0 && first(whole) > -2.0);
    assert!(matches!(broken, Outcome::Invalid(_)));
}

#[test]
fn cohorts_with_lanes_end_where_each_would_alone() {
    for rates in [Rates::Mean, Rates::Best] {
        let config = config(rates);
        let evaluator = looking(&config);
        let programs = programs();
        let first: Vec<f64> =
            evaluator.evaluate(&[Trial::of(&programs[0])]).remove(0).stages().collect();
        let none = f64::NEG_INFINITY;
        let hurdles = [
            vec![first[0] + 0.1],
            vec![none, first[1] + 0.1],
            vec![none, none, none, first[3] + 0.1],
        ];
        let mut cohort: Vec<Trial<'_>> = programs.iter().map(Trial::of).collect();
        cohort.extend(hurdles.iter().map(|it| Trial { hurdles: it, ..Trial::of(&programs[0]) }));
        let expected = evaluator.evaluate(&cohort);
        let lanes = Lanes::new(Device::cpu(), NonZeroUsize::new(4).expect("not zero"));
        let laned = evaluator.with_lanes(lanes).expect("candle works");
        for (found, expected) in laned.evaluate(&cohort).iter().zip(&expected) {
            alike(found, expected);
        }
        let stages = expected[expected.len() - 3..].iter().map(|outcome| match outcome {
            Outcome::Stopped(stopped) => stopped.stage,
            other => panic!("a hurdle was above it, and yet {other:?}"),
        });
        assert_eq!(stages.collect::<Vec<_>>(), [0, 1, 3]);
    }
}

#[test]
fn runs_that_are_too_large_to_be_held_together_are_refused_at_their_model() {
    let wide = MLP.replace("hidden: [16]", "hidden: [6000, 6000]");
    let mut config = staged(&[], &[TEACHER, &wide]);
    config.learning_rate_multiples = vec![1.0, 2.0, 3.0, 4.0];
    let error = plain(&config).within(&SHARES).expect_err("146 million weights").to_string();
    assert!(error.starts_with("tasks[1].model: has 36"), "{error}");
    assert!(plain(&config).within(&[]).is_ok());
}
