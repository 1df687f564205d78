//! Bad input: exit code 2, one message that says where, and nothing left behind.

use crate::harness::{Scratch, repository};

const TINY: &str = include_str!("../data/tiny.ron");

/// Runs a search and expects it to be refused with a message that contains all of `expected`.
fn refused(scratch: &Scratch, args: &[&str], expected: &[&str]) {
    let before = scratch.entries();
    let run = scratch.run(args);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(run.stdout, "");
    for part in expected {
        assert!(run.stderr.contains(part), "`{part}` is not in\n{}", run.stderr);
    }
    assert_eq!(run.stderr.matches("error:").count(), 1, "{}", run.stderr);
    assert!(run.stderr.lines().count() <= 2, "{}", run.stderr);
    assert_eq!(scratch.entries(), before, "nothing is left behind");
}

/// What is written instead of what, and what the refusal must say.
const MISTAKES: [(&str, &str, &[&str]); 38] = [
    ("window: 16", "windw: 16", &["bad.ron:7:5", "`windw`", "did you mean `window`?"]),
    ("window: 16", "window: 18446744073709551615", &["bad.ron:7:13", "`window`", "at most"]),
    (
        "model: Mlp(hidden: [8])",
        "model: ResidualMlp(width: 2, depth: 100000)",
        &["bad.ron:12:", "evaluation.tasks[0].model", "at most 1000"],
    ),
    (
        "learning_rate_multiples: [1.0]",
        "learning_rate_multiples: [1e308]",
        &["learning_rate", "too large"],
    ),
    ("learning_rate: 16.0", "learning_rate: 1e400", &["bad.ron:16:", "learning_rate"]),
    (
        "window: 16",
        "window: 16, hurdles: (percentile: 40.0)",
        &["bad.ron:7:39", "`hurdles.percentile`", "`evaluation` has none"],
    ),
    (
        "window: 16",
        "window: 16, hurdles: (partial: (at: [0.5, 1.0]))",
        &["bad.ron:7:47", "`hurdles.partial.at[1]`", "below 1"],
    ),
    (
        "window: 16",
        "window: 16, hurdles: (partial: (percentil: 5.0))",
        &["bad.ron:7:37", "did you mean `percentile`?"],
    ),
    (
        "population: 20",
        "population: 1000000000",
        &["bad.ron:5:48", "strategy.population", "at most"],
    ),
    (
        "tournament: 4",
        "tournament: 1000000000000",
        &["bad.ron:5:64", "strategy.tournament", "at most"],
    ),
    (
        "hidden: [8]",
        "hidden: [10000000000]",
        &["bad.ron:12:24", "evaluation.tasks[0].model", "at most"],
    ),
    (
        "batch_size: 16",
        "batch_size: 1000000000000",
        &["bad.ron:14:29", "tasks[0].batch_size", "at most"],
    ),
    (
        "steps: 20",
        "steps: 1000000000000",
        &["bad.ron:15:24", "evaluation.tasks[0].steps", "at most"],
    ),
    (
        "data: Digits",
        "data: Idx(images: \"/dev/zero\", labels: \"x\")",
        &["bad.ron:13:35", "not a file"],
    ),
    (
        "max_statements: 20",
        "max_statements: 3",
        &["bad.ron:6:32", "mutation.max_statements", "start program"],
    ),
    (
        "max_statements: 20",
        "weights: (crossover: -1.0)",
        &["bad.ron:6:37", "mutation.weights.crossover", "0 or more"],
    ),
    (
        "RegularizedEvolution(population: 20, tournament: 4),\n    mutation: (max_statements: 20",
        "OnePlusLambda(lambda: 4),\n    mutation: (weights: (crossover: 1.0)",
        &["bad.ron:5:15", "`strategy`", "no two parents"],
    ),
    ("max_statements: 20", "ops: [\"+\"]", &["bad.ron:6:", "mutation.ops", "List("]),
    ("seed: 7", "seed: 7, seed: 8", &["bad.ron:3:", "`seed` is given twice"]),
    (
        "batch_size: 16",
        "batch_sise: 16",
        &["bad.ron:14:17", "evaluation.tasks[0].batch_sise", "`batch_size`"],
    ),
    ("steps: 20", "steps: \"20\"", &["bad.ron:15:24", "evaluation.tasks[0].steps"]),
    ("steps: 20", "steps: -20", &["bad.ron:15:24", "evaluation.tasks[0].steps"]),
    ("steps: 20", "steps: 0", &["bad.ron:15:24", "evaluation.tasks[0].steps"]),
    ("population: 20", "population: -1", &["bad.ron:5:48", "strategy.population"]),
    ("population: 20", "population: 0", &["bad.ron:5:48", "strategy.population", "1 or more"]),
    ("Mlp(hidden", "Mpl(hidden", &["bad.ron:12:24", "did you mean `Mlp`?"]),
    (
        "max_statements: 20",
        "ops: List([\"+\", \"sigm\"])",
        &["bad.ron:6:32", "mutation.ops[1]", "did you mean `sign`?"],
    ),
    ("zoo:adamw_uncorrected", "zoo:loin", &["bad.ron:4:12", "start", "did you mean `lion`?"]),
    (
        "\"zoo:adamw_uncorrected\"",
        "[\"zoo:lion\", \"zoo:loin\"]",
        &["bad.ron:4:25", "`start[1]`", "did you mean `lion`?"],
    ),
    ("\"zoo:adamw_uncorrected\"", "[]", &["bad.ron:4:13", "`start`", "one or more"]),
    ("\"zoo:adamw_uncorrected\"", "12", &["bad.ron:4:12", "`start`", "a program, or a list"]),
    (
        "\"zoo:adamw_uncorrected\",\n    strategy: RegularizedEvolution(population: 20",
        "[\"zoo:lion\", \"zoo:sgd\"],\n    strategy: RegularizedEvolution(population: 1",
        &["bad.ron:5:48", "`strategy.population`", "2 start programs"],
    ),
    (
        "zoo:adamw_uncorrected",
        "missing.py",
        &["bad.ron:4:12", "start", "missing.py", "No such file"],
    ),
    (
        "data: Digits",
        "data: Idx(images: \"no-images\", labels: \"no-labels\")",
        &["bad.ron:13:35", "evaluation.tasks[0].data.images", "no-images", "No such file"],
    ),
    (
        "model: Mlp(hidden: [8])",
        "model: Conv(channels: [])",
        &["bad.ron:12:", "evaluation.tasks[0].model.channels"],
    ),
    ("candidates: 150", "fitness: 1.0", &["bad.ron:33:15", "stopping", "at least one of"]),
    ("baseline_loss: 1.5", "baseline_loss: -1.5", &["bad.ron:17:32", "baseline_loss", "positive"]),
    ("stopping: (candidates: 150),", "", &["bad.ron:2:1", "`stopping`: is missing"]),
];

#[test]
fn a_bad_configuration_is_refused_with_file_line_column_and_key() {
    for (good, bad, expected) in MISTAKES {
        let scratch = Scratch::new();
        assert!(TINY.contains(good), "{good}");
        let config = scratch.write("bad.ron", TINY.replacen(good, bad, 1));
        refused(&scratch, &["search", config.to_str().expect("UTF-8")], expected);
        refused(&scratch, &["validate", "bad.ron"], expected);
    }
}

#[test]
fn a_file_that_is_no_configuration_is_refused() {
    let scratch = Scratch::new();
    scratch.write("empty.ron", "");
    scratch.write("blank.ron", "\n  \n");
    scratch.write("binary.ron", [0xff, 0xfe, 0x00]);
    scratch.write("broken.ron", &TINY[..TINY.len() / 2]);
    scratch.write("list.ron", "[1, 2, 3]");
    scratch.write("deep.ron", "(".repeat(100_000));
    scratch.write("deep_list.ron", TINY.replacen("[8]", &"[".repeat(50_000), 1));
    refused(&scratch, &["search", "deep.ron"], &["deep.ron:1:1", "brackets"]);
    refused(&scratch, &["search", "deep_list.ron"], &["deep_list.ron:12:1", "brackets"]);
    refused(&scratch, &["search", "/dev/zero"], &["not a file"]);
    refused(&scratch, &["search", "empty.ron"], &["empty.ron:1:1", "empty"]);
    refused(&scratch, &["search", "blank.ron"], &["blank.ron:1:1", "empty"]);
    refused(&scratch, &["search", "binary.ron"], &["binary.ron", "UTF-8"]);
    refused(&scratch, &["search", "broken.ron"], &["broken.ron:"]);
    refused(&scratch, &["search", "list.ron"], &["list.ron:1:1"]);
    refused(&scratch, &["search", "absent.ron"], &["absent.ron", "No such file"]);
    refused(&scratch, &["search", "."], &["."]);
}

#[test]
fn a_start_program_that_does_not_check_is_refused_at_its_line() {
    let scratch = Scratch::new();
    scratch.write("bad.ron", TINY.replace("zoo:adamw_uncorrected", "start.py"));
    let programs = [
        ("  x = clip(g, w)\n", "start.py:2:7", "takes (any, scalar)"),
        ("  x = clop(g, lr)\n", "start.py:2:7", "did you mean `clip`?"),
        ("  x = g +\n", "start.py:2:10", "expected"),
    ];
    for (line, place, reason) in programs {
        scratch.write("start.py", format!("def train(w, g, m, v, lr):\n{line}  return x, m, v\n"));
        refused(&scratch, &["search", "bad.ron"], &["bad.ron:4:12", "`start`", place, reason]);
    }
    scratch.write("start.py", [0x64, 0xff]);
    refused(&scratch, &["search", "bad.ron"], &["start.py", "UTF-8"]);
}

#[test]
fn a_damaged_data_file_is_refused() {
    let scratch = Scratch::new();
    scratch.write("images", [0, 0, 8, 3, 0, 0]);
    scratch.write("labels", [0, 0, 8, 1, 0, 0, 0, 0]);
    let data = "data: Idx(images: \"images\", labels: \"labels\")";
    scratch.write("bad.ron", TINY.replacen("data: Digits", data, 1));
    refused(&scratch, &["search", "bad.ron"], &["bad.ron:13:35", "data.images", "images"]);
}

#[test]
fn a_network_too_large_for_the_images_of_a_file_is_refused_at_its_key() {
    let scratch = Scratch::new();
    let header =
        |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let mut images = header(&[0x0803, 5, 1024, 1024]);
    images.resize(images.len() + (5 << 20), 1);
    scratch.write("images", images);
    scratch.write("labels", [header(&[0x0801, 5]), vec![0, 1, 2, 3, 4]].concat());
    let data = "data: Idx(images: \"images\", labels: \"labels\")";
    let text = TINY.replacen("data: Digits", data, 1).replacen("hidden: [8]", "hidden: [4096]", 1);
    scratch.write("bad.ron", text);
    for command in ["search", "validate", "bench"] {
        refused(&scratch, &[command, "bad.ron"], &["bad.ron:12:", "model", "4.3e9 numbers"]);
    }
}

#[test]
fn an_override_is_not_blamed_for_a_fault_in_the_file() {
    let scratch = Scratch::new();
    scratch.write("bad.ron", TINY.replacen("population: 20", "population: 0", 1));
    refused(
        &scratch,
        &["search", "bad.ron", "--seed", "3"],
        &["bad.ron:5:48: `strategy.population`"],
    );
    let good = repository("tests/data/tiny.ron");
    let args = ["search", &good, "--set", "strategy.population=0", "--seed", "3"];
    refused(&scratch, &args, &["with --set strategy.population=0: `strategy.population`"]);
}

#[test]
fn bad_overrides_and_arguments_are_refused() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let set = |set: &str, expected: &[&str]| {
        refused(&scratch, &["search", &tiny, "--set", set], expected);
    };
    set("stopping.candidate=3", &["stopping.candidate=3", "did you mean `candidates`?"]);
    set("stopping.candidates=many", &["--set stopping.candidates=many"]);
    set("stopping.candidates", &["KEY=VALUE"]);
    set("no.such.place=1", &["--set no.such.place=1"]);
    set("evaluation.tasks[9].steps=1", &["--set evaluation.tasks[9].steps=1"]);
    set("stopping..candidates=3", &["--set stopping..candidates=3"]);
    set("stopping.candidates=3, seconds: 5.0", &["--set stopping.candidates=3, seconds: 5.0"]);
    scratch.write("taken", "something finished");
    let run = scratch.run(&["search", &tiny, "--out", "taken"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("--out taken"), "{}", run.stderr);
    assert_eq!(scratch.read("taken"), "something finished");
    assert_eq!(scratch.run(&["search"]).code, Some(2));
    for threads in ["0", "-1", "1000000", "two"] {
        assert_eq!(scratch.run(&["search", &tiny, "--threads", threads]).code, Some(2));
    }
}
