//! Programs tuned alike on the same tasks: what is printed, written, kept and refused.

use crate::harness::{Scratch, repository};

const COMPARE: &str = include_str!("../data/compare.ron");

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("it is JSON")
}

#[test]
fn programs_are_compared_with_the_reference_and_the_best_rules() {
    let scratch = Scratch::new();
    scratch.write("slow.py", "def train(w, g, lr):\n  u = g * lr\n  u = u * 1e-7\n  return u\n");
    let config = repository("tests/data/compare.ron");
    let args = ["compare", "zoo:lion", "slow.py", "--config", &config, "--out", "out"];
    let run = scratch.run(&args);
    let text = run.stdout.clone();
    run.success();
    for expected in ["zoo:adamw", "zoo:lion", "slow.py", "Against the best rule", "profile"] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    assert!(!text.contains("counts as a tie"), "{text}");
    assert!(text.contains("slow.py on digits: a better learning rate may lie beyond"), "{text}");
    let whole = json(&scratch.read("out/comparison.json"));
    let names: Vec<&str> = whole["programs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["name"].as_str().expect("text"))
        .collect();
    assert_eq!(names, ["zoo:adamw", "zoo:lion", "slow.py"]);
    // What moves next to nothing wins nowhere.
    let slow = &whole["programs"][2]["reference"];
    assert_eq!((&slow["wins"], &slow["losses"]), (&0.into(), &2.into()), "{slow}");
    assert_eq!(whole["programs"][0]["reference"]["ties"], 2);
    let rows = |name: &str| scratch.read(name).lines().count() - 1;
    assert_eq!(rows("out/tasks.csv"), 3 * 2);
    assert_eq!(rows("out/courses.csv"), 3 * 2 * 8 * 10);
    assert_eq!(rows("out/settings.csv"), 3 * 2 * 9);
    let few = scratch.run(&[&args[..], &["--set", "repeats=6"]].concat()).success();
    assert!(few.contains("on 2 tasks every difference counts as a tie: `repeats` must be 7"));
}

#[test]
fn studies_are_made_once_and_are_the_same_on_any_number_of_threads() {
    let scratch = Scratch::new();
    scratch.write("compare.ron", COMPARE);
    let compare = |programs: &[&str], out: &str, threads: &str| {
        let args = ["--config", "compare.ron", "--out", out, "--threads", threads, "--json"];
        let run = scratch.run(&[&["compare"][..], programs, &args].concat());
        let (out, err) = (run.stdout.clone(), run.stderr.clone());
        run.success();
        let mut whole = json(&out);
        whole["seconds_per_step"].take();
        (whole, err)
    };
    let (one, _) = compare(&["zoo:lion", "zoo:sgd"], "one", "1");
    let (two, _) = compare(&["zoo:lion", "zoo:sgd"], "two", "2");
    assert_eq!(one, two);
    let (again, said) = compare(&["zoo:lion", "zoo:sgd"], "one", "2");
    assert!(said.contains("6 of 6 studies are in"), "{said}");
    assert_eq!(again, one);
    // One that was cut off in the middle, and more programs: the rest is made.
    let kept = scratch.read("one/studies.jsonl");
    let half: String = kept.lines().take(3).map(|line| format!("{line}\n")).collect();
    std::fs::create_dir(scratch.path("part")).expect("there is room");
    scratch.write("part/studies.jsonl", &(half + "{\"key\": \"cut o"));
    let (mended, said) = compare(&["zoo:lion", "zoo:sgd"], "part", "2");
    assert!(said.contains("3 of 6 studies are in"), "{said}");
    assert_eq!(mended, one);
    let (_, said) = compare(&["zoo:sgd", "zoo:adamw"], "one", "2");
    assert!(said.contains("4 of 4 studies are in"), "{said}");
    let (_, said) = compare(&["zoo:signsgd"], "one", "2");
    assert!(said.contains("2 of 4 studies are in"), "{said}");
}

#[test]
fn the_tasks_of_a_search_are_compared_on_too() {
    let scratch = Scratch::new();
    let config = repository("tests/data/tiny.ron");
    let args = ["compare", "zoo:sgd", "--config", &config, "--quiet", "--json", "--out", "out"];
    let whole = json(&scratch.run(&args).success());
    assert_eq!(whole["tasks"], serde_json::json!(["digits", "teacher"]));
    assert_eq!(whole["config"]["repeats"], 10);
}

#[test]
fn shipped_configurations_of_comparisons_are_valid() {
    let scratch = Scratch::new();
    for (name, expected) in [
        ("configs/compare_small.ron", "10 tasks, 58 runs of each program on each"),
        ("tests/data/compare.ron", "2 tasks, 17 runs of each program on each"),
        ("configs/funnel_small.ron", "stages of 4, 4 tasks"),
        ("tests/data/funnel.ron", "stages of 1, 2 tasks"),
    ] {
        let text = scratch.run(&["validate", &repository(name)]).success();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_nothing_is_written() {
    let scratch = Scratch::new();
    scratch.write("compare.ron", COMPARE);
    scratch.write("spelled.ron", COMPARE.replace("repeats: 8", "repaets: 8"));
    for (config, set, programs, expected) in [
        ("compare.ron", "repeats=0", "zoo:sgd", "--set repeats=0"),
        ("compare.ron", "repeats=2000", "zoo:sgd", "must be at most 1000"),
        ("compare.ron", "tuning.settings=0", "zoo:sgd", "tuning.settings"),
        ("compare.ron", "tasks[0].model=Conv(channels: [])", "zoo:sgd", "`tasks[0].model"),
        ("compare.ron", "points=4", "zoo:sdg", "did you mean `sgd`"),
        ("spelled.ron", "points=4", "zoo:sgd", "spelled.ron:20:5: `repaets`: unknown key"),
        ("absent.ron", "points=4", "zoo:sgd", "absent.ron"),
    ] {
        let args =
            ["compare", programs, "--config", config, "--set", set, "--out", "out", "--quiet"];
        let run = scratch.run(&args);
        assert_eq!(run.code, Some(2), "{set}: {run:?}");
        assert!(run.stderr.contains(expected), "{expected} is not in {}", run.stderr);
        assert!(!scratch.path("out").exists(), "{set}");
    }
}
