//! What is done with the learners that were found, and what is said where it cannot be done.

use super::learners::{LINEAR, PADDED, report, short};
use crate::harness::{Run, Scratch, repository};

/// A learner that no search of these begins with.
const NORM: &str = "def Setup():\ndef Predict():\n  s1 = norm(v0)\ndef Learn():\n";

fn assert_refused(run: &Run, words: &str) {
    assert!(run.code == Some(2) && run.stdout.is_empty(), "{words}: {run:?}");
    assert!(run.stderr.contains(words), "{words}: {run:?}");
}

#[test]
fn a_run_is_taken_for_the_learner_that_is_selected_not_for_the_luckiest_on_the_search_tasks() {
    let scratch = Scratch::new();
    short(&scratch, "run", "keep=Births");
    let told = report(&scratch.read("run/report.json"));
    let selected = format!("run:{}", told["selected_birth"]);
    let show = |source: &str, form| scratch.run(&["show", source, form]).success();
    assert_eq!(show("run", "--live"), show(&selected, "--live"));
    assert_eq!(show("run", "--plain"), scratch.read("run/selected.py"));
    let lineage = |source: &str| scratch.run(&["lineage", source]).success();
    assert_eq!(lineage("run"), lineage(&selected));

    scratch.write("run/selected.py", NORM);
    assert_eq!(show("run", "--plain"), NORM);
    assert!(scratch.run(&["simplify", "run"]).success().starts_with(NORM));
    let numpy = scratch.run(&["export", "run", "--to", "numpy"]).success();
    assert!(numpy.contains("np.sqrt(_sum(v0 * v0))"), "{numpy}");
    scratch.write("norm.py", NORM);
    let both = ["evaluate", "run", "norm.py", "--config", "linear.ron", "--json"];
    let both = report(&scratch.run(&both).success());
    assert_eq!(both["learners"][0]["final"], both["learners"][1]["final"]);

    // Without its birth there is a lineage of the fittest, which is said.
    scratch.write("run/report.json", "{}");
    let fittest = scratch.run(&["lineage", "run"]);
    assert!(fittest.stderr.contains("the lineage of the fittest"), "{fittest:?}");
    std::fs::remove_file(scratch.path("run/selected.py")).expect("it is there");
    assert_eq!(show("run", "--plain"), scratch.read("run/best.py"));
    assert_eq!(lineage("run"), fittest.success());
}

#[test]
fn a_run_without_births_names_the_files_and_commands_that_it_has() {
    let scratch = Scratch::new();
    scratch.write("linear.ron", LINEAR);
    for (out, keep) in [("births", "keep=Births"), ("none", "keep=Snapshots")] {
        let sets = ["--set", keep, "--set", "stopping=(candidates: 500)", "--quiet"];
        let search = [&["search", "linear.ron", "--out", out][..], &sets].concat();
        let told = scratch.run(&search).success();
        assert!(told.contains(&format!("Saved in {out}: selected.py, best.py, ")), "{told}");
        assert_eq!(told.contains("evo report"), out == "births", "{told}");
    }
    for command in [
        &["show", "none:3"][..],
        &["simplify", "none:3"],
        &["export", "none:3", "--to", "numpy"],
        &["evaluate", "none:3", "--config", "linear.ron"],
    ] {
        let run = scratch.run(command);
        assert_refused(&run, "`evo lineage none:3` makes this one again; best.py and selected.py");
    }
}

#[test]
fn what_cannot_be_read_is_named_before_exports_that_it_might_not_have() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("empty")).expect("there is room");
    for (source, words) in [("mispelt.py", "mispelt.py: "), ("empty", "empty: no run")] {
        for target in ["numpy", "torch"] {
            assert_refused(&scratch.run(&["export", source, "--to", target]), words);
        }
    }
}

#[test]
fn an_export_that_cannot_be_written_leaves_the_earlier_one() {
    let scratch = Scratch::new();
    let export = ["export", "zoo:linear_learner", "--to", "numpy", "--out"];
    let export = |out: &str| scratch.run(&[&export[..], &[out]].concat());
    scratch.write("old.py", "old");
    // What is written beside it is moved to its place.
    std::fs::create_dir(scratch.path(".old.py.new")).expect("there is room");
    assert_refused(&export("old.py"), "old.py");
    assert_eq!(scratch.read("old.py"), "old");
    std::fs::remove_dir(scratch.path(".old.py.new")).expect("it is there");
    assert_eq!(export("old.py").success(), "");
    assert!(scratch.read("old.py").contains("class LinearLearner:"));
}

#[test]
fn commands_of_optimizers_say_in_one_line_that_they_are_not_for_learners() {
    let scratch = Scratch::new();
    short(&scratch, "run", "keep=Births");
    scratch.write("norm.py", NORM);
    let file = |name: &str| repository(&format!("configs/{name}.ron"));
    let (funnel, quickstart) = (file("funnel_small"), file("quickstart"));
    let (studies, linear) = (file("simplify_small"), "linear.ron");
    let alone = "must be `Optimizers`: the configuration of a search of optimizers is needed";
    let needed = "must be `Learners`: the configuration of a search of learners is needed";
    for (command, words) in [
        (&["export", "run", "--to", "latex-table"][..], "run: is a run of learners"),
        (&["export", "norm.py", "--to", "latex-table"], "norm.py: is no run directory"),
        (&["funnel", "run", "--config", &funnel], "run: is a run of learners"),
        (&["recheck", "run"], alone),
        (&["baseline", linear], alone),
        (&["bench", linear], alone),
        (&["audit", linear, "--targets", &studies], alone),
        (&["simplify", "zoo:lion", "--config", linear], alone),
        (&["simplify", "norm.py", "--config", &studies], needed),
        (&["simplify", "norm.py", "--config", &quickstart], needed),
        (&["search", linear, "--dry-run", "--json"], "cannot be used with"),
    ] {
        assert_refused(&scratch.run(command), words);
    }
}

#[test]
fn time_limits_no_run_that_makes_births_again() {
    let scratch = Scratch::new();
    let linear = scratch.write("linear.ron", LINEAR).display().to_string();
    let sets = ["--set", "keep=Snapshots", "--set", "stopping.seconds=5.0"];
    let run = scratch.run(&[&["validate", &linear][..], &sets].concat());
    assert!(run.code == Some(2) && run.stderr.contains("needs `keep: Births`"), "{run:?}");
}

#[test]
fn of_a_learner_that_is_worth_no_more_than_none_nothing_is_written() {
    let scratch = Scratch::new();
    scratch.write("linear.ron", LINEAR);
    scratch.write("dead.py", "def Setup():\n  s3 = 0.5\ndef Predict():\n  s4 = norm(v0)\n");
    let run = scratch.run(&["simplify", "dead.py", "--config", "linear.ron", "--out", "out"]);
    assert_refused(&run, "dead.py: nothing of it counts");
    assert!(!scratch.path("out").exists());
}

#[test]
fn a_simplification_goes_into_no_folder_that_holds_anything_else() {
    let scratch = Scratch::new();
    scratch.write("linear.ron", LINEAR);
    scratch.write("padded.py", PADDED);
    short(&scratch, "run", "keep=Births");
    let studies = repository("tests/data/compare.ron");
    let simplify = |program: &str, config: &str, out: &str, more: &[&str]| {
        let base = ["simplify", program, "--config", config, "--out", out];
        scratch.run(&[&base[..], more].concat())
    };
    for (program, config) in [("padded.py", "linear.ron"), ("zoo:sgd", studies.as_str())] {
        let out = program.split(['.', ':']).next_back().expect("there is one");
        let more: &[&str] = if out == "py" { &[] } else { &["--retune", "1"] };
        let told = simplify(program, config, out, more).success();
        // The same once more is as it was.
        assert_eq!(simplify(program, config, out, more).success(), told);
        let of = format!("--out {out}: holds the simplification of another program");
        let others = if out == "py" { "zoo:linear_learner" } else { "zoo:lion" };
        assert_refused(&simplify(others, config, out, more), &of);
        let set = if out == "py" { "evaluation.data_seed=7" } else { "data_seed=7" };
        assert_refused(&simplify(program, config, out, &[more, &["--set", set]].concat()), &of);
        let mixed = simplify(program, config, "run", more);
        assert_refused(&mixed, "which is of no simplification");
        let file = simplify(program, config, "padded.py", more);
        assert_refused(&file, "--out padded.py: is no directory");
        assert!(told.starts_with(&scratch.read(&format!("{out}/simplified.py"))), "{told}");
    }
}
