//! Crossover in a search: who the second parent is, and what is told of it.

use evo_domain::{Domain, Hash, Outcome, Size, StreamRng};
use evo_dsl::{MutationConfig, MutationWeights, Optimizers};
use evo_hashes::Seed;
use evo_search::{SearchError, Store};

use crate::driver::{Search, SearchConfig, by_training, drive, hasher, result};
use crate::starts::programs;

/// With a weight on crossover that makes a third of all births.
pub(crate) fn mutation() -> MutationConfig {
    let weights = MutationWeights { crossover: 1.75, ..MutationWeights::default() };
    MutationConfig { weights, max_statements: 20, ..MutationConfig::default() }
}

fn config(strategy: &str) -> SearchConfig {
    let text = format!(
        "(strategy: {strategy}, window: 16, mutation: (max_statements: 20),
          stopping: (candidates: Some(1500)))"
    );
    let config: SearchConfig = ron::from_str(&text).expect("the text is a configuration");
    SearchConfig { mutation: mutation(), ..config }
}

fn try_search(config: &SearchConfig, seed: u64) -> Result<Search, SearchError> {
    let domain = Optimizers::new(&config.mutation, hasher())?;
    Search::from_starts(config, Seed(seed), domain, programs())
}

fn search(config: &SearchConfig, seed: u64) -> Search {
    try_search(config, seed).expect("the settings are valid")
}

const EVOLUTION: &str = "RegularizedEvolution(population: 30, tournament: 3)";
const ISLANDS: &str =
    "Islands(islands: 3, population: 10, tournament: 2, migration_every: 200, migrants: 1)";

#[test]
fn births_of_two_parents_do_not_depend_on_the_order_of_telling() {
    for strategy in [EVOLUTION, ISLANDS] {
        let run = |order, seed| {
            let mut search = search(&config(strategy), seed);
            drive(&mut search, order, by_training);
            (result(&search), search.digest())
        };
        assert_eq!(run(0, 1), run(1, 1), "{strategy}");
        assert_ne!(run(0, 1), run(0, 2), "{strategy}");
    }
}

#[test]
fn a_store_knows_both_parents_and_that_they_are_two() {
    let directory = tempfile::TempDir::new().expect("there is room");
    let path = directory.path().join("run.db");
    let store = Store::create(&path, &[]).expect("it is new");
    let mut search = search(&config(EVOLUTION), 1).with_store(store).expect("the store works");
    drive(&mut search, 1, by_training);
    search.commit(0.0).expect("the store works");
    let domain = search.domain().clone();
    let statistics = search.mutation_statistics();
    let crossovers = statistics.iter().find(|(kind, _)| *kind == "crossover");
    let tried = crossovers.expect("it has a weight").1.tried;
    drop(search);
    let store = Store::read(&path).expect("the store is sound");
    let mut crossed = 0;
    for birth in 0..1_500 {
        let path = store.lineage(&domain, birth).expect("the store is sound");
        let last = path.and_then(|mut path| path.pop()).expect("it was born");
        assert_eq!(last.mate.is_some(), last.mutation.as_deref() == Some("crossover"));
        assert_eq!(last.parent.is_none(), birth < 3);
        if let Some(mate) = last.mate {
            assert!(mate < birth && Some(mate) != last.parent);
            crossed += 1;
        }
    }
    assert_eq!(crossed, tried);
    assert!((300..700).contains(&crossed), "a third of all, where it was possible: {crossed}");
}

#[test]
fn without_a_weight_no_kind_is_called_crossover() {
    let kinds = |domain: &Optimizers| domain.mutations().to_vec();
    let without = kinds(&Optimizers::default());
    let with = kinds(&Optimizers::new(&mutation(), hasher()).expect("it is valid"));
    assert_eq!(with[..with.len() - 1], without);
    assert_eq!(with.last(), Some(&"crossover"));
}

#[test]
fn strategies_with_one_parent_at_a_time_refuse_a_second_and_tuning_never_asks_for_one() {
    for strategy in ["OnePlusLambda(lambda: 4)", "RandomSearch(mutations: 2)"] {
        let refused = try_search(&config(strategy), 1).err().expect("there is no second");
        assert!(refused.to_string().contains("strategy: has no two parents"), "{refused}");
    }
    let tuning = config("ConstantTuning(population: 10, tournament: 2)");
    let starts = programs()[..2].to_vec();
    let domain = Optimizers::new(&tuning.mutation, hasher()).expect("it is valid");
    let mut tuned = Search::from_starts(&tuning, Seed(1), domain, starts).expect("it is valid");
    drive(&mut tuned, 1, by_training);
    let tally = tuned.mutation_statistics().iter().find(|(kind, _)| *kind == "crossover");
    assert_eq!(tally.map(|(_, tally)| tally.tried), Some(0));
}

/// Numbers, of which a child is the sum of two.
#[derive(Clone, Debug)]
struct Sums;

impl Domain for Sums {
    type Program = u64;
    type Analysis = ();
    const NAME: &'static str = "sums";

    fn analyse(&self, _: &u64) {}
    fn structure(&self, number: &u64, (): &()) -> Hash {
        Hash::of(&number.to_le_bytes())
    }
    fn behaviour(&self, _: &u64, (): &()) -> Option<Hash> {
        None
    }
    fn probe(&self) -> &str {
        "none"
    }
    fn size(&self, _: &u64, (): &()) -> Size {
        Size { length: 1, states: 0 }
    }
    fn mutations(&self) -> &'static [&'static str] {
        &["add one", "add"]
    }
    fn mutate(&self, number: &u64, _: &mut StreamRng) -> (u64, Option<usize>) {
        (number + 1, Some(0))
    }
    fn crossover(&self) -> Option<usize> {
        Some(1)
    }
    fn cross(&self, number: &u64, other: &u64, _: &mut StreamRng) -> (u64, Option<usize>) {
        (number + other, Some(1))
    }
    fn encode(&self, number: &u64) -> Vec<u8> {
        number.to_le_bytes().to_vec()
    }
    fn decode(&self, bytes: &[u8], _: &u64) -> Option<u64> {
        bytes.try_into().ok().map(u64::from_le_bytes)
    }
    fn text(&self, number: &u64) -> String {
        number.to_string()
    }
    fn read(&self, text: &str) -> Result<u64, String> {
        text.parse().map_err(|error: std::num::ParseIntError| error.to_string())
    }
}

/// Every birth of a domain of one's own: the first parent, the second, and what came of them.
#[test]
fn a_domain_of_ones_own_has_children_of_two_parents() {
    let directory = tempfile::TempDir::new().expect("there is room");
    let path = directory.path().join("run.db");
    let settings = config(EVOLUTION);
    let mut search =
        evo_search::Search::from_starts(&settings, Seed(1), Sums, vec![1, 10]).expect("valid");
    search = search.with_store(Store::create(&path, &[]).expect("it is new")).expect("it works");
    while let Some(candidate) = search.ask().expect("the store works") {
        let fitness = (*candidate.program as f64).min(1e9);
        let outcome = Outcome::Scored(evo_domain::Score::new(fitness, vec![]));
        search.tell(candidate.birth, outcome).expect("it is in flight");
        if candidate.birth > 100 {
            break;
        }
    }
    search.commit(0.0).expect("the store works");
    let store = search.store().expect("it has one");
    let number = |birth| -> u64 {
        let path = store.lineage(&Sums, birth).expect("it is sound").expect("it was born");
        path.last().expect("at least itself").program.parse().expect("a number")
    };
    let mut crossed = 0;
    for birth in 2..100 {
        let path = store.lineage(&Sums, birth).expect("it is sound").expect("it was born");
        let last = path.last().expect("at least itself");
        let parent = number(last.parent.expect("it is no start"));
        let added = last.mate.map_or(1, number);
        assert_eq!(number(birth), parent + added, "birth {birth}");
        crossed += u32::from(last.mate.is_some());
    }
    assert!(crossed > 40, "{crossed}");
}
