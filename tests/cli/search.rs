//! Searching: the same result for any number of threads, and everything saved.

use crate::harness::{Scratch, repository};

fn hall_of_fame(extra: &[&str]) -> String {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let mut args = vec!["search", &tiny, "--out", "run", "--quiet"];
    args.extend(extra);
    scratch.run(&args).success();
    scratch.read("run/hall_of_fame.csv")
}

#[test]
fn threads_do_not_change_the_hall_of_fame_and_the_seed_does() {
    let one = hall_of_fame(&["--threads", "1"]);
    assert!(one.lines().count() > 2, "{one}");
    for threads in ["2", "8"] {
        assert_eq!(one, hall_of_fame(&["--threads", threads]), "{threads} threads");
    }
    assert_ne!(one, hall_of_fame(&["--threads", "2", "--seed", "8"]));
    assert_eq!(one, hall_of_fame(&["--seed", "7"]), "the seed of the configuration");
}

#[test]
fn a_search_prints_a_table_and_the_winner_and_saves_everything() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let run = scratch.run(&["search", &tiny, "--set", "stopping.candidates=60"]);
    assert!(run.stderr.contains("runs/tiny-seed7"), "{}", run.stderr);
    let printed = run.success();
    for part in ["AdamW", "Lion", "winner", "fitness", "digits", "held out: teacher", "def train("]
    {
        assert!(printed.contains(part), "{part} is not in\n{printed}");
    }
    let best = scratch.read("runs/tiny-seed7/best.py");
    assert!(printed.contains(&best), "{printed}");
    assert_eq!(scratch.run(&["show", "runs/tiny-seed7", "--plain"]).success(), best);
    let table = scratch.read("runs/tiny-seed7/hall_of_fame.csv");
    assert!(table.starts_with("length,fitness,birth,"));
    // The configuration as resolved reproduces the run.
    scratch.run(&["search", "runs/tiny-seed7/config.ron", "--out", "again", "--quiet"]).success();
    assert_eq!(scratch.read("again/hall_of_fame.csv"), table);
    // A second run has a directory of its own.
    let run = scratch.run(&["search", &tiny, "--set", "stopping.candidates=5"]);
    assert!(run.stderr.contains("runs/tiny-seed7-2"), "{}", run.stderr);
    assert_eq!(scratch.read("runs/tiny-seed7/hall_of_fame.csv"), table);
}

#[test]
fn json_holds_the_result_and_quiet_is_quiet() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let args =
        ["search", &tiny, "--set", "stopping.candidates=40", "--json", "--quiet", "--out", "run"];
    let run = scratch.run(&args);
    assert_eq!(run.stderr, "");
    let json: serde_json::Value = serde_json::from_str(&run.success()).expect("it is JSON");
    assert_eq!(json["counters"]["births"], 40);
    assert_eq!(json["seed"], 7);
    assert_eq!(json["comparison"]["programs"][3]["name"], "winner");
    let programs = &json["comparison"]["programs"];
    let fitness = |index: usize| programs[index]["fitness"].as_f64().expect("it trains");
    let best: f64 = {
        let table = scratch.read("run/hall_of_fame.csv");
        let mut rows = csv::Reader::from_reader(table.as_bytes());
        let fitness = rows.records().map(|row| row.expect("a row")[1].parse().expect("a number"));
        fitness.fold(f64::NEG_INFINITY, f64::max)
    };
    assert_eq!(
        fitness(3).to_bits(),
        best.to_bits(),
        "the winner scores what it scored in the search"
    );
}

#[test]
fn a_dry_run_estimates_and_writes_nothing() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let printed = scratch.run(&["search", &tiny, "--dry-run"]).success();
    assert!(
        printed.contains("start program: fitness") && printed.contains("150 evaluations"),
        "{printed}"
    );
    assert!(!printed.contains("held out:"), "{printed}");
    let looking = ["search", &tiny, "--dry-run", "--set", "held_out.every=20"];
    let printed = scratch.run(&looking).success();
    assert!(printed.contains("more behind every 20 births ("), "{printed}");
    assert_eq!(scratch.entries(), Vec::<String>::new());
}

#[test]
fn a_target_that_is_not_reached_is_exit_code_1_and_one_that_is_reached_ends_the_run() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let base = ["search", &tiny, "--set", "stopping.candidates=40", "--quiet"];
    let with = |target: &'static str, out: &'static str| {
        let mut args = base.to_vec();
        args.extend(["--set", target, "--out", out]);
        scratch.run(&args)
    };
    assert_eq!(with("stopping.fitness=100.0", "missed").code, Some(1));
    let reached = with("stopping.fitness=-100.0", "reached").success();
    assert!(reached.contains("a fitness of"), "{reached}");
}
