//! Scoring: the best of the rates, the mean over a run, weights in other units; the same in cohorts.

use std::num::NonZeroUsize;

use super::*;
use crate::{Device, Factor, Lanes, Rates, RunLoss, Scoring, Workload};

fn config(learning_rate: f64, multiples: &[f64], scoring: Scoring) -> OptimizerConfig {
    let text = format!(
        "(name: \"mlp\", model: Mlp(hidden: [8]), data: Digits, batch_size: 16, steps: 12, \
         learning_rate: {learning_rate:?}, baseline_loss: 2.0)"
    );
    let mut config = OptimizerConfig::new(vec![task(&text)]);
    config.learning_rate_multiples = multiples.to_vec();
    config.scoring = scoring;
    config.repeats = 2.try_into().expect("not zero");
    config
}

fn outcomes(config: &OptimizerConfig, programs: &[Program], lanes: Option<usize>) -> Vec<Outcome> {
    let evaluator = OptimizerEvaluator::new(config, Path::new(".")).expect("it is trainable");
    let evaluator = match lanes {
        None => evaluator,
        Some(count) => {
            let count = NonZeroUsize::new(count).expect("not zero");
            evaluator.with_lanes(Lanes::new(Device::cpu(), count)).expect("a CPU")
        }
    };
    let trials: Vec<Trial<'_>> = programs.iter().map(Trial::of).collect();
    evaluator.evaluate(&trials)
}

fn loss(config: &OptimizerConfig, program: &Program) -> f64 {
    match &outcomes(config, std::slice::from_ref(program), None)[0] {
        Outcome::Scored(score) => score.losses[0],
        other => panic!("expected a score, not {other:?}"),
    }
}

/// Gradient descent without a rate of its own, so that products with powers of two are exact.
fn descent() -> Program {
    program("def train(w, g, lr):\n  u = g * lr\n  return u\n")
}

#[test]
fn the_best_rate_counts_and_one_that_breaks_is_none_to_choose() {
    let adamw = zoo("adamw");
    let multiples = [0.25, 1.0, 2.0];
    let mean = Scoring::default();
    let best = Scoring { rates: Rates::Best, ..mean };
    let alone = |multiple| loss(&config(8.0, &[multiple], mean), &adamw);
    // The seed of a run goes by the place of its multiple, and the first place has one each.
    let first = alone(0.25);
    let found = loss(&config(8.0, &multiples, best), &adamw);
    assert!(found <= first && found <= loss(&config(8.0, &multiples, mean), &adamw));
    let broken = [1e30, 1.0];
    let outcome = |scoring| outcomes(&config(8.0, &broken, scoring), &[descent()], None).remove(0);
    assert!(matches!(outcome(mean), Outcome::Invalid(_)));
    let Outcome::Scored(score) = outcome(best) else { panic!("it trains at the second") };
    let multiples: Vec<f64> = score.runs[0].runs.iter().map(|run| run.multiple).collect();
    assert_eq!(multiples, [1.0, 1.0]);
    let all_broken = config(8.0, &[1e30, 1e31], best);
    assert!(matches!(outcomes(&all_broken, &[descent()], None)[0], Outcome::Invalid(_)));
}

#[test]
fn baselines_are_tuned_under_the_scoring_that_programs_are_judged_by() {
    let settings = [
        Scoring { rates: Rates::Best, ..Scoring::default() },
        Scoring { loss: RunLoss::MeanTraining, ..Scoring::default() },
        Scoring { normalise_updates: true, ..Scoring::default() },
    ];
    let mut losses = vec![];
    for scoring in settings {
        let config = config(8.0, &[0.5, 2.0], scoring);
        let baseline = config.tune_baseline(&config.tasks[0], Path::new(".")).expect("it trains");
        let mut tuned = config.clone();
        tuned.tasks[0].learning_rate = Some(baseline.learning_rate);
        tuned.tasks[0].baseline_loss = Some(baseline.loss);
        if baseline.weight_decay == Some(0.01) {
            let Outcome::Scored(score) = outcomes(&tuned, &[zoo("adamw")], None).remove(0) else {
                panic!("AdamW trains");
            };
            assert_eq!(score.fitness, 0.0);
        }
        losses.push(baseline.loss);
    }
    losses.dedup();
    assert_eq!(losses.len(), 3, "{losses:?}");
}

#[test]
fn the_mean_over_a_run_is_that_of_its_training_losses() {
    let mut config = config(8.0, &[1.0], Scoring::default());
    config.repeats = 1.try_into().expect("not zero");
    let workload = Workload::load(&config, &config.tasks[0], Path::new(".")).expect("it trains");
    let recording = workload.record(&zoo("adamw"), 12).expect("candle accepts the network");
    let expected = recording.losses.iter().sum::<f64>() / 12.0;
    config.scoring.loss = RunLoss::MeanTraining;
    assert_eq!(loss(&config, &zoo("adamw")), expected);
}

#[test]
fn in_units_of_half_the_size_gradients_are_twice_as_large() {
    let factor = |number| Some(Factor { smallest: number, largest: number, by_leaf: false });
    let plain = |rate| loss(&config(rate, &[1.0], Scoring::default()), &descent());
    let units = Scoring { reparametrise: factor(2.0), ..Scoring::default() };
    let found = loss(&config(0.25, &[1.0], units), &descent());
    assert_eq!(found, plain(1.0), "w = 2 v, so a step of v by 2 g is one of w by 4 g");
    assert_ne!(found, plain(0.25));
    let gradients = Scoring { scale_gradients: factor(4.0), ..Scoring::default() };
    assert_eq!(loss(&config(0.25, &[1.0], gradients), &descent()), plain(1.0));
    let signs = zoo("signsgd");
    let sign = |scoring| loss(&config(8.0, &[1.0], scoring), &signs);
    assert_eq!(sign(gradients), sign(Scoring::default()), "signs have no scale");
    assert_ne!(sign(units), sign(Scoring::default()));
}

#[test]
fn cohorts_are_scored_as_each_program_alone() {
    let range = Some(Factor { smallest: 0.1, largest: 10.0, by_leaf: true });
    let scoring = Scoring {
        rates: Rates::Best,
        loss: RunLoss::MeanTraining,
        normalise_updates: true,
        reparametrise: range,
        scale_gradients: range,
    };
    let programs = ["adamw", "adamw_ema", "lion", "muon"].map(zoo);
    for scoring in [scoring, Scoring { loss: RunLoss::Final, ..scoring }] {
        let config = config(8.0, &[0.5, 1e30, 2.0], scoring);
        let alone = outcomes(&config, &programs, None);
        let lanes = outcomes(&config, &programs, Some(3));
        for (alone, lane) in alone.iter().zip(&lanes) {
            let (Outcome::Scored(alone), Outcome::Scored(lane)) = (alone, lane) else {
                panic!("{alone:?} {lane:?}");
            };
            assert!((alone.losses[0] / lane.losses[0] - 1.0).abs() < 1e-4, "{alone:?} {lane:?}");
        }
    }
}
