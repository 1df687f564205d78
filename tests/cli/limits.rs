//! Limits that were reached, and interrupts, as users of the binary meet them.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Running, Scratch, repository};

fn report(scratch: &Scratch, args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.extend(["--quiet", "--json"]);
    serde_json::from_str(&scratch.run(&all).success()).expect("it is JSON")
}

#[test]
fn a_run_whose_seconds_are_used_up_keeps_every_result_when_it_is_resumed() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let begun =
        report(&scratch, &["search", &tiny, "--set", "stopping=(seconds: 0.5)", "--out", "a run"]);
    let births = begun["counters"]["births"].as_u64().expect("a number");
    assert!(births > 1, "{begun}");
    let table = scratch.read("a run/hall_of_fame.csv");
    // With a candidate limit beyond, too: the seconds are used up all the same.
    let raised = ["resume", "a run", "--set", "stopping.candidates=1000000"];
    for args in [&["resume", "a run"][..], &raised, &["resume", "a run"]] {
        let resumed = report(&scratch, args);
        for key in ["digest", "stop_reason", "program"] {
            assert_eq!(resumed[key], begun[key], "{args:?}: {key}");
        }
        assert_eq!(resumed["counters"], begun["counters"], "{args:?}");
        assert_eq!(scratch.read("a run/hall_of_fame.csv"), table, "{args:?}");
    }
    let told = scratch.run(&["resume", "a run"]);
    let hint = "evo resume 'a run' --set stopping.seconds=1.0";
    assert!(told.stderr.contains(hint), "{}", told.stderr);
    assert!(told.success().contains("Ended because 0.5 seconds passed"));
    // With more time it goes on as if there had been no such limit.
    let limit = format!("stopping.candidates={}", births + 60);
    let whole = report(&scratch, &["search", &tiny, "--set", &limit, "--out", "whole"]);
    let longer = ["resume", "a run", "--set", "stopping.seconds=1e9", "--set", &limit];
    assert_eq!(report(&scratch, &longer)["digest"], whole["digest"]);
}

/// A start program whose children all behave like it, and very many tries for each.
fn only_neutral(scratch: &Scratch) {
    scratch.write(
        "start.py",
        "def train(w, g, lr):\n  a = g * 0.02\n  b = w * 0.001\n  x = a + b\n  return x\n",
    );
    let weights = "weights: (insert: 0, delete: 0, change_argument: 0, change_constant: 0,
        change_op: 0, swap: 1), neutral_retries: 1000, max_statements";
    let tiny = std::fs::read_to_string(repository("tests/data/tiny.ron")).expect("it is there");
    let text = tiny.replace("zoo:adamw_uncorrected", "start.py").replace("max_statements", weights);
    scratch.write("neutral.ron", text);
}

/// Interrupts a search into `run` half a second on its way; what it says.
fn interrupted(scratch: &Scratch, args: &[&str]) -> String {
    let mut running = Running::begin(scratch.command(args));
    // Its events begin when interrupts are seen to; then comes breeding, which may find nothing new
    // and write nothing, so that no more can be waited for.
    running.wait_for(&scratch.path("run/events.jsonl"));
    std::thread::sleep(Duration::from_millis(500));
    running.signal("-INT");
    let (code, messages) = running.end();
    assert_eq!(code, Some(130), "{messages}");
    messages
}

#[test]
fn the_first_interrupt_ends_a_run_that_only_finds_duplicates() {
    let scratch = Scratch::new();
    only_neutral(&scratch);
    let limit = "stopping.candidates=1000000000";
    let args = ["search", "neutral.ron", "--set", limit, "--out", "run", "--threads", "1"];
    interrupted(&scratch, &args);
    let timed = ["search", "neutral.ron", "--set", "stopping=(seconds: 0.5)", "--out", "timed"];
    let reason = report(&scratch, &timed)["stop_reason"].to_string();
    assert!(reason.contains("Seconds"), "{reason}");
}

#[test]
fn an_interrupted_run_without_births_says_how_many_are_to_be_made_again() {
    let scratch = Scratch::new();
    let linear = repository("configs/learner_linear.ron");
    let limits = "stopping=(candidates: 100000000)";
    let args = ["search", &linear, "--set", limits, "--out", "run", "--threads", "1"];
    let messages = interrupted(&scratch, &args);
    let number = |before: &str| {
        let (_, behind) = messages.split_once(before).unwrap_or_else(|| panic!("{messages}"));
        let digits = behind.split_once(' ').expect("more follows").0;
        digits.parse::<u64>().unwrap_or_else(|_| panic!("{messages}"))
    };
    // A snapshot is taken every 100,000 births.
    let (births, again) = (number("interrupted after "), number("the last "));
    assert_eq!(again, births % 100_000, "{messages}");
}

#[test]
fn a_target_that_the_last_birth_reaches_is_reached() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    scratch.run(&["search", &tiny, "--out", "whole", "--quiet"]).success();
    let table = scratch.read("whole/hall_of_fame.csv");
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let rows = rows.records().map(|row| row.expect("a row"));
    let number = |row: &csv::StringRecord| row[1].parse::<f64>().expect("a number");
    let best = rows.max_by(|a, b| number(a).total_cmp(&number(b))).expect("there is a best");
    // Bred last, it is absorbed when the candidates have ended the run.
    let births: u64 = best[2].parse().expect("a birth");
    let limit = format!("stopping.candidates={}", births + 1);
    let code = |target: f64, out: &str| {
        let target = format!("stopping.fitness={target:?}");
        let args = ["search", &tiny, "--set", &limit, "--set", &target, "--out", out, "--quiet"];
        scratch.run(&args).code
    };
    assert_eq!(code(number(&best), "reached"), Some(0));
    assert_eq!(code(number(&best) + 1e-9, "missed"), Some(1));
}

#[test]
fn printed_hints_are_commands_that_can_be_run_as_they_stand() {
    let scratch = Scratch::new();
    let tiny = std::fs::read_to_string(repository("tests/data/tiny.ron")).expect("it is there");
    // A start program that diverges at once, and so do all its children.
    scratch.write("my start.py", "def train(w, g, lr):\n  x = g * -1e30\n  return x\n");
    scratch.write("my.ron", tiny.replace("zoo:adamw_uncorrected", "my start.py"));
    let limit = "stopping.candidates=2";
    let run = scratch.run(&["search", "my.ron", "--set", limit, "--out", "it's", "--quiet"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let start = run.stderr.find("evo evaluate").unwrap_or_else(|| panic!("{}", run.stderr));
    let command = run.stderr[start..].lines().next().expect("a line");
    assert_eq!(command, r"evo evaluate 'my start.py' --config 'it'\''s/config.ron'");
    let binary = command.replacen("evo", env!("CARGO_BIN_EXE_evo"), 1);
    let mut shell = std::process::Command::new("sh");
    let output = shell.args(["-c", &binary]).current_dir(scratch.path("")).output();
    let output = output.expect("there is a shell");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_run_that_tried_nothing_does_not_blame_the_programs() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let run = scratch.run(&["search", &tiny, "--out", "run", "--set", "stopping.seconds=1e-9"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("nothing was tried"), "{}", run.stderr);
    assert!(run.stderr.contains("stopping.seconds="), "{}", run.stderr);
}
