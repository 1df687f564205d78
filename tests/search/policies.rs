//! What policies beyond caching promise, each held against what was told and asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use evo_domain::{Outcome, Score};
use evo_dsl::structural_hash;
use evo_hashes::{Hash, Seed};
use evo_search::{OutcomeCache, SearchError};

use crate::driver::{
    Candidate, Search, SearchConfig, behaviour, drive, hasher, new_search, result, scored,
};
use crate::quadratic;

fn config(more: &str, candidates: u64) -> SearchConfig {
    let text = format!(
        "(strategy: RegularizedEvolution(population: 40, tournament: 4), {more}
          mutation: (max_statements: 12), stopping: (candidates: Some({candidates})))"
    );
    ron::from_str(&text).expect("the text is a configuration")
}

fn search(config: &SearchConfig) -> Search {
    new_search(config, Seed(3), quadratic::start(), hasher()).expect("the settings are valid")
}

/// A number in 0 to 1 of what a program does and of the repeat.
fn drawn(candidate: &Candidate) -> Outcome {
    let hash = behaviour(&candidate.program);
    let number = u64::from_le_bytes(hash.0[..8].try_into().expect("eight bytes"));
    scored(number, u64::from(candidate.repeat))
}

/// A birth as it was absorbed: its number, that of its evaluation, and its fitness.
type Shown = (u64, u64, f64);

/// Drives a search to its end; gives what was asked and what was absorbed, each in order of birth.
fn driven(
    search: Search,
    order: u64,
    outcome: fn(&Candidate) -> Outcome,
) -> (Search, BTreeMap<u64, Candidate>, Vec<Shown>) {
    let births = Arc::new(Mutex::new(Vec::new()));
    let watching = Arc::clone(&births);
    let mut search = search.watched_by(Box::new(move |it| {
        let shown = (it.birth, it.evaluation, it.fitness);
        watching.lock().expect("nobody panics").push(shown);
    }));
    let asked = drive(&mut search, order, outcome);
    // What is confirmed at the end is asked last.
    let evaluated = search.counters().evaluations - search.counters().cached;
    let asked = asked.into_iter().take(evaluated as usize);
    let asked = asked.map(|it| (it.birth, it)).collect();
    let births = std::mem::take(&mut *births.lock().expect("nobody panics"));
    (search, asked, births)
}

#[test]
fn a_birth_has_the_mean_of_all_evaluations_up_to_its_own() {
    for window in [0, 16] {
        let policy = format!("window: {window}, deduplication: (aggregate: 4, recheck: 0.0),");
        let settings = config(&policy, 1_500);
        let (one, asked, births) = driven(search(&settings), 1, drawn);
        let mut told: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for (birth, evaluation, fitness) in &births {
            let values = told.entry(*evaluation).or_default();
            if let Some(candidate) = asked.get(birth) {
                assert_eq!(candidate.repeat as usize, values.len(), "repeats are in order");
                values.push(drawn(candidate).fitness());
            } else {
                assert_eq!(values.len(), 4, "it is evaluated, until four are");
            }
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            assert_eq!(fitness.to_bits(), mean.to_bits(), "birth {birth}");
        }
        assert!(told.values().filter(|it| it.len() == 4).count() > 30);
        let policies = one.policy_counters().expect("there is one");
        let joined: usize = told.values().map(|it| it.len() - 1).sum();
        assert_eq!(policies.aggregated, joined as u64);
        assert_eq!(policies.distinct(one.counters()), told.len() as u64);
        let (two, _, again) = driven(search(&settings), 9, drawn);
        assert_eq!((result(&one), one.digest(), births), (result(&two), two.digest(), again));
    }
}

#[test]
fn members_follow_the_mean_where_they_are_to_and_nowhere_else() {
    for strategy in [
        "RegularizedEvolution(population: 40, tournament: 4)",
        "Islands(islands: 3, population: 20, tournament: 2, migration_every: 100, migrants: 2)",
        "OnePlusLambda(lambda: 20)",
    ] {
        for refresh in [true, false] {
            let policy = format!(
                "(strategy: {strategy}, window: 8, mutation: (max_statements: 12),
                  deduplication: (aggregate: 50, refresh: {refresh}, recheck: 0.0),
                  stopping: (candidates: Some(800)))"
            );
            let settings: SearchConfig = ron::from_str(&policy).expect("it is a configuration");
            let (search, _, births) = driven(search(&settings), 1, drawn);
            let latest: BTreeMap<u64, f64> = births.iter().map(|it| (it.1, it.2)).collect();
            let entry: BTreeMap<u64, u64> = births.iter().map(|it| (it.0, it.1)).collect();
            let members: Vec<_> = search.populations().iter().flat_map(|it| it.iter()).collect();
            let followed = members.iter().filter(|it| it.fitness == latest[&entry[&it.birth]]);
            match refresh {
                true => assert_eq!(followed.count(), members.len(), "{strategy}"),
                false if members.len() > 1 => assert!(followed.count() < members.len()),
                false => {}
            }
        }
    }
}

#[test]
fn an_evaluation_serves_so_many_births_and_the_next_is_a_fresh_repeat() {
    let policy = "window: 16, deduplication: (forget_every: Some(7), recheck: 0.0),";
    let (search, asked, births) = driven(search(&config(policy, 3_000)), 1, drawn);
    let mut served: BTreeMap<u64, u64> = BTreeMap::new();
    for (birth, evaluation, fitness) in births {
        *served.entry(evaluation).or_default() += 1;
        assert_eq!(asked.contains_key(&birth), evaluation == birth);
        assert_eq!(fitness, drawn(&asked[&evaluation]).fitness());
    }
    assert_eq!(served.values().max(), Some(&7));
    let mut repeats: BTreeMap<Hash, u32> = BTreeMap::new();
    for candidate in asked.values() {
        let next = repeats.entry(behaviour(&candidate.program)).or_default();
        assert_eq!(candidate.repeat, *next, "repeats of a behaviour are in order");
        *next += 1;
    }
    let policies = search.policy_counters().expect("there is one");
    assert!(policies.forgotten > 100, "{policies:?}");
    assert_eq!(policies.distinct(search.counters()), repeats.len() as u64);
}

#[test]
fn that_share_of_the_duplicates_is_forgotten() {
    let policy = "window: 16, deduplication: (forget: 0.2, recheck: 0.0),";
    let (search, _, _) = driven(search(&config(policy, 4_000)), 1, drawn);
    let (counters, policies) = (search.counters(), search.policy_counters().expect("there is one"));
    let hits = counters.structural_hits + counters.functional_hits;
    let share = policies.forgotten as f64 / (policies.forgotten + hits) as f64;
    assert!((0.17..0.23).contains(&share), "{share}");
    assert_eq!(counters.births, counters.evaluations + hits);
}

#[test]
fn children_of_a_tabu_behaviour_are_made_again_and_never_for_ever() {
    let policy = |window: u64, retries: u32| {
        format!(
            "window: {window}, deduplication: (tabu: (last: Some(300), retries: {retries}),
             recheck: 0.0),"
        )
    };
    let seeded = |seed: u64, settings: &SearchConfig| {
        let search = new_search(settings, Seed(seed), quadratic::start(), hasher());
        driven(search.expect("the settings are valid"), 1, drawn)
    };
    let hits = |it: &Search| it.counters().structural_hits + it.counters().functional_hits;
    // Of several searches: one may come to a program of which nearly all children are its like.
    let total =
        |settings: &SearchConfig| (4..8).map(|it| hits(&seeded(it, settings).0)).sum::<u64>();
    let free = total(&config("", 1_500));
    for window in [0, 16] {
        let settings = config(&policy(window, 20), 1_500);
        assert!(2 * total(&settings) < free, "{} {free}", total(&settings));
        let (one, _, births) = driven(search(&settings), 1, drawn);
        let policies = *one.policy_counters().expect("there is one");
        assert!(policies.tabu_retries > 500, "{policies:?}");
        let (two, _, again) = driven(search(&settings), 9, drawn);
        assert_eq!((one.digest(), births), (two.digest(), again));
    }
    // Swaps alone lead to one behaviour: every child is tabu, and let through in the end.
    let mut swaps = config(&policy(4, 3), 200);
    swaps.mutation.weights = crate::driver::ONLY_SWAPS;
    let (search, _, _) = driven(search(&swaps), 1, drawn);
    let policies = search.policy_counters().expect("there is one");
    assert_eq!(policies.tabu_retries, 3 * policies.tabu_kept);
    assert!(policies.tabu_kept > 150, "{policies:?}");
}

#[test]
fn nothing_is_shared_where_all_is_counterfactual_and_what_would_have_been_wrong_is_counted() {
    /// By behaviour but for one structure in ten, which is a little better than it should be.
    fn faulty(candidate: &Candidate) -> Outcome {
        let structure = structural_hash(&candidate.program).0[0];
        let exact = drawn(candidate).fitness();
        let off = if structure.is_multiple_of(10) { 0.01 } else { 0.0 };
        Outcome::Scored(Score::new(exact + off, vec![]))
    }
    let policy = "window: 16, deduplication: (counterfactual: true, recheck: 0.0),";
    let (one, asked, births) = driven(search(&config(policy, 3_000)), 1, faulty);
    assert_eq!((asked.len(), births.len()), (3_000, 3_000));
    assert!(asked.values().all(|it| it.repeat == 0));
    // The first of each behaviour is what a cache would have said of the others.
    let mut first: BTreeMap<Hash, (Hash, f64)> = BTreeMap::new();
    let (mut compared, mut apart) = ([0; 2], [[0; 3]; 2]);
    for (birth, evaluation, fitness) in births {
        assert_eq!(evaluation, birth);
        assert_eq!(fitness, faulty(&asked[&birth]).fitness());
        let program = &asked[&birth].program;
        let (behaviour, structure) = (behaviour(program), structural_hash(program));
        let Some((like, shared)) = first.get(&behaviour) else {
            first.insert(behaviour, (structure, fitness));
            continue;
        };
        let level = usize::from(*like != structure);
        compared[level] += 1;
        for (count, tolerance) in apart[level].iter_mut().zip([0.0, 1e-3, 0.02]) {
            *count += u64::from((fitness - shared).abs() > tolerance);
        }
    }
    let policies = one.policy_counters().expect("there is one");
    let found = [policies.structural, policies.functional];
    assert_eq!((found.map(|it| it.compared), found.map(|it| it.apart)), (compared, apart));
    assert!(apart[1][0] > 20 && apart[1][0] == apart[1][1], "{apart:?}");
    assert_eq!((apart[0], apart[1][2]), ([0; 3], 0), "one structure has one outcome");
    // What is bred is what is bred where nothing is compared.
    let (off, _, _) =
        driven(search(&config("deduplication: (level: Off), window: 16,", 3_000)), 4, faulty);
    let bred = |it: &Search| {
        let members = it.populations()[0].iter();
        members.map(|it| (it.birth, it.program.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(bred(&one), bred(&off));
}

#[test]
fn noise_is_drawn_for_each_evaluation_and_shared_with_it_and_with_no_other_run() {
    fn value(_: &Candidate) -> Outcome {
        scored(0, 0)
    }
    let cache = Arc::new(OutcomeCache::new());
    let cached = |more: &str| search(&config(more, 600)).with_cache(Arc::clone(&cache));
    let noisy = "noise: (sd: 0.1), deduplication: (recheck: 0.0), window: 8,";
    let (one, asked, births) = driven(cached(noisy), 1, value);
    let drawn: BTreeSet<u64> = births.iter().map(|it| it.2.to_bits()).collect();
    assert_eq!(drawn.len(), asked.len(), "as many numbers as evaluations");
    for (_, evaluation, fitness) in &births {
        assert_eq!(*fitness, births[*evaluation as usize].2);
    }
    let (two, _, again) = driven(cached(noisy), 7, value);
    assert_eq!((one.digest(), births), (two.digest(), again));
    assert!(cache.is_empty() && one.counters().cached == 0, "what is noisy is not shared");
    let (_, asked, births) =
        driven(cached("noise: (sd: 0.1), deduplication: (level: Off),"), 1, value);
    let drawn: BTreeSet<u64> = births.iter().map(|it| it.2.to_bits()).collect();
    assert_eq!((drawn.len(), asked.len()), (600, 600));
}

#[test]
fn a_shared_cache_holds_first_evaluations_alone() {
    let cache = Arc::new(OutcomeCache::new());
    let run = |more: &str| {
        let search = search(&config(more, 800)).with_cache(Arc::clone(&cache));
        driven(search, 1, drawn)
    };
    let (first, asked, births) = run("deduplication: (aggregate: 3, recheck: 0.0),");
    let distinct = first.policy_counters().expect("there is one").distinct(first.counters());
    assert_eq!(cache.len() as u64, distinct);
    let (second, asked_again, births_again) = run("deduplication: (aggregate: 3, recheck: 0.0),");
    assert_eq!(second.counters().cached, distinct);
    assert!(asked_again.values().all(|it| it.repeat > 0));
    assert_eq!(asked_again.len() as u64 + distinct, asked.len() as u64);
    assert_eq!((births, first.digest()), (births_again, second.digest()));
    let (all, asked, _) = run("deduplication: (counterfactual: true, recheck: 0.0),");
    assert_eq!((asked.len(), all.counters().cached), (800, 0), "every birth is evaluated");
}

#[test]
fn settings_that_take_the_meaning_from_each_other_are_refused_at_their_key() {
    let refused =
        |more: &str| match new_search(&config(more, 10), Seed(3), quadratic::start(), hasher()) {
            Err(SearchError::Config { key, .. }) => key,
            other => panic!("{more}: {:?}", other.map(|search| *search.counters())),
        };
    let of = |policy: &str| refused(&format!("deduplication: ({policy}),"));
    let key = |key: &str| format!("deduplication.{key}");
    assert_eq!(of("aggregate: 0"), key("aggregate"));
    assert_eq!(of("forget: 1.5, recheck: 0.0"), key("forget"));
    assert_eq!(of("forget_every: Some(1), recheck: 0.0"), key("forget_every"));
    assert_eq!(of("forget_every: Some(3), aggregate: 3, recheck: 0.0"), key("forget_every"));
    assert_eq!(of("refresh: true"), key("refresh"));
    assert_eq!(of("counterfactual: true, aggregate: 2, recheck: 0.0"), key("counterfactual"));
    assert_eq!(of("counterfactual: true, forget: 0.1, recheck: 0.0"), key("counterfactual"));
    for policy in ["aggregate: 2", "forget: 0.1", "forget_every: Some(9)", "counterfactual: true"] {
        assert_eq!(of(policy), key("recheck"));
        assert_eq!(
            of(&format!("level: Off, {policy}")),
            key(policy.split(':').next().unwrap_or(""))
        );
    }
    assert_eq!(of("tabu: (last: Some(0))"), key("tabu.last"));
    assert_eq!(of("tabu: (last: Some(100001))"), key("tabu.last"));
    assert_eq!(of("tabu: (last: Some(5), retries: 0)"), key("tabu.retries"));
    assert_eq!(of("tabu: (last: Some(5), retries: 100000)"), key("tabu.retries"));
    let hurdles = "hurdles: (percentile: Some(50.0)), deduplication: (recheck: 0.0, aggregate: 2),";
    assert_eq!(refused(hurdles), key("aggregate"));
    assert_eq!(refused("noise: (sd: -1.0),"), "noise.sd");
    assert_eq!(refused("noise: (sd: inf),"), "noise.sd");
    assert_eq!(refused("noise: (sd: 0.1),"), key("recheck"));
    let hurdles =
        "hurdles: (percentile: Some(50.0)), deduplication: (recheck: 0.0), noise: (sd: 1.0),";
    assert_eq!(refused(hurdles), "noise");
}
