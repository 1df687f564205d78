//! Shipped configurations: each loads, is whole, and has its baselines.

use evo::Config;

use crate::harness::{Scratch, repository};

#[test]
fn every_shipped_configuration_is_valid_and_has_its_baselines() {
    let folder = repository("configs");
    let entries = std::fs::read_dir(folder).expect("there is a folder of configurations");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("it can be listed").path();
        if path.to_string_lossy().ends_with(".baselines.ron") {
            continue;
        }
        // Fails unless every fingerprint fits.
        let config = Config::load_with_baselines(&path, &[]);
        let config = config.unwrap_or_else(|error| panic!("{error}"));
        assert!(!config.evaluation.lacks_baseline(), "{}", path.display());
        let path = path.to_str().expect("a UTF-8 path");
        assert!(Scratch::new().run(&["validate", path]).success().contains("fine"), "{path}");
        count += 1;
    }
    assert!(count > 0);
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
    assert_eq!((config.stopping.candidates, config.stopping.evaluations), (Some(3), Some(2)));
    assert_eq!(config.evaluation.tasks[0].steps.get(), 21);
    // A struct that was left out is added with the key.
    assert_eq!(config.hashing.mantissa_bits, 10);
    assert_eq!(config.mutation.weights.insert.to_bits(), 2.0f64.to_bits());
    assert_eq!(config.start, "zoo:lion");
    assert!(config.to_ron().contains("Structural"));
}
