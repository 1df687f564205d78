//! Looking at programs: show, zoo, ops and evaluate.

use crate::harness::{Scratch, repository};

#[test]
fn show_marks_what_is_dead_within_a_step_and_across_steps() {
    let scratch = Scratch::new();
    let shown = scratch.run(&["show", "zoo:lion_discovered"]).success();
    let marked: Vec<&str> = shown.lines().filter(|line| line.contains("# dead")).collect();
    assert_eq!(marked.len(), 1, "{shown}");
    assert!(marked[0].contains("m = cosh(update)") && marked[0].contains("dead across steps"));
    assert!(shown.ends_with("# statements: 12, live: 11\n"), "{shown}");
    scratch.write("dead.py", "def train(w, g, lr):\n  x = cos(w)\n  u = g * lr\n  return u\n");
    let shown = scratch.run(&["show", "dead.py"]).success();
    assert!(shown.contains("x = cos(w)  # dead\n"), "{shown}");
    assert_eq!(
        scratch.run(&["show", "dead.py", "--live"]).success(),
        "def train(w, g, lr):\n  u = g * lr\n  return u\n"
    );
}

#[test]
fn show_prints_canonical_text_types_and_hashes() {
    let scratch = Scratch::new();
    scratch.write("p.py", "# a comment\ndef train(w,g,lr):\n  u = norm(g)*(w)\n  return u*lr\n");
    let canonical = scratch.run(&["show", "p.py", "--canonical"]).success();
    scratch.write("q.py", &canonical);
    assert_eq!(scratch.run(&["show", "q.py", "--canonical"]).success(), canonical);
    let hash = |name| scratch.run(&["show", name, "--hash"]).success();
    assert_eq!(hash("p.py"), hash("q.py"));
    let types = scratch.run(&["show", "p.py", "--types"]).success();
    assert!(
        types.contains("norm(g)") && types.contains("# per-leaf") && types.contains("# tree"),
        "{types}"
    );
    let run = scratch.run(&["show", "p.py", "--hash", "--types"]);
    assert_eq!(run.code, Some(2), "one form at a time");
}

#[test]
fn a_program_with_an_error_is_refused_with_its_place() {
    let scratch = Scratch::new();
    scratch.write("p.py", "def train(w, g, lr):\n  u = sin(gg)\n  return u\n");
    let run = scratch.run(&["show", "p.py"]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr.contains("p.py:2:11: unknown variable `gg`; did you mean `g`?"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_zoo_lists_and_prints_programs_that_can_be_used() {
    let scratch = Scratch::new();
    let list = scratch.run(&["zoo"]).success();
    for name in
        ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad", "signsgd", "lion"]
    {
        assert!(list.lines().any(|line| line.split(' ').next() == Some(name)), "{name}");
        let text = scratch.run(&["zoo", name]).success();
        scratch.write("p.py", &text);
        let by_file = scratch.run(&["show", "p.py", "--hash"]).success();
        assert_eq!(by_file, scratch.run(&["show", &format!("zoo:{name}"), "--hash"]).success());
    }
    let run = scratch.run(&["zoo", "lino"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("did you mean `lion`?"), "{}", run.stderr);
}

#[test]
fn ops_prints_one_line_for_each_of_the_45() {
    let scratch = Scratch::new();
    let table = scratch.run(&["ops"]).success();
    assert_eq!(table.lines().count(), 46, "a header and 45 ops");
    assert!(table.contains("a / (b + 1e-8)"));
    assert_eq!(scratch.run(&["ops", "--set", "none"]).code, Some(2));
}

#[test]
fn evaluate_scores_programs_as_the_search_does_and_reports_invalid_ones() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    scratch
        .write("explodes.py", "def train(w, g, lr):\n  u = exp(w)\n  u = u * -1e30\n  return u\n");
    let args = ["evaluate", "zoo:adamw", "explodes.py", "--config", &tiny, "--json"];
    let json: serde_json::Value =
        serde_json::from_str(&scratch.run(&args).success()).expect("it is JSON");
    let (adamw, explodes) = (&json["programs"][0], &json["programs"][1]);
    assert_eq!(adamw["name"], "zoo:adamw");
    let loss = adamw["losses"][0].as_f64().expect("AdamW trains");
    let fitness = adamw["fitness"].as_f64().expect("AdamW trains");
    assert!((fitness - libm::log(1.5 / loss)).abs() < 1e-12);
    assert!(explodes["fitness"].is_null());
    assert!(explodes["problems"][0].as_str().expect("a reason").contains("at step 2 of digits"));
    let table = scratch.run(&args[..args.len() - 1]).success();
    assert!(table.contains("held out: teacher"), "{table}");
}
