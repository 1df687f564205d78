//! Searches that start from several programs: of the zoo, files, and births of earlier runs.

use crate::harness::{Running, Scratch, repository, stored_births};

const TINY: &str = include_str!("../data/tiny.ron");

/// A configuration with these starts, beside an earlier run and a program.
fn scratch(starts: &str) -> Scratch {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let earlier =
        ["search", &tiny, "--set", "stopping.candidates=30", "--out", "earlier", "--quiet"];
    scratch.run(&earlier).success();
    scratch.write("own.py", "def train(w, g, lr):\n  x = sign(g)\n  x = x * lr\n  return x\n");
    scratch.write("several.ron", TINY.replace("\"zoo:adamw_uncorrected\"", starts));
    scratch
}

const THREE: &str = "[\"zoo:lion\", \"own.py\", \"earlier:12\"]";

fn program(scratch: &Scratch, individual: &str) -> String {
    scratch.run(&["show", individual, "--plain"]).success()
}

#[test]
fn starts_come_from_the_zoo_files_and_earlier_runs_and_are_the_first_births() {
    let scratch = scratch(THREE);
    let args = ["search", "several.ron", "--out", "run", "--quiet", "--json", "--threads", "2"];
    let report: serde_json::Value =
        serde_json::from_str(&scratch.run(&args).success()).expect("it is JSON");
    for (birth, source) in ["zoo:lion", "own.py", "earlier:12"].into_iter().enumerate() {
        assert_eq!(program(&scratch, &format!("run:{birth}")), program(&scratch, source));
    }
    // The start that the winner descends from is where its lineage begins.
    let lineage = scratch.run(&["lineage", "run", "--json"]).success();
    let lineage: serde_json::Value = serde_json::from_str(&lineage).expect("it is JSON");
    assert_eq!(lineage[0]["birth"], report["start"]);
    assert_eq!(lineage[0]["parent"], serde_json::Value::Null);
    // The run stands alone: it goes on without what it was started from.
    std::fs::remove_dir_all(scratch.path("earlier")).expect("it is there");
    std::fs::remove_file(scratch.path("own.py")).expect("it is there");
    let resumed = scratch.run(&["resume", "run", "--quiet", "--json"]).success();
    let resumed: serde_json::Value = serde_json::from_str(&resumed).expect("it is JSON");
    assert_eq!(resumed["digest"], report["digest"]);
    scratch.write("run/config.ron", scratch.read("run/config.ron").replace("lion", "adamw"));
    let changed = scratch.run(&["resume", "run", "--quiet"]);
    assert_eq!(changed.code, Some(2));
    assert!(changed.stderr.contains("`start[0]` was"), "{}", changed.stderr);
}

#[test]
fn a_killed_run_from_several_starts_ends_as_an_uninterrupted_one() {
    let scratch = scratch(THREE);
    let strategy = "strategy=Islands(islands: 4, population: 6, tournament: 2, \
                    migration_every: 40, migrants: 1)";
    let args = ["search", "several.ron", "--set", strategy, "--quiet", "--json", "--out"];
    let with = |more: &[&'static str]| [&args[..], more].concat();
    let digest = |printed: String| {
        let json: serde_json::Value = serde_json::from_str(&printed).expect("it is JSON");
        json["digest"].as_str().expect("a report has a digest").to_owned()
    };
    let killed = with(&["run", "--set", "stopping.candidates=1000000"]);
    let mut running = Running::begin(scratch.command(&killed));
    running.wait_until(|| stored_births(&scratch.path("run")) >= 20);
    running.kill();
    let end = stored_births(&scratch.path("run")) + 100;
    let limit = format!("stopping.candidates={end}");
    let whole = [&args[..], &["whole", "--set", &limit]].concat();
    let resumed = ["resume", "run", "--quiet", "--json", "--set", &limit, "--threads", "3"];
    assert_eq!(digest(scratch.run(&resumed).success()), digest(scratch.run(&whole).success()));
}

#[test]
fn a_birth_that_an_earlier_run_does_not_have_is_refused_at_its_place() {
    let scratch = scratch("[\"zoo:lion\", \"earlier:99\"]");
    let run = scratch.run(&["search", "several.ron", "--out", "run"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    for part in ["several.ron:4:25: `start[1]`: ", "no individual with birth `99`"] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    assert!(!scratch.path("run").exists());
}

#[test]
fn a_search_of_expressions_starts_from_texts_files_and_earlier_runs() {
    let scratch = Scratch::new();
    let start = "[\"def f(x):\\n  z = x * x\\n  return z\\n\", \"own.py\", \"earlier:3\"]";
    let config = |start: &str| {
        format!(
            "(domain: Expressions, start: {start},
              strategy: RegularizedEvolution(population: 20, tournament: 3),
              evaluation: (tasks: [(data: Nguyen(1))]), stopping: (candidates: 300))"
        )
    };
    scratch.write("one.ron", config("\"def f(x):\\n  return x\\n\""));
    scratch.write("several.ron", config(start));
    scratch.write("own.py", "def f(x):\n  z = sin(x)\n  return z\n");
    scratch.run(&["search", "one.ron", "--out", "earlier", "--quiet"]).success();
    scratch.run(&["search", "several.ron", "--out", "run", "--quiet"]).success();
    for (birth, source) in [(1, "own.py"), (2, "earlier:3")] {
        assert_eq!(program(&scratch, &format!("run:{birth}")), program(&scratch, source));
    }
    std::fs::remove_file(scratch.path("own.py")).expect("it is there");
    scratch.run(&["resume", "run", "--quiet"]).success();
}

#[test]
fn overrides_replace_all_starts_or_one_of_them() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let several = "start=[\"zoo:sgd\", \"zoo:lion\"]";
    let fine = scratch.run(&["validate", &tiny, "--set", several]).success();
    assert!(fine.contains("start programs of "), "{fine}");
    scratch.write("own.py", "def train(w, g, lr):\n  x = g * lr\n  return x\n");
    let one = ["validate", &tiny, "--set", several, "--set", "start[1]=own.py"];
    assert!(scratch.run(&one).success().contains(", 1 live statements"));
    let wrong = ["validate", &tiny, "--set", several, "--set", "start[1]=zoo:loin"];
    let refused = scratch.run(&wrong);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("with --set start[1]=zoo:loin: `start[1]`"), "{refused:?}");
}
