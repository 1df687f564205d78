//! Readouts through the command line: searched for, resumed, exported, and refused where there are
//! none.

use evo::{Dataflow, Program};
use serde_json::Value;

use crate::harness::{Scratch, repository};

#[test]
fn a_search_comes_to_validate_with_other_weights_and_resumes_to_the_same() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let report = |printed: String| -> Value { serde_json::from_str(&printed).expect("it is JSON") };
    let search = |out: &str, limit: &str, threads: &str| {
        let base = ["search", &tiny, "--out", out, "--quiet", "--json", "--threads", threads];
        let sets = ["--set", "mutation.readout=true", "--set", limit];
        report(scratch.run(&[&base[..], &sets].concat()).success())
    };
    let whole = search("whole", "stopping.candidates=600", "1");
    search("part", "stopping.candidates=250", "2");
    let args = ["resume", "part", "--set", "stopping.candidates=600", "--quiet", "--json"];
    let resumed = report(scratch.run(&args).success());
    assert_eq!(resumed["digest"], whole["digest"]);
    let start = Program::parse(&scratch.run(&["show", "whole:0"]).success());
    let start = start.expect("it is a program");
    assert!(start.signature().has_readout(), "{start}");
    let hall = scratch.read("whole/hall_of_fame.csv");
    let found = hall.matches("return (").count();
    assert!(found > 0, "{hall}");
    let best = Program::parse(&scratch.read("whole/best.py")).expect("it is a program");
    let exported = scratch.run(&["export", "whole", "--to", "torch"]).success();
    let reads_out = Dataflow::of(&best).readout().is_some();
    assert_eq!(exported.contains("def eval(self):"), reads_out, "{best}");
}

#[test]
fn readouts_are_for_optimizers_and_need_room_for_a_statement() {
    let scratch = Scratch::new();
    let nguyen = repository("configs/expression_nguyen.ron");
    scratch.assert_refused(&nguyen, "mutation.readout=true", "mutation.readout", "unknown key");
    let tiny = repository("tests/data/tiny.ron");
    let room = ["validate", &tiny, "--set", "mutation.max_statements=9"];
    scratch.run(&room).success();
    let sets = [&room[..], &["--set", "mutation.readout=true"]].concat();
    let full = scratch.run(&sets);
    assert!(full.code == Some(2) && full.stderr.contains("mutation.max_statements"), "{full:?}");
}
