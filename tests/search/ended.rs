//! Evaluations ended from outside: a property of the program, so no behaviour is let loose twice.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use evo_domain::{DependsOn, EndReason, Ended, Evaluator, Outcome, Trial};
use evo_dsl::{Optimizers, Program};
use evo_hashes::{Hash, Seed};
use evo_search::{OutcomeCache, RunOptions, StopReason, Store, run};
use tempfile::TempDir;

use crate::driver::{Search, SearchConfig, behaviour, drive, hasher, new_search, result};
use crate::quadratic;

/// Trains, but for one behaviour in six, which does something to its process.
struct Dangerous;

impl Evaluator<Program> for Dangerous {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| outcome(trial.program)).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

pub(crate) fn outcome(program: &Program) -> Outcome {
    let reason = match behaviour(program).0[8] % 18 {
        0 => EndReason::Hung,
        1 => EndReason::Crashed,
        2 => EndReason::OutOfMemory,
        _ => return quadratic::outcome(program),
    };
    Outcome::Ended(Ended { reason, message: "a \"limit\"\nof two lines".to_owned() })
}

fn config(candidates: u64) -> SearchConfig {
    let text = format!(
        "(strategy: RegularizedEvolution(population: 30, tournament: 3), window: 16,
          mutation: (max_statements: 12),
          stopping: (candidates: Some({candidates}), failures: Some(1)))"
    );
    ron::from_str(&text).expect("the text is a configuration")
}

fn search(config: &SearchConfig) -> Search {
    let search = new_search(config, Seed(1), quadratic::start(), hasher());
    search.expect("the settings are valid")
}

#[test]
fn a_behaviour_that_ended_its_evaluation_is_never_evaluated_again() {
    let cache = Arc::new(OutcomeCache::new());
    let mut search = search(&config(3_000)).with_cache(Arc::clone(&cache));
    let asked = drive(&mut search, 1, |candidate| outcome(&candidate.program));
    let counters = *search.counters();
    // Not one of them counts as a failure, of which a single one would have ended the run.
    assert_eq!(search.stop_reason(), Some(StopReason::Candidates(3_000)));
    assert!(counters.ended > 20 && counters.functional_hits > 20, "{counters:?}");
    assert_eq!(counters.scored + counters.invalid + counters.ended, counters.evaluations);
    let ends = |program: &Program| matches!(outcome(program), Outcome::Ended(_));
    let ended = asked.iter().filter(|candidate| ends(&candidate.program));
    let behaviours: Vec<Hash> = ended.map(|candidate| behaviour(&candidate.program)).collect();
    let unique: BTreeSet<Hash> = behaviours.iter().copied().collect();
    assert_eq!((unique.len(), unique.len() as u64), (behaviours.len(), counters.ended));
    assert_eq!(cache.len() as u64, counters.evaluations);
    let champions = search.hall_of_fame().iter();
    assert!(champions.into_iter().all(|it| !ends(&it.individual.program)));
    // Those members that share such an outcome are as unfit as the first.
    let members = search.populations()[0].iter().filter(|member| ends(&member.program));
    assert!(members.into_iter().all(|member| member.fitness == f64::NEG_INFINITY));

    let mut second = self::search(&config(3_000)).with_cache(cache);
    let asked = drive(&mut second, 2, |candidate| outcome(&candidate.program));
    assert_eq!(asked.len() as u64, second.counters().confirmed, "a cache remembers them too");
    assert_eq!(second.digest(), search.digest());
}

#[test]
fn a_resumed_run_lets_no_program_loose_that_ended_its_evaluation() {
    let directory = TempDir::new().expect("there is room");
    let path = directory.path().join("run.db");
    // The second limit is behind a snapshot.
    let limits = [1_000, 10_500, 10_500, 11_000];
    let mut loose = BTreeSet::new();
    for (order, limit) in limits.into_iter().enumerate() {
        let store = match path.exists() {
            true => Store::open(&path, &Optimizers::default()),
            false => Store::create(&path, &[]),
        };
        let store = store.expect("the store is sound and free");
        let config = config(limit);
        let mut resumed = search(&config).with_store(store).expect("the store fits the search");
        for candidate in drive(&mut resumed, order as u64, |it| outcome(&it.program)) {
            let ends = matches!(outcome(&candidate.program), Outcome::Ended(_));
            assert!(!ends || loose.insert(behaviour(&candidate.program)), "{candidate:?}");
        }
        resumed.save_summary().expect("the store works");
        resumed.commit(1.0).expect("the store works");
        let mut alone = search(&config);
        drive(&mut alone, 9, |candidate| outcome(&candidate.program));
        assert_eq!(result(&resumed), result(&alone), "{limit}");
    }
    let connection = rusqlite::Connection::open(&path).expect("it is a store");
    let number = |query: &str| {
        let number = connection.query_row(query, [], |row| row.get::<_, i64>(0));
        number.expect("the query is one of numbers") as usize
    };
    let rows = "SELECT COUNT(*) FROM evaluations WHERE kind = 'ended' AND fitness IS NULL AND \
                detail LIKE 'the evaluation % a \"limit\"%'";
    assert_eq!(number(rows), loose.len());
    assert_eq!(number("SELECT value FROM counters WHERE name = 'ended'"), loose.len());
}

#[test]
fn threads_and_cohorts_change_nothing_where_evaluations_are_ended() {
    let digest = |threads, cohort| {
        let count = |count| NonZeroUsize::new(count).expect("the test uses one or more");
        let options = RunOptions { threads: count(threads), cohort: count(cohort), cancel: None };
        let mut config = config(3_000);
        config.deduplication.recheck = 0.5;
        let mut search = search(&config);
        run(&mut search, &Dangerous, &mut (), &options).expect("the threads start");
        let (ended, rechecked) = (search.counters().ended, search.counters().rechecked);
        assert!(ended > 20 && rechecked > 5, "{ended} {rechecked}");
        (search.digest(), *search.counters())
    };
    let alone = digest(1, 1);
    for (threads, cohort) in [(2, 1), (8, 1), (2, 5), (8, 100)] {
        assert_eq!(alone, digest(threads, cohort), "{threads} threads, cohorts of {cohort}");
    }
}
