//! A space of optimizers written out: what is in its table is what training and hashing each
//! program gives, and a search that looks it up finds the best there is.

use std::collections::BTreeMap;

use evo::{EnumeratedSearch, Evaluator, Outcome, Trial, structural_hash};
use serde_json::Value;

use crate::harness::{Scratch, repository};

const CONFIG: &str = include_str!("../data/mini_space.ron");

/// A scratch directory with the configuration and its table, and what was said of that.
fn enumerated(threads: &str) -> (Scratch, Value) {
    let scratch = Scratch::new();
    scratch.write("space.ron", CONFIG);
    let args = ["enumerate", "space.ron", "--threads", threads, "--quiet", "--json"];
    let report = scratch.run(&args).success();
    (scratch, serde_json::from_str(&report).expect("it is JSON"))
}

#[test]
fn the_table_holds_what_every_program_gives_when_it_is_trained() {
    let (scratch, report) = enumerated("2");
    // Five sums, five products and two signs, to two targets; of one statement those to `update`,
    // of two all but those of which none is.
    let (forms, updates) = (24, 12);
    assert_eq!(report["sequences"], forms + forms * forms);
    let all = updates + forms * forms - (forms - updates) * (forms - updates);
    assert_eq!(report["programs"], all);
    let text = scratch.read("mini_space.table");
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(' ').collect();
        (cells[2].to_owned(), cells.into_iter().map(str::to_owned).collect::<Vec<String>>())
    });
    let rows: BTreeMap<String, Vec<String>> = rows.collect();
    let config = EnumeratedSearch::load(&scratch.path("space.ron"), &[]).expect("it is sound");
    let space = config.space().expect("it is small");
    let (trainer, hasher) = (config.trainer().expect("it trains"), config.hasher().expect("so"));
    let (mut programs, mut best) = (0, f64::NEG_INFINITY);
    for program in (0..space.sequences()).filter_map(|number| space.program(number)) {
        let row = &rows[&structural_hash(&program).to_string()];
        let behaviour = hasher.hash(&program).map_or("-".to_owned(), |hash| hash.to_string());
        assert_eq!(row[3], behaviour, "{program}");
        let outcome = trainer.evaluate(&[Trial::of(&program)]).remove(0);
        match outcome {
            Outcome::Scored(score) => {
                let looked_up: f64 = row[4].parse().expect("it was scored");
                assert_eq!(looked_up.to_bits(), score.fitness.to_bits(), "{program}");
                best = best.max(score.fitness);
            }
            _ => assert_eq!(row[4], "-", "{program}"),
        }
        programs += 1;
    }
    assert_eq!(programs, all);
    assert_eq!(report["best"], best);
    let counted: u64 = rows.values().map(|row| row[1].parse::<u64>().expect("a count")).sum();
    assert_eq!(counted, programs);
}

#[test]
fn a_table_is_the_same_on_any_threads_and_one_that_is_there_is_only_told_of() {
    let (one, first) = enumerated("1");
    let (two, second) = enumerated("2");
    assert_eq!(first, second);
    assert_eq!(one.read("mini_space.table"), two.read("mini_space.table"));
    let args = ["enumerate", "space.ron", "--mantissa", "1,8", "--json"];
    let again = one.run(&args).success();
    let again: Value = serde_json::from_str(&again).expect("it is JSON");
    assert_eq!(again["classes"][0], first["classes"][0]);
    assert_eq!(again["classes"][2], first["classes"][0], "eight bits are the default");
    let behaviours = |place: usize| again["classes"][place]["behaviours"].as_u64();
    assert!(behaviours(1) <= behaviours(2), "{again}");
}

#[test]
fn every_strategy_searches_the_space_and_regret_falls_to_nothing() {
    let (scratch, report) = enumerated("2");
    let strategies = [
        "evolution: window=4",
        "climbing: strategy=OnePlusLambda(lambda: 4)",
        "islands: strategy=Islands(islands: 2, population: 4, tournament: 2, migration_every: 20, \
         migrants: 1)",
        "random: strategy=RandomSearch(mutations: 4)",
    ];
    let mut args = vec!["ablate", "space.ron", "--out", "out", "--seeds", "8", "--json", "--quiet"];
    args.extend(["--at", "5,40,120"]);
    strategies.iter().for_each(|arm| args.extend(["--arm", arm]));
    let printed = scratch.run(&args).success();
    let printed: Value = serde_json::from_str(&printed).expect("it is JSON");
    assert_eq!(printed["optimum"], report["best"]);
    let budgets = printed["budgets"].as_array().expect("a list");
    assert_eq!(budgets.len(), 7 * 3);
    for arm in budgets.chunks(3) {
        let regret = |place: usize| arm[place]["regret"]["value"].as_f64().expect("it is known");
        assert!(regret(0) >= regret(1) && regret(1) >= regret(2) && regret(2) >= 0.0, "{arm:?}");
    }
    let last = |place: usize| budgets[3 * place + 2]["regret"]["value"].as_f64();
    assert!(last(2) <= last(0), "with the cache as many evaluations go further: {budgets:?}");
    assert_eq!(last(2), Some(0.0), "{budgets:?}");
}

#[test]
fn a_table_of_something_else_or_none_is_refused_and_so_is_a_program_outside() {
    let (scratch, _) = enumerated("2");
    let ablate = |set: &str| {
        let args = ["ablate", "space.ron", "--set", set, "--out", "out"];
        let run = scratch.run(&args);
        assert_eq!((run.code, scratch.path("out").exists()), (Some(2), false), "{run:?}");
        run.stderr
    };
    assert!(ablate("mutation.length=1").contains("another space"));
    assert!(ablate("hashing.mantissa_bits=3").contains("another space"));
    let none = ablate("evaluation.table=none.table");
    assert!(none.contains("none.table") && none.contains("`evo enumerate` makes one"), "{none}");
    let outside = "start=\"def train(w, g, m, lr):\\n  update = g * 3.0\\n  return update, m\\n\"";
    assert!(ablate(outside).contains("no program of the space"));
    assert!(ablate("mutation.reads=[\"x\"]").contains("mutation.reads[0]"));
    let bits = scratch.run(&["enumerate", "space.ron", "--mantissa", "99"]);
    assert!(bits.code == Some(2) && bits.stderr.contains("must be 1 to 23"), "{bits:?}");
    let nowhere = scratch.run(&["enumerate", "space.ron", "--out", "nowhere/table"]);
    assert!(nowhere.code == Some(2) && nowhere.stderr.contains("nowhere: "), "{nowhere:?}");
    let search = scratch.run(&["search", "space.ron"]);
    assert!(search.code == Some(2) && search.stderr.contains("`evo ablate`"), "{search:?}");
    let shipped = repository("configs/mini_space.ron");
    assert!(scratch.run(&["validate", &shipped]).success().contains("sequences"));
}
