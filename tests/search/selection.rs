//! Pareto selection: shorter programs at no loss of fitness.

use evo_domain::{Outcome, Score};
use evo_hashes::Seed;
use evo_search::Population;

use crate::driver::{Candidate, Search, SearchConfig, drive, hasher, new_search, result};
use crate::quadratic;

fn search(strategy: &str, selection: &str, seed: u64) -> Search {
    let text = format!(
        "(strategy: {strategy}, selection: {selection}, window: 16,
          mutation: (max_statements: 30), stopping: (candidates: Some(500)))"
    );
    let config: SearchConfig = ron::from_str(&text).expect("the text is a configuration");
    let start = evo_dsl::zoo::get("adamw").expect("it is in the zoo").program();
    let search = new_search(&config, Seed(seed), start, hasher());
    search.expect("the settings are valid")
}

/// One fitness for all: only length and states can be preferred.
fn flat(_: &Candidate) -> Outcome {
    Outcome::Scored(Score::new(1.0, vec![]))
}

fn mean_length(search: &Search) -> f64 {
    let members: Vec<_> = search.populations().iter().flat_map(Population::iter).collect();
    members.iter().map(|member| member.length as f64).sum::<f64>() / members.len() as f64
}

#[test]
fn pareto_selection_keeps_the_short_ones_among_equals() {
    for strategy in [
        "RegularizedEvolution(population: 50, tournament: 5)",
        "Islands(islands: 2, population: 25, tournament: 5, migration_every: 100, migrants: 1)",
        "OnePlusLambda(lambda: 10)",
    ] {
        let mean = |selection| {
            let of_seed = |seed| {
                let mut search = search(strategy, selection, seed);
                drive(&mut search, 0, flat);
                mean_length(&search)
            };
            (0..5).map(of_seed).sum::<f64>() / 5.0
        };
        let (short, long) = (mean("Pareto"), mean("Fitness"));
        assert!(short < 0.7 * long, "{strategy}: {short} against {long}");
    }
}

#[test]
fn pareto_selection_does_not_depend_on_the_order_of_telling() {
    let run = |order| {
        let mut search = search("RegularizedEvolution(population: 50, tournament: 5)", "Pareto", 1);
        drive(&mut search, order, |candidate| quadratic::outcome(&candidate.program));
        result(&search)
    };
    assert_eq!(run(0), run(1));
}

#[test]
fn lengths_and_states_are_those_of_the_program() {
    let mut search = search("RegularizedEvolution(population: 50, tournament: 5)", "Fitness", 1);
    drive(&mut search, 0, flat);
    for member in search.populations()[0].iter() {
        assert_eq!(member.length, member.program.live_length());
        let live = member.program.live();
        let states = evo_dsl::Dataflow::of(&live).live_states();
        assert_eq!(member.states, states);
    }
}
