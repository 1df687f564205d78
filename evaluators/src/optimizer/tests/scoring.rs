//! Scoring: the best of the rates, the mean over a run, weights in other units; the same in cohorts.

use std::num::NonZeroUsize;

use super::*;
use crate::optimizer::proxy_task::ProxyTask;
use crate::{Device, Factor, Lanes, Rates, RunLoss, Schedule, Scoring, Workload};

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
    let best = Scoring { rates: Rates::Best, ..mean.clone() };
    let alone = |multiple| loss(&config(8.0, &[multiple], mean.clone()), &adamw);
    // The seed of a run goes by the place of its multiple, and the first place has one each.
    let first = alone(0.25);
    let found = loss(&config(8.0, &multiples, best.clone()), &adamw);
    assert!(found <= first && found <= loss(&config(8.0, &multiples, mean.clone()), &adamw));
    let broken = [1e30, 1.0];
    let outcome = |scoring| outcomes(&config(8.0, &broken, scoring), &[descent()], None).remove(0);
    assert!(matches!(outcome(mean), Outcome::Invalid(_)));
    let Outcome::Scored(score) = outcome(best.clone()) else { panic!("it trains at the second") };
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
        Scoring { horizons: vec![0.25, 0.75], ..Scoring::default() },
        Scoring { batches: vec![0.25, 0.5], ..Scoring::default() },
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
    assert_eq!(losses.len(), 5, "{losses:?}");
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
    let found = loss(&config(0.25, &[1.0], units.clone()), &descent());
    assert_eq!(found, plain(1.0), "w = 2 v, so a step of v by 2 g is one of w by 4 g");
    assert_ne!(found, plain(0.25));
    let gradients = Scoring { scale_gradients: factor(4.0), ..Scoring::default() };
    assert_eq!(loss(&config(0.25, &[1.0], gradients.clone()), &descent()), plain(1.0));
    let signs = zoo("signsgd");
    let sign = |scoring| loss(&config(8.0, &[1.0], scoring), &signs);
    assert_eq!(sign(gradients), sign(Scoring::default()), "signs have no scale");
    assert_ne!(sign(units), sign(Scoring::default()));
}

#[test]
fn a_run_of_half_the_steps_or_batch_is_that_of_a_task_of_so_many() {
    let halved = |change: fn(&mut OptimizerConfig)| {
        let mut config = config(8.0, &[0.5, 2.0], Scoring::default());
        change(&mut config);
        loss(&config, &zoo("adamw"))
    };
    let whole = halved(|_| ());
    let shorter = halved(|it| it.scoring.horizons = vec![0.5]);
    assert_eq!(shorter, halved(|it| it.tasks[0].steps = 6.try_into().expect("not zero")));
    let smaller = halved(|it| it.scoring.batches = vec![0.5]);
    assert_eq!(smaller, halved(|it| it.tasks[0].batch_size = 8.try_into().expect("not zero")));
    assert!(whole != shorter && whole != smaller && shorter != smaller);
}

#[test]
fn horizons_are_drawn_for_a_repeat_and_are_the_same_at_every_multiple() {
    let mut config = config(8.0, &[1.0, 1.0], Scoring::default());
    config.repeats = 8.try_into().expect("not zero");
    config.scoring.horizons = vec![0.25, 1.0];
    let task = ProxyTask::load(&config.tasks[0], Path::new("."), 0).expect("it trains");
    let runs = task.runs(8.0, &[1.0, 1.0], 0..8, &config.scoring);
    let steps: Vec<u64> = runs.iter().map(|run| run.steps).collect();
    assert_eq!(steps[..8], steps[8..]);
    assert!(steps.contains(&3) && steps.contains(&12), "{steps:?}");
    let workload = Workload::load(&config, &config.tasks[0], Path::new(".")).expect("it trains");
    assert_eq!(workload.steps(), steps[..8].iter().sum::<u64>() / 8);
}

#[test]
fn horizons_too_short_for_a_schedule_or_with_stated_steps_are_refused() {
    let mut config = config(8.0, &[1.0], Scoring::default());
    config.scoring.horizons = vec![0.5, 1.0];
    config.tasks[0].schedule = Schedule::Trapezoid { warmup_steps: 2, cooldown_steps: 4 };
    config.check().expect("six steps are enough");
    config.tasks[0].schedule = Schedule::Trapezoid { warmup_steps: 2, cooldown_steps: 5 };
    let error = config.check().expect_err("six are not").to_string();
    assert!(error.starts_with("scoring.horizons: make runs of 6 steps on `mlp`"), "{error}");
    config.tasks[0].schedule = Schedule::Warmup { warmup_steps: 6 };
    assert!(config.check().is_err(), "a warm-up ends before the run does");
    config.tasks[0].schedule = Schedule::Constant;
    config.loss_at = vec![0.5];
    let error = config.check().expect_err("lengths differ").to_string();
    assert!(error.starts_with("loss_at: cannot be stated"), "{error}");
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
        horizons: vec![0.25, 0.5, 1.0],
        batches: vec![0.25, 1.0],
    };
    let programs = ["adamw", "adamw_ema", "lion", "muon"].map(zoo);
    for scoring in [scoring.clone(), Scoring { loss: RunLoss::Final, ..scoring }] {
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
