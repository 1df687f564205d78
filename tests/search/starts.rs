//! Several start programs: the first births, whatever their state slots.

use evo_domain::{Outcome, Score};
use evo_dsl::{Optimizers, Program, zoo};
use evo_hashes::Seed;
use evo_search::{Population, RestartFrom, Restarts, SearchError, Store};

use crate::driver::{Search, SearchConfig, by_training, drive, hasher, result, scored};
use crate::quadratic;

/// Programs of two, one and no state slot.
pub(crate) fn programs() -> Vec<Program> {
    let zoo = |name| zoo::get(name).expect("it is in the zoo").program();
    vec![quadratic::start(), zoo("lion"), zoo("sgd")]
}

fn config(strategy: &str, candidates: u64) -> SearchConfig {
    let text = format!(
        "(strategy: {strategy}, window: 16, mutation: (max_statements: 20),
          stopping: (candidates: Some({candidates})))"
    );
    ron::from_str(&text).expect("the text is a configuration")
}

const EVOLUTION: &str = "RegularizedEvolution(population: 10, tournament: 3)";
const ISLANDS: &str = "Islands(islands: 5, population: 4, tournament: 2, migration_every: 1000000,
    migrants: 1)";

fn try_search(config: &SearchConfig, starts: Vec<Program>) -> Result<Search, SearchError> {
    Search::from_starts(config, Seed(1), Optimizers::new(&config.mutation, hasher())?, starts)
}

fn search(config: &SearchConfig) -> Search {
    try_search(config, programs()).expect("the settings are valid")
}

fn starts(population: &Population<Program>) -> Vec<u64> {
    population.iter().map(|member| member.start).collect()
}

#[test]
fn the_first_births_are_the_starts_in_order_and_have_no_parent() {
    for strategy in [EVOLUTION, ISLANDS, "RandomSearch(mutations: 2)", "OnePlusLambda(lambda: 4)"] {
        let mut search = search(&config(strategy, 40));
        let asked = drive(&mut search, 1, by_training);
        for (birth, start) in (0..).zip(programs()) {
            let candidate = asked.iter().find(|it| it.birth == birth);
            assert_eq!(*candidate.expect("it was asked").program, start, "{strategy}");
            assert!(search.starts()[birth as usize].fitness.is_finite(), "{strategy}");
        }
        for candidate in &asked[3..] {
            let states = candidate.program.signature().states();
            assert!(states <= 2, "a child has the header of its start");
        }
    }
}

#[test]
fn a_population_begins_with_the_starts_in_turn_and_each_gets_its_fitness_there() {
    let mut search = search(&config(EVOLUTION, 3));
    assert_eq!(starts(&search.populations()[0]), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
    drive(&mut search, 1, |candidate| scored(candidate.birth, 7));
    for member in search.populations()[0].iter() {
        assert_eq!(member.birth, member.start);
        assert_eq!(member.fitness, scored(member.start, 7).fitness());
    }
}

#[test]
fn an_island_begins_with_one_start_and_breeds_from_it_alone() {
    let mut search = search(&config(ISLANDS, 300));
    drive(&mut search, 1, |candidate| scored(candidate.birth, 7));
    for (island, population) in search.populations().iter().enumerate() {
        assert_eq!(starts(population), [island as u64 % 3; 4]);
        assert!(population.iter().all(|member| member.birth > 200), "its children are in it");
    }
}

#[test]
fn one_plus_lambda_begins_with_the_fittest_start() {
    let mut search = search(&config("OnePlusLambda(lambda: 1000)", 200));
    let fitness = [0.2, 0.9, 0.5];
    drive(&mut search, 1, |candidate| {
        let fitness = fitness.get(candidate.birth as usize).copied().unwrap_or(0.0);
        Outcome::Scored(Score::new(fitness, vec![]))
    });
    assert_eq!(starts(&search.populations()[0]), [1]);
}

#[test]
fn a_restart_from_the_start_begins_with_all_of_them_again() {
    let mut config = config(EVOLUTION, 120);
    config.restarts = Restarts { every: Some(50), ..Restarts::default() };
    for (from, expected) in
        [(RestartFrom::Start, [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]), (RestartFrom::Best, [2; 10])]
    {
        config.restarts.from = from;
        let mut search = search(&config);
        while search.restarts().is_empty() {
            let candidate = search.ask().expect("there is no store").expect("none is awaited");
            // The last start is the best of all, and nothing else is told apart.
            let fitness = if candidate.birth == 2 { 1.0 } else { 0.0 };
            let outcome = Outcome::Scored(Score::new(fitness, vec![]));
            search.tell(candidate.birth, outcome).expect("it is in flight");
        }
        assert_eq!(search.restarts()[0].carried.birth, 2);
        let births = search.populations()[0].iter().map(|member| member.birth);
        assert_eq!(births.collect::<Vec<u64>>(), expected);
    }
}

#[test]
fn settings_that_have_no_place_for_all_starts_are_refused_by_key() {
    let cases = [
        ("RegularizedEvolution(population: 2, tournament: 2)", "strategy.population"),
        ("ConstantTuning(population: 2, tournament: 2)", "strategy.population"),
        (
            "Islands(islands: 2, population: 4, tournament: 2, migration_every: 9, migrants: 1)",
            "strategy.islands",
        ),
    ];
    for (strategy, key) in cases {
        let refused = try_search(&config(strategy, 10), programs()).err().expect("no place");
        assert!(refused.to_string().contains(key), "{refused}");
    }
    let none = try_search(&config(EVOLUTION, 10), vec![]).err().expect("nothing to start from");
    assert!(none.to_string().contains("start"), "{none}");
}

#[test]
fn constant_tuning_of_several_starts_needs_a_constant_in_each() {
    let tuning = config("ConstantTuning(population: 6, tournament: 2)", 10);
    let constant = Program::parse("def train(w, g, lr):\n  x = g * lr\n  return x\n");
    let bare = vec![quadratic::start(), constant.expect("the text is a program")];
    let refused = try_search(&tuning, bare).err().expect("the second has none");
    assert!(refused.to_string().contains("no constant to tune"), "{refused}");
    assert!(try_search(&tuning, vec![quadratic::start(), programs().remove(1)]).is_ok());
}

/// Beyond the first snapshot, which holds programs of all three headers, some of two parents.
#[test]
fn a_run_goes_on_from_a_snapshot_with_programs_of_every_start() {
    let limit = |candidates| {
        let mut config = config(
            "Islands(islands: 6, population: 20, tournament: 2,
            migration_every: 500, migrants: 1)",
            candidates,
        );
        config.mutation = crate::crossover::mutation();
        config
    };
    let mut whole = search(&limit(12_000));
    drive(&mut whole, 1, by_training);
    let directory = tempfile::TempDir::new().expect("there is room");
    let path = directory.path().join("run.db");
    let mut first = search(&limit(11_000))
        .with_store(Store::create(&path, &[]).expect("it is new"))
        .expect("the store works");
    drive(&mut first, 2, by_training);
    first.commit(0.0).expect("the store works");
    drop(first);
    let store = Store::open(&path, &Optimizers::default()).expect("the store is sound");
    let mut second = search(&limit(12_000)).with_store(store).expect("the store works");
    drive(&mut second, 3, by_training);
    assert_eq!(second.digest(), whole.digest());
    assert_eq!(result(&second), result(&whole));
    let of: Vec<u64> = second.populations().iter().flat_map(starts).collect();
    assert!(of.iter().any(|start| *start != of[0]), "more than one start has descendants");
}
