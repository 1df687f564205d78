//! Fitness is not for sale: what a program cannot undo, what a task is worth at most, and what is
//! said beside the fitness.

use super::*;

fn score(config: &OptimizerConfig, program: &Program) -> crate::Score {
    let evaluator = OptimizerEvaluator::new(config, Path::new(".")).expect("it is trainable");
    match evaluator.evaluate(&[Trial::of(program)]).remove(0) {
        Outcome::Scored(score) => score,
        other => panic!("expected a score, not {other:?}"),
    }
}

fn one_task(text: &str) -> OptimizerConfig {
    OptimizerConfig::new(vec![task(text)])
}

/// Going down the gradient at a rate that the lines make of the learning rate.
fn descent(lines: &str) -> Program {
    program(&format!("def train(w, g, lr):\n{lines}  r = lr * 0.01\n  u = g * r\n  return u\n"))
}

#[test]
fn a_program_that_remaps_the_learning_rate_is_trained_over_the_whole_spread_all_the_same() {
    let text = CONV.replace("8.0", "8.0, schedule: Constant").replace("120", "30");
    let config = one_task(&text);
    let expected = score(&config, &descent(""));
    for remap in [
        "  lr = sqrt(lr)\n",
        "  lr = power(lr, 0.1)\n",
        "  lr = min(lr, 2.0)\n",
        "  lr = 1.0 * 1.0\n",
        "  c = get_columns()\n  a = min(lr, c)\n  b = c / c\n  a = global_norm(a)\n  \
         b = global_norm(b)\n  lr = a / b\n",
    ] {
        let found = score(&config, &descent(remap));
        for (found, expected) in found.runs[0].runs.iter().zip(&expected.runs[0].runs) {
            let (found, expected) = (found.loss, expected.loss);
            assert!((found / expected - 1.0).abs() < 1e-3, "{found}, not {expected}: {remap}");
        }
    }
}

#[test]
fn programs_are_given_the_schedule_alone_whatever_the_task_s_learning_rate() {
    let text = CONV.replace("120", "30");
    let config = one_task(&text);
    // At most 1: an update that is not clipped at it is that of no clipping.
    let clipped = descent("  lr = min(lr, 1.0)\n");
    assert_eq!(score(&config, &clipped).runs, score(&config, &descent("")).runs);
    let twice = one_task(&text.replace("8.0", "16.0"));
    let half = program("def train(w, g, lr):\n  r = lr * 0.005\n  u = g * r\n  return u\n");
    let (found, expected) = (score(&twice, &half), score(&config, &descent("")));
    assert!((found.fitness - expected.fitness).abs() < 1e-3, "the update is multiplied");
}

#[test]
fn no_task_adds_more_than_its_bound() {
    let reference =
        |loss: &str| MLP.replace("baseline_loss: 1.0", &format!("baseline_loss: {loss}"));
    let gain = |loss: &str| score(&one_task(&reference(loss)), &zoo("adamw")).fitness;
    assert!(gain("1.0") < 2.0 && gain("1e-3") < -5.0, "what is lost is not bounded");
    assert_eq!(gain("1e9"), 2.0);
    let second = TEACHER.replace("baseline_loss: 1.0", "baseline_loss: 0.5");
    let config = staged(&[1], &[&reference("1e9"), &second]);
    let both = score(&config, &zoo("adamw"));
    assert_eq!(both.stages, [2.0]);
    assert!((both.fitness - (2.0 + libm::log(0.5 / both.losses[1])) / 2.0).abs() < 1e-12);
}

#[test]
fn a_quadratic_is_not_solved_by_taking_the_weights_away() {
    for rotated in [false, true] {
        let text = format!(
            "(name: \"bowl\", model: Quadratic(dimension: 40, smallest: 0.05, largest: 1.0, \
             rotated: {rotated}), data: None, batch_size: 8, steps: 200, schedule: Constant, \
             learning_rate: 16.0, baseline_loss: 1.0)"
        );
        let mut config = one_task(&text);
        config.learning_rate_multiples = vec![1.0];
        // The weights are 0 behind the first step.
        let taken = program("def train(w, g, lr):\n  u = w * 0.0625\n  return u\n");
        let (taken, adamw) = (score(&config, &taken), score(&config, &zoo("adamw")));
        assert!(taken.fitness < adamw.fitness - 1.0, "{taken:?} and {adamw:?}");
    }
}

#[test]
fn a_score_holds_every_run_and_the_best_multiple_is_judged_from_them() {
    let mut config = OptimizerConfig::new(vec![
        task(&CONV.replace("120", "20")),
        task(&TEACHER.replace("150", "20")),
    ]);
    config.repeats = 2.try_into().expect("not zero");
    config.learning_rate_multiples = vec![0.01, 1.0];
    let evaluator = OptimizerEvaluator::new(&config, Path::new(".")).expect("it is trainable");
    let score = score(&config, &zoo("adamw"));
    for (runs, loss) in score.runs.iter().zip(&score.losses) {
        let told: Vec<_> = runs.runs.iter().map(|run| (run.multiple, run.repeat)).collect();
        assert_eq!(told, [(0.01, 0), (0.01, 1), (1.0, 0), (1.0, 1)]);
        assert_eq!(runs.runs.iter().map(|run| run.loss).sum::<f64>() / 4.0, *loss);
        assert_eq!((runs.loss(), runs.course()), (*loss, vec![]));
    }
    let names: Vec<&str> = score.runs.iter().map(|runs| runs.task.as_str()).collect();
    assert_eq!(names, ["conv", "teacher"]);
    let best = evaluator.best_multiple(&score);
    assert!(best.multiple == 1.0 && best.fitness > score.fitness, "{best:?}");
}

#[test]
fn fresh_repeats_are_runs_that_no_search_makes() {
    let mut config = OptimizerConfig::new(vec![task(&TEACHER.replace("150", "20"))]);
    config.fresh_repeats = 3;
    let fresh = |config: &OptimizerConfig| {
        let judges = Judges::new(config, Path::new(".")).expect("it is trainable");
        let judged = judges.fresh.iter().map(|it| it.evaluate(&[Trial::of(&zoo("adamw"))]));
        judged.map(|outcomes| outcomes[0].fitness()).collect::<Vec<f64>>()
    };
    let found = fresh(&config);
    assert_eq!((found.len(), &fresh(&config)), (3, &found));
    assert!(!found.contains(&score(&config, &zoo("adamw")).fitness));
    // With one repeat more in the search, the first fresh one is the search's.
    config.repeats = 2.try_into().expect("not zero");
    config.fresh_repeats = 2;
    assert_eq!(fresh(&config), found[1..]);
}

#[test]
fn every_repeat_of_a_trial_has_other_runs_and_none_that_a_judge_has() {
    let mut config = OptimizerConfig::new(vec![task(&TEACHER.replace("150", "20"))]);
    config.repeats = 2.try_into().expect("not zero");
    let judges = Judges::new(&config, Path::new(".")).expect("it is trainable");
    let adamw = zoo("adamw");
    let evaluate = |repeat: u32| {
        let trial = Trial { repeat, ..Trial::of(&adamw) };
        match judges.search.evaluate(&[trial]).remove(0) {
            Outcome::Scored(score) => score,
            other => panic!("{other:?}"),
        }
    };
    let scores: Vec<crate::Score> = [0, 1, 2, u32::MAX].map(evaluate).into();
    assert_eq!(scores[1], evaluate(1));
    let losses = |score: &crate::Score| -> Vec<u64> {
        score.runs.iter().flat_map(|it| &it.runs).map(|run| run.loss.to_bits()).collect()
    };
    let mut all: Vec<u64> = scores.iter().flat_map(losses).collect();
    for judge in &judges.fresh {
        if let Outcome::Scored(score) = judge.evaluate(&[Trial::of(&adamw)]).remove(0) {
            all.extend(losses(&score));
        }
    }
    let runs = all.len();
    assert_eq!(runs, 3 * (4 * 2 + 8));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), runs, "two runs were the same");
}

#[test]
fn held_out_tasks_together_score_the_mean_of_what_each_scores_alone() {
    let renamed = |text: &str, name: &str| TaskConfig { name: name.to_owned(), ..task(text) };
    let mut config = one_task(MLP);
    let judges = |config: &OptimizerConfig| Judges::new(config, Path::new(".")).expect("trainable");
    assert!(judges(&config).held_out_together().is_none());
    config.held_out = vec![renamed(&CONV.replace("120", "30"), "one"), renamed(MLP, "two")];
    config.loss_at = vec![0.5];
    let judges = judges(&config);
    let together = judges.held_out_together().expect("two are held out");
    let scored = |evaluator: &OptimizerEvaluator| match evaluator
        .evaluate(&[Trial::of(&descent(""))])
        .remove(0)
    {
        Outcome::Scored(score) => score,
        other => panic!("expected a score, not {other:?}"),
    };
    let alone: Vec<crate::Score> = judges.held_out.iter().map(scored).collect();
    let score = scored(&together);
    assert_eq!(score.losses, [alone[0].losses[0], alone[1].losses[0]]);
    let mean = (alone[0].fitness + alone[1].fitness) / 2.0;
    assert!((score.fitness - mean).abs() < 1e-12, "{} {mean}", score.fitness);
}
