//! The commands for caches: what they tell, write and remove.

use std::sync::Arc;

use evo::{
    CacheContents, Config, Outcome, OutcomeCache, RunOptions, Score, Trial, run as run_search,
};

use crate::cache::{counted, report};
use crate::harness::{Scratch, repository};

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("it is JSON")
}

/// A cache of two evaluators, and the evaluations of the first.
fn filled(scratch: &Scratch) -> u64 {
    let tiny = repository("tests/data/tiny.ron");
    let search = ["search", &tiny, "--set", "stopping.candidates=60", "--cache", "cache"];
    let (first, _) = report(scratch, "first", &search);
    let other = [&search[..], &["--set", "evaluation.divergence=5.0"]].concat();
    let (second, _) = report(scratch, "other", &other);
    assert_eq!(counted(&second, "cached"), 0);
    counted(&first, "evaluations")
}

#[test]
fn stats_and_exports_have_every_entry_and_whose_it_is() {
    let scratch = Scratch::new();
    let evaluations = filled(&scratch);
    let (bytes, before) = (std::fs::read(scratch.path("cache")).ok(), scratch.entries());
    let stats = json(&scratch.run(&["cache", "stats", "cache", "--json"]).success());
    let of = &stats["evaluators"];
    assert_eq!((&of[0]["domain"], &of[0]["entries"]), (&"optimizers".into(), &evaluations.into()));
    assert_eq!((&of[0]["lookups"], &of[0]["hits"]), (&evaluations.into(), &0.into()));
    assert!(of[0]["evaluator"].as_str().is_some_and(|it| it.starts_with("digits, on ")));
    assert_ne!(of[0]["fingerprint"], of[1]["fingerprint"]);
    let text = scratch.run(&["cache", "stats", "cache"]).success();
    let fingerprint = of[1]["fingerprint"].as_str().expect("it is text");
    assert!(text.contains(fingerprint) && text.contains("v2"), "{text}");
    let lines = scratch.run(&["cache", "export", "cache"]).success();
    assert_eq!(lines.lines().count() as u64, stats["entries"].as_u64().expect("a number"));
    // In the order in which evaluations ended, which is not that of births: any may be the first.
    let mut entries = lines.lines().map(json);
    let first = entries.find(|it| it["fitness"].is_number()).expect("the start program trains");
    assert_eq!(first["fingerprint"], of[0]["fingerprint"]);
    let fitness = first["fitness"].as_f64().expect("it is a number");
    assert_eq!(first["outcome"]["Scored"]["fitness"].as_f64(), Some(fitness));
    let program = scratch.write("start.py", first["program"].as_str().expect("it is text"));
    let hash = scratch.run(&["show", "--hash", program.to_str().expect("UTF-8")]).success();
    assert!(hash.contains(first["structure"].as_str().expect("it is text")), "{hash}");
    let table = scratch.run(&["cache", "export", "cache", "--format", "csv"]).success();
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let headings = rows.headers().expect("there are some").clone();
    assert_eq!(headings.iter().next_back(), Some("program"));
    assert_eq!(rows.records().count(), lines.lines().count());
    scratch.run(&["cache", "verify", "cache"]).success();
    // Looking changes nothing, and makes nothing beside it but the test's own program.
    assert_eq!(std::fs::read(scratch.path("cache")).ok(), bytes);
    let others = scratch.entries().into_iter().filter(|name| name != "start.py");
    assert_eq!(others.collect::<Vec<_>>(), before);
}

#[test]
fn what_is_pruned_is_evaluated_again_and_nothing_else_is() {
    let scratch = Scratch::new();
    let evaluations = filled(&scratch);
    let stats = json(&scratch.run(&["cache", "stats", "cache", "--json"]).success());
    let fingerprint = stats["evaluators"][0]["fingerprint"].as_str().expect("it is text");
    for (args, words) in [
        (&["--fingerprint", "zz"][..], "has none of it"),
        (&["--domain", "learners"], "no outcomes of that kind"),
        (&["--structure-version", "1"], "no outcomes of that kind"),
        (&[], "required"),
    ] {
        let run = scratch.run(&[&["cache", "prune", "cache"], args].concat());
        assert!(run.code == Some(2) && run.stderr.contains(words), "{args:?}: {run:?}");
    }
    let prune = ["cache", "prune", "cache", "--fingerprint", &fingerprint[..8], "--json"];
    let pruned = json(&scratch.run(&prune).success());
    assert_eq!(pruned["removed"], evaluations);
    let tiny = repository("tests/data/tiny.ron");
    let search = ["search", &tiny, "--set", "stopping.candidates=60", "--cache", "cache"];
    assert_eq!(counted(&report(&scratch, "again", &search).0, "cached"), 0);
    let other = [&search[..], &["--set", "evaluation.divergence=5.0"]].concat();
    let (other, _) = report(&scratch, "others", &other);
    assert_eq!(counted(&other, "cached"), counted(&other, "evaluations"));
}

#[test]
fn a_damaged_entry_is_named_with_the_command_that_removes_it() {
    let scratch = Scratch::new();
    filled(&scratch);
    let connection = rusqlite::Connection::open(scratch.path("cache")).expect("it is there");
    let text = "UPDATE outcomes SET program = program || '#' WHERE number IN (3, 7)";
    connection.execute(text, []).expect("it can be written");
    drop(connection);
    let tiny = repository("tests/data/tiny.ron");
    for args in
        [&["search", &tiny, "--out", "run", "--cache", "cache"][..], &["cache", "verify", "cache"]]
    {
        let run = scratch.run(args);
        let words = "2 of its entries are not what was written, the first is number 3";
        assert!(run.code == Some(2) && run.stderr.contains(words), "{run:?}");
        assert!(run.stderr.contains("evo cache prune"), "{run:?}");
    }
    assert!(!scratch.path("run").exists());
    assert_eq!(scratch.run(&["cache", "export", "cache"]).code, Some(2));
    scratch.run(&["cache", "prune", "cache", "--damaged"]).success();
    scratch.run(&["cache", "verify", "cache"]).success();
}

#[test]
fn outcomes_that_are_not_found_again_are_listed_and_are_exit_code_1() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let evaluations = filled(&scratch);
    let verify = ["cache", "verify", "cache", "--config", &tiny, "--sample", "7"];
    let told = scratch.run(&verify).success();
    assert!(told.contains(&format!("7 of {evaluations} by this")), "{told}");
    // Whose evaluator lies: a cache under the key of the other one.
    let contents = CacheContents::read(&scratch.path("cache")).expect("it is sound");
    let key = contents.evaluators().expect("it is sound").remove(0).key;
    let false_path = scratch.path("false");
    let cache = Arc::new(OutcomeCache::open(&false_path, key, None).expect("it is made"));
    let sets = ["stopping.candidates=60".to_owned()];
    let config = Config::load_with_baselines(tiny.as_ref(), &sets).expect("it is sound");
    let mut search = config.search().expect("it is sound").with_cache(Arc::clone(&cache));
    run_search(&mut search, &Liar, &mut (), &RunOptions::default()).expect("there is no store");
    drop((search, cache));
    let run = scratch.run(&["cache", "verify", "false", "--config", &tiny, "--json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let told = json(&run.stdout);
    let differences = told["differences"].as_array().expect("a list");
    assert_eq!(differences.len() as u64, told["evaluated"].as_u64().expect("a number"));
    assert!(differences[0]["kept"].as_str().is_some_and(|it| it.contains("fitness: 0.125")));
    let run = scratch.run(&["cache", "verify", "false", "--config", &tiny]);
    assert!(run.code == Some(1) && run.stdout.contains("came out otherwise"), "{run:?}");
    let other = ["--set", "evaluation.tasks[0].steps=9"];
    let run = scratch.run(&[&verify[..], &other].concat());
    assert!(run.code == Some(2) && run.stderr.contains("no outcome by this"), "{run:?}");
}

/// An evaluator that is not what it says.
struct Liar;

impl evo::Evaluator<evo::Program> for Liar {
    fn evaluate(&self, cohort: &[Trial<'_, evo::Program>]) -> Vec<Outcome> {
        cohort.iter().map(|_| Outcome::Scored(Score::new(0.125, vec![1.0]))).collect()
    }

    fn depends_on(&self) -> evo::DependsOn {
        evo::DependsOn::Behaviour
    }
}
