//! How far the tasks of a search tell which programs are better on other tasks.

use crate::harness::{Scratch, repository};

#[test]
fn a_panel_is_ranked_by_every_way_to_score_and_by_the_targets() {
    let scratch = Scratch::new();
    let (tiny, targets) = (repository("tests/data/tiny.ron"), repository("tests/data/compare.ron"));
    scratch.run(&["search", &tiny, "--out", "run", "--quiet"]).success();
    scratch.write("still.py", "def train(w, g, lr):\n  u = g * 0.0\n  return u\n");
    let args = [
        "audit",
        &tiny,
        "--targets",
        &targets,
        "--set-target",
        "repeats=3",
        "--panel",
        "zoo:lion",
        "zoo:adamw",
        "zoo:sgd",
        "still.py",
        "variants:3",
        "4@run",
        "--out",
        "out",
    ];
    let with = |more: &[&str]| scratch.run(&[&args[..], more].concat());
    let text = with(&["--threads", "1"]).success();
    for expected in ["as configured", "twice the steps", "best of five multiples", "each task"] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    let audit: serde_json::Value =
        serde_json::from_str(&scratch.read("out/audit.json")).expect("it is JSON");
    let panel = audit["panel"].as_array().expect("a list");
    assert!((10..=11).contains(&panel.len()), "{panel:?}");
    let tau = audit["ways"][0]["whole"]["tau"]["value"].as_f64().expect("not all tie");
    assert!((-1.0..=1.0).contains(&tau));
    // Clocks aside it is the same again, from what is kept, on two threads.
    let mut again: serde_json::Value =
        serde_json::from_str(&with(&["--threads", "2", "--quiet", "--json"]).success())
            .expect("it is JSON");
    let mut first = audit;
    for audit in [&mut first, &mut again] {
        for way in audit["ways"].as_array_mut().expect("a list") {
            way["whole"]["seconds"].take();
            for part in ["alone", "without"] {
                for task in way[part].as_array_mut().expect("a list") {
                    task[1]["seconds"].take();
                }
            }
        }
    }
    assert_eq!(again, first);
    let some = with(&["--quiet", "--way", "configured", "multiples"]).success();
    assert!(some.contains("as configured") && some.contains("best of five multiples"), "{some}");
    assert!(!some.contains("twice the steps"), "{some}");
}

#[test]
fn a_panel_that_cannot_be_ranked_is_refused() {
    let scratch = Scratch::new();
    let (tiny, targets) = (repository("tests/data/tiny.ron"), repository("tests/data/compare.ron"));
    for (panel, expected) in [
        (&["zoo:lion", "zoo:lion", "zoo:sgd"][..], "2 programs that differ are too few"),
        (&["variants:many"], "`many` is no number"),
        (&["zoo:loin", "zoo"], "did you mean `lion`"),
        (&["5@absent", "zoo"], "absent"),
    ] {
        let args = ["audit", &tiny, "--targets", &targets, "--out", "out", "--panel"];
        let run = scratch.run(&[&args[..], panel].concat());
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(expected), "{expected} is not in {}", run.stderr);
        assert!(!scratch.path("out").exists());
    }
    let unknown = ["audit", &tiny, "--targets", &targets, "--out", "out", "--way", "by luck"];
    let run = scratch.run(&unknown);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("--way by luck: there are as configured; half"), "{}", run.stderr);
}
