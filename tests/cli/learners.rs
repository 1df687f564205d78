//! Searches of learners through the command line.

use serde_json::Value;

use crate::harness::{Scratch, repository};

pub(super) const LINEAR: &str = "(
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

pub(super) fn report(printed: &str) -> Value {
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
    for (name, what) in [
        ("linear", "linear regression of 4 features"),
        ("affine", "affine regression of 4 features"),
        ("network", "network regression of 4 features"),
        ("digits", "classification by 8 projected features"),
    ] {
        let path = repository(&format!("configs/learner_{name}.ron"));
        let fine = scratch.run(&["validate", &path]).success();
        assert!(fine.contains(what), "{fine}");
    }
    let affine = repository("configs/learner_affine.ron");
    assert!(scratch.run(&["validate", &affine, "--set", "start=empty"]).success().contains("fine"));
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
        ("stopping.held_out_fitness=1.5", "stopping.held_out_fitness", "must be 0 to 1"),
        ("stopping.held_out_fitness=-0.5", "stopping.held_out_fitness", "must be 0 to 1"),
        (
            "mutation.setup=(ops: [], least: 2)",
            "mutation.setup.ops",
            "has no op to draw the 2 statements of a random start",
        ),
        ("hurdles.percentile=50.0", "hurdles.percentile", "stages"),
        ("domain=Optimizers", "domain", "must be `Learners`"),
    ] {
        let run = scratch.run(&["validate", "linear.ron", "--set", set]);
        assert!(run.code == Some(2), "{set}: {run:?}");
        assert!(run.stderr.contains(key) && run.stderr.contains(words), "{set}: {run:?}");
    }
    let misspelt = scratch.run(&["show", "zoo:linear_lerner"]);
    assert_eq!(misspelt.code, Some(2), "{misspelt:?}");
    let zoo = scratch.run(&["zoo"]).success();
    assert!(zoo.contains("network_learner"), "{zoo}");
    scratch.write("learner.py", scratch.run(&["zoo", "network_learner"]).success());
    let shown = scratch.run(&["show", "learner.py"]).success();
    assert!(shown.contains("# statements: 19, live: 19"), "{shown}");
}

/// A short search into `out` with every birth, and what a setting changes.
pub(super) fn short(scratch: &Scratch, out: &str, set: &str) {
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
    // A report is of the fittest.
    std::fs::remove_file(scratch.path("run/selected.py")).expect("it is there");
    let lineage = report(&scratch.run(&["lineage", "run", "--json"]).success());
    let last = lineage.as_array().and_then(|births| births.last()).expect("there is a best");
    assert!(page.contains(&format!("birth {}", last["birth"])), "{last}");
}

#[test]
fn a_run_without_births_says_so_instead_of_reporting_none() {
    let scratch = Scratch::new();
    short(&scratch, "run", "keep=Snapshots");
    for command in [&["report", "run"][..], &["show", "run:3"]] {
        let run = scratch.run(command);
        let says = run.stderr.contains("run: the run keeps no births (`keep: Snapshots`)");
        assert!(run.code == Some(2) && says, "{command:?}: {run:?}");
    }
    assert!(!scratch.path("run/report.html").exists());
}

#[test]
fn the_best_of_a_run_that_was_killed_early_is_that_of_its_store_whatever_it_keeps() {
    let scratch = Scratch::new();
    for keep in ["Births", "Snapshots"] {
        short(&scratch, keep, &format!("keep={keep}"));
        let remove = |name| std::fs::remove_file(scratch.path(keep).join(name));
        remove("selected.py").expect("it is there");
        let shown = scratch.run(&["show", keep, "--plain"]).success();
        remove("best.py").expect("it is there");
        assert_eq!(scratch.run(&["show", keep, "--plain"]).success(), shown, "{keep}");
        let export = scratch.run(&["export", keep, "--to", "numpy"]).success();
        assert!(export.contains(&format!("class {keep}:")), "{export}");
    }
}

#[test]
fn the_lineage_of_a_run_without_births_is_that_of_the_run_with_them() {
    let scratch = Scratch::new();
    scratch.write("linear.ron", LINEAR);
    for (out, keep) in [("births", "keep=Births"), ("none", "keep=Snapshots")] {
        let limit = "stopping=(candidates: 20000)";
        let search = ["search", "linear.ron", "--out", out, "--set", keep, "--set", limit];
        digest(&scratch, &search);
    }
    let lineage = |of: &str, threads: &str| {
        let lineage = ["lineage", of, "--threads", threads, "--json"];
        report(&scratch.run(&lineage).success())
    };
    let best = lineage("births", "1");
    assert!(best.as_array().is_some_and(|births| births.len() > 3), "{best}");
    assert_eq!(lineage("none", "1"), best);
    assert_eq!(lineage("none", "8"), best);
    assert_eq!(lineage("none:321", "2"), lineage("births:321", "2"));
    assert_eq!(lineage("none:7", "2"), lineage("births:7", "2"));
    let told = scratch.run(&["lineage", "none"]).success();
    assert_eq!(told, scratch.run(&["lineage", "births"]).success());
    let beyond = scratch.run(&["lineage", "none:20000"]);
    assert!(beyond.code == Some(2) && beyond.stderr.contains("no birth 20000"), "{beyond:?}");
}

#[test]
fn the_lineage_behind_snapshots_is_the_same_of_a_run_that_was_resumed() {
    let scratch = Scratch::new();
    scratch.write("linear.ron", LINEAR);
    let all = "stopping=(candidates: 230000)";
    let base = ["search", "linear.ron", "--set", "held_out.every=20000", "--set"];
    let search = |out: &str, limit: &str| {
        digest(&scratch, &[&base[..], &["keep=Snapshots", "--set", limit, "--out", out]].concat())
    };
    let whole = search("whole", all);
    search("part", "stopping=(candidates: 130000)");
    assert_eq!(digest(&scratch, &["resume", "part", "--set", "stopping.candidates=230000"]), whole);
    let lineage = |of: &str| scratch.run(&["lineage", of]).success();
    assert_eq!(lineage("part"), lineage("whole"));
    assert!(lineage("whole").lines().filter(|line| line.starts_with("birth")).count() > 3);
    // Another run in its place is told apart.
    let other = scratch.read("whole/config.ron").replace("seed: 0", "seed: 1");
    scratch.write("whole/config.ron", other);
    let refused = scratch.run(&["lineage", "whole"]);
    assert!(refused.code == Some(2), "{refused:?}");
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
    for device in [&["--bf16"][..], &["--device", "cuda:0"], &["--cohort", "4"]] {
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

#[test]
fn a_dry_run_searches_for_a_moment_and_writes_nothing() {
    let scratch = Scratch::new();
    scratch.write("linear.ron", LINEAR);
    for keep in ["keep=Births", "keep=Snapshots"] {
        let plan = ["search", "linear.ron", "--dry-run", "--out", "run", "--set", keep];
        let told = scratch.run(&plan).success();
        assert!(told.contains("5 tasks, 50 start programs"), "{told}");
        let rate = told.split("on one thread: ").nth(1).and_then(|it| it.split(',').next());
        let rate: f64 = rate.and_then(|it| it.parse().ok()).expect("it is told");
        assert!(rate > 100.0, "{told}");
        assert!(told.contains("4000 candidates on "), "{told}");
    }
    assert!(!scratch.path("run").exists() && !scratch.path("runs").exists());
}

/// Gradient descent with a copy by way of a zero, a term of next to nothing and many digits.
pub(super) const PADDED: &str = "\u{feff}def Setup():
  s2 = 0.1000001
  s6 = 1e-9
def Predict():
  s1 = dot(v1, v0)
def Learn():
  s3 = s0 - s1
  s5 = s3 - s9
  s5 = s2 * s5
  v2 = s5 * v0
  v3 = s6 * v0
  v2 = v2 + v3
  v1 = v1 + v2
";

#[test]
fn a_learner_is_simplified_exactly_or_by_what_costs_nothing_on_tasks() {
    let scratch = Scratch::new();
    scratch.write("padded.py", PADDED);
    scratch.write("linear.ron", LINEAR);
    let exact = scratch.run(&["simplify", "padded.py"]).success();
    assert!(exact.contains("# statements: 10, live: 10, simplified: 9"), "{exact}");
    let evidence = ["simplify", "padded.py", "--config", "linear.ron", "--tolerance", "0.01"];
    // Bounds of a search, such as a least number of statements, are none of what is short.
    let least = ["--set", "mutation.learn=(least: 6, most: 9)", "--out", "out"];
    let told = scratch.run(&[&evidence[..], &least].concat()).success();
    let short = scratch.read("out/simplified.py");
    assert!(told.starts_with(&short), "{told}");
    assert!(!short.contains("1e-9") && !short.contains("0.1000001"), "{short}");
    let whole = report(&scratch.read("out/simplified_learner.json"));
    let judged = whole["judged"]["learners"].as_array().expect("a list");
    let figure = |at: usize, key: &str| judged[at][key].as_f64().expect("a number");
    assert!(figure(1, "length") <= 6.0, "{whole}");
    assert!(figure(0, "select") - figure(1, "select") <= 0.01, "{whole}");
    let steps = whole["steps"].as_array().expect("a list");
    assert!(steps.iter().any(|step| step["kept"] == false), "not everything can go: {whole}");
    // It is a learner, judged as the configuration judges, and the same when it is made again.
    let fitness = scratch
        .run(&["evaluate", "out/simplified.py", "--config", "linear.ron", "--json"])
        .success();
    assert_eq!(report(&fitness)["learners"][0]["final"].as_f64(), Some(figure(1, "final")));
    assert_eq!(scratch.run(&[&evidence[..], &least].concat()).success(), told);
    for (more, words) in [
        (&["--rounding", "allow"][..], "simplified exactly"),
        (&["--config", "linear.ron", "--retune", "3"], "--retune"),
        (&["--tolerance", "0.1"], "--config"),
    ] {
        let run = scratch.run(&[&["simplify", "zoo:linear_learner"][..], more].concat());
        assert!(run.code == Some(2) && run.stderr.contains(words), "{more:?}: {run:?}");
    }
}

#[test]
fn learners_are_exported_from_zoo_file_and_run_to_what_there_is_for_them() {
    let scratch = Scratch::new();
    short(&scratch, "run", "start=zoo:linear_learner");
    scratch.write("my_rule.py", "def Predict():\n  s1 = norm(v0)\n");
    let export = |args: &[&str]| scratch.run(&[&["export"], args].concat());
    for (source, class) in
        [("zoo:network_learner", "NetworkLearner"), ("my_rule.py", "MyRule"), ("run", "Run")]
    {
        let numpy = export(&[source, "--to", "numpy"]).success();
        assert!(numpy.contains(&format!("class {class}:")), "{numpy}");
        let rust = export(&[source, "--to", "rust"]).success();
        assert!(rust.contains(&format!("pub struct {class}<const N: usize>")), "{rust}");
        let latex = export(&[source, "--to", "LaTeX"]).success();
        assert!(latex.contains("\\subsection*{Predict}"), "{latex}");
    }
    let named = export(&["my_rule.py", "--to", "numpy", "--name", "plain", "--out", "plain.py"]);
    assert_eq!(named.success(), "");
    assert!(scratch.read("plain.py").contains("class Plain:"));
    for target in ["torch", "optax", "dot", "python", "nonsense"] {
        let refused = export(&["zoo:linear_learner", "--to", target]);
        let says = refused.stderr.contains("there are numpy, rust, latex");
        assert!(refused.code == Some(2) && says, "{target}: {refused:?}");
    }
    let optimizer = export(&["zoo:lion", "--to", "numpy"]);
    assert!(optimizer.stderr.contains("NumPy is `python` here"), "{optimizer:?}");
    let table = export(&["zoo:linear_learner", "--to", "numpy", "--digits", "3"]);
    assert!(table.stderr.contains("latex-table"), "{table:?}");
}
