//! A cache on disk: it saves evaluations, changes nothing else, and serves nobody else's outcomes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use evo_dsl::Optimizers;
use evo_hashes::{Hash, Seed};
use evo_search::{CacheContents, CacheKey, CacheUse, Counters, OutcomeCache, Pruning, SearchError};
use tempfile::TempDir;

use crate::driver::{Candidate, Search, SearchConfig, drive, hasher, new_search, result};
use crate::ended;
use crate::hurdles::staged;
use crate::quadratic;

const HURDLES: &str = "hurdles: (percentile: Some(50.0), history: 200, warm_up: 20),";

/// Of what [`quadratic::outcome`] gives.
pub(crate) const QUADRATIC: Hash = Hash([1; 16]);

pub(crate) fn search(seed: u64, candidates: u64, more: &str) -> Search {
    let text = format!(
        "(strategy: RegularizedEvolution(population: 50, tournament: 3), window: 16, {more}
          mutation: (max_statements: 12), stopping: (candidates: Some({candidates})))"
    );
    let config: SearchConfig = ron::from_str(&text).expect("the text is a configuration");
    let search = new_search(&config, Seed(seed), quadratic::start(), hasher());
    search.expect("the settings are valid")
}

pub(crate) fn open(path: &Path, fingerprint: Hash) -> Result<Arc<OutcomeCache>, SearchError> {
    open_limited(path, fingerprint, None)
}

fn open_limited(
    path: &Path,
    fingerprint: Hash,
    limit: Option<u64>,
) -> Result<Arc<OutcomeCache>, SearchError> {
    let key = CacheKey::of::<Optimizers>(fingerprint, "bowls");
    OutcomeCache::open(path, key, limit).map(Arc::new)
}

fn scratch() -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("there is room");
    let path = directory.path().join("outcomes.db");
    (directory, path)
}

/// A run with the cache: what it came to, what was evaluated, and what became of the file.
fn run_with(search: Search, cache: &Arc<OutcomeCache>, order: u64) -> (Search, usize, CacheUse) {
    let mut search = search.with_cache(Arc::clone(cache));
    let asked = drive(&mut search, order, staged).len();
    let file = cache.flush().expect("it is over a file");
    assert_eq!(file.trouble, None);
    (search, asked, file)
}

fn cold(seed: u64, more: &str) -> (Search, usize) {
    let mut search = search(seed, 3_000, more);
    let asked = drive(&mut search, 0, staged).len();
    (search, asked)
}

/// Equal but for how much the cache has answered.
fn assert_same(warm: &Search, cold: &Search) {
    assert_eq!(warm.digest(), cold.digest());
    let (csv, counters, population, lineage) = result(warm);
    assert_eq!((csv, Counters { cached: 0, ..counters }, population, lineage), result(cold));
}

#[test]
fn a_second_run_of_the_same_seed_is_the_same_and_evaluates_nothing_but_what_is_confirmed() {
    for more in ["", HURDLES, "deduplication: (recheck: 0.2),"] {
        let (_directory, path) = scratch();
        let (alone, evaluated) = cold(1, more);
        let cache = open(&path, QUADRATIC).expect("it is made");
        let (first, asked, file) = run_with(search(1, 3_000, more), &cache, 1);
        assert_same(&first, &alone);
        // Of what it would evaluate twice itself, under other hurdles, some is answered already.
        let cached = first.counters().cached;
        assert!(cached < 9 && asked as u64 + cached == evaluated as u64, "{cached}, {asked}");
        assert!(file.written > 100, "{file:?}");
        drop((first, cache));
        let cache = open(&path, QUADRATIC).expect("it is sound");
        let (second, asked, file) = run_with(search(1, 3_000, more), &cache, 2);
        assert_same(&second, &alone);
        let counters = second.counters();
        assert_eq!((asked as u64, file.written), (counters.confirmed, 0), "{more}");
        assert_eq!(counters.cached, counters.evaluations);
        assert!(file.hits > counters.evaluations - 9, "{file:?}, {counters:?}");
    }
}

#[test]
fn a_run_of_another_seed_finds_what_it_would_have_found_and_evaluates_less() {
    for more in ["", HURDLES] {
        let (_directory, path) = scratch();
        let cache = open(&path, QUADRATIC).expect("it is made");
        for seed in 2..5 {
            run_with(search(seed, 3_000, more), &cache, seed);
        }
        let (alone, evaluated) = cold(1, more);
        let (warm, asked, _) = run_with(search(1, 3_000, more), &cache, 7);
        assert_same(&warm, &alone);
        let cached = warm.counters().cached;
        assert!(cached > 9 && asked + cached as usize == evaluated, "{cached} of {evaluated}");
    }
}

#[test]
fn a_whole_outcome_takes_the_place_of_one_that_was_stopped_and_not_the_other_way_round() {
    let (_directory, path) = scratch();
    let kinds = || {
        let (mut stopped, mut whole) = (0, 0);
        let contents = CacheContents::read(&path).expect("it is sound");
        let counted = contents.for_each(|it| {
            let count = match it.outcome {
                evo_domain::Outcome::Stopped(_) => &mut stopped,
                _ => &mut whole,
            };
            *count += 1;
            true
        });
        counted.expect("it is sound");
        (stopped, whole)
    };
    let cache = open(&path, QUADRATIC).expect("it is made");
    run_with(search(1, 3_000, HURDLES), &cache, 1);
    let (stopped, _) = kinds();
    assert!(stopped > 100, "{stopped}");
    // As it is in the memory of another process, too.
    drop(cache);
    let cache = open(&path, QUADRATIC).expect("it is sound");
    let (warm, ..) = run_with(search(1, 3_000, ""), &cache, 1);
    assert_same(&warm, &cold(1, "").0);
    let (fewer, whole) = kinds();
    assert!(fewer < stopped, "{fewer} of {stopped}");
    run_with(search(1, 3_000, HURDLES), &cache, 2);
    assert_eq!(kinds(), (fewer, whole));
}

#[test]
fn outcomes_of_another_evaluator_or_another_hash_are_never_served() {
    let (_directory, path) = scratch();
    let cache = open(&path, QUADRATIC).expect("it is made");
    let (_, _, file) = run_with(search(1, 1_000, ""), &cache, 1);
    assert!(file.written > 100);
    let other = open(&path, Hash([2; 16])).expect("it is sound");
    let (_, _, file) = run_with(search(1, 1_000, ""), &other, 1);
    assert_eq!(file.hits, 0, "another evaluator");
    // As another version of the hash would have left them.
    let connection = rusqlite::Connection::open(&path).expect("it is there");
    let text = "UPDATE evaluators SET structure_version = structure_version + 1";
    connection.execute(text, []).expect("it can be written");
    drop((cache, other));
    let error = open(&path, QUADRATIC).expect_err("an entry says whose it is").to_string();
    assert!(error.contains("not what was written"), "{error}");
}

#[test]
fn what_a_clock_has_made_stays_with_the_process_that_saw_it() {
    let (_directory, path) = scratch();
    let cache = open(&path, QUADRATIC).expect("it is made");
    let mut search = search(1, 3_000, "").with_cache(Arc::clone(&cache));
    let asked = drive(&mut search, 1, |it| ended::outcome(&it.program));
    let counters = *search.counters();
    assert!(counters.ended > 20, "{counters:?}");
    let file = cache.flush().expect("it is over a file");
    assert_eq!(file.written, counters.evaluations - counters.ended);
    drop((asked, cache));
    let cache = open(&path, QUADRATIC).expect("it is sound");
    let mut again = self::search(1, 3_000, "").with_cache(cache);
    let ends =
        |it: &Candidate| matches!(ended::outcome(&it.program), evo_domain::Outcome::Ended(_));
    let asked = drive(&mut again, 1, |it| ended::outcome(&it.program));
    let evaluated = asked.iter().filter(|it| ends(it)).count() as u64;
    assert_eq!((evaluated, again.digest()), (counters.ended, search.digest()));
}

#[test]
fn a_file_keeps_to_its_size_and_forgetting_changes_nothing() {
    let (_directory, path) = scratch();
    let (alone, _) = cold(1, "");
    const LIMIT: u64 = 100_000;
    for round in 0..3 {
        let cache = open_limited(&path, QUADRATIC, Some(LIMIT)).expect("it is sound");
        let (warm, ..) = run_with(search(1, 3_000, ""), &cache, round);
        assert_same(&warm, &alone);
        let contents = CacheContents::read(&path).expect("it is sound");
        let (bytes, entries) = (contents.bytes(), contents.check().expect("it is sound"));
        let bytes = bytes.expect("it can be read");
        assert!(bytes <= LIMIT && entries > 50, "{bytes} bytes, {entries} entries");
        assert!(entries < alone.counters().evaluations, "nothing had to go");
        // What was written last is there.
        let mut last = None;
        let all = contents.for_each(|it| {
            last = Some(it.program);
            true
        });
        all.expect("it is sound");
        drop(cache);
        let again = open(&path, QUADRATIC).expect("it is sound");
        assert!(last.is_some() && again.is_empty());
    }
}

#[test]
fn searches_side_by_side_share_one_file_and_lose_nothing() {
    let (_directory, path) = scratch();
    let evaluated: Vec<u64> = std::thread::scope(|scope| {
        let work = |seed: u64| {
            let path = &path;
            move || {
                // As two processes have it: each its own connections, made at the same time.
                let cache = open(path, Hash([seed as u8; 16])).expect("one of them makes it");
                run_with(search(seed, 2_000, ""), &cache, seed).0.counters().evaluations
            }
        };
        let workers: Vec<_> = (1..5).map(|seed| scope.spawn(work(seed))).collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).collect()
    });
    let contents = CacheContents::read(&path).expect("it is sound");
    contents.check().expect("it is sound");
    let mut found: Vec<u64> =
        contents.evaluators().expect("it is sound").iter().map(|it| it.entries).collect();
    let mut evaluated = evaluated;
    found.sort_unstable();
    evaluated.sort_unstable();
    assert_eq!(found, evaluated);
}

#[test]
fn what_is_pruned_is_gone_and_the_rest_is_served() {
    let (_directory, path) = scratch();
    let other = Hash([2; 16]);
    for fingerprint in [QUADRATIC, other] {
        let cache = open(&path, fingerprint).expect("it is sound");
        run_with(search(1, 2_000, ""), &cache, 1);
    }
    let connection = rusqlite::Connection::open(&path).expect("it is there");
    let text = "UPDATE outcomes SET outcome = replace(outcome, '1', '2') WHERE number = 3";
    connection.execute(text, []).expect("it can be written");
    drop(connection);
    assert!(open(&path, other).is_err());
    let all = || CacheContents::read(&path).expect("it is a cache").evaluators().expect("as that");
    let before: Vec<u64> = all().iter().map(|it| it.entries).collect();
    let pruning = Pruning { damaged: true, ..Pruning::default() };
    let pruned = pruning.prune(&path).expect("it can be mended");
    assert_eq!((pruned.removed, pruned.left), (1, before.iter().sum::<u64>() - 1));
    let first = all().remove(0);
    let pruning = Pruning { keys: vec![first.key], ..Pruning::default() };
    let pruned = pruning.prune(&path).expect("it is sound");
    assert_eq!((pruned.removed, pruned.left), (before[0] - 1, before[1]));
    assert_eq!(all().len(), 1);
    let cache = open(&path, other).expect("it is sound");
    let (warm, ..) = run_with(search(1, 2_000, ""), &cache, 1);
    assert_eq!(warm.counters().cached, warm.counters().evaluations);
    drop((warm, cache));
    let pruning = Pruning { to_bytes: Some(60_000), ..Pruning::default() };
    let pruned = pruning.prune(&path).expect("it is sound");
    assert!(pruned.bytes <= 60_000 && pruned.left > 20 && pruned.removed > 20, "{pruned:?}");
    let length = std::fs::metadata(&path).expect("it is there").len();
    assert!(length <= 60_000, "the room is given back: {length}");
}
