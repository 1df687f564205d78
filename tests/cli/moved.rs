//! Runs on data files: in a project that is moved, and with files that lie elsewhere by now.

use crate::harness::{Run, Scratch};

const TINY: &str = include_str!("../data/tiny.ron");

/// IDX files of 60 images of 4×4 and their labels, as drawn by a seed.
fn write_data(scratch: &Scratch, folder: &str, seed: u32) {
    let mut state = seed;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) % below) as u8
    };
    let labels: Vec<u8> = (0..60).map(|_| draw(10)).collect();
    let pixels: Vec<u8> = (0..60 * 16).map(|_| draw(256)).collect();
    let images = [&[0, 0, 8, 3, 0, 0, 0, 60, 0, 0, 0, 4, 0, 0, 0, 4][..], &pixels].concat();
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 60][..], &labels].concat();
    std::fs::create_dir_all(scratch.path(folder)).expect("there is room");
    scratch.write(&format!("{folder}/images"), images);
    scratch.write(&format!("{folder}/labels"), labels);
}

fn digest(run: Run) -> String {
    let json: serde_json::Value = serde_json::from_str(&run.success()).expect("it is JSON");
    json["digest"].as_str().expect("a report has a digest").to_owned()
}

/// A project with a configuration in one folder and its data in another.
fn project(scratch: &Scratch) {
    write_data(scratch, "project/data", 1);
    std::fs::create_dir_all(scratch.path("project/configs")).expect("there is room");
    let data = "data: Idx(images: \"../data/images\", labels: \"../data/labels\")";
    scratch.write("project/configs/my.ron", TINY.replacen("data: Digits", data, 1));
}

fn search(scratch: &Scratch, candidates: &str, out: &str) -> Run {
    let limit = format!("stopping.candidates={candidates}");
    let config = "project/configs/my.ron";
    scratch.run(&["search", config, "--set", &limit, "--out", out, "--quiet", "--json"])
}

fn resume(scratch: &Scratch, run: &str, more: &[&str]) -> Run {
    let mut args = vec!["resume", run, "--quiet", "--json"];
    args.extend(more);
    scratch.run(&args)
}

#[test]
fn a_project_that_was_moved_resumes_with_its_data() {
    let scratch = Scratch::new();
    project(&scratch);
    let expected = digest(search(&scratch, "60", "whole"));
    search(&scratch, "30", "project/runs/one").success();
    let config = scratch.read("project/runs/one/config.ron");
    assert!(config.contains("images: \"../../data/images\""), "{config}");
    std::fs::rename(scratch.path("project"), scratch.path("my project")).expect("it is there");
    let run = "my project/runs/one";
    let resumed = resume(&scratch, run, &["--set", "stopping.candidates=60"]);
    assert_eq!(digest(resumed), expected);
    assert_eq!(digest(resume(&scratch, run, &[])), expected);
}

#[test]
fn data_that_lies_elsewhere_is_named_and_must_have_the_same_bytes() {
    let scratch = Scratch::new();
    project(&scratch);
    let expected = digest(search(&scratch, "30", "one run"));
    std::fs::rename(scratch.path("project/data"), scratch.path("elsewhere")).expect("it is there");
    let refused = resume(&scratch, "one run", &[]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let hint = "evo resume 'one run' --set 'evaluation.tasks[0].data.images=FILE'";
    assert!(refused.stderr.contains(hint), "{}", refused.stderr);
    // Paths in overrides start at the working directory.
    let images = "evaluation.tasks[0].data.images=elsewhere/images";
    let labels = "evaluation.tasks[0].data.labels=elsewhere/labels";
    let sets = ["--set", images, "--set", labels];
    assert_eq!(digest(resume(&scratch, "one run", &sets)), expected);
    // The run remembers where they are.
    assert_eq!(digest(resume(&scratch, "one run", &[])), expected);
    let data = "evaluation.tasks[0].data=Idx(images: \"other/images\", labels: \"other/labels\")";
    write_data(&scratch, "other", 2);
    let refused = resume(&scratch, "one run", &["--set", data]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for part in
        ["evaluation.tasks[0].data", "other/images", "other data", "fingerprint of `digits`"]
    {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    let refused = resume(&scratch, "one run", &["--set", "evaluation.tasks[0].data=Digits"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("evaluation.tasks[0].data"), "{}", refused.stderr);
    let steps = resume(&scratch, "one run", &["--set", "evaluation.tasks[0].steps=21"]);
    assert!(steps.code == Some(2) && steps.stderr.contains("part of what the run is"), "{steps:?}");
    // Changed where it is, data is refused as well.
    write_data(&scratch, "elsewhere", 3);
    let refused = resume(&scratch, "one run", &[]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("other data"), "{}", refused.stderr);
}

#[test]
fn absolute_paths_stay_and_runs_that_have_them_resume_anywhere() {
    let scratch = Scratch::new();
    write_data(&scratch, "data", 1);
    let absolute = scratch.path("data").display().to_string();
    let data = format!("data: Idx(images: \"{absolute}/images\", labels: \"{absolute}/labels\")");
    scratch.write("my.ron", TINY.replacen("data: Digits", &data, 1));
    let limit = "stopping.candidates=20";
    let args = ["search", "my.ron", "--set", limit, "--out", "run", "--quiet", "--json"];
    let expected = digest(scratch.run(&args));
    assert!(scratch.read("run/config.ron").contains(&format!("{absolute}/images")));
    std::fs::create_dir(scratch.path("below")).expect("there is room");
    std::fs::rename(scratch.path("run"), scratch.path("below/run")).expect("it is there");
    assert_eq!(digest(resume(&scratch, "below/run", &[])), expected);
}
