//! Cohorts and devices: neither their size nor threads change what is found on a CPU, and a device
//! that is not there is said so before anything is created.

use crate::harness::{Scratch, repository};

/// The smallest search with a short task in front, behind which hurdles are put up.
fn hurdles() -> String {
    let quick = "(name: \"quick\", model: Mlp(hidden: [4]), data: Digits, batch_size: 16, steps: 5, \
                 learning_rate: 16.0, baseline_loss: 2.0),";
    let tiny = include_str!("../data/tiny.ron");
    let tasks = tiny.replacen("tasks: [", &format!("stages: [1], tasks: [{quick}"), 1);
    tasks.replacen("window: 16,", "window: 16, hurdles: (percentile: 40.0, warm_up: 10),", 1)
}

fn digest(scratch: &Scratch, out: &str, more: &[&str]) -> String {
    let base = ["search", "hurdles.ron", "--quiet", "--json", "--out", out];
    let printed = scratch.run(&[base.as_slice(), more].concat()).success();
    let json: serde_json::Value = serde_json::from_str(&printed).expect("it is JSON");
    let stopped = &json["counters"]["stopped"];
    assert!(stopped.as_u64().expect("they are counted") > 0, "{json}");
    json["digest"].as_str().expect("a digest").to_owned()
}

#[test]
fn any_cohort_and_any_number_of_threads_find_the_same() {
    let scratch = Scratch::new();
    scratch.write("hurdles.ron", hurdles());
    let one = digest(&scratch, "one", &["--threads", "1"]);
    for (out, threads, cohort) in [("a", "1", "7"), ("b", "2", "3"), ("c", "8", "16")] {
        let found = digest(&scratch, out, &["--threads", threads, "--cohort", cohort]);
        assert_eq!(found, one, "{threads} threads, cohorts of {cohort}");
    }
    let device = digest(&scratch, "device", &["--device", "cpu"]);
    assert_eq!(device, one);
}

#[test]
fn what_cannot_be_trained_on_is_refused_before_anything_is_created() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let mut cases = vec![
        (vec!["--device", "gpu"], "device `gpu`: not a device"),
        (vec!["--device", "cuda:x"], "device `cuda:x`: not a device"),
        (vec!["--bf16"], "--bf16: for a GPU"),
        (vec!["--cohort", "0"], "at least 1"),
        (vec!["--cohort", "many"], "whole number"),
    ];
    if !cfg!(feature = "cuda") {
        cases.push((vec!["--device", "cuda:0"], "built without CUDA"));
    }
    for (args, expected) in cases {
        for command in ["search", "bench"] {
            let run = scratch.run(&[[command, &tiny].as_slice(), &args].concat());
            assert_eq!(run.code, Some(2), "{run:?}");
            assert!(run.stderr.contains(expected), "{run:?}");
        }
    }
    assert_eq!(scratch.entries(), Vec::<String>::new());
}
