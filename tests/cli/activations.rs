//! Searches of activations through the command line.

use serde_json::Value;

use crate::harness::{Scratch, repository};

fn report(printed: &str) -> Value {
    serde_json::from_str(printed).expect("it is JSON")
}

#[test]
fn an_activation_is_searched_resumed_and_judged_beside_the_known_ones() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/activation.ron");
    let search = |out: &str, limit: &str, threads: &str| {
        let base = ["search", &tiny, "--out", out, "--quiet", "--json"];
        let more = ["--threads", threads, "--set", limit];
        report(&scratch.run(&[&base[..], &more[..]].concat()).success())
    };
    let whole = search("whole", "stopping.candidates=60", "3");
    let names: Vec<&str> = whole["activations"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["name"].as_str())
        .collect();
    assert_eq!(names, ["Relu", "Gelu", "Silu", "Tanh", "winner"]);
    let winner = &whole["activations"][4];
    assert!(winner["fitness"].as_f64() > Some(0.0), "{winner}");
    let held_out = &winner["networks"][1];
    assert_eq!((&held_out["task"], &held_out["held_out"]), (&"teacher".into(), &true.into()));
    assert_eq!(held_out["losses"].as_array().map(Vec::len), Some(2), "{held_out}");
    assert!(held_out["gain"]["half_width"].is_number(), "{held_out}");
    search("part", "stopping.candidates=25", "1");
    let set = "stopping.candidates=60";
    let args = ["resume", "part", "--set", set, "--quiet", "--json", "--threads", "2"];
    let resumed = report(&scratch.run(&args).success());
    assert_eq!(resumed["digest"], whole["digest"]);
    assert_eq!(resumed["activations"], whole["activations"]);
    let evaluated = scratch.run(&["evaluate", "whole", "--config", &tiny, "--json"]).success();
    assert_eq!(report(&evaluated)["activations"][4]["networks"], winner["networks"]);
    for (command, words) in [
        (&["show", "whole:0"][..], "max(x, 0.0)"),
        (&["simplify", "whole"], "def f(x)"),
        (&["lineage", "whole"], "def f(x)"),
        (&["evaluate", "whole:0", "--config", &tiny], "held out: teacher"),
        (&["validate", &tiny], "an activation for digits"),
        (&["search", &tiny, "--dry-run"], "fitness +0.0000"),
    ] {
        let printed = scratch.run(command).success();
        assert!(printed.contains(words), "{command:?}: {printed}");
    }
    let other = scratch.run(&["resume", "whole", "--set", "evaluation.activation.data_seed=1"]);
    assert!(other.code == Some(2) && other.stderr.contains("only `stopping`"), "{other:?}");
}

#[test]
fn hurdles_stop_activations_behind_a_task_the_same_on_any_threads_and_after_a_resumption() {
    let scratch = Scratch::new();
    let tiny = std::fs::read_to_string(repository("tests/data/activation.ron")).expect("text");
    let first = "tasks: [";
    let task = "(name: \"short\", model: Mlp(hidden: [4]), data: Digits, batch_size: 8, steps: 6, \
                learning_rate: 16.0),";
    let tiny = tiny.replacen(first, &format!("stages: [1], {first}{task}"), 1);
    let hurdles = "hurdles: (percentile: 50.0, warm_up: 5), stopping:";
    scratch.write("hurdles.ron", tiny.replacen("stopping:", hurdles, 1));
    let search = |out: &str, limit: &str, threads: &str| {
        let base = ["search", "hurdles.ron", "--out", out, "--quiet", "--json"];
        let more = ["--threads", threads, "--set", limit];
        report(&scratch.run(&[&base[..], &more[..]].concat()).success())
    };
    let whole = search("whole", "stopping.candidates=300", "1");
    assert!(whole["counters"]["stopped"].as_u64() > Some(5), "{whole}");
    search("part", "stopping.candidates=170", "2");
    let set = "stopping.candidates=300";
    let args = ["resume", "part", "--set", set, "--quiet", "--json", "--threads", "2"];
    assert_eq!(report(&scratch.run(&args).success())["digest"], whole["digest"]);
}

#[test]
fn mistakes_are_named_with_their_key_and_leave_nothing_behind() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/activation.ron");
    for (set, key, words) in [
        (
            "evaluation.activation.tasks[0].model=Mlp(hidden: [])",
            "tasks[0].model`",
            "no activation",
        ),
        ("evaluation.activation.tasks[0].baseline_loss=1.0", "baseline_loss`", "leave it out"),
        ("evaluation.activation.held_out[0].learning_rate=None", "learning_rate`", "is missing"),
        ("evaluation.activation.repeat=2", "`evaluation.activation.repeat`", "did you mean"),
        ("evaluation.activation.tasks=[]", "`evaluation.activation.tasks`", "at least one"),
        ("evaluation.fit_constants=2", "`evaluation.activation`", "unknown key"),
        ("evaluation=(activatoin: ())", "`evaluation.activatoin`", "did you mean `activation`"),
        ("start=\"def f(x, y):\\n  return x + y\\n\"", "`start`", "1 inputs"),
    ] {
        scratch.assert_refused(&tiny, set, key, words);
    }
    let explodes = "evaluation.activation.tasks[0].learning_rate=1e30";
    let run = scratch.run(&["search", &tiny, "--set", explodes, "--out", "out"]);
    assert!(run.code == Some(2) && run.stderr.contains("task `digits`"), "{run:?}");
}
