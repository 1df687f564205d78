//! Breeding: children that behave like their parents, and what became of each kind of mutation.

use evo_dsl::{MutationConfig, MutationWeights};
use evo_hashes::Seed;
use evo_search::{
    Counters, DeduplicationLevel, HeldOutConfig, HurdleConfig, Keep, MutationTally, NoiseConfig,
    Restarts, Selection, Stopping, StrategyConfig,
};

use crate::driver::{
    ONLY_SWAPS, Search, SearchConfig, by_training, drive, hasher, new_search, result, scored,
};
use crate::quadratic;

fn config(neutral_retries: u32, candidates: u64) -> SearchConfig {
    let weights = MutationWeights { duplicate: 0.5, ..MutationWeights::default() };
    SearchConfig {
        strategy: StrategyConfig::RegularizedEvolution { population: 20, tournament: 3 },
        mutation: MutationConfig {
            weights,
            max_statements: 20,
            neutral_retries,
            ..MutationConfig::default()
        },
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

fn search(config: &SearchConfig) -> Search {
    new_search(config, Seed(1), quadratic::start(), hasher()).expect("the settings are valid")
}

fn sum(search: &Search, of: impl Fn(MutationTally) -> u64) -> u64 {
    search.mutation_statistics().iter().map(|(_, tally)| of(tally)).sum()
}

#[test]
fn statistics_do_not_depend_on_the_order_of_telling() {
    for retries in [0, 3] {
        let run = |order| {
            let mut search = search(&config(retries, 1_500));
            drive(&mut search, order, by_training);
            (result(&search), search.mutation_statistics().clone())
        };
        assert_eq!(run(0), run(1));
    }
}

#[test]
fn every_child_of_one_mutation_is_tallied_under_its_kind() {
    let mut search = search(&config(0, 2_000));
    drive(&mut search, 1, by_training);
    assert_eq!(sum(&search, |tally| tally.tried), 1_999);
    let names: Vec<&str> = search.mutation_statistics().iter().map(|(name, _)| name).collect();
    let expected = [
        "insert",
        "delete",
        "change_argument",
        "change_constant",
        "change_op",
        "swap",
        "duplicate",
    ];
    assert_eq!(names, expected);
    for (name, tally) in search.mutation_statistics().iter() {
        assert!(tally.tried > 50 && tally.neutral > 0, "{name}: {tally:?}");
        assert!(tally.neutral + tally.improved < tally.tried, "{name}: {tally:?}");
    }
    assert!(sum(&search, |tally| tally.improved) > 10);
}

#[test]
fn a_child_improves_when_it_is_fitter_than_its_parent_even_if_that_was_not_known_when_it_was_bred()
{
    // All of them are children of the start program, which is absorbed after they are bred.
    let mut search =
        search(&SearchConfig { deduplication: DeduplicationLevel::Off.into(), ..config(0, 17) });
    let fitness = |birth| scored(birth, 7).fitness();
    drive(&mut search, 1, |candidate| scored(candidate.birth, 7));
    let improved = (1..17).filter(|&birth| fitness(birth) > fitness(0)).count() as u64;
    assert!(improved > 0 && improved < 16, "{improved}");
    assert_eq!(sum(&search, |tally| tally.improved), improved);
}

#[test]
fn random_walks_of_several_mutations_are_not_tallied() {
    let strategy = StrategyConfig::RandomSearch { mutations: 4 };
    let mut search = search(&SearchConfig { strategy, ..config(0, 1_001) });
    drive(&mut search, 1, by_training);
    let tried = sum(&search, |tally| tally.tried);
    assert!((200..300).contains(&tried), "{tried} of 1000 walks have one mutation");
}

/// The share of births that equal their parent in behaviour and their counters, at a level.
fn neutral_births(retries: u32, level: DeduplicationLevel) -> (f64, Counters) {
    // A generation larger than the run: every birth is a child of the start program.
    let strategy = StrategyConfig::OnePlusLambda { lambda: 10_000 };
    let deduplication = level.into();
    let mut search = search(&SearchConfig { strategy, deduplication, ..config(retries, 1_000) });
    drive(&mut search, 1, by_training);
    let counters = *search.counters();
    let retried = sum(&search, |tally| tally.tried) - 999;
    assert_eq!(retried > 0, retries > 0);
    // Every child that was thrown away was neutral.
    ((sum(&search, |tally| tally.neutral) - retried) as f64 / 999.0, counters)
}

#[test]
fn neutral_children_are_made_again_and_the_last_one_stays() {
    use DeduplicationLevel::{Functional, Off, Structural};
    for level in [Functional, Structural, Off] {
        let (unguarded, before) = neutral_births(0, level);
        let (once, _) = neutral_births(1, level);
        let (guarded, after) = neutral_births(10, level);
        assert!((0.2..0.8).contains(&unguarded), "{unguarded}");
        assert!((once - unguarded * unguarded).abs() < 0.05, "{once} after {unguarded}");
        assert!(guarded < 0.01, "{guarded}");
        assert!(after.evaluations >= before.evaluations);
        if level != Off {
            assert!(after.evaluations > before.evaluations, "{before:?} {after:?}");
        }
    }
    // Where nothing but neutral children are possible the search goes on with them.
    let weights = ONLY_SWAPS;
    let mutation = MutationConfig { weights, ..config(5, 1).mutation };
    let text = "def train(w, g, lr):\n  x = g * lr\n  return x\n";
    let start = evo_dsl::Program::parse(text).expect("the test's text parses");
    let config = SearchConfig { mutation, ..config(5, 50) };
    let mut search = new_search(&config, Seed(1), start, hasher()).expect("the settings are valid");
    assert_eq!(drive(&mut search, 1, by_training).len(), 1);
    assert_eq!(search.counters().absorbed, 50);
}
