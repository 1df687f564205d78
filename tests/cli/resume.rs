//! Runs that end early and go on: interrupted, killed, given a higher limit, or changed.

use crate::harness::{Run, Running, Scratch, repository, stored_births};

/// A limit that no test comes to: what has it is killed or interrupted on the way, on any machine.
const NEVER: &str = "100000000";

/// The digest of a report.
fn digest(run: Run) -> String {
    let json: serde_json::Value = serde_json::from_str(&run.success()).expect("it is JSON");
    json["digest"].as_str().expect("a report has a digest").to_owned()
}

fn uninterrupted(scratch: &Scratch, candidates: &str) -> (String, String) {
    let tiny = repository("tests/data/tiny.ron");
    let limit = format!("stopping.candidates={candidates}");
    let args = ["search", &tiny, "--set", &limit, "--out", "whole", "--quiet", "--json"];
    let digest = digest(scratch.run(&args));
    (digest, scratch.read("whole/hall_of_fame.csv"))
}

fn begin(scratch: &Scratch) -> Running {
    let tiny = repository("tests/data/tiny.ron");
    let limit = format!("stopping.candidates={NEVER}");
    let args = ["search", &tiny, "--set", &limit, "--out", "run", "--threads", "2"];
    Running::begin(scratch.command(&args))
}

/// Kills a run under way once so many births are in its store; gives those that are.
fn killed_behind(scratch: &Scratch, mut running: Running, births: u64) -> u64 {
    let run = scratch.path("run");
    running.wait_until(|| stored_births(&run) >= births);
    running.kill();
    let stored = stored_births(&run);
    assert!(stored >= births, "{stored} of {births} births outlive the kill");
    stored
}

#[test]
fn a_killed_run_resumes_to_the_end_of_an_uninterrupted_one() {
    let scratch = Scratch::new();
    let mut running = begin(&scratch);
    running.wait_for(&scratch.path("run/hall_of_fame.csv"));
    let mut births = killed_behind(&scratch, running, 1);
    for threads in ["1", "3"] {
        let args = ["resume", "run", "--quiet", "--threads", threads];
        births = killed_behind(&scratch, Running::begin(scratch.command(&args)), births + 100);
    }
    let end = (births + 100).to_string();
    let (expected, table) = uninterrupted(&scratch, &end);
    let limit = format!("stopping.candidates={end}");
    let args = ["resume", "run", "--set", &limit, "--quiet", "--json", "--threads", "8"];
    assert_eq!(digest(scratch.run(&args)), expected);
    assert_eq!(scratch.read("run/hall_of_fame.csv"), table);
    // Resuming what is finished evaluates nothing and says the same.
    assert_eq!(digest(scratch.run(&["resume", "run", "--quiet", "--json"])), expected);
    // Events are whole lines, each told once.
    let events = scratch.read("run/events.jsonl");
    let parsed = events.lines().filter(|line| !line.is_empty()).map(|line| {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or(serde_json::Value::Null)
    });
    let best: Vec<f64> = parsed
        .filter(|line| line["event"] == "best")
        .map(|line| line["fitness"].as_f64().expect("a number"))
        .collect();
    assert!(best.windows(2).all(|pair| pair[0] < pair[1]) && !best.is_empty(), "{best:?}");
}

#[test]
fn an_interrupt_finishes_what_runs_and_names_the_command_that_goes_on() {
    for name in ["-INT", "-TERM"] {
        let scratch = Scratch::new();
        let mut running = begin(&scratch);
        running.wait_for(&scratch.path("run/hall_of_fame.csv"));
        running.signal(name);
        let (code, messages) = running.end();
        assert_eq!(code, Some(130), "{messages}");
        assert!(messages.contains("go on with: evo resume run"), "{messages}");
        assert!(scratch.read("run/best.py").starts_with("def train("));
        // A limit below what was done already ends the run where it is, with all that was done.
        let resumed = ["resume", "run", "--set", "stopping.candidates=1", "--quiet", "--json"];
        let json = scratch.run(&resumed).success();
        let report: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
        let births = report["counters"]["births"].to_string();
        assert!(messages.contains(&format!("after {births} candidates")), "{births}: {messages}");
        let (expected, _) = uninterrupted(&scratch, &births);
        assert_eq!(report["digest"].as_str(), Some(expected.as_str()));
    }
}

#[test]
fn a_second_interrupt_quits_at_once_and_the_run_can_still_go_on() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    // One evaluation takes longer than any test waits.
    let steps = "evaluation.tasks[0].steps=10000000";
    let args = ["search", &tiny, "--set", steps, "--out", "run", "--threads", "1"];
    let mut running = Running::begin(scratch.command(&args));
    running.wait_for(&scratch.path("run/events.jsonl"));
    running.signal("-INT");
    running.wait_for_message("interrupt again to quit at once");
    running.signal("-INT");
    let (code, messages) = running.end();
    assert!(messages.contains("quit; go on with: evo resume run"), "{messages}");
    assert_eq!(code, Some(130), "{messages}");
    let running = Running::begin(scratch.command(&["resume", "run"]));
    running.wait_for_message("resuming run behind");
    running.kill();
}

#[test]
fn a_higher_limit_goes_on_and_ends_as_if_it_had_always_been_there() {
    let scratch = Scratch::new();
    let (expected, _) = uninterrupted(&scratch, "300");
    let tiny = repository("tests/data/tiny.ron");
    scratch.run(&["search", &tiny, "--out", "run", "--quiet"]).success();
    let resumed = ["resume", "run", "--set", "stopping.candidates=300", "--quiet", "--json"];
    assert_eq!(digest(scratch.run(&resumed)), expected);
    assert!(scratch.read("run/config.ron").contains("300"));
}

#[test]
fn what_a_run_is_cannot_change() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    scratch.run(&["search", &tiny, "--out", "run", "--quiet"]).success();
    let refused = |args: &[&str], parts: &[&str]| {
        let run = scratch.run(args);
        assert_eq!(run.code, Some(2), "{run:?}");
        for part in parts {
            assert!(run.stderr.contains(part), "{part} is not in {}", run.stderr);
        }
    };
    refused(&["resume", "run", "--set", "seed=9"], &["`seed`", "only `stopping`"]);
    let config = scratch.read("run/config.ron");
    let changed = config.replace("tournament: 4", "tournament: 5");
    assert_ne!(config, changed);
    scratch.write("run/config.ron", changed);
    let parts = ["run/config.ron", "tournament` was 4 when the run began and is 5"];
    refused(&["resume", "run"], &parts);
    scratch.write("run/config.ron", config);
    scratch.run(&["resume", "run", "--quiet"]).success();
    refused(&["resume", "nowhere"], &["nowhere", "run.db"]);
    let store = std::fs::read(scratch.path("run/run.db")).expect("it is there");
    scratch.write("run/run.db", &store[..store.len() / 2]);
    refused(&["resume", "run"], &["run/run.db", "cannot be used"]);
    scratch.write("run/run.db", "no store");
    refused(&["resume", "run"], &["run/run.db", "cannot be used"]);
    refused(&["lineage", "run"], &["run/run.db"]);
}

#[test]
fn the_lineage_is_printed_from_the_start_to_the_winner() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    scratch.run(&["search", &tiny, "--out", "run", "--quiet"]).success();
    let text = scratch.run(&["lineage", "run"]).success();
    assert!(text.starts_with("birth 0: start, fitness "), "{text}");
    assert!(text.contains("\n  + ") || text.contains("\n  - "), "{text}");
    let json = scratch.run(&["lineage", "run", "--json"]).success();
    let path: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let last = path.as_array().and_then(|path| path.last()).expect("there is a winner");
    let shown = ["show", &format!("run:{}", last["birth"]), "--plain"].map(str::to_owned);
    let shown = scratch.run(&shown.each_ref().map(String::as_str)).success();
    assert_eq!(last["program"].as_str(), Some(shown.as_str()));
    let middle = scratch.run(&["lineage", "run:77"]).success();
    assert!(middle.contains("birth 77: "), "{middle}");
    let unknown = scratch.run(&["lineage", "run:150"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("no birth 150"), "{unknown:?}");
}

#[test]
fn completions_are_printed_for_shells() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(scratch.run(&["completions", shell]).success().contains("resume"), "{shell}");
    }
}
