//! Hurdles inside of tasks through the command line: one run for any threads, cohorts, caches and
//! interruptions, whoever is reprieved, and what is told of it in the end.

use serde_json::Value;

use crate::harness::{Running, Scratch, repository, stored_births};

/// The smallest search with a short task in front, and hurdles inside of both.
fn config() -> String {
    let quick = "(name: \"quick\", model: Mlp(hidden: [4]), data: Digits, batch_size: 16, \
                 steps: 5, learning_rate: 16.0, baseline_loss: 2.0),";
    let tiny = include_str!("../data/tiny.ron");
    let tasks = tiny.replacen("tasks: [", &format!("stages: [1], tasks: [{quick}"), 1);
    let hurdles = "window: 16, hurdles: (percentile: 30.0, warm_up: 10,
        partial: (at: [0.4, 0.8], percentile: 20.0, reprieve: 0.5)),";
    tasks.replacen("window: 16,", hurdles, 1)
}

fn report(scratch: &Scratch, out: &str, more: &[&str]) -> Value {
    let base = ["search", "partial.ron", "--quiet", "--json", "--out", out];
    let printed = scratch.run(&[base.as_slice(), more].concat()).success();
    serde_json::from_str(&printed).expect("it is JSON")
}

#[test]
fn neither_threads_nor_cohorts_nor_caches_nor_reprieves_change_a_run() {
    let scratch = Scratch::new();
    scratch.write("partial.ron", config());
    let one = report(&scratch, "one", &["--threads", "1"]);
    let counts = &one["reprieves"];
    let count = |name: &str| counts[name].as_u64().expect("it is counted");
    assert!(count("reprieved") > 40 && count("stopped") > 5 && count("top") > 3, "{counts}");
    assert!(counts["interval"].is_array());
    for (out, more) in [
        ("a", ["--threads", "2", "--cohort", "3"]),
        ("b", ["--cache", "outcomes.db", "--cohort", "16"]),
        ("c", ["--cache", "outcomes.db", "--threads", "2"]),
    ] {
        let found = report(&scratch, out, &more);
        assert_eq!((&found["digest"], &found["reprieves"]), (&one["digest"], counts), "{more:?}");
    }
    for reprieve in ["0.0", "1.0"] {
        let set = format!("hurdles.partial.reprieve={reprieve}");
        let found = report(&scratch, &format!("reprieve-{reprieve}"), &["--set", &set]);
        assert_eq!(found["digest"], one["digest"], "whoever is reprieved");
        assert_eq!(found["counters"], one["counters"]);
        assert_ne!(&found["reprieves"], counts);
    }
    let text = scratch.run(&["search", "partial.ron", "--quiet", "--out", "text"]).success();
    assert!(text.contains("Hurdles inside of tasks: "), "{text}");
    scratch.run(&["report", "one"]).success();
    let html = scratch.read("one/report.html");
    assert!(html.contains("stopped inside of a task") && html.contains("fittest reprieved"));
}

#[test]
fn a_killed_run_with_hurdles_inside_of_tasks_goes_on_to_the_same_end() {
    let scratch = Scratch::new();
    scratch.write("partial.ron", config());
    let args = ["search", "partial.ron", "--out", "run", "--set", "stopping.candidates=1000000"];
    let mut running = Running::begin(scratch.command(&args));
    let run = scratch.path("run");
    running.wait_until(|| stored_births(&run) >= 200);
    running.kill();
    let end = format!("stopping.candidates={}", stored_births(&run) + 100);
    let args = ["resume", "run", "--set", &end, "--quiet", "--json"];
    let resumed = scratch.run(&args).success();
    let resumed: Value = serde_json::from_str(&resumed).expect("it is JSON");
    let whole = report(&scratch, "whole", &["--set", &end]);
    assert_eq!(resumed["digest"], whole["digest"]);
    assert_eq!(resumed["reprieves"], whole["reprieves"]);
}

#[test]
fn what_has_no_trainings_to_look_into_refuses_them_at_their_key() {
    let scratch = Scratch::new();
    for config in ["expression_nguyen.ron", "learner_linear.ron", "graph_digits.ron"] {
        let path = repository(&format!("configs/{config}"));
        scratch.assert_refused(&path, "hurdles.partial=()", "hurdles.partial", "optimizers");
    }
}
