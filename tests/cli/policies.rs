//! Policies of the cache, from the command line to report and store.

use serde_json::Value;

use crate::harness::{Scratch, repository};

fn search(scratch: &Scratch, out: &str, sets: &[&str], threads: &str) -> Value {
    let tiny = repository("tests/data/tiny.ron");
    let mut args = vec!["search", &tiny, "--out", out, "--threads", threads, "--quiet", "--json"];
    args.extend(sets.iter().flat_map(|set| ["--set", set]));
    serde_json::from_str(&scratch.run(&args).success()).expect("it is JSON")
}

/// The counters in the store of a run.
fn counters(scratch: &Scratch, out: &str) -> Vec<(String, i64)> {
    let store = scratch.path(out).join("run.db");
    let connection = rusqlite::Connection::open(store).expect("it is a store");
    let mut statement =
        connection.prepare("SELECT name, value FROM counters").expect("it has the table");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("it can be read").map(|row| row.expect("it is a row")).collect()
}

#[test]
fn fresh_repeats_train_other_networks_on_any_threads_and_behind_a_resume() {
    let scratch = Scratch::new();
    let policy =
        "deduplication=(aggregate: 3, refresh: true, forget_every: Some(20), recheck: 0.0)";
    let one = search(&scratch, "one", &[policy], "1");
    let two = search(&scratch, "two", &[policy, "stopping.candidates=70"], "2");
    assert_ne!(one["digest"], two["digest"]);
    let args = ["resume", "two", "--quiet", "--json", "--set", "stopping.candidates=150"];
    let two: Value = serde_json::from_str(&scratch.run(&args).success()).expect("it is JSON");
    assert_eq!(one["digest"], two["digest"]);
    let policy = &one["duplicates"]["policy"];
    assert!(policy["aggregated"].as_u64() > Some(10), "{policy}");
    let stored = counters(&scratch, "one");
    let aggregated = stored.iter().find(|it| it.0 == "aggregated").map(|it| it.1);
    assert_eq!(aggregated, policy["aggregated"].as_i64());
    let page = scratch.run(&["report", "one", "--out", "page.html"]);
    page.success();
    let page = scratch.read("page.html");
    assert!(page.contains("duplicates aggregated") && page.contains("Duplicates over births"));
}

#[test]
fn what_a_cache_would_have_said_is_counted_and_a_run_that_caches_says_nothing_of_it() {
    let scratch = Scratch::new();
    let policy = "deduplication=(counterfactual: true, recheck: 0.0)";
    let report = search(&scratch, "counterfactual", &[policy], "2");
    assert_eq!(report["counters"]["evaluations"], report["counters"]["births"]);
    let collisions = report["duplicates"]["policy"]["collisions"].as_array().expect("a list");
    let of = |level: &str| collisions.iter().filter(|it| it["level"] == level).collect::<Vec<_>>();
    let structural = of("structural");
    assert_eq!(structural.len(), 3);
    assert!(structural.iter().all(|it| it["apart"] == 0 && it["compared"].as_u64() > Some(10)));
    let tolerances: Vec<f64> =
        of("functional").iter().filter_map(|it| it["tolerance"].as_f64()).collect();
    assert_eq!(tolerances, [0.0, 1e-3, 0.02]);
    let plain = search(&scratch, "plain", &[], "2");
    let duplicates = &plain["duplicates"];
    assert!(duplicates.get("policy").is_none(), "{duplicates}");
    let births = plain["counters"]["births"].as_u64().expect("a count");
    let evaluations = plain["counters"]["evaluations"].as_u64().expect("a count");
    assert_eq!(duplicates["evaluations_saved"], births - evaluations);
    let names: Vec<String> = counters(&scratch, "plain").into_iter().map(|it| it.0).collect();
    assert!(names.iter().all(|it| !it.contains("tabu") && !it.contains("apart")), "{names:?}");
}

#[test]
fn noise_is_as_large_as_it_is_set_and_written_out() {
    let scratch = Scratch::new();
    let off = "deduplication=(level: Off)";
    let sets = [
        off,
        "noise.sd=0.5",
        "mutation.weights=(insert: 0.0, delete: 0.0, change_argument: 0.0, \
         change_constant: 0.0, change_op: 0.0, swap: 1.0)",
    ];
    search(&scratch, "noisy", &sets, "2");
    let store = scratch.path("noisy/run.db");
    let connection = rusqlite::Connection::open(store).expect("it is a store");
    let query = "SELECT avg(fitness * fitness) - avg(fitness) * avg(fitness) FROM evaluations";
    let variance: f64 = connection.query_row(query, [], |row| row.get(0)).expect("a number");
    // Swaps change little, so nearly all that differs is noise.
    assert!((0.35..0.65).contains(&variance.sqrt()), "{variance}");
    let config = scratch.read("noisy/config.ron");
    for text in
        ["noise: (\n        sd: 0.5,", "aggregate: 1,", "forget_every: None,", "retries: 10,"]
    {
        assert!(config.contains(text), "{text} is not in {config}");
    }
}

#[test]
fn policies_that_contradict_each_other_are_refused_at_their_key() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    for (set, expected) in [
        ("deduplication.aggregate=4", "`deduplication.recheck`: must be 0 beside `aggregate`"),
        ("deduplication.forget=2.0", "`deduplication.forget`: must be 0 to 1"),
        ("deduplication=(forgets: 0.1)", "forgets"),
        ("noise=(sd: 0.1)", "`deduplication.recheck`: must be 0 beside `noise`"),
        ("deduplication.tabu.last=Some(0)", "`deduplication.tabu.last`: must be 1 to"),
    ] {
        let run = scratch.run(&["validate", &tiny, "--set", set]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}
