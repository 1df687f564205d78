//! Strategies: who becomes a parent, and what of it depends on nothing but births and outcomes.

use evo_domain::Outcome;
use evo_dsl::{MutationConfig, Operand, Program, Statement};
use evo_hashes::Seed;
use evo_search::{
    DeduplicationLevel, HeldOutConfig, HurdleConfig, Keep, NoiseConfig, Population, Restarts,
    Selection, StopReason, Stopping, StrategyConfig,
};

use crate::driver::{Search, SearchConfig, by_training, drive, hasher, new_search, result, scored};
use crate::quadratic;

fn config(strategy: StrategyConfig, candidates: u64) -> SearchConfig {
    SearchConfig {
        strategy,
        mutation: MutationConfig { max_statements: 20, ..MutationConfig::default() },
        window: 16,
        deduplication: DeduplicationLevel::Functional.into(),
        restarts: Restarts::default(),
        hurdles: HurdleConfig::default(),
        noise: NoiseConfig::default(),
        held_out: HeldOutConfig::default(),
        keep: Keep::default(),
        selection: Selection::default(),
        stopping: Stopping { candidates: Some(candidates), ..Stopping::default() },
    }
}

fn search(config: &SearchConfig, seed: u64) -> Search {
    new_search(config, Seed(seed), quadratic::start(), hasher()).expect("the settings are valid")
}

fn islands(migration_every: u64, migrants: usize) -> StrategyConfig {
    StrategyConfig::Islands { islands: 3, population: 5, tournament: 2, migration_every, migrants }
}

fn births(population: &Population<evo_dsl::Program>) -> Vec<u64> {
    population.iter().map(|member| member.birth).collect()
}

#[test]
fn no_strategy_depends_on_the_order_of_telling() {
    for strategy in [
        StrategyConfig::ConstantTuning { population: 20, tournament: 3 },
        StrategyConfig::OnePlusLambda { lambda: 5 },
        StrategyConfig::Islands {
            islands: 3,
            population: 10,
            tournament: 2,
            migration_every: 50,
            migrants: 2,
        },
    ] {
        let run = |order, seed| {
            let mut search = search(&config(strategy.clone(), 1_000), seed);
            drive(&mut search, order, by_training);
            result(&search)
        };
        assert_eq!(run(0, 1), run(1, 1), "{strategy:?}");
        assert_ne!(run(0, 1), run(0, 2), "{strategy:?}");
    }
}

#[test]
fn constant_tuning_changes_nothing_but_constants() {
    let masked = |program: &Program| {
        let mut statements = program.statements().to_vec();
        for operand in statements.iter_mut().flat_map(Statement::args_mut) {
            if let Operand::Constant(value) = operand {
                *value = 0.0;
            }
        }
        statements
    };
    let tuning = StrategyConfig::ConstantTuning { population: 20, tournament: 3 };
    let mut search = search(&config(tuning, 500), 1);
    let asked = drive(&mut search, 1, by_training);
    assert!(asked.len() > 300, "{}", asked.len());
    for candidate in &asked {
        assert_eq!(masked(&candidate.program), masked(&quadratic::start()));
    }
    let start = quadratic::outcome(&quadratic::start()).fitness();
    assert!(search.best().expect("there are champions").individual.fitness > start);
}

#[test]
fn a_start_program_without_constants_cannot_be_tuned() {
    let start = Program::parse("def train(w, g, lr):\n  x = g * lr\n  return x\n");
    let tuning = StrategyConfig::ConstantTuning { population: 20, tournament: 3 };
    let start = start.expect("the test's text parses");
    let error = new_search(&config(tuning, 1), Seed(1), start, hasher());
    let message = error.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message.contains("no constant"), "{message:?}");
}

#[test]
fn the_parent_is_the_best_of_a_generation_of_absorbed_births_unless_it_is_worse() {
    let fitness = |birth| scored(birth, 9).fitness();
    for window in [0, 3, 16] {
        for candidates in [1, 4, 5, 40, 43] {
            let strategy = StrategyConfig::OnePlusLambda { lambda: 4 };
            let deduplication = DeduplicationLevel::Off.into();
            let config = SearchConfig { window, deduplication, ..config(strategy, candidates) };
            let mut search = search(&config, 1);
            drive(&mut search, 1, |candidate| scored(candidate.birth, 9));
            let mut parent = 0;
            for generation in (1..candidates).collect::<Vec<u64>>().chunks_exact(4) {
                let best = *generation
                    .iter()
                    .max_by(|a, b| fitness(**a).total_cmp(&fitness(**b)))
                    .expect("a generation has members");
                parent = if fitness(best) >= fitness(parent) { best } else { parent };
            }
            assert_eq!(births(&search.populations()[0]), [parent], "{window} {candidates}");
        }
    }
}

#[test]
fn children_as_fit_as_the_parent_replace_it() {
    let strategy = StrategyConfig::OnePlusLambda { lambda: 4 };
    let mut search = search(&config(strategy, 41), 1);
    drive(&mut search, 1, |_| scored(0, 0));
    assert_eq!(births(&search.populations()[0]), [37]);
}

#[test]
fn without_migration_islands_do_not_mix() {
    let mut search = search(&config(islands(1_000, 1), 301), 1);
    drive(&mut search, 1, by_training);
    assert_eq!(search.populations().len(), 3);
    for (island, population) in search.populations().iter().enumerate() {
        let island = island as u64;
        let expected: Vec<u64> = (1..=300).filter(|birth| birth % 3 == island).collect();
        assert_eq!(births(population), expected[expected.len() - 5..]);
    }
}

#[test]
fn the_fittest_migrate_around_the_ring_after_every_so_many_births() {
    let fitness = |birth| scored(birth, 5).fitness();
    let mut model = vec![vec![0; 5]; 3];
    for birth in 1..400_u64 {
        let island = &mut model[(birth % 3) as usize];
        island.remove(0);
        island.push(birth);
        if (birth + 1) % 20 == 0 {
            let leaving: Vec<Vec<u64>> = model
                .iter()
                .map(|island| {
                    let mut fittest = island.clone();
                    fittest.sort_by(|a, b| fitness(*a).total_cmp(&fitness(*b)));
                    fittest.split_off(3)
                })
                .collect();
            for (from, migrants) in leaving.iter().enumerate() {
                let to = &mut model[(from + 1) % 3];
                to.drain(..2);
                to.extend(migrants);
            }
        }
    }
    for window in [0, 16] {
        let deduplication = DeduplicationLevel::Off.into();
        let config = SearchConfig { window, deduplication, ..config(islands(20, 2), 400) };
        let mut search = search(&config, 1);
        drive(&mut search, 1, |candidate| scored(candidate.birth, 5));
        let found: Vec<Vec<u64>> = search.populations().iter().map(births).collect();
        assert_eq!(found, model);
    }
}

#[test]
fn islands_migrate_between_restarts_wherever_those_fall() {
    // Once in a hundred births of which the window takes 16: with migrations counted from the start
    // of the run, at births 79, 159, 239 and 319, two of four cycles would have none.
    let restarts = Restarts { every: Some(100), ..Restarts::default() };
    let fitness = |birth: u64| f64::from(u32::from(birth % 3 == 1));
    for cycle in 0..4 {
        let first = 100 * cycle;
        let deduplication = DeduplicationLevel::Off.into();
        let strategy = islands(80, 2);
        let config =
            SearchConfig { deduplication, restarts, ..config(strategy, (first + 81).max(2)) };
        let mut search = search(&config, 1);
        drive(&mut search, 1, |candidate| {
            Outcome::Scored(evo_domain::Score::new(fitness(candidate.birth), vec![]))
        });
        assert_eq!(search.restarts().len() as u64, cycle);
        // The fittest are those of island 1; what was sent on is in island 2.
        let sent = births(&search.populations()[2]);
        assert!(sent.iter().any(|birth| birth % 3 == 1), "cycle {cycle}: {sent:?}");
    }
}

#[test]
fn restarts_that_come_before_every_migration_are_refused() {
    for (every, refused) in [(1_000, true), (1_016, true), (1_017, false)] {
        let restarts = Restarts { every: Some(every), ..Restarts::default() };
        let config = SearchConfig { restarts, ..config(islands(1_000, 1), 1) };
        let error = new_search(&config, Seed(1), quadratic::start(), hasher()).err();
        let message = error.map(|error| error.to_string()).unwrap_or_default();
        let says = message.contains("restarts.every") && message.contains("1016");
        assert_eq!(says, refused, "{message:?}");
    }
}

#[test]
fn strategies_are_read_from_ron_and_impossible_settings_refused_by_key() {
    for (text, key) in [
        ("ConstantTuning(population: 0, tournament: 2)", "strategy.population"),
        ("OnePlusLambda(lambda: 0)", "strategy.lambda"),
        ("OnePlusLambda(lambda: 8)", ""),
        (
            "Islands(islands: 1, population: 5, tournament: 2, migration_every: 9, migrants: 1)",
            "strategy.islands",
        ),
        (
            "Islands(islands: 2, population: 5, tournament: 2, migration_every: 0, migrants: 1)",
            "strategy.migration_every",
        ),
        (
            "Islands(islands: 2, population: 5, tournament: 2, migration_every: 9, migrants: 6)",
            "strategy.migrants",
        ),
        ("Islands(islands: 2, population: 5, tournament: 2, migration_every: 9, migrants: 5)", ""),
    ] {
        let strategy = ron::from_str(text).expect("the text is a strategy");
        let search = new_search(&config(strategy, 1), Seed(1), quadratic::start(), hasher());
        let message = search.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(key) && message.is_empty() == key.is_empty(), "{message:?}");
    }
}

#[test]
fn an_invalid_start_program_is_left_as_soon_as_anything_trains() {
    for strategy in [StrategyConfig::OnePlusLambda { lambda: 4 }, islands(10, 1)] {
        let mut search = search(&config(strategy, 200), 1);
        drive(&mut search, 1, |candidate| match candidate.birth {
            0 => Outcome::Failed { message: "out of memory".into() },
            _ => by_training(candidate),
        });
        assert_eq!(search.stop_reason(), Some(StopReason::Candidates(200)));
        let alive =
            |member: &evo_search::Individual<evo_dsl::Program>| member.fitness > f64::NEG_INFINITY;
        assert!(search.populations().iter().flat_map(Population::iter).any(alive));
    }
}
