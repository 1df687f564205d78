//! Births of two parents as the commands tell of them, and runs of versions that had none.

use rusqlite::Connection;

use crate::harness::{Scratch, repository};

const CONFIG: &str = "(
    domain: Expressions,
    start: [\"def f(x):\\n  z = x * x\\n  return z\\n\", \"def f(x):\\n  z = sin(x)\\n  return z\\n\"],
    strategy: RegularizedEvolution(population: 40, tournament: 4),
    mutation: (weights: (crossover: 3.0)),
    evaluation: (tasks: [(data: Nguyen(5))]),
    stopping: (candidates: 2000),
)";

fn json(printed: &str) -> serde_json::Value {
    serde_json::from_str(printed).expect("it is JSON")
}

#[test]
fn a_lineage_tells_both_parents_and_a_run_of_two_parents_resumes() {
    let scratch = Scratch::new();
    scratch.write("two.ron", CONFIG);
    let search = ["search", "two.ron", "--quiet", "--json", "--seed", "2"];
    let whole = scratch.run(&[&search[..], &["--out", "whole", "--threads", "2"]].concat());
    let whole = json(&whole.success());
    let part = [&search[..], &["--out", "run", "--set", "stopping.candidates=700"]].concat();
    scratch.run(&part).success();
    let resume = ["resume", "run", "--quiet", "--json", "--set", "stopping.candidates=2000"];
    assert_eq!(json(&scratch.run(&resume).success())["digest"], whole["digest"]);
    let store = Connection::open(scratch.path("run/run.db")).expect("it is a store");
    let query = "SELECT birth, parent, mate FROM candidates WHERE mate IS NOT NULL";
    let (birth, parent, mate): (i64, i64, i64) = store
        .query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("some birth has two parents");
    let individual = format!("run:{birth}");
    let text = scratch.run(&["lineage", &individual]).success();
    assert!(text.contains(&format!("birth {birth}: crossover with birth {mate}, ")), "{text}");
    let steps = json(&scratch.run(&["lineage", &individual, "--json"]).success());
    let last = steps.as_array().and_then(|steps| steps.last()).expect("at least itself");
    assert_eq!((&last["parent"], &last["mate"]), (&parent.into(), &mate.into()));
    assert_eq!(steps[0]["mate"], serde_json::Value::Null);
}

/// A run of 150 births that version 5 of the tables holds.
fn earlier(scratch: &Scratch) {
    std::fs::create_dir(scratch.path("run")).expect("there is room");
    for (from, to) in [("expressions_v5.db", "run.db"), ("expressions_v5.ron", "config.ron")] {
        let from = repository(&format!("tests/data/compat/{from}"));
        std::fs::copy(from, scratch.path("run").join(to)).expect("there is room");
    }
}

#[test]
fn a_run_that_knew_one_parent_is_read_and_goes_on_to_the_end_of_a_new_one() {
    let scratch = Scratch::new();
    earlier(&scratch);
    let steps = json(&scratch.run(&["lineage", "run:149", "--json"]).success());
    assert_eq!(steps[0]["mate"], serde_json::Value::Null);
    let limit = "stopping.candidates=400";
    let resumed = ["resume", "run", "--quiet", "--json", "--set", limit];
    let resumed = json(&scratch.run(&resumed).success());
    scratch.write("same.ron", scratch.read("run/config.ron"));
    let anew = ["search", "same.ron", "--quiet", "--json", "--set", limit, "--out", "anew"];
    assert_eq!(resumed["digest"], json(&scratch.run(&anew).success())["digest"]);
    assert_eq!(scratch.read("run/hall_of_fame.csv"), scratch.read("anew/hall_of_fame.csv"));
}

#[test]
fn tables_of_an_earlier_version_that_were_altered_are_refused_all_the_same() {
    for damage in [
        "DROP INDEX evaluations_by_behaviour",
        "DROP VIEW individuals; CREATE VIEW individuals AS SELECT * FROM candidates",
        "UPDATE candidates SET parent = 1 WHERE birth = 70",
        "DELETE FROM candidates WHERE birth = 149",
    ] {
        let scratch = Scratch::new();
        earlier(&scratch);
        let store = Connection::open(scratch.path("run/run.db")).expect("it is a store");
        store.execute_batch(damage).expect("it can be written");
        drop(store);
        // Bringing it up to date must not make good what is not.
        for _ in 0..2 {
            let refused = scratch.run(&["resume", "run"]);
            assert_eq!(refused.code, Some(2), "{damage}: {refused:?}");
        }
    }
}
