//! Runs that share a cache on disk: less is evaluated, and nothing else is different.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::harness::{Running, Scratch, repository, stored_births};

/// A limit that no test comes to.
const NEVER: &str = "stopping.candidates=100000000";

/// What a run reports, and its hall of fame.
pub(crate) fn report(scratch: &Scratch, out: &str, args: &[&str]) -> (serde_json::Value, String) {
    let mut all = args.to_vec();
    all.extend(["--out", out, "--quiet", "--json"]);
    let printed = scratch.run(&all).success();
    let json = serde_json::from_str(&printed).expect("it is JSON");
    (json, scratch.read(&format!("{out}/hall_of_fame.csv")))
}

pub(crate) fn counted(report: &serde_json::Value, counter: &str) -> u64 {
    report["counters"][counter].as_u64().expect("it is counted")
}

/// Outcomes in a cache, of each evaluator in the order in which they came.
fn entries(cache: &Path) -> Vec<u64> {
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let counts = || -> rusqlite::Result<Vec<u64>> {
        let connection = Connection::open_with_flags(cache, read_only)?;
        let text = "SELECT COUNT(*) FROM outcomes GROUP BY evaluator ORDER BY evaluator";
        let mut statement = connection.prepare(text)?;
        statement.query_map([], |row| row.get::<_, i64>(0).map(|it| it as u64))?.collect()
    };
    // At first there is no file.
    counts().unwrap_or_default()
}

#[test]
fn a_second_run_is_the_first_one_again_and_evaluates_nothing() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let (cold, table) = report(&scratch, "cold", &["search", &tiny]);
    let search = ["search", &tiny, "--cache", "outcomes.cache"];
    let (first, of_first) = report(&scratch, "first", &search);
    let (second, of_second) = report(&scratch, "second", &search);
    assert_eq!((&of_first, &of_second), (&table, &table));
    assert_eq!((&first["digest"], &second["digest"]), (&cold["digest"], &cold["digest"]));
    let evaluations = counted(&cold, "evaluations");
    assert_eq!((counted(&first, "cached"), counted(&second, "cached")), (0, evaluations));
    assert_eq!(entries(&scratch.path("outcomes.cache")), [evaluations]);
    // People are told, too.
    let run = scratch.run(&[&search[..], &["--out", "third"]].concat());
    let told = format!("{evaluations} of {evaluations} lookups found, 0 outcomes added");
    assert!(run.stderr.contains(&told) && run.stderr.contains("100% cached"), "{}", run.stderr);
    let printed = run.success();
    let told = format!("{evaluations} evaluated ({evaluations} answered by the cache)");
    assert!(printed.contains(&told), "{printed}");
    scratch.run(&["report", "third"]).success();
    assert!(scratch.read("third/report.html").contains("answered by a cache"));
}

#[test]
fn another_seed_finds_what_it_would_have_found_and_evaluates_less() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let search = ["search", &tiny, "--cache", "outcomes.cache"];
    for seed in ["1", "2", "3"] {
        let out = format!("of-{seed}");
        report(&scratch, &out, &[&search[..], &["--seed", seed]].concat());
    }
    let (cold, table) = report(&scratch, "cold", &["search", &tiny]);
    let (warm, of_warm) = report(&scratch, "warm", &search);
    assert_eq!((of_warm, &warm["digest"]), (table, &cold["digest"]));
    assert!(counted(&warm, "cached") > 3, "{warm}");
    assert_eq!(counted(&warm, "evaluations"), counted(&cold, "evaluations"));
}

#[test]
fn expressions_and_learners_share_outcomes_and_never_those_of_other_data() {
    let scratch = Scratch::new();
    let table = |offset: f64| {
        let row = |x: i32| format!("{x},{:?}\n", f64::from(x * x) + offset);
        format!("x,y\n{}", (0..20).map(row).collect::<String>())
    };
    scratch.write("points.csv", table(0.0));
    let expressions = "(domain: Expressions,
        strategy: RegularizedEvolution(population: 30, tournament: 3),
        evaluation: (tasks: [(data: Csv(path: \"points.csv\", target: \"y\"))]),
        stopping: (candidates: 400))";
    scratch.write("expressions.ron", expressions);
    let set = "(tasks: 2, examples: 20, validation: 20)";
    let learners = format!(
        "(domain: Learners, start: \"empty\", seed: 1, window: 16,
          strategy: RegularizedEvolution(population: 20, tournament: 4),
          evaluation: (problem: Linear, features: 4, search: {set}, select: {set}, final: {set}),
          stopping: (candidates: 400))"
    );
    scratch.write("learners.ron", learners);
    for config in ["expressions.ron", "learners.ron"] {
        let (cold, _) = report(&scratch, &format!("cold-{config}"), &["search", config]);
        let search = ["search", config, "--cache", "outcomes.cache"];
        let (first, _) = report(&scratch, &format!("first-{config}"), &search);
        let (second, _) = report(&scratch, &format!("second-{config}"), &search);
        assert_eq!((&first["digest"], &second["digest"]), (&cold["digest"], &cold["digest"]));
        assert_eq!(counted(&first, "cached"), 0, "{config}");
        assert_eq!(counted(&second, "cached"), counted(&cold, "evaluations"), "{config}");
        let told = scratch.run(&["cache", "verify", "outcomes.cache", "--config", config]);
        assert!(told.success().contains("all the same, to the bit"), "{config}");
    }
    // The same file with other bytes.
    scratch.write("points.csv", table(0.5));
    let search = ["search", "expressions.ron", "--cache", "outcomes.cache"];
    assert_eq!(counted(&report(&scratch, "other", &search).0, "cached"), 0);
    for set in ["evaluation.fit_constants=2", "evaluation.loss=Normalised"] {
        let search = [&search[..], &["--set", set]].concat();
        assert_eq!(counted(&report(&scratch, set, &search).0, "cached"), 0, "{set}");
    }
}

#[test]
fn what_cannot_be_a_cache_is_refused_before_there_is_a_run() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    scratch.write("empty", "");
    scratch.write("random", [0x5a; 5_000]);
    std::fs::create_dir(scratch.path("folder")).expect("there is room");
    let limited = ["search", &tiny, "--set", "stopping.candidates=5", "--quiet", "--out", "run"];
    scratch.run(&limited).success();
    let before = scratch.entries();
    for (cache, words) in [
        ("empty", "empty: cannot be used as a cache: it is empty"),
        ("random", "something else than a cache"),
        ("run/run.db", "something else than a cache"),
        ("folder", "it is a directory"),
        ("absent/outcomes", "cannot be made"),
        ("/proc/outcomes", "cannot be made"),
        ("/dev/null", "no regular file"),
    ] {
        let run = scratch.run(&["search", &tiny, "--out", "out", "--cache", cache]);
        assert_eq!(run.code, Some(2), "{cache}: {run:?}");
        assert!(run.stderr.contains(words) && run.stderr.contains(cache), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    let off = ["--set", "deduplication.level=Off", "--cache", "new", "--out", "out"];
    let run = scratch.run(&[&["search", &tiny], &off[..]].concat());
    assert!(run.code == Some(2) && run.stderr.contains("deduplication.level"), "{run:?}");
    for wrong in [["--cache-limit", "1G", "--quiet"], ["--cache-limit", "3K", "--cache=new"]] {
        let run = scratch.run(&[&["search", &tiny, "--out", "out"], &wrong[..]].concat());
        assert!(run.code == Some(2) && run.stderr.contains("--cache"), "{run:?}");
    }
    assert_eq!(scratch.entries(), before, "nothing was made");
}

#[test]
fn a_small_cache_keeps_to_its_size_and_changes_nothing() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let search = ["search", &tiny, "--set", "stopping.candidates=500"];
    let (cold, table) = report(&scratch, "cold", &search);
    let limited = ["--cache", "outcomes.cache", "--cache-limit", "64K"];
    for out in ["first", "second"] {
        let (warm, of_warm) = report(&scratch, out, &[&search[..], &limited].concat());
        assert_eq!((&of_warm, &warm["digest"]), (&table, &cold["digest"]));
    }
    let length = std::fs::metadata(scratch.path("outcomes.cache")).expect("it is there").len();
    let kept = entries(&scratch.path("outcomes.cache"))[0];
    assert!(length <= 80 << 10 && kept > 9, "{kept} in {length} bytes");
    assert!(kept < counted(&cold, "evaluations"), "nothing had to go");
}

/// Two runs of other evaluators that write one cache at the same time.
fn side_by_side(scratch: &Scratch) -> [Running; 2] {
    let tiny = repository("tests/data/tiny.ron");
    ["20", "21"].map(|steps| {
        let set = format!("evaluation.tasks[0].steps={steps}");
        let args =
            ["search", &tiny, "--set", &set, "--set", NEVER, "--out", steps, "--cache", "cache"];
        Running::begin(scratch.command(&[&args[..], &["--threads", "1"]].concat()))
    })
}

#[test]
fn one_of_two_writers_is_killed_and_neither_loses_what_was_written() {
    let scratch = Scratch::new();
    let cache = scratch.path("cache");
    let [mut killed, mut other] = side_by_side(&scratch);
    let far =
        |count: u64| entries(&cache).len() == 2 && entries(&cache).iter().all(|it| *it > count);
    killed.wait_until(|| far(40));
    let before = entries(&cache);
    killed.kill();
    let at_kill = entries(&cache);
    // The other one goes on writing.
    other.wait_until(|| entries(&cache).iter().sum::<u64>() > at_kill.iter().sum::<u64>() + 40);
    other.signal("-INT");
    assert_eq!(other.end().0, Some(130));
    let after = entries(&cache);
    assert!(after.iter().zip(&before).all(|(after, before)| after >= before), "{after:?}");
    let stats = scratch.run(&["cache", "stats", "cache", "--json"]).success();
    let stats: serde_json::Value = serde_json::from_str(&stats).expect("it is JSON");
    for (index, evaluator) in stats["evaluators"].as_array().expect("a list").iter().enumerate() {
        assert_eq!(evaluator["entries"], after[index]);
    }
    let tiny = repository("tests/data/tiny.ron");
    for steps in ["20", "21"] {
        let set = format!("evaluation.tasks[0].steps={steps}");
        let verify =
            ["cache", "verify", "cache", "--config", &tiny, "--set", &set, "--sample", "100000"];
        let told = scratch.run(&verify).success();
        assert!(told.contains("all the same, to the bit"), "{told}");
        // All that the run has kept, but for what was under way at the kill.
        let store = Connection::open(scratch.path(steps).join("run.db")).expect("it is there");
        let query = "SELECT COUNT(DISTINCT structural_hash) FROM evaluations";
        let kept: i64 = store.query_row(query, [], |row| row.get(0)).expect("it can be read");
        let found = told.split(" by this").next().and_then(|it| it.rsplit(' ').next());
        let found: i64 = found.and_then(|it| it.parse().ok()).expect("it says how many");
        assert!(found + 70 >= kept, "{found} of {kept} with {steps}");
        assert!(steps == "20" || found >= kept, "{found} of {kept} of the one that was not killed");
    }
}

#[test]
fn a_killed_run_goes_on_with_and_without_the_cache_to_the_same_end() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let args = ["search", &tiny, "--set", NEVER, "--out", "run", "--cache", "outcomes.cache"];
    let mut running = Running::begin(scratch.command(&args));
    running.wait_until(|| stored_births(&scratch.path("run")) > 120);
    running.kill();
    let limit = format!("stopping.candidates={}", stored_births(&scratch.path("run")) + 200);
    let mut copy = std::process::Command::new("cp");
    let copied = copy.args(["-r", "run", "copy"]).current_dir(scratch.path("")).status();
    assert!(copied.expect("there is a copy command").success());
    let (cold, table) = report(&scratch, "cold", &["search", &tiny, "--set", &limit]);
    let resumed = |run: &str, more: &[&str]| {
        let args = ["resume", run, "--set", &limit, "--quiet", "--json"];
        let printed = scratch.run(&[&args[..], more].concat()).success();
        let json: serde_json::Value = serde_json::from_str(&printed).expect("it is JSON");
        assert_eq!(json["digest"], cold["digest"]);
        assert_eq!(scratch.read(&format!("{run}/hall_of_fame.csv")), table);
        json
    };
    assert_eq!(counted(&resumed("copy", &[]), "cached"), 0);
    // What the search that was never killed would need.
    report(&scratch, "filling", &["search", &tiny, "--set", &limit, "--cache", "outcomes.cache"]);
    assert!(counted(&resumed("run", &["--cache", "outcomes.cache"]), "cached") > 50);
}
