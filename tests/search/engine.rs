//! Ask and tell: the window, duplicates, stopping and the hall of fame, without any threads.

use std::sync::Arc;

use evo_domain::Outcome;
use evo_dsl::{MutationConfig, MutationWeights, Program, structural_hash};
use evo_hashes::{Hash, Seed};
use evo_search::{
    Counters, Deduplication, DeduplicationLevel, HeldOutConfig, HurdleConfig, Keep, NoiseConfig,
    OutcomeCache, Restarts, SearchError, Selection, StopReason, Stopping, StrategyConfig,
};

use crate::driver::{
    Candidate, Search, SearchConfig, behaviour, by_training, drive, hasher, new_search, result,
    scored,
};
use crate::quadratic;

fn config(candidates: u64) -> SearchConfig {
    SearchConfig {
        strategy: StrategyConfig::RegularizedEvolution { population: 20, tournament: 3 },
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

#[test]
fn the_order_of_telling_changes_nothing_and_the_seed_does() {
    let run = |order, seed| {
        let mut search = search(&config(2_000), seed);
        drive(&mut search, order, by_training);
        result(&search)
    };
    let first = run(0, 1);
    for order in 1..5 {
        assert_eq!(first, run(order, 1));
    }
    assert_ne!(first, run(0, 2));
}

#[test]
fn telling_at_once_gives_what_telling_late_gives() {
    let mut late = search(&config(2_000), 1);
    drive(&mut late, 0, by_training);
    let mut at_once = search(&config(2_000), 1);
    while let Some(candidate) = at_once.ask().expect("there is no store") {
        let outcome = by_training(&candidate);
        at_once.tell(candidate.birth, outcome).expect("the candidate is in flight");
    }
    assert!(at_once.is_finished());
    assert_eq!(result(&late), result(&at_once));
}

#[test]
fn a_birth_depends_on_all_outcomes_before_its_window_and_on_none_after() {
    let window = 16;
    let config = SearchConfig { deduplication: DeduplicationLevel::Off.into(), ..config(120) };
    let births = |changed_from: u64| {
        let mut search = search(&config, 1);
        let outcome = |candidate: &Candidate| {
            scored(candidate.birth, u64::from(candidate.birth >= changed_from))
        };
        let mut asked = drive(&mut search, changed_from, outcome);
        asked.sort_by_key(|candidate| candidate.birth);
        asked.iter().map(|candidate| candidate.program.to_string()).collect::<Vec<String>>()
    };
    let unchanged = births(u64::MAX);
    assert_eq!(unchanged.len(), 120);
    let mut first_changed = Vec::new();
    for changed_from in 0..70 {
        let changed = births(changed_from);
        let differing = unchanged.iter().zip(&changed).position(|(old, new)| old != new);
        let differing = differing.expect("other outcomes lead to other births") as u64;
        assert!(differing > changed_from + window, "{differing} saw the outcome of {changed_from}");
        first_changed.push(differing - changed_from - window);
    }
    // Some birth is bred from an outcome as soon as its window allows.
    assert!(first_changed.contains(&1), "{first_changed:?}");
}

#[test]
fn no_behaviour_is_evaluated_twice_and_no_birth_is_lost() {
    for (level, hash) in [
        (DeduplicationLevel::Functional, behaviour as fn(&Program) -> Hash),
        (DeduplicationLevel::Structural, structural_hash),
    ] {
        let deduplication = Deduplication { recheck: 0.0, ..level.into() };
        let config = SearchConfig { deduplication, ..config(3_000) };
        let mut search = search(&config, 3);
        let asked = drive(&mut search, 3, by_training);
        // What is asked after the last birth confirms the hall of fame.
        let evaluations = search.counters().evaluations as usize;
        let asked = &asked[..evaluations];
        let mut hashes: Vec<_> = asked.iter().map(|candidate| hash(&candidate.program)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), asked.len());
        let counters = search.counters();
        assert_eq!((counters.births, counters.absorbed), (3_000, 3_000));
        assert_eq!(counters.scored + counters.invalid, counters.evaluations);
        let hits = counters.structural_hits + counters.functional_hits;
        assert_eq!(counters.evaluations + hits, counters.births);
        assert!(counters.structural_hits > 100);
        assert_eq!(counters.functional_hits > 0, level == DeduplicationLevel::Functional);
    }
}

#[test]
fn a_duplicate_enters_the_population_with_the_fitness_of_the_first() {
    let mut search = search(&config(500), 4);
    drive(&mut search, 4, by_training);
    let population = &search.populations()[0];
    assert_eq!(population.iter().len(), 20);
    let births: Vec<u64> = population.iter().map(|member| member.birth).collect();
    assert_eq!(births, (480..500).collect::<Vec<u64>>());
    for member in population.iter() {
        let own = quadratic::outcome(&member.program).fitness();
        // Members of one behaviour differ by less than the hash resolves.
        let close = (member.fitness - own).abs() < 1e-2 || member.fitness == own;
        assert!(close, "{} and {own}", member.fitness);
    }
}

#[test]
fn the_population_starts_as_copies_of_the_start_program() {
    let mut search = search(&config(18), 1);
    let asked = drive(&mut search, 0, by_training);
    assert_eq!((asked[0].birth, asked[0].program.to_string().as_str()), (0, quadratic::START));
    let population = search.populations()[0].iter();
    let of_the_start: Vec<f64> =
        population.filter(|member| member.birth == 0).map(|member| member.fitness).collect();
    assert_eq!(of_the_start, [quadratic::outcome(&quadratic::start()).fitness(); 3]);
}

#[test]
fn counted_limits_stop_exactly() {
    let stopped = |stopping| {
        let mut search = search(&SearchConfig { stopping, ..config(1) }, 5);
        let asked = drive(&mut search, 5, by_training);
        (search.stop_reason().expect("it has stopped"), *search.counters(), asked.len())
    };
    let none = Stopping::default();
    let (reason, counters, _) = stopped(Stopping { candidates: Some(123), ..none });
    assert_eq!((reason, counters.births), (StopReason::Candidates(123), 123));
    let (reason, counters, asked) = stopped(Stopping { evaluations: Some(77), ..none });
    assert_eq!((reason, counters.evaluations), (StopReason::Evaluations(77), 77));
    assert_eq!(asked as u64, 77 + counters.confirmed);
    let limits = Stopping { candidates: Some(100_000), fitness: Some(1.5), ..none };
    let (reason, counters, _) = stopped(limits);
    let StopReason::Fitness(fitness) = reason else { panic!("{reason}") };
    assert!(fitness >= 1.5 && counters.births < 100_000, "{fitness} {counters:?}");
    assert_eq!(counters.births, counters.absorbed);
}

#[test]
fn a_space_without_anything_new_is_exhausted() {
    let only = |delete| MutationWeights {
        insert: 0.0,
        delete,
        change_argument: 0.0,
        change_constant: 0.0,
        change_op: 0.0,
        swap: 0.0,
        duplicate: 0.0,
        crossover: 0.0,
    };
    let config = SearchConfig {
        strategy: StrategyConfig::RandomSearch { mutations: 2 },
        mutation: MutationConfig { weights: only(1.0), ..MutationConfig::default() },
        ..config(10_000_000)
    };
    let mut search = search(&config, 1);
    let asked = drive(&mut search, 1, by_training);
    assert_eq!(search.stop_reason(), Some(StopReason::Exhausted(100_000)));
    assert!((5..20).contains(&asked.len()), "{}", asked.len());
    assert!(search.populations().is_empty());
}

#[test]
fn stopping_from_outside_absorbs_what_is_in_flight() {
    let mut search = search(&config(1_000), 1);
    let asked: Vec<Candidate> =
        std::iter::from_fn(|| search.ask().expect("there is no store")).collect();
    search.stop(StopReason::Cancelled).expect("there is no store");
    assert!(search.ask().expect("there is no store").is_none() && !search.is_finished());
    for candidate in &asked {
        search.tell(candidate.birth, by_training(candidate)).expect("the candidate is in flight");
    }
    assert!(search.is_finished());
    assert_eq!(search.counters().absorbed, search.counters().births);
    assert_eq!(search.stop_reason(), Some(StopReason::Cancelled));
}

#[test]
fn an_outcome_nobody_waits_for_is_refused() {
    let mut search = search(&config(100), 1);
    let candidate =
        search.ask().expect("there is no store").expect("the start program is to be evaluated");
    search.tell(candidate.birth, by_training(&candidate)).expect("the candidate is in flight");
    for birth in [0, 99, u64::MAX] {
        let error = search.tell(birth, by_training(&candidate)).expect_err("nobody waits for it");
        assert!(matches!(error, SearchError::UnexpectedOutcome { birth: told } if told == birth));
    }
}

#[test]
fn a_shared_cache_saves_the_evaluations_and_changes_nothing_else() {
    let cache = Arc::new(OutcomeCache::new());
    let mut first = search(&config(1_000), 1).with_cache(Arc::clone(&cache));
    let asked = drive(&mut first, 1, by_training);
    let evaluations = first.counters().evaluations;
    assert_eq!((cache.len() as u64, asked.len() as u64 >= evaluations), (evaluations, true));
    let mut second = search(&config(1_000), 1).with_cache(cache);
    // What is confirmed at the end is evaluated, whatever a cache holds.
    let asked = drive(&mut second, 2, by_training).len() as u64;
    assert_eq!(asked, second.counters().confirmed);
    assert_eq!(second.counters().cached, evaluations);
    let (csv, counters, population, lineage) = result(&second);
    assert_eq!((csv, Counters { cached: 0, ..counters }, population, lineage), result(&first));
}

#[test]
fn a_failure_is_not_remembered_as_a_property_of_the_program() {
    let cache = Arc::new(OutcomeCache::new());
    let config = SearchConfig {
        // Children of the start program by deletion are few, so each comes again and again.
        strategy: StrategyConfig::RandomSearch { mutations: 1 },
        mutation: MutationConfig {
            weights: MutationWeights {
                insert: 0.0,
                change_argument: 0.0,
                change_constant: 0.0,
                change_op: 0.0,
                swap: 0.0,
                duplicate: 0.0,
                crossover: 0.0,
                delete: 1.0,
            },
            ..MutationConfig::default()
        },
        ..config(300)
    };
    let run = |order| {
        let mut search = search(&config, 1).with_cache(Arc::clone(&cache));
        drive(&mut search, order, |candidate| match candidate.birth {
            0..=20 => Outcome::Failed { message: "out of memory".into() },
            _ => by_training(candidate),
        });
        *search.counters()
    };
    let counters = run(1);
    assert!(counters.failed > 0 && counters.scored > 0, "{counters:?}");
    assert_eq!(counters.failed + counters.scored + counters.invalid, counters.evaluations);
    // The start program came once only, so it stays unknown.
    assert_eq!(cache.len() as u64, counters.scored + counters.invalid);
}

#[test]
fn the_hall_of_fame_holds_the_fittest_of_each_length_and_reads_back() {
    let mut search = search(&config(3_000), 8);
    drive(&mut search, 8, by_training);
    let (csv, ..) = result(&search);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().expect("the table has a header").clone();
    let expected =
        ["length", "fitness", "birth", "structural_hash", "functional_hash", "losses", "program"];
    assert_eq!(header.iter().collect::<Vec<_>>(), expected);
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), search.hall_of_fame().iter().len());
    let mut last = None;
    for row in &rows {
        let length: usize = row[0].parse().expect("a length");
        assert!(last < Some(length));
        last = Some(length);
        let program = Program::parse(&row[6]).expect("a program");
        assert_eq!(program.statements().len(), length);
        assert_eq!(structural_hash(&program).to_string(), row[3]);
        let hash = hasher().hash(&program).map(|hash| hash.to_string());
        assert_eq!(hash.unwrap_or_default(), row[4]);
        let losses: Vec<f64> =
            row[5].split(';').map(|loss| loss.parse().expect("a loss")).collect();
        assert_eq!(losses.len(), 2);
        let fitness: f64 = row[1].parse().expect("a fitness");
        assert!(fitness <= search.best().expect("there are champions").individual.fitness);
    }
    let start = quadratic::outcome(&quadratic::start()).fitness();
    assert!(search.best().expect("there are champions").individual.fitness > start);
}

#[test]
fn settings_that_cannot_be_searched_with_are_refused_by_key() {
    let base = || config(1);
    let evolution =
        |population, tournament| StrategyConfig::RegularizedEvolution { population, tournament };
    let stopping = Stopping::default;
    let cases = [
        (SearchConfig { strategy: evolution(0, 1), ..base() }, "strategy.population"),
        (SearchConfig { strategy: evolution(1, 0), ..base() }, "strategy.tournament"),
        (
            SearchConfig { strategy: StrategyConfig::RandomSearch { mutations: 0 }, ..base() },
            "strategy.mutations",
        ),
        (
            SearchConfig { stopping: Stopping { fitness: Some(1.0), ..stopping() }, ..base() },
            "stopping:",
        ),
        (
            SearchConfig { stopping: Stopping { evaluations: Some(0), ..stopping() }, ..base() },
            "stopping.evaluations",
        ),
        (
            SearchConfig { stopping: Stopping { seconds: Some(-1.0), ..stopping() }, ..base() },
            "stopping.seconds",
        ),
    ];
    for (config, key) in cases {
        let error = new_search(&config, Seed(1), quadratic::start(), hasher());
        let message = error.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(key), "{message:?} does not name {key}");
    }
}
