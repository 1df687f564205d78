//! What is done with the learners that were found, and what is said where it cannot be done.

use super::learners::{report, short};
use crate::harness::{Scratch};

/// A learner that no search of these begins with.
const NORM: &str = "def Setup():\ndef Predict():\n  s1 = norm(v0)\ndef Learn():\n";

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
