//! Hurdles inside of tasks: who is reprieved changes nothing, what was stopped early stands for
//! nobody whom it should not, and interruptions change neither.

use std::collections::BTreeSet;
use std::sync::Arc;

use evo_domain::{Outcome, Score, Stopped};
use evo_dsl::{Optimizers, structural_hash};
use evo_hashes::{Hash, Seed};
use evo_search::{OutcomeCache, Reprieves, Store};
use rand::RngExt;

use crate::driver::{
    Candidate, Search, SearchConfig, behaviour, drive, hasher, new_search, result,
};
use crate::quadratic;

/// Two looks into the first of two tasks, and a stage behind it.
const STAGES: [bool; 3] = [true, true, false];

fn config(reprieve: f64, more: &str) -> SearchConfig {
    let text = format!(
        "(strategy: RegularizedEvolution(population: 50, tournament: 3), window: 16,
          hurdles: (percentile: Some(40.0), history: 30, warm_up: 10,
                    partial: Some((percentile: 25.0, reprieve: {reprieve:?}))), {more}
          mutation: (max_statements: 20), stopping: (candidates: Some(3000)))"
    );
    ron::from_str(&text).expect("the text is a configuration")
}

fn search(config: &SearchConfig) -> Search {
    let search = new_search(config, Seed(1), quadratic::start(), hasher());
    search.expect("the settings are valid").with_partial_stages(STAGES.to_vec())
}

/// Guesses at the first task, the second a better one, before it is done.
fn looked_into(candidate: &Candidate) -> Outcome {
    let Outcome::Scored(score) = quadratic::outcome(&candidate.program) else {
        return quadratic::outcome(&candidate.program);
    };
    let first = -libm::log(score.losses[0]);
    let behaviour = behaviour(&candidate.program).0;
    let wrong = f64::from(behaviour[0]) / 255.0;
    let wrong = wrong * wrong * wrong * (1.0 + 2.0 * first.abs());
    let stages = vec![first - wrong, first - 0.5 * wrong, first];
    for (stage, fitness) in stages.iter().copied().enumerate() {
        if candidate.trial().stops(stage, fitness) {
            let cleared = stages[..stage].to_vec();
            return Outcome::Stopped(Stopped { stage, fitness, cleared, whole: None });
        }
    }
    Outcome::Scored(Score { stages, ..score })
}

fn reprieves(search: &Search) -> Reprieves {
    search.reprieves().expect("there are partial hurdles")
}

#[test]
fn who_is_reprieved_changes_what_is_counted_and_nothing_else() {
    let run = |reprieve, order| {
        let mut search = search(&config(reprieve, ""));
        let asked = drive(&mut search, order, looked_into);
        (result(&search), search.digest(), reprieves(&search), asked)
    };
    let (none, digest, counted, asked) = run(0.0, 0);
    assert_eq!(counted, Reprieves::default());
    let stopped_inside = |it: &Candidate| match looked_into(it) {
        Outcome::Stopped(stopped) => STAGES[stopped.stage],
        _ => false,
    };
    let inside = asked.iter().filter(|it| stopped_inside(it)).count() as u64;
    assert!(inside > 100 && none.1.stopped > inside, "{inside} of {:?}", none.1);
    let (all, same, every, _) = run(1.0, 0);
    assert_eq!((&all, same), (&none, digest));
    assert_eq!((every.reprieved, every.stopped), (none.1.evaluations, inside));
    assert!(every.lost > 0 && every.lost < every.top / 2, "guesses are wrong at times: {every:?}");
    let (some, same, share, asked) = run(0.25, 0);
    assert_eq!((&some, same), (&none, digest));
    assert!((200..350).contains(&(1000 * share.reprieved / every.reprieved)), "{share:?}");
    assert!(share.stopped > inside / 8 && share.top > every.top / 8, "{share:?} of {every:?}");
    for order in 1..4 {
        assert_eq!(run(0.25, order).2, share, "whatever the order of telling");
    }
    // Those reprieved are asked for without the hurdles inside, and with the others.
    let up = |it: &&Candidate, stage: usize| it.hurdles.get(stage).is_some_and(|it| it.is_finite());
    let late: Vec<&Candidate> = asked.iter().skip(300).collect();
    let let_off = late.iter().filter(|it| !up(it, 0) && !up(it, 1) && up(it, 2)).count();
    assert!(10 * let_off > 2 * late.len() && 10 * let_off < 3 * late.len(), "{let_off}");
    assert_eq!(late.iter().filter(|it| up(it, 0)).count() + let_off, late.len());
}

#[test]
fn interrupted_anywhere_a_run_counts_what_it_would_have_and_evaluates_nothing_twice() {
    // Long enough for snapshots to come in between.
    let mut config = config(0.3, "");
    config.stopping.candidates = Some(24_000);
    let mut whole = search(&config);
    drive(&mut whole, 0, looked_into);
    let directory = tempfile::TempDir::new().expect("there is room for a directory");
    let path = directory.path().join("run.db");
    let stored = || {
        let store = match path.exists() {
            true => Store::open(&path, &Optimizers::default()),
            false => Store::create(&path, &[]),
        };
        let store = store.expect("the store is sound and free");
        search(&config).with_store(store).expect("the store fits the search")
    };
    let (mut told, mut rng) = (BTreeSet::new(), Seed(5).stream("interruptions", 0));
    for _ in 0..4 {
        let mut search = stored();
        let mut in_flight = Vec::new();
        for _ in 0..rng.random_range(100..400) {
            while let Some(candidate) = search.ask().expect("the store works") {
                in_flight.push(candidate);
            }
            let candidate = in_flight.swap_remove(rng.random_range(0..in_flight.len()));
            assert!(told.insert(candidate.birth), "evaluated again");
            search.tell(candidate.birth, looked_into(&candidate)).expect("the store works");
        }
        search.commit(1.0).expect("the store works");
    }
    let mut last = stored();
    let asked = drive(&mut last, 1, looked_into);
    assert!(asked.iter().all(|it| !told.contains(&it.birth)), "evaluated again");
    last.commit(1.0).expect("the store works");
    assert_eq!((last.digest(), reprieves(&last)), (whole.digest(), reprieves(&whole)));
    last.save_summary().expect("the store works");
    let kept = last.store().expect("it has one").reprieves().expect("it can be read");
    assert_eq!(kept, Some(reprieves(&whole)));
}

#[test]
fn a_shared_cache_changes_neither_the_course_nor_what_is_counted() {
    let run = |reprieve, cache: &Arc<OutcomeCache>| {
        let mut search = search(&config(reprieve, "")).with_cache(Arc::clone(cache));
        drive(&mut search, 0, looked_into);
        (search.digest(), reprieves(&search), search.counters().cached)
    };
    let alone = run(0.3, &Arc::new(OutcomeCache::new()));
    // Whole outcomes, those that hurdles have stopped, and those of who was reprieved.
    for filling in [0.0, 0.3, 1.0] {
        let cache = Arc::new(OutcomeCache::new());
        let filled = run(filling, &cache);
        assert_eq!(filled.0, alone.0);
        let warm = run(0.3, &cache);
        assert_eq!((warm.0, warm.1), (alone.0, alone.1));
        assert!(warm.2 > alone.2 + 500, "{} of {}", warm.2, alone.2);
    }
}

#[test]
fn a_duplicate_of_what_was_stopped_inside_a_task_is_evaluated_where_it_would_pass() {
    let more = "restarts: (every: Some(150)), deduplication: (recheck: 0.0),";
    for reprieve in [0.0, 0.5] {
        let mut search = search(&config(reprieve, more));
        let (mut again, mut stopped) = (0, Vec::<(u64, Hash, usize, f64)>::new());
        let asked = drive(&mut search, 0, |candidate| {
            let outcome = looked_into(candidate);
            let structure = structural_hash(&candidate.program);
            // Of what was in flight when it was bred, the outcome was not known.
            let absorbed = candidate.birth.saturating_sub(16);
            let before = stopped.iter().find(|it| it.0 < absorbed && it.1 == structure);
            if let Some(&(_, _, stage, fitness)) = before {
                assert!(!candidate.trial().stops(stage, fitness), "it would be stopped again");
                again += 1;
            }
            if let Outcome::Stopped(it) = &outcome
                && STAGES[it.stage]
            {
                stopped.push((candidate.birth, structure, it.stage, it.fitness));
            }
            outcome
        });
        assert!(again > 2, "{again} of {}: hurdles come down at a restart", asked.len());
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_by_key() {
    for (partial, more, key) in [
        ("at: []", "", "hurdles.partial.at"),
        ("at: [0.5, 0.25]", "", "hurdles.partial.at[1]"),
        ("percentile: 0.0", "", "hurdles.partial.percentile"),
        ("reprieve: -0.1", "", "hurdles.partial.reprieve"),
        ("", "keep: Snapshots, ", "keep"),
        ("", "noise: (sd: 0.1), deduplication: (recheck: 0.0),", "noise"),
        ("", "deduplication: (recheck: 0.0, aggregate: 2),", "deduplication.aggregate"),
    ] {
        let text = format!(
            "(strategy: RegularizedEvolution(population: 50, tournament: 3), {more}
              hurdles: (partial: Some(({partial}))), stopping: (candidates: Some(10)))"
        );
        let config: SearchConfig = ron::from_str(&text).expect("the text is a configuration");
        let search = new_search(&config, Seed(1), quadratic::start(), hasher());
        let error = search.map(drop).expect_err("it makes no sense").to_string();
        assert!(error.starts_with(key), "{error}");
    }
}
