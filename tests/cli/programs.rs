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
fn ops_prints_a_line_with_all_facts_for_each_op_of_a_set() {
    let scratch = Scratch::new();
    let table = |set: &str| scratch.run(&["ops", "--set", set]).success();
    for (set, ops) in [("lion45", 45), ("modern", 55), ("automl_zero", 65)] {
        assert_eq!(table(set).lines().count(), 1 + ops, "a header and the ops of {set}");
    }
    assert_eq!(scratch.run(&["ops"]).success(), table("modern"));
    let divide =
        table("lion45").lines().find(|line| line.starts_with("/, divide")).map(str::to_owned);
    let divide = divide.expect("division has a line");
    for fact in ["the larger of the types", "a / (b + 1e-8)", "added to the divisor", "2302.06675"]
    {
        assert!(divide.contains(fact), "{divide}");
    }
    let run = scratch.run(&["ops", "--set", "modren"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("did you mean `modern`?"), "{}", run.stderr);
}

#[test]
fn equal_programs_print_one_canonical_form() {
    let scratch = Scratch::new();
    scratch.write("p.py", "def train(w, g, m, lr):\n  a = g * lr\n  b = a + w\n  return b, m\n");
    scratch.write(
        "q.py",
        "def train(x, y, z, rate):\n  z = cosh(y)\n  k = rate * y\n  k2 = y * rate\n  k = x + k2\n  return k, z\n",
    );
    let canonical = |name| scratch.run(&["show", name, "--canonical"]).success();
    assert_eq!(canonical("p.py"), canonical("q.py"));
    assert!(canonical("p.py").starts_with("def train(w, g, m, lr):\n"));
}

#[test]
fn simplify_keeps_bits_unless_rounding_is_allowed_and_says_where_it_differs() {
    let scratch = Scratch::new();
    let exact = scratch.run(&["simplify", "zoo:lion_discovered"]).success();
    assert!(exact.contains("sqrt") && !exact.contains("cosh"), "{exact}");
    let args = ["simplify", "zoo:lion_discovered", "--rounding", "allow"];
    let allowed = scratch.run(&args).success();
    assert!(allowed.contains("= sign("), "{allowed}");
    assert!(!allowed.contains("= sqrt(") && !allowed.contains("cosh"), "{allowed}");
    assert!(
        allowed.lines().any(|line| line.starts_with("# ") && line.contains("sign")),
        "{allowed}"
    );
    scratch.write("simple.py", &allowed);
    let again = scratch.run(&["simplify", "simple.py", "--rounding", "allow"]).success();
    let length = |text: &str| text.lines().filter(|line| line.contains(" = ")).count();
    assert!(length(&again) <= length(&allowed) && length(&allowed) < length(&exact));
}

#[test]
fn export_writes_every_target_and_names_the_class_after_the_program() {
    let scratch = Scratch::new();
    let export = |args: &[&str]| scratch.run(&[&["export"], args].concat());
    let marks = [
        ("torch", "class Lion(torch.optim.Optimizer):"),
        ("optax", "GradientTransformation"),
        ("python", "def lion("),
        ("rust", "pub fn lion("),
        ("latex", "\\begin{document}"),
        ("dot", "digraph"),
    ];
    for (target, mark) in marks {
        let text = export(&["zoo:lion", "--to", target]).success();
        assert!(text.contains(mark), "{target}: {text}");
    }
    scratch.write("my_rule.py", "def train(w, g, lr):\n  u = g * lr\n  return u\n");
    let named = export(&["my_rule.py", "--to", "torch"]).success();
    assert!(named.contains("class MyRule("), "{named}");
    let named = export(&["my_rule.py", "--to", "torch", "--name", "Plain"]).success();
    assert!(named.contains("class Plain("), "{named}");
    assert_eq!(export(&["zoo:lion", "--to", "torch", "--out", "lion.py"]).success(), "");
    assert!(scratch.read("lion.py").contains("class Lion("));
    let refused = export(&["zoo:lion", "--to", "tourch"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("did you mean `torch`?"), "{}", refused.stderr);
}

#[test]
fn the_hall_of_fame_of_a_run_is_a_table_in_latex() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let limit = "stopping.candidates=60";
    let args = ["search", &tiny, "--set", limit, "--out", "run", "--quiet"];
    scratch.run(&args).success();
    let table =
        |more: &[&str]| scratch.run(&[&["export", "run", "--to", "latex-table"], more].concat());
    let mut hall =
        csv::Reader::from_path(scratch.path("run/hall_of_fame.csv")).expect("it is there");
    let fitness = hall.records().map(|record| record.expect("it is a table")[1].parse::<f64>());
    let mut fitness: Vec<f64> = fitness.map(|value| value.expect("it is a number")).collect();
    fitness.sort_by(|a, b| b.total_cmp(a));
    let text = table(&["--digits", "5"]).success();
    assert_eq!(text.matches("\\begin{aligned}").count(), fitness.len().min(10), "{text}");
    for (index, value) in fitness.iter().take(10).enumerate() {
        assert!(text.contains(&format!("\n{} & ${value:.5}$ & ", index + 1)), "{value}: {text}");
    }
    let short = table(&["--rows", "1", "--out", "table.tex"]).success();
    assert_eq!((short.as_str(), scratch.read("table.tex").matches("aligned}[t]").count()), ("", 1));
    for (more, words) in [
        (&["--digits", "0"][..], "--digits"),
        (&["--digits", "18"], "--digits"),
        (&["--rows", "0"], "--rows"),
        (&["--name", "Rule"], "--name is no option"),
    ] {
        let refused = table(more);
        assert_eq!(refused.code, Some(2), "{more:?}");
        assert!(refused.stderr.contains(words), "{more:?}: {}", refused.stderr);
    }
    let refused = scratch.run(&["export", "zoo:lion", "--to", "latex-table"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("hall_of_fame.csv"), "{refused:?}");
    let refused = scratch.run(&["export", "zoo:lion", "--to", "latex", "--digits", "3"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("latex-table"), "{refused:?}");
}

#[test]
fn text_that_is_not_utf_8_is_refused_with_its_place() {
    let scratch = Scratch::new();
    scratch.write("p.py", b"def train(w, g, lr):\n  u = g \xff lr\n  return u\n");
    let run = scratch.run(&["show", "p.py"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("p.py:2:9:") && run.stderr.contains("UTF-8"), "{}", run.stderr);
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
    let best = &adamw["best_multiple"];
    assert_eq!((best["multiple"].as_f64(), &best["fitness"]), (Some(1.0), &adamw["fitness"]));
    assert_eq!(adamw["fresh_fitness"].as_array().map(Vec::len), Some(8));
    assert!(adamw["fresh_gain"].is_null() && explodes["fresh_gain"].is_null());
    let table = scratch.run(&args[..args.len() - 1]).success();
    assert!(table.contains("held out: teacher"), "{table}");
}

#[test]
fn a_fitness_is_printed_with_what_fresh_repeats_say_of_it() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let args = ["evaluate", "zoo:adamw", "zoo:adamw", "zoo:lion", "--config", &tiny];
    let table = scratch.run(&args).success();
    let row = |label: &str| {
        let row = table.lines().find(|line| line.trim_start().starts_with(label));
        row.unwrap_or_else(|| panic!("{label} is not in\n{table}"))
    };
    assert_eq!(row("at its best multiple").matches("(x1)").count(), 3);
    assert_eq!(row("on fresh repeats").matches('±').count(), 3);
    assert_eq!(row("above zoo:adamw").matches("+0.0000 ±0.0000").count(), 1, "{table}");
    assert!(table.contains("fresh repeats: 8 more runs"), "{table}");
    let none = [args.as_slice(), &["--set", "evaluation.fresh_repeats=0"]].concat();
    assert!(!scratch.run(&none).success().contains("fresh"));
}

#[test]
fn runs_are_printed_with_their_losses_on_the_way_and_the_steps_to_the_baseline() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    scratch
        .write("explodes.py", "def train(w, g, lr):\n  u = exp(w)\n  u = u * -1e30\n  return u\n");
    let args = ["evaluate", "zoo:adamw", "explodes.py", "--config", &tiny, "--json"];
    let json = |more: &[&str]| -> serde_json::Value {
        let printed = scratch.run(&[args.as_slice(), more].concat()).success();
        serde_json::from_str(&printed).expect("it is JSON")
    };
    let sets = ["--set", "evaluation.loss_at=[0.25, 0.5, 0.75]"];
    let baseline = ["--set", "evaluation.tasks[0].baseline_loss=2.22"];
    let (plain, stated) = (json(&baseline), json(&[sets, baseline].concat()));
    let [digits, teacher] = [0, 1].map(|task| &stated["programs"][0]["runs"][task]);
    assert_eq!((&digits["task"], &teacher["task"]), (&"digits".into(), &"teacher".into()));
    let run = &digits["runs"][0];
    assert_eq!((&run["multiple"], &run["repeat"]), (&1.0.into(), &0.into()));
    assert_eq!(run["loss"], stated["programs"][0]["losses"][0]);
    let course = run["course"].as_array().expect("three losses on the way");
    let steps: Vec<u64> = course.iter().filter_map(|it| it[0].as_u64()).collect();
    assert_eq!(steps, [5, 10, 15]);
    let below = course.iter().find(|it| it[1].as_f64().expect("a loss") <= 2.22);
    let expected = below.map_or(serde_json::Value::Null, |it| it[0].clone());
    assert_eq!((&digits["baseline_loss"], &digits["steps_to_baseline"]), (&2.22.into(), &expected));
    assert!(expected.is_u64(), "{digits}");
    assert_eq!(stated["programs"][1]["runs"], serde_json::json!([]));
    // All but what was asked for is as it was.
    let without = |mut json: serde_json::Value| {
        for task in json["programs"][0]["runs"].as_array_mut().expect("runs by task") {
            task["steps_to_baseline"].take();
            task["runs"].as_array_mut().expect("runs").iter_mut().for_each(|run| {
                run["course"].take();
            });
        }
        json
    };
    assert_eq!(without(stated), without(plain));
    let run = scratch.run(&[args.as_slice(), &["--set", "evaluation.loss_at=[0.5, 0.5]"]].concat());
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("evaluation.loss_at[1]"), "{}", run.stderr);
}
