//! Baselines: measured by `evo baseline`, kept beside the configuration, refused for another task.

use evo::{Baselines, Config};

use crate::harness::{Running, Scratch, repository};

/// The smallest search, its tasks without baselines.
fn bare() -> String {
    let tiny = include_str!("../data/tiny.ron");
    let stated = |line: &&str| !line.contains("learning_rate: ") && !line.contains("baseline_loss");
    tiny.lines().filter(stated).map(|line| line.to_owned() + "\n").collect()
}

fn refused(scratch: &Scratch, args: &[&str], expected: &[&str]) {
    let before = scratch.entries();
    let run = scratch.run(args);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
    for part in expected {
        assert!(run.stderr.contains(part), "`{part}` is not in\n{}", run.stderr);
    }
    assert_eq!(scratch.entries(), before, "nothing is left behind");
}

#[test]
fn a_search_needs_baselines_and_goes_once_they_are_measured() {
    let scratch = Scratch::new();
    scratch.write("bare.ron", bare());
    let expected =
        ["bare.ron:10:13: `evaluation.tasks[0]`: has no baseline", "`evo baseline bare.ron`"];
    refused(&scratch, &["search", "bare.ron"], &expected);
    refused(&scratch, &["search", "bare.ron", "--dry-run"], &expected);
    refused(&scratch, &["validate", "bare.ron"], &expected);
    refused(&scratch, &["evaluate", "zoo:lion", "--config", "bare.ron"], &expected);

    let run = scratch.run(&["baseline", "bare.ron", "--threads", "2"]);
    assert!(run.stderr.contains("10 learning rates x 3 weight decays x 1 runs"), "{}", run.stderr);
    let table = run.success();
    assert!(table.contains("\nheld out: teacher"), "{table}");
    assert_eq!(scratch.entries(), ["bare.baselines.ron", "bare.ron"]);
    let written = scratch.read("bare.baselines.ron");
    scratch.run(&["baseline", "bare.ron", "--threads", "1", "--out", "again.ron"]).success();
    assert_eq!(scratch.read("again.ron"), written, "threads do not change it");

    scratch.run(&["validate", "bare.ron"]).success();
    let evaluate = ["evaluate", "zoo:adamw", "--config", "bare.ron", "--json"];
    let json = scratch.run(&evaluate).success();
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let fitness = json["programs"][0]["fitness"].as_f64().expect("AdamW trains");
    assert!(fitness <= 0.0 && fitness > -0.5, "{fitness}");
    let limit = ["--set", "stopping.candidates=5"];
    let search = |config, out| {
        scratch.run(&[["search", config, "--out", out].as_slice(), &limit].concat()).success()
    };
    search("bare.ron", "run");
    // A run directory holds what was resolved and needs no file beside it.
    search("run/config.ron", "again");
}

#[test]
fn a_changed_task_is_not_compared_with_the_loss_of_another() {
    let scratch = Scratch::new();
    let quickstart = repository("configs/quickstart.ron");
    let set = "evaluation.tasks[1].steps=151";
    let expected = [
        "with --set evaluation.tasks[1].steps=151: `evaluation.tasks[1]`: was changed since",
        "`evo baseline ",
        "quickstart.ron --set 'evaluation.tasks[1].steps=151'` measures it",
    ];
    refused(&scratch, &["search", &quickstart, "--set", set], &expected);
    refused(&scratch, &["validate", &quickstart, "--set", set], &expected);
    let expected = ["`evaluation.tasks[0]`: was changed since"];
    let all = "evaluation.data_seed=1";
    refused(&scratch, &["validate", &quickstart, "--set", all, "--set", "seed=3"], &expected);
    let half = "evaluation.tasks[2].learning_rate=3.0";
    let expected = ["`evaluation.tasks[2]`: states only one of"];
    refused(&scratch, &["validate", &quickstart, "--set", half], &expected);
    for unrelated in ["stopping.candidates=3", "evaluation.stages=[1]", "seed=3"] {
        scratch.run(&["validate", &quickstart, "--set", unrelated]).success();
    }
}

#[test]
fn variants_keep_their_baselines_side_by_side() {
    let scratch = Scratch::new();
    scratch.write("bare.ron", bare());
    let set = ["--set", "evaluation.tasks[0].steps=10"];
    let run = |args: &[&str]| scratch.run(args).success();
    run(&["baseline", "bare.ron"]);
    let first = scratch.read("bare.baselines.ron");
    run(&[["baseline", "bare.ron"].as_slice(), &set].concat());
    run(&["validate", "bare.ron"]);
    run(&[["validate", "bare.ron"].as_slice(), &set].concat());
    let both = scratch.read("bare.baselines.ron");
    assert_eq!((first.matches("task: ").count(), both.matches("task: ").count()), (2, 3));
    run(&["baseline", "bare.ron"]);
    assert_eq!(scratch.read("bare.baselines.ron"), both, "measured again, the same");
}

#[test]
fn what_a_task_states_itself_wins() {
    let scratch = Scratch::new();
    let tiny = scratch.write("tiny.ron", include_str!("../data/tiny.ron"));
    let entry =
        "task: \"digits\", fingerprint: \"0\", optimizer: \"x\", learning_rate: 1.0, loss: 9.0";
    scratch.write("tiny.baselines.ron", format!("[({entry})]"));
    let config = Config::load_with_baselines(&tiny, &[]).expect("it states its own");
    assert_eq!(config.evaluation.tasks[0].baseline_loss, Some(1.5));
}

#[test]
fn a_damaged_file_of_baselines_is_refused() {
    let scratch = Scratch::new();
    let bare = scratch.write("bare.ron", bare());
    let place = Baselines::path(&bare);
    assert_eq!(place, scratch.path("bare.baselines.ron"));
    let entry =
        "task: \"digits\", fingerprint: \"0\", optimizer: \"x\", learning_rate: 1.0, loss: -9.0";
    let negative = format!("[({entry})]");
    for (text, expected) in [
        ("[(task: ", "bare.baselines.ron:1:"),
        ("{1}", "bare.baselines.ron:1:"),
        ("", "bare.baselines.ron:1:1"),
        (negative.as_str(), "must be positive"),
    ] {
        scratch.write("bare.baselines.ron", text);
        refused(&scratch, &["search", "bare.ron"], &[expected]);
    }
}

#[test]
fn another_optimizer_is_only_printed() {
    let scratch = Scratch::new();
    scratch.write("bare.ron", bare());
    scratch.write("sgd.py", "def train(w, g, lr):\n  u = g * lr\n  u = u * 0.01\n  return u\n");
    let table = scratch.run(&["baseline", "bare.ron", "--optimizer", "sgd.py"]).success();
    let digits = table.lines().find(|line| line.starts_with("digits")).expect("a row");
    assert!(digits.contains(" - "), "no weight decay: {digits}");
    scratch.write("slow.py", "def train(w, g, lr):\n  u = g * lr\n  u = u * 1e-6\n  return u\n");
    let table = scratch.run(&["baseline", "bare.ron", "--optimizer", "slow.py"]).success();
    assert!(table.contains("\ndigits: a better learning rate may lie beyond"), "{table}");
    scratch.write("bad.py", "def train(w, g, lr):\n  u = exp(w)\n  u = u * -1e30\n  return u\n");
    let run = scratch.run(&["baseline", "bare.ron", "--optimizer", "bad.py"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("every setting of the tuning grid diverged"), "{run:?}");
    refused(&scratch, &["baseline", "bare.ron", "--optimizer", "zoo:loin"], &["`lion`"]);
    let args = ["baseline", "bare.ron", "--optimizer", "sgd.py", "--out", "x.ron"];
    refused(&scratch, &args, &["--out"]);
    refused(&scratch, &["baseline", "bare.ron", "--out", "absent/x.ron"], &["absent/x.ron"]);
    assert_eq!(scratch.entries(), ["bad.py", "bare.ron", "sgd.py", "slow.py"]);
}

#[test]
fn several_optimizers_are_tuned_alike_and_compared_with_the_first() {
    let scratch = Scratch::new();
    scratch.write("bare.ron", bare());
    let args = ["baseline", "bare.ron", "--optimizer", "zoo:adamw", "--optimizer", "zoo:lion"];
    let table = scratch.run(&args).success();
    let last = |label: &str| {
        let row = table.lines().rfind(|line| line.starts_with(label)).expect("a row");
        row[label.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let losses: Vec<f64> =
        last("digits").iter().map(|loss| loss.parse().expect("a number")).collect();
    let gain = format!("{:+.4}", libm::log(losses[0] / losses[1]));
    assert_eq!(last("mean gain "), ["+0.0000".to_owned(), gain]);
    assert_eq!(last("mean gain, held out").len(), 2);
    assert_eq!(scratch.entries(), ["bare.baselines.ron", "bare.ron"]);
}

#[test]
fn tuning_cut_short_leaves_what_was_there() {
    let scratch = Scratch::new();
    scratch.write("bare.ron", bare().replace("steps: 20", "steps: 200000"));
    scratch.write("bare.baselines.ron", "[]");
    let running = Running::begin(scratch.command(&["baseline", "bare.ron"]));
    running.wait_for_message("tuning ");
    running.kill();
    assert_eq!(scratch.entries(), ["bare.baselines.ron", "bare.ron"]);
    assert_eq!(scratch.read("bare.baselines.ron"), "[]");
}
