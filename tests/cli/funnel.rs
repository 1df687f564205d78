//! Finds of searches selected on stages of tasks that these did not see.

use crate::harness::{Scratch, repository};

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("it is JSON")
}

#[test]
fn the_finds_of_a_run_pass_stage_by_stage_beside_other_programs() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    scratch.run(&["search", &tiny, "--out", "run", "--quiet"]).success();
    scratch.write("still.py", "def train(w, g, lr):\n  u = g * 0.0\n  return u\n");
    scratch.write("wild.py", "def train(w, g, lr):\n  u = g * -1e30\n  return u\n");
    let config = repository("tests/data/funnel.ron");
    let args = ["funnel", "run", "zoo:lion", "still.py", "wild.py", "--config", &config];
    let text = scratch.run(&[&args[..], &["--out", "out", "--threads", "1"]].concat()).success();
    assert!(text.contains("short: ") && text.contains("long: 3 candidates, 1 may pass"), "{text}");
    let whole = json(&scratch.read("out/funnel.json"));
    let [short, long] = [0, 1].map(|stage| whole["stages"][stage]["entries"].clone());
    let entry = |name: &str| {
        let entries = short.as_array().expect("a list");
        entries.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    assert_eq!(entry("wild.py")["gains"][0], serde_json::Value::Null);
    assert_eq!(entry("wild.py")["dropped_behind"], 1);
    assert_eq!(entry("still.py")["dropped_behind"], 1, "it does not learn");
    let best = json(&scratch.run(&["lineage", "run", "--json"]).success());
    let birth = best.as_array().expect("a list").last().expect("not empty")["birth"].clone();
    entry(&format!("run:{birth}"));
    let passed = |entries: &serde_json::Value| {
        let entries = entries.as_array().expect("a list");
        entries.iter().filter(|it| it["dropped_behind"].is_null()).count()
    };
    assert_eq!((passed(&short), passed(&long)), (3, 1));
    let program = scratch.run(&["show", "out/passed-1.py", "--plain"]).success();
    assert!(program.contains("def train("), "{program}");
    assert!(!scratch.path("out/passed-2.py").exists());
    // Made again on more threads, from what is there and from nothing, it decides alike.
    for out in ["out", "fresh"] {
        let run = scratch.run(&[&args[..], &["--out", out, "--threads", "2", "--json"]].concat());
        assert_eq!(json(&run.success()), whole, "{out}");
    }
}

#[test]
fn candidates_that_train_alike_take_one_place_and_the_shortest_has_it() {
    let scratch = Scratch::new();
    let long = "def train(w, g, lr):\n  u = g * 2.0\n  u = u * 0.5\n  u = sign(u)\n  \
                u = u * lr\n  return u\n";
    let short = "def train(w, g, lr):\n  u = sign(g)\n  u = u * lr\n  return u\n";
    scratch.write("long.py", long);
    scratch.write("short.py", short);
    let config = repository("tests/data/funnel.ron");
    let args = ["funnel", "long.py", "short.py", "zoo:lion", "--config", &config, "--out", "out"];
    let text = scratch.run(&args).success();
    assert!(text.contains("as short.py"), "{text}");
    let whole = json(&scratch.read("out/funnel.json"));
    let entries = whole["stages"][0]["entries"].as_array().expect("a list");
    let like = |name: &str| {
        let entry = entries.iter().find(|it| it["name"] == name).expect("it entered");
        (entry["same_as"].clone(), entry["dropped_behind"].clone())
    };
    assert_eq!(like("long.py"), ("short.py".into(), 1.into()));
    assert!(like("short.py").0.is_null() && like("zoo:lion").0.is_null());
}

#[test]
fn a_funnel_that_nothing_passes_says_so() {
    let scratch = Scratch::new();
    scratch.write("wild.py", "def train(w, g, lr):\n  u = g * -1e30\n  return u\n");
    let config = repository("tests/data/funnel.ron");
    let run = scratch.run(&["funnel", "wild.py", "--config", &config, "--out", "out", "--quiet"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("no candidate trains every task"), "{}", run.stdout);
}

#[test]
fn what_is_wrong_with_a_stage_is_told_with_its_place() {
    let scratch = Scratch::new();
    let config = repository("tests/data/funnel.ron");
    for (set, expected) in [
        ("error_rate=1.5", "must be above 0 and below 1"),
        ("stages=[]", "needs at least one stage"),
        ("stages[1].keep=0", "--set stages[1].keep=0"),
        ("stages[1].studies.repeats=2000", "`stages[1].studies.repeats`: must be at most 1000"),
        ("stages[0].studies.tasks[0].name=", "expected KEY=VALUE"),
        ("stages[0].studies.tasks[0].steps=0", "steps"),
    ] {
        let args = ["funnel", "zoo:lion", "--config", &config, "--set", set, "--out", "out"];
        let run = scratch.run(&args);
        assert_eq!(run.code, Some(2), "{set}: {run:?}");
        assert!(run.stderr.contains(expected), "{expected} is not in {}", run.stderr);
        assert!(!scratch.path("out").exists(), "{set}");
    }
    let run = scratch.run(&["funnel", "absent", "--config", &config, "--out", "out"]);
    assert!(run.code == Some(2) && run.stderr.contains("absent"), "{run:?}");
}
