//! Searches of compute graphs through the command line.

use serde_json::Value;

use crate::harness::{Running, Scratch, repository, stored_births};

/// Cells on small textures, of which an evaluation takes milliseconds.
const OWN: &str = "(
    domain: Graphs,
    strategy: RegularizedEvolution(population: 20, tournament: 5),
    deduplication: (recheck: 0.2),
    evaluation: (
        data: Textures(side: 4, channels: 1, classes: 3, examples: 60),
        network: (width: 3, stem_stride: 2),
        batch_size: 8,
        steps: 3,
        learning_rate: 8.0,
        fresh_repeats: 1,
    ),
    held_out: (every: 100),
    stopping: (candidates: 300),
)
";

fn report(printed: &str) -> Value {
    serde_json::from_str(printed).expect("it is JSON")
}

#[test]
fn a_search_is_the_same_on_any_threads_after_deaths_and_for_every_command() {
    let scratch = Scratch::new();
    scratch.write("own.ron", OWN);
    let search = |out: &str, threads: &str| {
        let args = ["search", "own.ron", "--out", out, "--quiet", "--json", "--threads", threads];
        report(&scratch.run(&args).success())
    };
    let whole = search("whole", "1");
    let count = |key: &str| whole["counters"][key].as_u64().expect("a count");
    assert!(count("structural_hits") > 50 && count("evaluations") < 250, "{whole}");
    assert!(whole["graphs"][0]["held_out"]["accuracy"].as_f64() > Some(0.2), "{whole}");
    assert!(!whole["held_out"]["points"].as_array().expect("a curve").is_empty(), "{whole}");
    for threads in ["2", "8"] {
        assert_eq!(search(&format!("whole{threads}"), threads)["digest"], whole["digest"]);
    }
    // Killed on its way to a limit that it does not come to, and resumed to the other one.
    let never = "stopping.candidates=100000000";
    let args = ["search", "own.ron", "--set", never, "--out", "run", "--threads", "2"];
    let mut running = Running::begin(scratch.command(&args));
    running.wait_until(|| stored_births(&scratch.path("run")) >= 30);
    running.kill();
    let end = stored_births(&scratch.path("run")).max(300);
    let limit = format!("stopping.candidates={end}");
    let args = ["resume", "run", "--set", &limit, "--quiet", "--json", "--threads", "8"];
    let resumed = report(&scratch.run(&args).success());
    let args = ["resume", "whole", "--set", &limit, "--quiet", "--json"];
    assert_eq!(resumed["digest"], report(&scratch.run(&args).success())["digest"]);

    for command in [
        &["show", "whole"][..],
        &["show", "whole:0", "--live"],
        &["show", "zoo:resnet_cell", "--canonical"],
        &["show", "whole", "--hash"],
        &["lineage", "whole"],
        &["evaluate", "whole", "zoo:inception_cell", "--config", "own.ron"],
        &["validate", "own.ron"],
        &["search", "own.ron", "--dry-run"],
        &["zoo", "plain_cell"],
        &["recheck", "whole2", "--json"],
    ] {
        assert!(!scratch.run(command).success().is_empty(), "{command:?}");
    }
    scratch.run(&["report", "whole"]).success();
    let refused = |args: &[&str], words: &str| {
        let run = scratch.run(args);
        assert!(run.code == Some(2) && run.stderr.contains(words), "{args:?}: {run:?}");
    };
    refused(&["simplify", "whole"], "is a compute graph");
    refused(&["export", "whole", "--to", "torch"], "is a compute graph");
    refused(&["evaluate", "zoo:adamw", "--config", "own.ron"], "a compute graph is needed");
    refused(&["show", "whole", "--types"], "all values of a compute graph are images");
    let tiny = repository("tests/data/tiny.ron");
    refused(&["evaluate", "whole", "--config", &tiny], "is a compute graph");
    let set = "evaluation.steps=4";
    refused(&["resume", "whole", "--set", set], "only `stopping`");
}

#[test]
fn a_winner_is_a_text_that_another_search_starts_from() {
    let scratch = Scratch::new();
    scratch.write("own.ron", OWN);
    let search = |out: &str, start: &str| {
        let start = format!("start={start}");
        let limit = "stopping.candidates=25";
        let base = ["search", "own.ron", "--quiet", "--json", "--out", out];
        let args = [&base[..], &["--set", &start, "--set", limit]].concat();
        report(&scratch.run(&args).success())
    };
    search("one", "\"zoo:inception_cell\"");
    let best = scratch.read("one/best.py");
    assert!(best.starts_with("def cell(x):\n") && best.contains("return concat("), "{best}");
    let two = search("two", "[\"one\", \"zoo:resnet_cell\", \"one:3\"]");
    assert!(two["start"].as_u64() < Some(3), "{two}");
    assert_eq!(scratch.run(&["show", "two:0", "--live", "--plain"]).code, Some(2));
    assert_eq!(scratch.run(&["show", "two:0", "--live"]).success(), best);
    let text = "def cell(x):\\n  a = conv3x3(x)\\n  return concat(a)\\n";
    search("three", &format!("{text:?}").replace("\\\\n", "\\n"));
}

#[test]
fn mistakes_are_told_with_file_line_and_key_and_nothing_is_left_behind() {
    let scratch = Scratch::new();
    for (old, new, words) in [
        ("side: 4", "sides: 4", &["bad.ron:6:24", "sides"][..]),
        (
            "Textures(side: 4, channels: 1, classes: 3, examples: 60)",
            "Letter",
            &["bad.ron:6:15", "`evaluation.data`", "no images"],
        ),
        ("width: 3", "width: 1000000", &["bad.ron:7:", "`evaluation.network`", "numbers"]),
        ("width: 3", "cells: 51", &["bad.ron:7:26", "`evaluation.network.cells`", "1 to 50"]),
        ("steps: 3", "steps: 0", &["bad.ron:9:", "steps"]),
        (
            "learning_rate: 8.0",
            "learning_rate: -8.0",
            &["bad.ron:10:24", "`evaluation.learning_rate`"],
        ),
        (
            "fresh_repeats: 1",
            "held_out_share: 1.5",
            &["bad.ron:11:25", "`evaluation.held_out_share`"],
        ),
        (
            "domain: Graphs,",
            "domain: Graphs, start: \"def cell(x):\\n  return concat(y)\\n\",",
            &["bad.ron:2:28", "`start`: 2:17: `y` is not there"],
        ),
        (
            "domain: Graphs,",
            "domain: Graphs, start: \"zoo:resnet_cel\",",
            &["bad.ron:2:28", "did you mean `resnet_cell`?"],
        ),
        (
            "domain: Graphs,",
            "domain: Graphs, mutation: (weights: (flip_edge: -1.0)),",
            &["bad.ron:2:", "`mutation.weights.flip_edge`"],
        ),
        (
            "domain: Graphs,",
            "domain: Graphs, hashing: (mantissa_bits: 24),",
            &["bad.ron:2:", "`hashing.mantissa_bits`", "1 to 23"],
        ),
    ] {
        scratch.write("bad.ron", OWN.replace(old, new));
        let before = scratch.entries();
        let run = scratch.run(&["search", "bad.ron", "--out", "run"]);
        assert_eq!(run.code, Some(2), "{new}: {run:?}");
        for part in words {
            assert!(run.stderr.contains(part), "`{part}` is not in\n{}", run.stderr);
        }
        assert_eq!(scratch.entries(), before, "nothing is left behind");
    }
}
