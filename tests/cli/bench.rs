//! `evo bench`, and what it costs to search at the size of the Lion paper.

use crate::harness::{Scratch, repository};

#[test]
fn every_task_has_its_rate_and_shares_that_add_up() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let args = ["bench", &tiny, "--seconds", "0.05", "--threads", "2", "--json"];
    let printed = scratch.run(&args).success();
    let json: serde_json::Value = serde_json::from_str(&printed).expect("it is JSON");
    assert_eq!((json["device"].as_str(), json["threads"].as_u64()), (Some("cpu"), Some(2)));
    let tasks = json["tasks"].as_array().expect("a list");
    let names: Vec<_> = tasks.iter().map(|task| task["task"].as_str()).collect();
    assert_eq!(names, [Some("digits"), Some("teacher")]);
    assert_eq!(tasks[0]["parameters"], 64 * 8 + 8 + 8 * 10 + 10);
    let mut seconds = 0.0;
    for task in tasks {
        let number = |key: &str| task[key].as_f64().expect("a number");
        assert!(number("steps_per_second_on_all_threads") > 0.0);
        let run = number("steps") / number("steps_per_second");
        assert!((number("run_seconds") / run - 1.0).abs() < 1e-9);
        let shares = task["shares"].as_array().expect("a list");
        assert_eq!(shares.len(), 5);
        let shares: Vec<f64> = shares.iter().map(|it| it.as_f64().expect("a number")).collect();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{shares:?}");
        assert!(shares.iter().all(|share| *share > 0.0), "{shares:?}");
        if task["held_out"] == false {
            seconds += run;
        }
    }
    let evaluation = json["evaluation_seconds"].as_f64().expect("a number");
    assert!((evaluation / seconds - 1.0).abs() < 1e-9);
    assert_eq!(scratch.entries(), Vec::<String>::new());
}

#[test]
fn the_table_names_the_program_and_bad_times_are_refused() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let args = ["bench", &tiny, "--seconds", "0.02", "--threads", "1", "--program", "zoo:lion"];
    let printed = scratch.run(&args).success();
    assert!(printed.starts_with("zoo:lion on cpu"), "{printed}");
    assert!(printed.contains("held out: teacher"), "{printed}");
    for seconds in ["0", "-1", "nan", "soon"] {
        let run = scratch.run(&["bench", &tiny, &format!("--seconds={seconds}")]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains("--seconds"), "{run:?}");
    }
}

#[test]
fn the_proxies_of_the_lion_paper_are_priced_and_trained_at_their_size() {
    let scratch = Scratch::new();
    let config = repository("configs/lion_paper.ron");
    let printed = scratch.run(&["search", &config, "--dry-run"]).success();
    assert!(printed.contains("one evaluation: "), "{printed}");
    assert!(printed.contains("vision ") && printed.contains("language "), "{printed}");
    assert_eq!(scratch.entries(), Vec::<String>::new());
    let sets =
        ["evaluation.tasks[0].steps=2", "evaluation.tasks[1].steps=2", "stopping.candidates=2"];
    let mut args = vec!["search", &config, "--quiet", "--json"];
    args.extend(sets.iter().flat_map(|set| ["--set", set]));
    let printed = scratch.run(&args).success();
    let json: serde_json::Value = serde_json::from_str(&printed).expect("it is JSON");
    assert_eq!(json["comparison"]["tasks"], serde_json::json!(["vision", "language"]));
    assert!(json["comparison"]["programs"][0]["fitness"].is_number(), "AdamW trains both");
}
