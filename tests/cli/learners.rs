//! Searches of learners through the command line.

use serde_json::Value;

use crate::harness::{Scratch, repository};

const LINEAR: &str = "(
    domain: Learners,
    strategy: RegularizedEvolution(population: 50, tournament: 5),
    mutation: (
        memory: (scalars: 4, vectors: 3, matrices: 0),
        setup: (most: 4), predict: (least: 1, most: 3), learn: (most: 6),
    ),
    held_out: (every: 500),
    evaluation: (
        problem: Linear,
        features: 4,
        search: (tasks: 5, examples: 30, validation: 20),
        select: (tasks: 8, examples: 100, validation: 20),
        final: (tasks: 4, examples: 100, validation: 20),
    ),
    stopping: (candidates: 4000, held_out_fitness: 0.99999),
)
";

fn report(printed: &str) -> Value {
    serde_json::from_str(printed).expect("it is JSON")
}

/// The digest of a run that need not have found anything.
fn digest(scratch: &Scratch, arguments: &[&str]) -> Value {
    let run = scratch.run(&[arguments, &["--quiet", "--json"]].concat());
    assert!(run.code == Some(0) || run.code == Some(1), "{run:?}");
    report(&run.stdout)["digest"].clone()
}

#[test]
fn a_run_is_the_same_on_any_threads_and_after_it_was_resumed_whatever_it_keeps() {
    let scratch = Scratch::new();
    scratch.write("linear.ron", LINEAR);
    for keep in ["keep=Births", "keep=Snapshots"] {
        let search = |out: &str, limit: &str, threads: &str| {
            let base = ["search", "linear.ron", "--out", out, "--set", keep, "--set", limit];
            digest(&scratch, &[&base[..], &["--threads", threads]].concat())
        };
        let names = ["one", "two", "part"].map(|name| format!("{name}-{keep}"));
        let [one, two, part] = names.each_ref().map(String::as_str);
        let all = "stopping.candidates=4000";
        let whole = search(one, all, "1");
        assert_eq!(search(two, all, "8"), whole, "{keep}");
        search(part, "stopping.candidates=1500", "2");
        assert_eq!(digest(&scratch, &["resume", part, "--set", all]), whole, "{keep}");
    }
    for command in [
        &["show", "one-keep=Births"][..],
        &["show", "one-keep=Births:60", "--live"],
        &["show", "one-keep=Births:60", "--canonical"],
        &["show", "one-keep=Snapshots"],
        &["lineage", "one-keep=Births"],
        &["evaluate", "one-keep=Births", "zoo:linear_learner", "--config", "linear.ron"],
        &["validate", "linear.ron"],
        &["search", "linear.ron", "--dry-run"],
    ] {
        assert!(!scratch.run(command).success().is_empty(), "{command:?}");
    }
}

#[test]
fn a_start_near_the_end_is_found_selected_and_reported() {
    let scratch = Scratch::new();
    scratch.write("linear.ron", LINEAR);
    let sets = ["--set", "start=zoo:linear_learner", "--set", "stopping.held_out_fitness=0.5"];
    let run = ["search", "linear.ron", "--out", "run", "--quiet", "--json"];
    let found = report(&scratch.run(&[&run[..], &sets].concat()).success());
    let learner = &found["learners"][0];
    assert!(learner["final"].as_f64() > Some(0.5), "{found}");
    assert!(found["stop_reason"]["HeldOutFitness"].as_f64() > Some(0.5), "{found}");
    let shown = scratch.run(&["show", "run", "--plain"]).success();
    assert_eq!(found["program"].as_str(), Some(shown.as_str()));
    let fitness = scratch.run(&["evaluate", "run", "--config", "linear.ron", "--json"]).success();
    assert_eq!(report(&fitness)["learners"][0]["final"], learner["final"]);
}

#[test]
fn the_configurations_of_learners_are_fine_and_mistakes_are_named_with_their_key() {
    let scratch = Scratch::new();
    let linear = repository("configs/learner_linear.ron");
    let fine = scratch.run(&["validate", &linear]).success();
    assert!(fine.contains("linear regression of 4 features"), "{fine}");
    scratch.write("linear.ron", LINEAR);
    for (set, key, words) in [
        ("mutation.learn.ops=[\"scalar_sun\"]", "mutation.learn.ops[0]", "there is no op"),
        ("mutation.memory.scalars=1", "mutation.memory.scalars", "must be 2 to 64"),
        ("evaluation.features=65", "evaluation.features", "must be 1 to 64"),
        ("start=none.txt", "start", "none.txt"),
        ("start=zoo:lion", "start", "zoo:lion: is an optimizer, and a learner is needed"),
        ("start=[\"random\", \"empty\"]", "start[0]", "`random` stands alone"),
        ("mutation.learn.ops=[\"qqqqqqqqqqqq\"]", "ops[0]", "`evo ops --set automl_zero`"),
        ("start=\"def Setup():\\n  s9 = 1.0\"", "start", "not among the 4 addresses"),
        ("start=\"def Predict():\n\"", "start", "Predict has 0 statements, and needs 1 or more"),
        (
            "start=\"def Predict():\n  s1 = 0.5\n  s1 = 0.5\n  s1 = 0.5\n  s1 = 0.5\n\"",
            "start",
            "Predict has 4 statements, and at most 3 fit",
        ),
        (
            "mutation.weights=(insert: 1e308, remove: 1e308)",
            "mutation.weights",
            "their sum must be finite",
        ),
        ("hurdles.percentile=50.0", "hurdles.percentile", "stages"),
        ("domain=Optimizers", "domain", "must be `Learners`"),
    ] {
        let run = scratch.run(&["validate", "linear.ron", "--set", set]);
        assert!(run.code == Some(2), "{set}: {run:?}");
        assert!(run.stderr.contains(key) && run.stderr.contains(words), "{set}: {run:?}");
    }
    for command in [["simplify", "zoo:linear_learner"], ["show", "zoo:linear_lerner"]] {
        let run = scratch.run(&command);
        assert_eq!(run.code, Some(2), "{run:?}");
    }
    let zoo = scratch.run(&["zoo"]).success();
    assert!(zoo.contains("network_learner"), "{zoo}");
    scratch.write("learner.py", scratch.run(&["zoo", "network_learner"]).success());
    let shown = scratch.run(&["show", "learner.py"]).success();
    assert!(shown.contains("# statements: 19, live: 19"), "{shown}");
    let refused = scratch.run(&["simplify", "learner.py"]);
    assert!(refused.stderr.contains("is a learner"), "{refused:?}");
}

/// A short search into `out` with every birth, and what a setting changes.
fn short(scratch: &Scratch, out: &str, set: &str) {
    scratch.write("linear.ron", LINEAR);
    let sets = ["--set", "stopping.candidates=500", "--set", set];
    digest(scratch, &[&["search", "linear.ron", "--out", out][..], &sets].concat());
}

#[test]
fn a_report_tells_the_lineage_of_learners_whose_edits_only_their_domain_can_apply() {
    let scratch = Scratch::new();
    short(&scratch, "run", "keep=Births");
    scratch.run(&["report", "run"]).success();
    let page = scratch.read("run/report.html");
    assert!(page.contains("RegularizedEvolution") && page.contains("def Predict"), "{page}");
    assert!(page.contains("root mean squared error"), "{page}");
    let lineage = report(&scratch.run(&["lineage", "run", "--json"]).success());
    let last = lineage.as_array().and_then(|births| births.last()).expect("there is a best");
    assert!(page.contains(&format!("birth {}", last["birth"])), "{last}");
}

#[test]
fn a_run_without_births_says_so_instead_of_reporting_none() {
    let scratch = Scratch::new();
    short(&scratch, "run", "keep=Snapshots");
    let funnel = repository("configs/funnel_small.ron");
    for command in [
        &["report", "run"][..],
        &["lineage", "run"],
        &["lineage", "run:3"],
        &["show", "run:3"],
        &["funnel", "run", "--config", &funnel],
    ] {
        let run = scratch.run(command);
        let says = run.stderr.contains("run: the run keeps no births (`keep: Snapshots`)");
        assert!(run.code == Some(2) && says, "{command:?}: {run:?}");
    }
    assert!(!scratch.path("run/report.html").exists());
}

#[test]
fn populations_are_checked_before_as_many_random_starts_are_drawn() {
    let scratch = Scratch::new();
    let linear = scratch.write("linear.ron", LINEAR).display().to_string();
    let islands = |islands: u64, population: u64| {
        let sizes = format!("islands: {islands}, population: {population}, tournament: 5");
        format!("strategy=Islands({sizes}, migration_every: 1000, migrants: 1)")
    };
    for (set, key, words) in [
        ("strategy.population=1000000000000", "`strategy.population`", "at most 1000000"),
        (&islands(1_000_000_000_000, 50), "`strategy.islands`", "at most 1000000"),
        (&islands(1_000, 1_000_000), "`strategy.population`", "all islands together hold"),
        ("window=1000000000", "`window`", "at most 1000000"),
    ] {
        scratch.assert_refused(&linear, set, key, words);
    }
    // An island begins with one start.
    short(&scratch, "islands", &islands(4, 25));
    let plan = ["search", "linear.ron", "--dry-run", "--set", &islands(4, 25)];
    assert!(scratch.run(&plan).success().contains("4 start programs"));
}

#[test]
fn an_override_makes_no_search_of_learners_of_one_of_optimizers() {
    let scratch = Scratch::new();
    let quickstart = repository("configs/quickstart.ron");
    for set in ["domain=Learners", "domain=Expressions"] {
        scratch.assert_refused(&quickstart, set, "`domain`", "must be `Optimizers`");
    }
}

#[test]
fn evaluate_refuses_devices_that_learners_are_not_evaluated_on_as_search_does() {
    let scratch = Scratch::new();
    scratch.write("linear.ron", LINEAR);
    for device in [&["--bf16"][..], &["--device", "cuda:0"]] {
        let evaluate = ["evaluate", "zoo:linear_learner", "--config", "linear.ron"];
        let run = scratch.run(&[&evaluate[..], device].concat());
        assert!(run.code == Some(2) && run.stdout.is_empty(), "{device:?}: {run:?}");
    }
}

#[test]
fn sets_that_memory_does_not_hold_are_refused_with_what_their_tasks_draw_and_copy() {
    let scratch = Scratch::new();
    let linear = scratch.write("linear.ron", LINEAR).display().to_string();
    for (set, key) in [
        // The examples of the first would fit; what random ops draw would not.
        ("evaluation.search.tasks=100000", "`evaluation.search`"),
        ("evaluation.select.examples=10000000", "`evaluation.select`"),
        ("evaluation.final.epochs=18446744073709551615", "`evaluation.final`"),
    ] {
        scratch.assert_refused(&linear, set, key, "MiB of memory, and may take 4096");
    }
}
