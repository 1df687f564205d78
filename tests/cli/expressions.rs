//! Searches of expressions through the command line.

use serde_json::Value;

use crate::harness::{Scratch, repository};

/// `y = 2 a + b * b`, in a table.
fn table() -> String {
    let mut text = "a,b,y\n".to_owned();
    for row in 0..40 {
        let (a, b) = (f64::from(row % 7) - 3.0, f64::from(row % 11) / 4.0);
        text += &format!("{a},{b},{}\n", 2.0 * a + b * b);
    }
    text
}

const OWN: &str = "(
    domain: Expressions,
    strategy: RegularizedEvolution(population: 100, tournament: 5),
    evaluation: (
        tasks: [(data: Csv(path: \"data/table.csv\", target: \"y\"))],
        fit_constants: 3,
    ),
    stopping: (candidates: 2000),
)
";

fn project(scratch: &Scratch, folder: &str) {
    std::fs::create_dir_all(scratch.path(folder).join("data")).expect("there is room");
    std::fs::write(scratch.path(folder).join("data/table.csv"), table()).expect("there is room");
    std::fs::write(scratch.path(folder).join("own.ron"), OWN).expect("there is room");
}

fn report(printed: &str) -> Value {
    serde_json::from_str(printed).expect("it is JSON")
}

#[test]
fn a_formula_is_found_from_a_table_on_any_threads_and_after_a_move() {
    let scratch = Scratch::new();
    project(&scratch, "one");
    let search = |out: &str, limit: &str, threads: &str| {
        let base = ["search", "one/own.ron", "--out", out, "--quiet", "--json"];
        let more = ["--threads", threads, "--set", limit];
        report(&scratch.run(&[&base[..], &more[..]].concat()).success())
    };
    let whole = search("one/whole", "stopping.candidates=2000", "2");
    let fit = &whole["fits"][0];
    assert!(fit["fitness"].as_f64() > Some(20.0), "{fit}");
    assert!(fit["test_loss"].as_f64() < Some(1e-9), "{fit}");
    search("one/part", "stopping.candidates=700", "1");
    std::fs::rename(scratch.path("one"), scratch.path("two")).expect("nothing is in the way");
    let set = "stopping.candidates=2000";
    let args = ["resume", "two/part", "--set", set, "--quiet", "--json", "--threads", "8"];
    let resumed = report(&scratch.run(&args).success());
    assert_eq!(resumed["digest"], whole["digest"]);
    for command in [
        &["show", "two/whole"][..],
        &["show", "two/whole:0"],
        &["simplify", "two/whole"],
        &["lineage", "two/whole"],
        &["evaluate", "two/whole", "--config", "two/own.ron"],
        &["validate", "two/own.ron"],
        &["search", "two/own.ron", "--dry-run"],
    ] {
        assert!(!scratch.run(command).success().is_empty(), "{command:?}");
    }
    let export = scratch.run(&["export", "two/whole", "--to", "torch"]);
    assert!(export.code == Some(2) && export.stderr.contains("is an expression"), "{export:?}");
}

#[test]
fn a_resumed_run_refuses_other_data_and_other_settings() {
    let scratch = Scratch::new();
    project(&scratch, "one");
    let limit = "stopping.candidates=50";
    let args = ["search", "one/own.ron", "--out", "one/run", "--quiet", "--set", limit];
    scratch.run(&args).success();
    let set = "evaluation.fit_constants=4";
    let other = scratch.run(&["resume", "one/run", "--set", set]);
    assert!(other.code == Some(2) && other.stderr.contains("only `stopping`"), "{other:?}");
    let changed = table().replacen("-3", "-4", 1);
    std::fs::write(scratch.path("one/data/table.csv"), changed).expect("there is room");
    let other = scratch.run(&["resume", "one/run", "--set", "stopping.candidates=60"]);
    assert!(other.code == Some(2) && other.stderr.contains("other data"), "{other:?}");
}

#[test]
fn tables_that_would_be_read_otherwise_than_meant_are_refused() {
    let scratch = Scratch::new();
    project(&scratch, "one");
    let path = scratch.path("one/data/table.csv").display().to_string();
    let refused = |more: &str, key: &str, words: &str| {
        let set = format!("evaluation=(tasks: [(data: Csv(path: {path:?}, target: \"y\"{more}))])");
        let run = scratch.run(&["validate", "one/own.ron", "--set", &set]);
        assert!(run.code == Some(2), "{more}: {run:?}");
        assert!(run.stderr.contains(key) && run.stderr.contains(words), "{}", run.stderr);
    };
    refused(", inputs: [\"a\", \"y\"]", "data.inputs[1]", "is the target");
    refused(", inputs: [\"a\", \"a\"]", "data.inputs[1]", "named twice");
    refused(", test_share: 0.99", "data.test_share", "leaves 1 of 40 rows");
    std::fs::write(scratch.path("one/data/table.csv"), "a,a,y\n1,2,3\n4,5,6\n").expect("room");
    refused("", "data.path", "two columns called `a`");
    std::fs::write(scratch.path("one/data/table.csv"), "a,y\n1,2\n").expect("room");
    refused("", "data.path", "two rows");
}

#[test]
fn what_is_no_expression_is_said_to_be_none_and_hashes_are_those_of_expressions() {
    let scratch = Scratch::new();
    let nguyen = repository("configs/expression_nguyen.ron");
    let run = scratch.run(&["evaluate", "zoo:lion", "--config", &nguyen]);
    assert!(run.code == Some(2) && run.stderr.contains("an expression is needed"), "{run:?}");
    scratch.write("f.py", "def f(x, y):\n  z = x * y\n  return z\n");
    let hashes = scratch.run(&["show", "f.py", "--hash"]).success();
    assert!(hashes.contains("functional ") && hashes.contains("on the probe `"), "{hashes}");
}

#[test]
fn mistakes_are_named_with_their_key_and_leave_nothing_behind() {
    let scratch = Scratch::new();
    let nguyen = repository("configs/expression_nguyen.ron");
    for (set, key, words) in [
        ("evaluation.task=Nguyen-13", "`evaluation.task`", "did you mean"),
        ("evaluation=(tasks: [(data: Nguyen(99))])", "`evaluation.tasks[0]", "Nguyen-99"),
        ("deduplication=(level: Functional)", "`deduplication.level`", "Structural at most"),
        ("mutation.ops=List([\"norm\"])", "`mutation.ops[0]`", "norm"),
        ("start=\"def f(x, y):\\n  return x + y\\n\"", "`start`", "1 inputs"),
        ("hashing.mantissa_bits=24", "`hashing.mantissa_bits`", "1 to 23"),
        ("stopping.candidates=0", "`stopping.candidates`", "1 or more"),
        ("hurdles.percentile=5.0", "hurdles.percentile", "`evaluation` has none"),
        ("domain=Words", "`domain`", "unknown variant"),
    ] {
        scratch.assert_refused(&nguyen, set, key, words);
    }
    for command in [&["bench", &nguyen][..], &["baseline", &nguyen]] {
        let run = scratch.run(command);
        assert!(run.code == Some(2) && run.stderr.contains("`domain`"), "{run:?}");
    }
}
