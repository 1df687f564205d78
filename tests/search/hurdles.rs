//! Hurdles: fixed at birth, the same whatever the order of telling, and they save work.

use std::sync::Arc;

use evo_domain::{Outcome, Score, Stopped};
use evo_hashes::Seed;
use evo_search::OutcomeCache;

use crate::driver::{Candidate, Search, SearchConfig, drive, hasher, new_search, result};
use crate::quadratic;

fn config(hurdles: &str) -> SearchConfig {
    let text = format!(
        "(strategy: RegularizedEvolution(population: 50, tournament: 3), window: 16, {hurdles}
          mutation: (max_statements: 20), stopping: (candidates: Some(3000)))"
    );
    ron::from_str(&text).expect("the text is a configuration")
}

fn search(hurdles: &str) -> Search {
    let search = new_search(&config(hurdles), Seed(1), quadratic::start(), hasher());
    search.expect("the settings are valid")
}

const ON: &str = "hurdles: (percentile: Some(50.0), history: 200, warm_up: 20),";

/// Two tasks with a stage between them, evaluated as far as the hurdles let it come.
pub(crate) fn staged(candidate: &Candidate) -> Outcome {
    let Outcome::Scored(score) = quadratic::outcome(&candidate.program) else {
        return quadratic::outcome(&candidate.program);
    };
    let first = -libm::log(score.losses[0]);
    if candidate.trial().stops(0, first) {
        return Outcome::Stopped(Stopped {
            stage: 0,
            fitness: first,
            cleared: vec![],
            whole: None,
        });
    }
    Outcome::Scored(Score { stages: vec![first], ..score })
}

#[test]
fn hurdles_stop_about_their_share_and_do_not_depend_on_the_order_of_telling() {
    let run = |order| {
        let mut search = search(ON);
        let asked = drive(&mut search, order, staged);
        (result(&search), asked)
    };
    let (first, asked) = run(0);
    for order in 1..4 {
        assert_eq!(first, run(order).0);
    }
    let counters = first.1;
    assert!(counters.stopped > 50 && counters.scored > 50, "{counters:?}");
    let accounted = counters.scored + counters.invalid + counters.stopped;
    assert_eq!(accounted, counters.evaluations);
    assert!(asked[0].hurdles.is_empty(), "nothing was absorbed before the start program");
    assert!(asked.iter().any(|candidate| candidate.hurdles[..] > [f64::NEG_INFINITY][..]));
}

#[test]
fn without_hurdles_stages_change_nothing() {
    let mut with_stages = search("");
    drive(&mut with_stages, 0, staged);
    let mut without = search("");
    drive(&mut without, 0, |candidate| quadratic::outcome(&candidate.program));
    assert_eq!(result(&with_stages), result(&without));
}

#[test]
fn a_cache_of_whole_evaluations_gives_what_hurdles_would_have_given() {
    let mut alone = search(ON);
    drive(&mut alone, 0, staged);
    let cache = Arc::new(OutcomeCache::new());
    // Without hurdles everything is evaluated to its end; with them some of it is asked for.
    let mut filling = search("").with_cache(Arc::clone(&cache));
    drive(&mut filling, 0, staged);
    let mut cached = search(ON).with_cache(cache);
    drive(&mut cached, 0, staged);
    assert!(cached.counters().cached > 0);
    assert_eq!(cached.digest(), alone.digest());
}

#[test]
fn hurdles_that_make_no_sense_are_refused_by_key() {
    for (hurdles, key) in [
        ("hurdles: (percentile: Some(0.0)),", "hurdles.percentile"),
        ("hurdles: (percentile: Some(100.0)),", "hurdles.percentile"),
        ("hurdles: (history: 0),", "hurdles.history"),
        ("hurdles: (history: 10, warm_up: 11),", "hurdles.warm_up"),
    ] {
        let search = new_search(&config(hurdles), Seed(1), quadratic::start(), hasher());
        let error = search.map(drop).expect_err("it makes no sense").to_string();
        assert!(error.starts_with(key), "{error}");
    }
}
