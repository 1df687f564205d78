//! Studies: tuned within a budget, reported on other seeds, the same however often they are made.

use std::num::NonZeroU32;

use super::*;
use crate::{StudiedTask, Study, StudyConfig, StudyRun, Tuning};

fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("not zero")
}

fn config() -> StudyConfig {
    let text = "(name: \"mlp\", model: Mlp(hidden: [8]), data: Digits, batch_size: 16, steps: 30)";
    StudyConfig {
        tuning: Tuning { settings: count(15), repeats: count(2), hyperparameters: 2 },
        repeats: count(3),
        points: count(10),
        ..StudyConfig::new(vec![task(text)])
    }
}

fn study(config: &StudyConfig, program: &Program) -> Study {
    let task = StudiedTask::load(config, &config.tasks[0], Path::new(".")).expect("it trains");
    task.study(program).expect("candle accepts the network")
}

#[test]
fn a_study_is_tuned_on_its_budget_and_reported_on_other_seeds() {
    let config = config();
    let found = study(&config, &zoo("adamw"));
    assert_eq!(found.tried.len(), 15);
    let lowest = found.tried.iter().filter_map(|it| it.loss).fold(f64::INFINITY, f64::min);
    assert_eq!(found.tried[found.best].loss, Some(lowest));
    let loss = found.loss().expect("AdamW trains");
    assert!(loss < 2.0 && loss != lowest, "{loss} with other seeds than {lowest}");
    for (seed, run) in found.runs.iter().enumerate() {
        assert_eq!(run.seed as usize, seed);
        let steps: Vec<u64> = run.course.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]);
        assert_eq!(Some(run.course[9].1), run.loss);
    }
    assert_eq!(study(&config, &zoo("adamw")), found, "again, to the bit");
    let other = study(&StudyConfig { repeats: count(5), ..config }, &zoo("adamw"));
    assert_eq!(other.runs[..3], found.runs, "more seeds leave the first as they were");
}

#[test]
fn what_cannot_train_has_no_losses_and_costs_no_report() {
    let broken = program("def train(w, g, lr):\n  u = g * -1e30\n  return u\n");
    let found = study(&config(), &broken);
    assert!(found.tried.iter().all(|it| it.loss.is_none()));
    assert_eq!((found.best, found.loss(), found.runs.len()), (0, None, 3));
    assert!(found.runs.iter().all(|run| run.loss.is_none() && run.course.is_empty()));
    assert_eq!(found.steps_to(1e9, &[0, 1, 2]), None);
}

#[test]
fn a_target_is_reached_by_the_mean_of_the_seeds_that_are_asked_for() {
    let run = |seed, losses: [f64; 3]| {
        let course = vec![(10, losses[0]), (20, losses[1]), (30, losses[2])];
        StudyRun { seed, loss: Some(losses[2]), course }
    };
    let runs = vec![run(0, [1.0, 0.5, 0.25]), run(1, [2.0, 1.5, 0.25])];
    let study = Study { tried: Vec::new(), best: 0, at_edge: false, runs };
    assert_eq!(study.loss(), Some(0.25));
    assert_eq!(study.steps_to(1.0, &[0, 1]), Some(20));
    assert_eq!(study.steps_to(1.0, &[0, 0]), Some(10));
    assert_eq!(study.steps_to(1.0, &[1]), Some(30));
    assert_eq!(study.steps_to(0.1, &[0, 1]), None);
}

#[test]
fn a_fingerprint_knows_the_task_and_the_budget() {
    let config = config();
    let of = |config: &StudyConfig| {
        config.fingerprint(&config.tasks[0], Path::new(".")).expect("no file is read")
    };
    let base = of(&config);
    let with = |change: fn(&mut StudyConfig)| {
        let mut changed = config.clone();
        change(&mut changed);
        of(&changed)
    };
    assert_ne!(with(|it| it.tuning.settings = count(16)), base);
    assert_ne!(with(|it| it.tuning.hyperparameters = 3), base);
    assert_ne!(with(|it| it.repeats = count(4)), base);
    assert_ne!(with(|it| it.points = count(11)), base);
    assert_ne!(with(|it| it.data_seed = 1), base);
    assert_ne!(with(|it| it.divergence = 5.0), base);
    assert_ne!(with(|it| it.tasks[0].steps = 31.try_into().expect("not zero")), base);
    assert_eq!(with(|it| it.tasks[0].learning_rate = Some(4.0)), base, "it is not used");
}

#[test]
fn counts_beyond_bounds_and_bad_tasks_are_refused_at_their_key() {
    let refused = |change: fn(&mut StudyConfig)| {
        let mut changed = config();
        change(&mut changed);
        changed.check().expect_err("it is out of bounds").to_string()
    };
    config().check().expect("this one is not");
    assert!(refused(|it| it.repeats = count(1_001)).starts_with("repeats: "));
    assert!(refused(|it| it.tuning.settings = count(10_001)).starts_with("tuning.settings: "));
    assert!(refused(|it| it.tasks.clear()).starts_with("tasks: "));
    assert!(refused(|it| it.tasks[0].name.clear()).starts_with("tasks[0].name: "));
    assert!(refused(|it| it.divergence = 0.5).starts_with("divergence: "));
}
