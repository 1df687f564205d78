//! Runs of a host: the results, the directories and the refusals of the command line.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use evo::hosted::{
    BeginOptions, HostErrorKind, HostedRun, Out, ResumeOptions, begin, cores, evaluator, resume,
};
use evo::{ConfigText, DependsOn, Outcome, Score};

use crate::harness::{Scratch, repository};

fn tiny() -> ConfigText {
    ConfigText::read(repository("tests/data/tiny.ron").as_ref()).expect("it is there")
}

fn overrides() -> Vec<String> {
    vec!["stopping.candidates=60".to_owned()]
}

/// Asks and tells, the latest first, for so many outcomes at most.
fn drive(run: &mut dyn HostedRun, most: usize, mut outcome: impl FnMut(&Asked) -> Outcome) {
    let (mut waiting, mut told) = (Vec::new(), 0);
    while told < most {
        waiting.extend(run.ask(5).expect("the store works"));
        let Some(last) = waiting.pop() else { break };
        run.tell(last.birth, outcome(&last)).expect("it is awaited");
        told += 1;
    }
}

type Asked = evo::hosted::HostedCandidate;

fn brevity(asked: &Asked) -> Outcome {
    Outcome::Scored(Score::new(-(asked.program.length() as f64), Vec::new()))
}

#[test]
fn a_host_that_tells_in_its_own_order_gets_the_run_of_the_command_line() {
    let scratch = Scratch::new();
    let (config, limit) = (repository("tests/data/tiny.ron"), &overrides()[0]);
    let args = ["search", &config, "--set", limit, "--out", "cli", "--quiet", "--json"];
    let json: serde_json::Value =
        serde_json::from_str(&scratch.run(&args).success()).expect("it is JSON");

    let judge = evaluator(&tiny(), &overrides()).expect("it is a configuration");
    let out = Out::At(scratch.path("hosted"));
    let options = BeginOptions { overrides: overrides(), out, objective: None };
    let mut run = begin(&tiny(), &options).expect("it is a configuration");
    let go_on = AtomicBool::new(false);
    // Put down in the middle and taken up again.
    let mut score = |asked: &Asked| {
        let outcomes = judge.evaluate(std::slice::from_ref(asked), cores(None), &go_on);
        outcomes.expect("it is an optimizer").remove(0)
    };
    drive(&mut *run, 10, &mut score);
    run.commit().expect("the store can be written");
    drop(run);
    let mut run = resume(&scratch.path("hosted"), &ResumeOptions::default()).expect("it goes on");
    drive(&mut *run, usize::MAX, &mut score);
    assert!(run.is_finished() && run.in_flight() == 0);
    run.finish(cores(None)).expect("it is written");
    assert_eq!(json["digest"], run.digest());
    drop(run);
    for file in ["hall_of_fame.csv", "best.py"] {
        assert_eq!(scratch.read(&format!("hosted/{file}")), scratch.read(&format!("cli/{file}")));
    }
}

fn begin_by_brevity(out: &Path) -> Box<dyn HostedRun> {
    let objective = Some(("brevity".to_owned(), DependsOn::Structure));
    let structural = "deduplication.level=Structural".to_owned();
    let overrides = vec![overrides().remove(0), structural];
    let options = BeginOptions { overrides, out: Out::At(out.to_owned()), objective };
    begin(&tiny(), &options).expect("it is a configuration")
}

#[test]
fn a_run_by_an_objective_goes_on_under_its_name_alone() {
    let scratch = Scratch::new();
    let mut whole = begin_by_brevity(&scratch.path("whole"));
    drive(&mut *whole, usize::MAX, brevity);
    drive(&mut *begin_by_brevity(&scratch.path("run")), 7, brevity);

    let refused = scratch.run(&["resume", "run"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("objective `brevity`"), "{}", refused.stderr);
    let named =
        |name: &str| ResumeOptions { objective: Some(name.to_owned()), ..ResumeOptions::default() };
    let error = resume(&scratch.path("run"), &named("speed")).err().expect("another objective");
    assert_eq!(error.kind, HostErrorKind::Search);
    assert!(error.message.contains("`brevity`"), "{error}");

    let mut run = resume(&scratch.path("run"), &named("brevity")).expect("it is the same");
    assert_eq!(run.about().depends_on, DependsOn::Structure);
    drive(&mut *run, usize::MAX, brevity);
    assert_eq!(run.digest(), whole.digest());
    let told = run.evaluations().expect("it has a store");
    assert_eq!(told.len() as u64, run.counters().evaluations);
}

#[test]
fn a_text_in_memory_is_refused_by_line_and_key() {
    let text = "(\n  seed: 1,\n  strategi: 3,\n)";
    let text = ConfigText::in_memory(text, "".as_ref()).expect("it holds something");
    let error = begin(&text, &BeginOptions::default()).err().expect("no such key");
    assert_eq!(error.kind, HostErrorKind::Config);
    assert!(error.message.starts_with("<config>:3:3: `strategi`: unknown key"), "{error}");
    let json = r#"{"start": "zoo:lion", "stopping": {"candidates": 5},
        "strategy": {"RegularizedEvolution": {"population": 9}}}"#;
    let error = ConfigText::from_json(json, "".as_ref()).expect_err("a key is missing");
    let key = "`strategy.RegularizedEvolution.tournament`: is missing";
    assert!(error.to_string().contains(key), "{error}");
    let json = json.replace('9', "9, \"tournament\": 3");
    let text = ConfigText::from_json(&json, "".as_ref()).expect("an objective may score it");
    let error = begin(&text, &BeginOptions::default()).err().expect("nothing scores it");
    assert!(error.message.contains("`evaluation`: is missing"), "{error}");
    let json = r#"{"strategy": {"RegularizedEvolution": {"population": -1}}}"#;
    let error = ConfigText::from_json(json, "".as_ref()).expect_err("no such number");
    assert!(error.to_string().contains("`strategy.RegularizedEvolution.population`"), "{error}");
}

#[test]
fn an_objective_has_hurdles_where_the_evaluation_of_its_domain_has_no_stages() {
    let scratch = Scratch::new();
    for name in ["expression_nguyen", "learner_linear", "graph_digits"] {
        let path = repository(&format!("configs/{name}.ron"));
        let text = ConfigText::read(path.as_ref()).expect("it is there");
        let overrides = ["deduplication.level=Structural", "held_out=()", "window=16"]
            .into_iter()
            .chain(["stopping=(candidates: 150)", "hurdles=(percentile: 50.0, warm_up: 10)"])
            .chain(["keep=Births"])
            .map(str::to_owned)
            .collect::<Vec<String>>();
        let scored = BeginOptions { overrides: overrides.clone(), ..BeginOptions::default() };
        let error = begin(&text, &scored).err().expect("no stages to test behind");
        assert!(error.message.contains("`hurdles.percentile`"), "{error}");

        let out = scratch.path(name);
        let objective = Some(("a number".to_owned(), DependsOn::Structure));
        let options = BeginOptions { overrides, out: Out::At(out.clone()), objective };
        let mut run = begin(&text, &options).expect("an objective has stages of its own");
        drive(&mut *run, 60, staged);
        drop(run);
        let mut run = resume(&out, &ResumeOptions::default()).expect("it goes on");
        drive(&mut *run, usize::MAX, staged);
        run.finish(cores(None)).expect("it is written");
        assert!(run.counters().stopped > 5, "{name}: {:?}", run.counters());
        let digest = run.digest();
        drop(run);

        let run = resume(&out, &ResumeOptions::default()).expect("it is looked at");
        assert_eq!((run.is_finished(), run.digest()), (true, digest), "{name}, once it has ended");
    }
    let refused = scratch.run(&["recheck", "graph_digits"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("objective `a number`"), "{}", refused.stderr);
}

/// A fitness that the structure decides, a stage before it, and what hurdles make of that.
fn staged(asked: &Asked) -> Outcome {
    let hash = asked.program.structural_hash().to_string();
    let number = u32::from_str_radix(&hash[..6], 16).expect("a hash is hexadecimal");
    let fitness = f64::from(number);
    let score = Score { stages: vec![fitness], ..Score::new(fitness, Vec::new()) };
    let whole = Outcome::Scored(score);
    whole.stopped_by(&asked.hurdles).map_or(whole, Outcome::Stopped)
}

#[test]
fn evaluations_that_are_cancelled_are_not_begun() {
    let judge = evaluator(&tiny(), &overrides()).expect("it is a configuration");
    let mut run = begin(&tiny(), &BeginOptions::default()).expect("it is a configuration");
    let asked = run.ask(3).expect("nothing is stored");
    let error = judge.evaluate(&asked, cores(None), &AtomicBool::new(true));
    assert!(error.expect_err("it was cancelled").message.contains("cancelled"));
}
