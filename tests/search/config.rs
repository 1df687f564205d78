//! The settings in RON: what may be left out, what is refused.

use crate::driver::SearchConfig;
use evo_dsl::{MutationConfig, MutationWeights, NewConstant, OpChoice};
use evo_search::{
    DeduplicationLevel, HeldOutConfig, HurdleConfig, Keep, NoiseConfig, RestartFrom, Restarts,
    Selection, Stopping, StrategyConfig,
};

const FULL: &str = r#"(
    strategy: RegularizedEvolution(population: 1000, tournament: 2),
    mutation: (
        weights: (
            insert: 1.0,
            delete: 1.0,
            change_argument: 0.5,
            change_constant: 0.5,
            change_op: 0.25,
            swap: 0.25,
            duplicate: 0.0,
            crossover: 0.0,
        ),
        ops: List(["+", "sign", "interp"]),
        max_statements: 40,
        fresh_constant: 0.1,
        new_constant: One,
        neutral_retries: 3,
        readout: true,
    ),
    window: 64,
    deduplication: (level: Structural),
    hurdles: (percentile: Some(25.0)),
    noise: (sd: 0.25),
    selection: Pareto,
    restarts: (from: Best, every: Some(50000), plateau: Some(20000), held_out: Some(5)),
    held_out: (every: Some(500)),
    stopping: (candidates: Some(300000), evaluations: Some(30000), seconds: Some(60.0),
        fitness: Some(0.5), failures: Some(3), held_out: Some(9), held_out_fitness: Some(0.75)),
)"#;

#[test]
fn every_setting_can_be_written_and_reads_back() {
    let config: SearchConfig = ron::from_str(FULL).expect("the text is a configuration");
    let expected = SearchConfig {
        strategy: StrategyConfig::RegularizedEvolution { population: 1000, tournament: 2 },
        mutation: MutationConfig {
            weights: MutationWeights::default(),
            ops: OpChoice::List(["+", "sign", "interp"].map(String::from).to_vec()),
            max_statements: 40,
            fresh_constant: 0.1,
            new_constant: NewConstant::One,
            neutral_retries: 3,
            readout: true,
        },
        window: 64,
        deduplication: DeduplicationLevel::Structural.into(),
        hurdles: HurdleConfig { percentile: Some(25.0), ..HurdleConfig::default() },
        noise: NoiseConfig { sd: 0.25 },
        selection: Selection::Pareto,
        restarts: Restarts {
            from: RestartFrom::Best,
            every: Some(50_000),
            plateau: Some(20_000),
            held_out: Some(5),
        },
        held_out: HeldOutConfig { every: Some(500) },
        keep: Keep::Births,
        stopping: Stopping {
            failures: Some(3),
            candidates: Some(300_000),
            evaluations: Some(30_000),
            seconds: Some(60.0),
            fitness: Some(0.5),
            held_out: Some(9),
            held_out_fitness: Some(0.75),
        },
    };
    assert_eq!(config, expected);
    let written = ron::to_string(&config).expect("a configuration can be written");
    assert_eq!(ron::from_str::<SearchConfig>(&written).expect("it reads back"), config);
}

#[test]
fn strategy_and_stopping_are_enough() {
    let text = "(strategy: RandomSearch(mutations: 20), stopping: (evaluations: Some(10)))";
    let config: SearchConfig = ron::from_str(text).expect("the text is a configuration");
    assert_eq!(config.mutation, MutationConfig::default());
    assert_eq!(config.restarts, Restarts::default());
    assert_eq!((config.window, config.deduplication), (64, DeduplicationLevel::Functional.into()));
}

#[test]
fn a_weight_that_is_left_out_keeps_its_default() {
    let text = FULL.replacen("swap: 0.25,", "", 1);
    assert_ne!(text, FULL);
    let config: SearchConfig = ron::from_str(&text).expect("weights have defaults");
    assert_eq!(config.mutation.weights.swap.to_bits(), 0.25f64.to_bits());
}

#[test]
fn unknown_and_missing_keys_are_refused() {
    let refused = |from: &str, to: &str| {
        let text = FULL.replacen(from, to, 1);
        assert_ne!(text, FULL);
        let error = ron::from_str::<SearchConfig>(&text).expect_err("the key is wrong");
        error.to_string()
    };
    for (from, to, key) in [
        ("window:", "windows:", "windows"),
        ("tournament:", "tournamnt:", "tournamnt"),
        ("plateau:", "plato:", "plato"),
        ("max_statements:", "max_statement:", "max_statement"),
        ("seconds:", "second:", "second"),
        ("swap: 0.25", "swop: 0.25", "swop"),
        ("tournament: 2", "", "tournament"),
    ] {
        let message = refused(from, to);
        assert!(message.contains(key), "{message:?} does not name {key}");
    }
}
