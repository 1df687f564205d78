//! Incumbents evaluated on held-out tasks while a search goes on: the curve, and what follows.

use serde_json::Value;

use crate::harness::{Running, Scratch, repository, stored_births};

fn search(scratch: &Scratch, out: &str, sets: &[&str], threads: &str) -> Value {
    let tiny = repository("tests/data/tiny.ron");
    let mut args = vec!["search", &tiny, "--out", out, "--threads", threads, "--quiet", "--json"];
    args.extend(sets.iter().flat_map(|set| ["--set", set]));
    serde_json::from_str(&scratch.run(&args).success()).expect("it is JSON")
}

fn resume(scratch: &Scratch, out: &str, sets: &[&str]) -> Value {
    let mut args = vec!["resume", out, "--quiet", "--json"];
    args.extend(sets.iter().flat_map(|set| ["--set", set]));
    serde_json::from_str(&scratch.run(&args).success()).expect("it is JSON")
}

/// The events of a name, in order.
fn events(scratch: &Scratch, out: &str, name: &str) -> Vec<Value> {
    let text = scratch.read(&format!("{out}/events.jsonl"));
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("it is JSON"));
    lines.filter(|line| line["event"] == name).collect()
}

/// Every row of the table: births absorbed, evaluations, birth, fitness, held-out fitness.
fn table(scratch: &Scratch, out: &str) -> Vec<(i64, i64, i64, f64, Option<f64>)> {
    let store = scratch.path(out).join("run.db");
    let connection = rusqlite::Connection::open(store).expect("it is a store");
    let query = "SELECT absorbed, evaluations, birth, fitness, held_out_fitness FROM held_out
        ORDER BY absorbed";
    let mut statement = connection.prepare(query).expect("it has the table");
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
    rows.expect("it can be read").map(|row| row.expect("it is a row")).collect()
}

/// The same of points in JSON.
fn points(points: &[Value]) -> Vec<(i64, i64, i64, f64, Option<f64>)> {
    let count = |point: &Value, key: &str| point[key].as_i64().expect("a number");
    let point = |it: &Value| {
        let fitness = it["fitness"].as_f64().expect("a number");
        let counts = ["absorbed", "evaluations", "birth"].map(|key| count(it, key));
        (counts[0], counts[1], counts[2], fitness, it["held_out_fitness"].as_f64())
    };
    points.iter().map(point).collect()
}

#[test]
fn a_curve_is_drawn_on_any_threads_and_changes_nothing_that_is_found() {
    let scratch = Scratch::new();
    let plain = search(&scratch, "plain", &[], "2");
    assert!(plain.get("held_out").is_none() && table(&scratch, "plain").is_empty());
    let one = search(&scratch, "one", &["held_out.every=25"], "1");
    for key in ["counters", "program", "comparison", "mutations"] {
        assert_eq!(one[key], plain[key], "{key}");
    }
    assert_eq!(scratch.read("one/hall_of_fame.csv"), scratch.read("plain/hall_of_fame.csv"));
    let curve = table(&scratch, "one");
    assert_eq!(curve.len(), 6);
    assert!(curve.iter().zip(1..).all(|(row, point)| row.0 == 25 * point));
    let told = one["held_out"]["points"].as_array().expect("a list");
    assert_eq!(
        (points(told), points(&events(&scratch, "one", "held_out"))),
        (curve.clone(), curve.clone())
    );
    for threads in ["2", "8"] {
        let again = search(&scratch, threads, &["held_out.every=25"], threads);
        assert_eq!(again["digest"], one["digest"]);
        assert_eq!(table(&scratch, threads), curve);
    }
    // What it says of an incumbent is what the program comes to on the held-out task.
    let (_, _, birth, fitness, held_out) = *curve.last().expect("there are points");
    let (program, config) = (format!("one:{birth}"), "one/config.ron");
    let evaluated = scratch.run(&["evaluate", &program, "--config", config, "--json"]).success();
    let evaluated: Value = serde_json::from_str(&evaluated).expect("it is JSON");
    let entry = &evaluated["programs"][0];
    assert_eq!(entry["fitness"].as_f64(), Some(fitness));
    let loss = entry["held_out_losses"][0].as_f64().expect("it trains");
    let expected = -libm::log(loss);
    assert!((held_out.expect("it trains") - expected).abs() < 1e-12, "{held_out:?} {expected}");
    let best = &one["held_out"]["best"]["birth"];
    let printed = scratch.run(&["resume", "one"]).success();
    assert!(printed.contains("6 held-out points: the best "), "{printed}");
    assert!(printed.contains(&format!(" of one:{best} (fitness ")), "{printed}");
}

#[test]
fn a_run_ends_by_its_curve_and_goes_on_with_more_patience_as_if_it_had_always_had_that() {
    let scratch = Scratch::new();
    let every = "held_out.every=10";
    let whole = search(&scratch, "whole", &[every], "2");
    let stopped = search(&scratch, "run", &[every, "stopping.held_out=2"], "2");
    assert_eq!(stopped["stop_reason"], serde_json::json!({ "HeldOut": 2 }));
    let births = |report: &Value| report["counters"]["births"].as_u64().expect("a number");
    assert!(births(&stopped) < births(&whole), "{stopped}");
    let curve = table(&scratch, "run");
    assert!(table(&scratch, "whole").starts_with(&curve));
    // What was reached holds, and a limit below it ends the run where it is.
    assert_eq!(resume(&scratch, "run", &[])["digest"], stopped["digest"]);
    let lowered = resume(&scratch, "run", &["stopping.held_out=1"]);
    assert_eq!((births(&lowered), &lowered["digest"]), (births(&stopped), &stopped["digest"]));
    assert_eq!(lowered["stop_reason"], serde_json::json!({ "HeldOut": 1 }));
    let told = scratch.run(&["resume", "run", "--set", "stopping.held_out=2"]);
    assert!(told.stderr.contains("evo resume run --set stopping.held_out=4"), "{}", told.stderr);
    assert!(told.success().contains("Ended because 2 held-out points in a row"));
    let removed = resume(&scratch, "run", &["stopping.held_out=None"]);
    assert_eq!(removed["digest"], whole["digest"]);
    assert_eq!(table(&scratch, "run"), table(&scratch, "whole"));
    // Every point is told once.
    let told = points(&events(&scratch, "run", "held_out"));
    assert_eq!(told, table(&scratch, "run"));
}

#[test]
fn a_run_restarts_by_its_curve_and_killed_it_resumes_to_the_same_table() {
    let scratch = Scratch::new();
    let sets = ["held_out.every=10", "restarts.held_out=2"];
    let whole = search(&scratch, "whole", &sets, "2");
    assert!(whole["restarts"].as_u64() > Some(0), "{whole}");
    let restarts = events(&scratch, "whole", "restart");
    let reason = restarts[0]["reason"].as_str().expect("a text");
    assert_eq!(reason, "2 held-out points without a new best there");
    let tiny = repository("tests/data/tiny.ron");
    let never = "stopping.candidates=100000000";
    let args =
        ["search", &tiny, "--out", "run", "--set", sets[0], "--set", sets[1], "--set", never];
    let mut running = Running::begin(scratch.command(&args));
    let run = scratch.path("run");
    for births in [40, 90] {
        running.wait_until(|| stored_births(&run) >= births);
        running.kill();
        running = Running::begin(scratch.command(&["resume", "run", "--threads", "1"]));
    }
    running.wait_until(|| stored_births(&run) >= 130);
    running.kill();
    let end = (stored_births(&run) + 40).to_string();
    let limit = format!("stopping.candidates={end}");
    let resumed = resume(&scratch, "run", &[&limit]);
    let expected = search(&scratch, "again", &[sets[0], sets[1], &limit], "8");
    assert_eq!(resumed["digest"], expected["digest"]);
    assert_eq!(table(&scratch, "run"), table(&scratch, "again"));
    // What a run restarts by is part of what it is.
    for set in ["restarts.held_out=3", "held_out.every=20"] {
        let refused = scratch.run(&["resume", "run", "--set", set]);
        assert!(refused.code == Some(2) && refused.stderr.contains("only `stopping`"), "{set}");
    }
    scratch.run(&["show", "run"]).success();
}

#[test]
fn settings_are_refused_at_their_key_where_there_is_nothing_held_out_or_no_curve() {
    let scratch = Scratch::new();
    let tiny = std::fs::read_to_string(repository("tests/data/tiny.ron")).expect("it is there");
    let (start, end) = (tiny.find("held_out: ["), tiny.find("learning_rate_multiples"));
    let (start, end) = (start.expect("a list"), end.expect("the key behind it"));
    let without = format!("{}{}", &tiny[..start], &tiny[end..]);
    let set = without.replacen("window: 16", "held_out: (every: 50), window: 16", 1);
    scratch.write("set.ron", set);
    let run = scratch.run(&["validate", "set.ron"]);
    let words = "set.ron:7:23: `held_out.every`: needs tasks in `evaluation.held_out`";
    assert!(run.code == Some(2) && run.stderr.contains(words), "{run:?}");
    scratch.write("without.ron", without);
    for (set, key, words) in [
        ("held_out.every=50", "`held_out.every`", "and there are none"),
        ("held_out.every=0", "`held_out.every`", "1 or more"),
        ("stopping.held_out=3", "`stopping.held_out`", "without `held_out.every`"),
        ("restarts.held_out=3", "`restarts.held_out`", "without `held_out.every`"),
    ] {
        scratch.assert_refused("without.ron", set, key, words);
    }
    let nguyen = repository("configs/expression_nguyen.ron");
    let none = "evaluation=(tasks: [(data: Formula(formula: \"x\", inputs: [(\"x\", 0.0, 1.0)], \
                points: 9, test_points: 0))])";
    let args = ["validate", &nguyen, "--set", none, "--set", "held_out.every=5"];
    let run = scratch.run(&args);
    assert!(run.code == Some(2) && run.stderr.contains("points held out"), "{run:?}");
}

#[test]
fn expressions_have_a_curve_on_their_points_held_out_and_activations_on_their_networks() {
    let scratch = Scratch::new();
    let nguyen = repository("configs/expression_nguyen.ron");
    let activation = repository("tests/data/activation.ron");
    for (config, every, candidates, out) in
        [(&nguyen, 500, 3_000, "points"), (&activation, 5, 20, "networks")]
    {
        let (every, limit) =
            (format!("held_out.every={every}"), format!("stopping.candidates={candidates}"));
        let report = |out: &str, threads: &str| -> Value {
            let base = ["search", config, "--out", out, "--quiet", "--json"];
            let more = ["--threads", threads, "--set", &every, "--set", &limit];
            // Whether the target of a configuration is reached is not what this is about.
            let run = scratch.run(&[&base[..], &more[..]].concat());
            serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"))
        };
        let one = report(out, "2");
        let told = one["held_out"]["points"].as_array().expect("a list");
        assert_eq!(points(told), table(&scratch, out));
        assert!(table(&scratch, out).iter().any(|row| row.4.is_some()), "{one}");
        let again = report(&format!("{out}2"), "1");
        assert_eq!(again["digest"], one["digest"]);
    }
}
