//! Ablations: every arm with the same seeds, what is told of it, kept, gone on with and refused.

use serde_json::Value;

use crate::harness::{Running, Scratch, repository};

/// The files that no clock has a say in.
const WITHOUT_CLOCKS: [&str; 8] = [
    "legs.jsonl",
    "ablation.json",
    "ablation.csv",
    "budgets.csv",
    "curves.csv",
    "fitness-evaluations.svg",
    "fitness-evaluations-dark.svg",
    "hits.svg",
];

/// Limits of a run.
const LONG: &str = "stopping=(candidates: 400)";
const SHORT: &str = "stopping=(candidates: 150)";

/// The arguments of a small ablation into `out`.
fn arguments<'a>(config: &'a str, out: &'a str, threads: &'a str, limit: &'a str) -> Vec<&'a str> {
    let mut args = vec!["ablate", config, "--out", out, "--threads", threads, "--seeds", "2"];
    args.extend(["--set", limit, "--at", "20,100", "--mantissa", "2"]);
    args.extend(["--arm", "narrow: window=4; deduplication.recheck=0.5"]);
    args
}

#[test]
fn the_table_is_complete_and_every_arm_is_what_it_says() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let args = [&arguments(&tiny, "out", "2", LONG)[..], &["--json", "--quiet"]].concat();
    let printed = scratch.run(&args).success();
    let printed: Value = serde_json::from_str(&printed).expect("it is JSON");
    let arms = printed["arms"].as_array().expect("a list");
    let names: Vec<&str> = arms.iter().filter_map(|arm| arm["arm"].as_str()).collect();
    assert_eq!(names, ["off", "structural", "functional", "narrow", "mantissa 2"]);
    let number = |place: usize, key: &str| arms[place][key].as_f64().expect("a number");
    for place in 0..5 {
        assert_eq!((number(place, "candidates"), &arms[place]["seeds"]), (400.0, &2.into()));
        let hits = number(place, "structural_hits") + number(place, "functional_hits");
        let evaluated = number(place, "evaluations") / 400.0;
        assert!((hits + evaluated - 1.0).abs() < 1e-9, "{arms:?}");
        assert!((number(place, "saved") * evaluated - 1.0).abs() < 1e-9, "{arms:?}");
        let seconds = printed["times"][place]["seconds"].as_f64().expect("a number");
        let hashing = printed["times"][place]["hashing_share"].as_f64().expect("a number");
        assert!(seconds > 0.0 && hashing > 0.0 && hashing < 1.0, "{printed}");
    }
    assert_eq!((number(0, "saved"), number(0, "rechecked")), (1.0, 0.0));
    assert!(number(1, "structural_hits") > 0.1 && number(1, "functional_hits") == 0.0);
    assert!(number(2, "functional_hits") > 0.0 && number(2, "saved") > number(1, "saved"));
    assert!(number(3, "rechecked") > number(2, "rechecked"), "half of its hits are rechecked");
    assert!(number(4, "structures_per_behaviour") >= number(2, "structures_per_behaviour"));
    assert_eq!(number(1, "structures_per_behaviour"), 1.0);
    assert!(number(0, "reached_target") >= 1.0, "the target is what it ends with");
    assert_eq!(printed["budgets"].as_array().map(Vec::len), Some(5 * 2));
    let rows = |name: &str| scratch.read(&format!("out/{name}")).lines().count() - 1;
    assert_eq!((rows("ablation.csv"), rows("times.csv"), rows("budgets.csv")), (5, 5, 10));
    assert!(rows("curves.csv") > 10 * 100);
    let (light, dark) = (scratch.read("out/hits.svg"), scratch.read("out/hits-dark.svg"));
    assert!(light.starts_with("<svg xmlns=") && dark.starts_with("<svg xmlns=") && light != dark);
    let table = scratch.run(&arguments(&tiny, "out", "2", LONG));
    assert!(!table.stderr.contains("with seed"), "all is kept: {}", table.stderr);
    let table = table.success();
    for part in ["functional", "saved", "to target", "hashing", "best behind"] {
        assert!(table.contains(part), "{part} is not in:\n{table}");
    }
}

#[test]
fn killed_interrupted_and_on_other_threads_the_files_are_the_same() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    scratch.run(&arguments(&tiny, "whole", "2", SHORT)).success();
    let legs = |out: &str| {
        let path = scratch.path(&format!("{out}/legs.jsonl"));
        std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
    };
    let mut running = Running::begin(scratch.command(&arguments(&tiny, "cut", "1", SHORT)));
    running.wait_until(|| legs("cut") >= 2);
    running.kill();
    let mut running = Running::begin(scratch.command(&arguments(&tiny, "cut", "1", SHORT)));
    running.wait_until(|| legs("cut") >= 4);
    running.signal("-INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("go on with the same command"), "{said}");
    assert!(legs("cut") < 10, "it was interrupted");
    let again = scratch.run(&arguments(&tiny, "cut", "1", SHORT));
    assert!(again.stderr.matches("with seed").count() < 8, "{}", again.stderr);
    again.success();
    for name in WITHOUT_CLOCKS {
        let read = |out: &str| scratch.read(&format!("{out}/{name}"));
        assert!(read("cut") == read("whole"), "{name} differs");
    }
}

#[test]
fn a_bad_arm_is_refused_by_its_name_before_anything_runs() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let refused = |extra: &[&str], words: &[&str]| {
        let run = scratch.run(&[&["ablate", &tiny, "--out", "out"], extra].concat());
        assert_eq!((run.code, scratch.path("out").exists()), (Some(2), false), "{run:?}");
        for word in words {
            assert!(run.stderr.contains(word), "{word} is not in {}", run.stderr);
        }
    };
    refused(&["--arm", "odd: windw=3"], &["arm `odd`", "windw", "did you mean `window`?"]);
    refused(&["--arm", "odd: deduplication.recheck=2"], &["arm `odd`", "must be 0 to 1"]);
    refused(&["--arm", "off: window=3"], &["two arms named `off`"]);
    refused(&["--mantissa", "99"], &["arm `mantissa 99`", "must be 1 to 23"]);
    refused(&["--only"], &["there is no arm"]);
    let linear = repository("configs/learner_linear.ron");
    let run = scratch.run(&["ablate", &linear, "--out", "out", "--mantissa", "4"]);
    assert!(run.code == Some(2) && run.stderr.contains("--mantissa"), "{run:?}");
}

#[test]
fn expressions_and_learners_are_ablated_too_and_a_level_that_does_not_suit_is_left_out() {
    let scratch = Scratch::new();
    let nguyen = repository("configs/expression_nguyen.ron");
    let args = ["ablate", &nguyen, "--out", "e", "--seeds", "1", "--set"];
    let run = scratch.run(&[&args[..], &["stopping=(candidates: 600)"]].concat());
    assert!(run.stderr.contains("functional is left out"), "{}", run.stderr);
    let table = run.success();
    assert!(table.contains("structural") && !table.contains("\nfunctional"), "{table}");
    let linear = repository("configs/learner_linear.ron");
    let mut args = vec!["ablate", &linear, "--out", "l", "--seeds", "1", "--json", "--quiet"];
    args.extend(["--set", "stopping=(candidates: 3000)", "--set", "held_out=()"]);
    args.extend(["--set", "restarts=()", "--set", "keep=Births"]);
    let printed: Value = serde_json::from_str(&scratch.run(&args).success()).expect("it is JSON");
    assert_eq!(printed["arms"].as_array().map(Vec::len), Some(3));
    assert!(printed["arms"][2]["saved"].as_f64() > printed["arms"][0]["saved"].as_f64());
}
