//! Drives a search without threads, and sums it up.

use evo_domain::{Outcome, Score};
use evo_dsl::{
    FunctionalHasher, MutationConfig, MutationWeights, Optimizers, Program, structural_hash,
};
use evo_hashes::{Hash, Seed};
use evo_search::{Counters, Population, SearchError};
use rand::RngExt;

use crate::quadratic;

pub(crate) type Candidate = evo_search::Candidate<Program>;
pub(crate) type Search = evo_search::Search<Optimizers>;
pub(crate) type SearchConfig = evo_search::SearchConfig<MutationConfig>;

/// A search of optimizers.
pub(crate) fn new_search(
    config: &SearchConfig,
    seed: Seed,
    start: Program,
    hasher: FunctionalHasher,
) -> Result<Search, SearchError> {
    Search::new(config, seed, Optimizers::new(&config.mutation, hasher)?, start)
}

/// Mutations that change nothing but the order of statements.
pub(crate) const ONLY_SWAPS: MutationWeights = MutationWeights {
    insert: 0.0,
    delete: 0.0,
    change_argument: 0.0,
    change_constant: 0.0,
    change_op: 0.0,
    swap: 1.0,
    duplicate: 0.0,
    crossover: 0.0,
};

pub(crate) fn hasher() -> FunctionalHasher {
    FunctionalHasher::new(8).expect("8 is between 1 and 23")
}

/// What a program is compared by.
pub(crate) fn behaviour(program: &Program) -> Hash {
    hasher().hash(program).unwrap_or_else(|| structural_hash(program))
}

/// Asks for all there is, then tells one outcome drawn among those in flight, and again; gives
/// back the candidates in the order they were asked.
pub(crate) fn drive(
    search: &mut Search,
    order: u64,
    mut outcome: impl FnMut(&Candidate) -> Outcome,
) -> Vec<Candidate> {
    let mut rng = Seed(order).stream("tell order", 0);
    let (mut asked, mut in_flight) = (Vec::new(), Vec::new());
    loop {
        while let Some(candidate) = search.ask().expect("the store works") {
            asked.push(candidate.clone());
            in_flight.push(candidate);
        }
        assert_eq!(search.in_flight(), in_flight.len());
        if in_flight.is_empty() {
            assert!(search.is_finished());
            return asked;
        }
        let told = in_flight.swap_remove(rng.random_range(0..in_flight.len()));
        search.tell(told.birth, outcome(&told)).expect("the candidate is in flight");
    }
}

pub(crate) fn by_training(candidate: &Candidate) -> Outcome {
    quadratic::outcome(&candidate.program)
}

/// Everything a run is judged by: hall of fame, counters, population, lineage.
pub(crate) type RunResult = (String, Counters, Vec<(u64, String, u64)>, Hash);

pub(crate) fn result(search: &Search) -> RunResult {
    let mut csv = Vec::new();
    search.hall_of_fame().write_csv(search.domain(), &mut csv).expect("memory takes any amount");
    let members = search.populations().iter().flat_map(Population::iter);
    let population = members
        .map(|member| (member.birth, member.program.to_string(), member.fitness.to_bits()))
        .collect();
    let table = String::from_utf8(csv).expect("the table is text");
    (table, *search.counters(), population, search.lineage_hash())
}

/// An outcome that depends on the birth alone.
pub(crate) fn scored(birth: u64, salt: u64) -> Outcome {
    let fitness = Seed(salt).stream("fitness", birth).random::<f64>();
    Outcome::Scored(Score::new(fitness, vec![]))
}
