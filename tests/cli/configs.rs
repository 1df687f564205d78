//! Shipped configurations: each loads, is whole, and has its baselines.

use evo::{Config, DomainName, states_funnel, states_studies};

use crate::harness::{Scratch, repository};

#[test]
fn every_shipped_configuration_is_valid_and_has_its_baselines() {
    let folder = repository("configs");
    let entries = std::fs::read_dir(folder).expect("there is a folder of configurations");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("it can be listed").path();
        let name = path.to_string_lossy();
        if !name.ends_with(".ron") || name.ends_with(".baselines.ron") {
            continue;
        }
        let of_others = states_studies(&path).expect("it can be read")
            || states_funnel(&path).expect("it can be read");
        let domain = DomainName::stated_in(&path).expect("it can be read");
        if domain == DomainName::Optimizers && !of_others {
            // Fails unless every fingerprint fits.
            let config = Config::load_with_baselines(&path, &[]);
            let config = config.unwrap_or_else(|error| panic!("{error}"));
            assert!(!config.evaluation.lacks_baseline(), "{}", path.display());
        }
        let path = path.to_str().expect("a UTF-8 path");
        assert!(Scratch::new().run(&["validate", path]).success().contains("fine"), "{path}");
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn the_controls_of_the_discovery_are_scored_and_end_as_it_does() {
    let load = |name: &str| {
        let path = repository(&format!("configs/{name}.ron"));
        Config::load_with_baselines(path.as_ref(), &[]).expect("it is valid")
    };
    let discovery = load("discover_cpu");
    for control in ["random_search", "constant_tuning"] {
        let control = load(control);
        assert_eq!(control.evaluation, discovery.evaluation);
        let (own, other) = (&control.settings, &discovery.settings);
        assert_eq!((&own.stopping, &own.hurdles), (&other.stopping, &other.hurdles));
        assert_eq!(own.deduplication, other.deduplication);
    }
}

/// Fitness of program texts on a configuration; `None` for one that cannot train its tasks.
fn fitness(config: &str, texts: &[String], sets: &[&str]) -> Vec<Option<f64>> {
    let scratch = Scratch::new();
    let mut args = vec!["evaluate".to_owned()];
    for (index, text) in texts.iter().enumerate() {
        scratch.write(&format!("{index}.py"), text);
        args.push(format!("{index}.py"));
    }
    args.extend(["--config", config, "--json", "--set", "evaluation.held_out=[]"].map(Into::into));
    let sets = ["evaluation.fresh_repeats=0"].iter().chain(sets);
    args.extend(sets.flat_map(|set| ["--set".to_owned(), (*set).to_owned()]));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let json = scratch.run(&args).success();
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let programs = json["programs"].as_array().expect("a list");
    programs.iter().map(|entry| entry["fitness"].as_f64()).collect()
}

/// AdamW with its learning rate made otherwise.
fn adamw(rate: &str) -> String {
    let text = evo::zoo::get("adamw").expect("a zoo entry").text;
    let own = "  lr = lr * 0.001\n";
    assert!(text.contains(own));
    text.replace(own, rate)
}

#[test]
fn remaps_of_the_learning_rate_gain_nothing_on_the_quickstart() {
    let remaps = [
        "  lr = sqrt(lr)\n  lr = lr * 0.001\n",
        "  lr = power(lr, 0.25)\n  lr = lr * 0.001\n",
        "  lr = power(lr, 0.75)\n  lr = lr * 0.001\n",
        "  lr = min(lr, 0.5)\n  lr = lr * 0.002\n",
        "  lr = lr * -2.5\n  lr = exp(lr)\n  lr = 1.0 - lr\n  lr = lr * 0.00109\n",
        // Up to three times as high towards the end.
        "  q = t * 0.02\n  q = q + 1.0\n  lr = lr * q\n  lr = lr * 0.0007\n",
        "  c = get_columns()\n  a = min(lr, c)\n  b = c / c\n  a = global_norm(a)\n  \
         b = global_norm(b)\n  lr = a / b\n  lr = lr * 0.001\n",
        // Without any.
        "  lr = 0.001 * 1.0\n",
    ];
    let mut texts = vec![adamw("  lr = lr * 0.001\n")];
    texts.extend(remaps.map(adamw));
    let found = fitness(&repository("configs/quickstart.ron"), &texts, &[]);
    let plain = found[0].expect("AdamW trains");
    for (found, remap) in found[1..].iter().zip(remaps) {
        let found = found.expect("it trains");
        assert!(found < plain + 0.03, "{found:+.4}, without {plain:+.4}: {remap}");
    }
}

#[test]
fn taking_the_weights_away_scores_below_adamw_on_every_task_that_is_quick_enough_to_train() {
    let away = |rate: f64| format!("def train(w, g, lr):\n  u = w * {rate:?}\n  return u\n");
    for name in ["configs/quickstart.ron", "tests/data/tiny.ron"] {
        let path = repository(name);
        let config = Config::load_with_baselines(path.as_ref(), &[]).expect("it is valid");
        let tasks = config.evaluation.tasks.iter().chain(&config.evaluation.held_out);
        for task in tasks {
            // Wholly in one step, and bit by bit.
            let rate = task.learning_rate.expect("it has a baseline");
            let list = ron::to_string(&vec![task]).expect("a task can be written");
            let set = format!("evaluation.tasks={list}");
            let texts =
                [adamw("  lr = lr * 0.001\n"), away(1.0 / rate), away(0.01 / rate), away(1.0)];
            for multiples in ["[1.0]", "[0.4, 1.0, 2.5]"] {
                let multiples = format!("evaluation.learning_rate_multiples={multiples}");
                let alone = [&*set, &*multiples, "evaluation.stages=[]", "hurdles=()"];
                let found = fitness(&path, &texts, &alone);
                let adamw = found[0].expect("AdamW trains");
                for found in found[1..].iter().flatten() {
                    assert!(*found < adamw, "{found} of {}, AdamW {adamw}", task.name);
                }
            }
        }
    }
}

#[test]
fn a_configuration_written_out_in_full_reads_back_the_same() {
    let scratch = Scratch::new();
    for name in ["configs/quickstart.ron", "configs/lion_paper.ron", "tests/data/tiny.ron"] {
        let config = Config::load(repository(name).as_ref(), &[]).expect("it is valid");
        let written = scratch.write("written.ron", config.to_ron());
        assert_eq!(Config::load(&written, &[]).expect("it reads back"), config, "{name}");
    }
}

#[test]
fn overrides_replace_values_and_add_those_left_out() {
    let overrides = [
        "stopping.candidates=3",
        "stopping.evaluations=2",
        "evaluation.tasks[0].model=Mlp(hidden: [4, 4])",
        "evaluation.tasks[0].steps=21",
        "hashing.mantissa_bits=10",
        "mutation.weights.insert=2.0",
        "start=zoo:lion",
        "deduplication.level=Structural",
    ];
    let tiny = repository("tests/data/tiny.ron");
    let config = Config::load(tiny.as_ref(), &overrides.map(str::to_owned)).expect("it is valid");
    assert_eq!(
        (config.settings.stopping.candidates, config.settings.stopping.evaluations),
        (Some(3), Some(2))
    );
    assert_eq!(config.evaluation.tasks[0].steps.get(), 21);
    // A struct that was left out is added with the key.
    assert_eq!(config.hashing.mantissa_bits, 10);
    assert_eq!(config.settings.mutation.weights.insert.to_bits(), 2.0f64.to_bits());
    assert_eq!(config.start, "zoo:lion".into());
    assert!(config.to_ron().contains("Structural"));
}

#[test]
fn every_way_to_score_searches_resumes_and_has_a_hash_of_its_own() {
    let scratch = Scratch::new();
    let tiny = repository("tests/data/tiny.ron");
    let report = |printed: String| -> serde_json::Value {
        serde_json::from_str(&printed).expect("it is JSON")
    };
    let mut hashes = vec![];
    for (out, scoring) in [
        ("mean", "(rates: Mean)"),
        ("best", "(rates: Best)"),
        ("normalised", "(normalise_updates: true)"),
        ("whole", "(loss: MeanTraining)"),
        ("units", "(reparametrise: (smallest: 0.1, largest: 10.0))"),
        ("gradients", "(scale_gradients: (smallest: 0.1, largest: 10.0, by_leaf: true))"),
        ("lengths", "(horizons: [0.5, 1.0], batches: [0.25, 1.0])"),
    ] {
        let scoring = format!("evaluation.scoring={scoring}");
        let multiples = "evaluation.learning_rate_multiples=[0.3, 1.0]";
        let sets = ["--set", &scoring, "--set", multiples, "--quiet", "--json"];
        let short = ["search", &tiny, "--out", out, "--set", "stopping.candidates=60"];
        scratch.run(&[&short[..], &sets].concat()).success();
        let args = ["resume", out, "--set", "stopping.candidates=150", "--quiet", "--json"];
        let resumed = report(scratch.run(&args).success());
        let again = format!("{out}-again");
        let long = ["search", &tiny, "--out", &again, "--set", "stopping.candidates=150"];
        let whole = report(scratch.run(&[&long[..], &sets].concat()).success());
        assert_eq!(resumed["digest"], whole["digest"], "{out}");
        let config = Config::load(&scratch.path(&format!("{out}/config.ron")), &[]);
        let config = config.expect("a run has its configuration");
        let adamw = evo::zoo::get("adamw").expect("a zoo entry").program();
        let hash = config.hasher().expect("the settings are sound").hash(&adamw);
        hashes.push(hash.expect("AdamW is finite"));
    }
    let [mean, best, rest @ ..] = &hashes[..] else { panic!("{hashes:?}") };
    assert!(mean != best && rest.iter().all(|hash| hash == mean));
    let sized = ["--set", "evaluation.scoring=(normalise_updates: true)"];
    let level = ["--set", "deduplication=(level: Functional)"];
    let run = scratch.run(&[&["validate", &tiny], &sized[..], &level].concat());
    assert!(run.code == Some(2) && run.stderr.contains("Structural at most"), "{run:?}");
    let factor = "evaluation.scoring=(reparametrise: (smallest: 2.0, largest: 1.0))";
    let run = scratch.run(&["validate", &tiny, "--set", factor]);
    assert!(run.code == Some(2) && run.stderr.contains("scoring.reparametrise"), "{run:?}");
}
