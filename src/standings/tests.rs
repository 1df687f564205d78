//! Standings of studies whose figures can be worked out by hand.

use evo_evaluators::{StudyRun, Tried};

use super::*;

/// A study of ten seeds whose losses fall in a straight line from 2 to `last` over four stated
/// steps, a little apart from seed to seed.
fn study(last: f64) -> Study {
    let setting = Setting { learning_rate: 1.0, weight_decay: None, hyperparameters: vec![] };
    let run = |seed: u32| {
        let last = last + 0.001 * f64::from(seed);
        let course: Vec<(u64, f64)> = (1..=4u32)
            .map(|step| (u64::from(step), 2.0 - (2.0 - last) * f64::from(step) / 4.0))
            .collect();
        StudyRun { seed, loss: Some(last), course }
    };
    Study {
        tried: vec![Tried { setting, loss: Some(last) }],
        best: 0,
        at_edge: false,
        runs: (0..10).map(run).collect(),
    }
}

fn broken() -> Study {
    let mut study = study(1.0);
    (study.runs[3].loss, study.runs[3].course) = (None, vec![]);
    study
}

fn compared(name: &str, studies: Vec<Study>) -> Compared {
    Compared { name: name.to_owned(), studies }
}

fn standings(programs: &[Compared]) -> Standings {
    let tasks: Vec<String> =
        (0..programs[0].studies.len()).map(|task| format!("task {task}")).collect();
    Standings::of(&tasks, programs)
}

#[test]
fn a_program_that_is_the_reference_ties_with_it_everywhere() {
    let both = || vec![study(1.0), study(0.5)];
    let found = standings(&[compared("zoo:a", both()), compared("b", both())]);
    let duel = &found.programs[1].reference;
    assert_eq!((duel.wins, duel.ties, duel.losses, duel.reached), (0, 2, 0, 2));
    let gain = duel.gain.expect("all train");
    assert_eq!((gain.value, gain.low, gain.high), (0.0, 0.0, 0.0));
    let steps = duel.steps.expect("all train");
    assert!((steps.value - 1.0).abs() < 1e-12, "{steps:?}");
    assert_eq!(found.programs[0].profile_score, 1.0);
}

#[test]
fn wins_losses_gains_and_steps_are_those_of_the_losses() {
    // Half the loss on one task: reached at step 3 of 4 (2 - 1.5 * 3 / 4 < 1). Twice on another.
    let reference = compared("zoo:a", vec![study(1.0), study(0.5)]);
    let other = compared("b", vec![study(0.5), study(1.0)]);
    let found = standings(&[reference, other]);
    let duel = &found.programs[1].reference;
    assert_eq!((duel.wins, duel.ties, duel.losses, duel.reached), (1, 0, 1, 1));
    assert_eq!(duel.tasks[0].steps, Some(0.75));
    assert_eq!((duel.tasks[0].verdict, duel.tasks[1].verdict), (Verdict::Win, Verdict::Loss));
    // The least that ten seeds can come to, twice over: 2 / 2^10, for two tasks.
    assert_eq!(duel.tasks[0].p, Some(4.0 / 1024.0));
    let gain = duel.tasks[0].gain.expect("all train").value;
    assert!((gain - libm::log(2.0)).abs() < 0.01, "{gain}");
    assert!(duel.gain.expect("all train").value.abs() < 1e-12);
    let steps = duel.steps.expect("all train");
    assert!(steps.value.is_infinite() && steps.high.is_infinite(), "one is not reached");
    // Misses the second task, and is the fastest on the first.
    assert_eq!(found.programs[1].profile_score, 0.5);
}

#[test]
fn the_best_rule_is_chosen_for_each_task_and_is_never_the_program_itself() {
    let rules = [
        compared("zoo:a", vec![study(1.0), study(0.5)]),
        compared("zoo:b", vec![study(0.5), study(1.0)]),
        compared("own", vec![study(0.4), study(0.6)]),
        compared("other", vec![study(0.1), study(0.1)]),
    ];
    let found = standings(&rules);
    let verdicts = |program: usize| {
        let duel = found.programs[program].best_rules.as_ref().expect("there are rules");
        duel.tasks.iter().map(|it| it.verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(2), [Verdict::Win, Verdict::Loss], "against b, then a");
    assert_eq!(verdicts(0), [Verdict::Loss, Verdict::Win], "against b alone");
    assert!(standings(&rules[..1]).programs[0].best_rules.is_none(), "no rule but itself");
}

#[test]
fn a_stopped_run_leaves_no_figure_and_is_a_loss() {
    let reference = compared("zoo:a", vec![study(1.0), study(1.0)]);
    let other = compared("b", vec![study(0.5), broken()]);
    let found = standings(&[reference, other]);
    let duel = &found.programs[1].reference;
    assert!(duel.gain.is_none() && duel.steps.is_none());
    assert_eq!((duel.wins, duel.losses), (1, 1));
    let on_task = &found.programs[1].on_tasks[1];
    assert!(on_task.loss.is_none() && on_task.stopped == 1);
    let turned = standings(&[
        compared("zoo:a", vec![broken(), broken()]),
        compared("b", vec![study(0.5), broken()]),
    ]);
    let verdicts: Vec<Verdict> =
        turned.programs[1].reference.tasks.iter().map(|it| it.verdict).collect();
    assert_eq!(verdicts, [Verdict::Win, Verdict::Loss]);
}

#[test]
fn seeds_that_can_show_a_win_on_several_tasks_are_told() {
    // 2 / 2^6 is 0.031, and ten times 2 / 2^9 is 0.039.
    assert_eq!([1, 2, 10].map(fewest_seeds), [6, 7, 9]);
}

#[test]
fn a_difference_that_chance_explains_is_a_tie() {
    let reference = study(1.0);
    let mut other = study(1.0);
    for (index, run) in other.runs.iter_mut().enumerate() {
        let sign = if index % 2 == 0 { 1.0 } else { -1.0 };
        run.loss = run.loss.map(|loss| loss + sign * 0.01 * (index as f64 + 1.0));
    }
    let found = standings(&[compared("zoo:a", vec![reference]), compared("b", vec![other])]);
    assert_eq!(found.programs[1].reference.tasks[0].verdict, Verdict::Tie);
}
