//! Reports: what they hold of runs in any state and of what is beside them, and that they load
//! nothing.

use crate::harness::{Running, Scratch, repository};

/// A report loads nothing and runs nothing, wherever it is opened.
fn assert_whole(html: &str) {
    assert!(html.starts_with("<!doctype html>"), "{}", &html[..html.len().min(200)]);
    assert!(html.trim_end().ends_with("</html>"));
    for part in ["http:", "https:", "<script", "<link", "<img", "src=", "href=", "@import", "url("]
    {
        assert!(!html.contains(part), "{part}");
    }
}

/// Every colour of a figure in the page is a variable of its style.
fn assert_themed(html: &str) {
    for figure in html.split("<svg").skip(1) {
        let figure = figure.split("</svg>").next().expect("it ends");
        let attributes = figure.split(['<', ' ']).filter(|it| it.contains("=\""));
        for attribute in
            attributes.filter(|it| it.starts_with("fill=") || it.starts_with("stroke="))
        {
            let (_, value) = attribute.split_once('"').expect("it has a value");
            assert!(value.starts_with("var(--") || value.starts_with("none"), "{attribute}");
        }
    }
    assert!(html.contains("prefers-color-scheme:dark"));
}

fn search(scratch: &Scratch, config: &str, out: &str, sets: &[&str]) {
    let config = repository(config);
    let mut args = vec!["search", &config, "--out", out, "--quiet"];
    args.extend(sets.iter().flat_map(|set| ["--set", set]));
    scratch.run(&args).success();
}

#[test]
fn a_run_has_a_report_in_its_directory_that_tells_all_of_it() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let ended = scratch.run(&["search", &tiny, "--out", "my run", "--quiet"]).success();
    assert!(ended.contains("evo report 'my run'\n"), "{ended}");
    let printed = scratch.run(&["report", "my run", "--figures", "figures"]).success();
    assert_eq!(printed, "my run/report.html\n");
    let html = scratch.read("my run/report.html");
    assert_whole(&html);
    assert_themed(&html);
    for expected in [
        "Ended because 150 candidates were bred",
        "RegularizedEvolution, seed 7",
        "zoo:adamw_uncorrected",
        "The winner",
        "held out: teacher",
        "Fitness over evaluations",
        "Fitness against length",
        "Mutations",
        "change constant",
        "How it came about",
        "a start program, fitness",
        "Hall of fame: ",
        "learning_rate_multiples",
        "evo search &#x27;my run&#x2f;config.ron&#x27; --out AGAIN",
        "fitness, ln(baseline / loss)",
    ] {
        assert!(html.contains(expected), "{expected}");
    }
    let report: serde_json::Value =
        serde_json::from_str(&scratch.read("my run/report.json")).expect("it is JSON");
    assert!(html.contains(report["digest"].as_str().expect("a text")));
    let names: Vec<String> = std::fs::read_dir(scratch.path("figures"))
        .expect("it is there")
        .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names.len(), 4, "{names:?}");
    for name in names {
        let figure = scratch.read(&format!("figures/{name}"));
        assert!(figure.starts_with("<svg xmlns=") && !figure.contains("var("), "{name}");
    }
    // Made again it is the same: no clock is in it.
    scratch.run(&["report", "my run", "--out", "again.html"]).success();
    assert_eq!(scratch.read("again.html"), html);
}

#[test]
fn several_runs_are_compared_in_one_chart_with_their_strategies() {
    let scratch = Scratch::new();
    let control = "strategy=RandomSearch(mutations: 5)";
    search(&scratch, "tests/data/tiny.ron", "evolved", &[]);
    search(&scratch, "tests/data/tiny.ron", "control", &[control]);
    let nguyen = repository("configs/expression_nguyen.ron");
    let few = "stopping.candidates=300";
    let args = ["search", &nguyen, "--out", "formula", "--set", few, "--quiet"];
    assert_eq!(scratch.run(&args).code, Some(1), "its fitness is not reached so soon");
    scratch.run(&["report", "evolved", "control", "--out", "both.html"]).success();
    let html = scratch.read("both.html");
    assert_whole(&html);
    assert_themed(&html);
    assert!(html.contains("Runs beside each other"));
    assert!(html.contains("evolved (RegularizedEvolution)"));
    assert!(html.contains("control (RandomSearch)"));
    // Of any domain, and then of no common unit.
    scratch.run(&["report", "formula"]).success();
    let html = scratch.read("formula/report.html");
    assert_whole(&html);
    assert!(html.contains("def f(x)") && html.contains("fitness, −ln(error / variance)"));
    scratch.run(&["report", "formula", "control", "--figures", "figures"]).success();
    assert!(scratch.read("figures/runs.svg").contains(">fitness<"));
    assert!(scratch.path("figures/run-2-fitness.svg").exists());
}

#[test]
fn a_run_under_way_or_killed_has_a_report_and_one_without_a_score_too() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let limit = "stopping.candidates=100000000";
    let args = ["search", &tiny, "--set", limit, "--out", "run", "--threads", "1", "--quiet"];
    let mut running = Running::begin(scratch.command(&args));
    running.wait_for(&scratch.path("run/best.py"));
    scratch.run(&["report", "run", "--out", "under way.html"]).success();
    running.kill();
    scratch.run(&["report", "run", "--out", "killed.html"]).success();
    for name in ["under way.html", "killed.html"] {
        let html = scratch.read(name);
        assert_whole(&html);
        assert!(html.contains("Not at its end"), "{name}");
        assert!(html.contains("evo resume run"), "{name}");
    }
    scratch.write("still.py", "def train(w, g, lr):\n  u = g / 0.0\n  u = u * 1e30\n  return u\n");
    let start = format!("start=\"{}\"", scratch.path("still.py").display());
    let sets = [start.as_str(), "stopping.candidates=1"];
    let mut args = vec!["search", &tiny, "--out", "none", "--quiet"];
    args.extend(sets.iter().flat_map(|set| ["--set", set]));
    assert_eq!(scratch.run(&args).code, Some(1));
    scratch.run(&["report", "none"]).success();
    let html = scratch.read("none/report.html");
    assert_whole(&html);
    assert!(html.contains("Nothing has a fitness yet."));
}

#[test]
fn names_of_a_user_are_text_wherever_they_stand() {
    let scratch = Scratch::new();
    let name = "a<script>alert(1)<b> & \"c\" 'd' $e$ {{ f }} --g";
    search(&scratch, "tests/data/tiny.ron", name, &["stopping.candidates=30"]);
    search(&scratch, "tests/data/tiny.ron", "other", &["stopping.candidates=30"]);
    scratch.run(&["report", name, "other", "--figures", "figures"]).success();
    let html = scratch.read(&format!("{name}/report.html"));
    assert!(!html.contains("<script") && !html.contains("<b>"), "a name became markup");
    let escaped =
        "a&lt;script&gt;alert(1)&lt;b&gt; &amp; &quot;c&quot; &#x27;d&#x27; $e$ {{ f }} --g";
    assert!(html.contains(escaped));
    let figure = scratch.read("figures/runs.svg");
    assert!(!figure.contains("<script") && figure.contains("&lt;script&gt;"), "{figure}");
}

#[test]
fn folders_beside_a_run_are_reported_too_and_named_where_they_are_damaged() {
    let scratch = Scratch::new();
    search(&scratch, "tests/data/tiny.ron", "run", &["stopping.candidates=40"]);
    let (compare, funnel) =
        (repository("tests/data/compare.ron"), repository("tests/data/funnel.ron"));
    scratch.write("padded.py", "def train(w, g, lr):\n  u = g * lr\n  u = u + 0.0\n  return u\n");
    let own = ["--quiet", "--out"];
    for args in [
        &["compare", "zoo:lion", "padded.py", "--config", &compare, own[0], own[1], "compared"][..],
        &["funnel", "zoo:lion", "zoo:sgd", "--config", &funnel, own[0], own[1], "narrowed"],
        &["simplify", "padded.py", "--config", &compare, "--retune", "1", "--out", "shortened"],
    ] {
        scratch.run(args).success();
    }
    let folders = ["--comparison", "compared", "--funnel", "narrowed", "--simplified", "shortened"];
    let report = || scratch.run(&[&["report", "run"][..], &folders, &["--figures", "f"]].concat());
    report().success();
    let html = scratch.read("run/report.html");
    assert_whole(&html);
    assert_themed(&html);
    for expected in [
        "Comparison at equal tuning",
        "Performance profile",
        "Loss on digits",
        "validation loss (nats)",
        "Learning rate on teacher",
        "padded.py",
        "Funnel",
        "passed",
        "Simplification",
    ] {
        assert!(html.contains(expected), "{expected}");
    }
    for name in ["performance-profile", "course-1-digits", "learning-rate-2-teacher"] {
        assert!(scratch.path(&format!("f/{name}.svg")).exists(), "{name}");
    }
    std::fs::remove_file(scratch.path("run/report.html")).expect("it is there");
    for (file, damage) in [
        ("compared/comparison.json", "\"verdict\": \"Tie\""),
        ("compared/comparison.json", "\"on_tasks\": ["),
        ("compared/courses.csv", "zoo:adamw,digits,0,"),
        ("narrowed/funnel.json", "\"gains\""),
        ("shortened/simplified.json", "\"tolerance\""),
        ("run/report.json", "\"digest\""),
    ] {
        let whole = scratch.read(file);
        assert!(whole.contains(damage), "{damage} is not in {file}");
        for damaged in [whole.replace(damage, "\"x\": ["), whole[..whole.len() / 2].to_owned()] {
            scratch.write(file, damaged);
            let run = report();
            assert!(run.code == Some(2) && run.stderr.contains(file), "{file}: {run:?}");
            assert!(!scratch.path("run/report.html").exists(), "{file}");
        }
        std::fs::remove_file(scratch.path(file)).expect("it is there");
        // A run may not have ended; what is asked for must be there.
        let expected = if file == "run/report.json" { Some(0) } else { Some(2) };
        assert_eq!(report().code, expected, "{file}");
        std::fs::remove_file(scratch.path("run/report.html")).ok();
        scratch.write(file, whole);
    }
}

#[test]
fn what_is_no_run_or_cannot_be_written_is_told_with_its_place() {
    let scratch = Scratch::new();
    search(&scratch, "tests/data/tiny.ron", "run", &["stopping.candidates=20"]);
    std::fs::create_dir(scratch.path("empty")).expect("there is room");
    for (args, expected) in [
        (&["report", "absent"][..], "absent: there is no such run directory"),
        (&["report", "run", "empty"], "empty/run.db"),
        (&["report", "run", "--out", "nowhere/report.html"], "nowhere/report.html"),
        (&["report", "run", "--figures", "run/run.db"], "run/run.db"),
        (&["report", "run", "--comparison", "empty"], "empty/comparison.json"),
    ] {
        let run = scratch.run(args);
        assert!(run.code == Some(2) && run.stderr.contains(expected), "{args:?}: {run:?}");
    }
}
