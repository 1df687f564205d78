//! The course of a search with the cache on and off.

use std::sync::{Arc, Mutex};

use evo_domain::{DependsOn, Domain, Evaluator, Outcome, Score, Trial};
use evo_search::{RunOptions, Search, SearchConfig, Stopping, StrategyConfig};

use super::{
    BIRTHS, Case, OfExpressions, OfLearners, OfNecklaces, OfOptimizers, OfTwoParents, Seed,
};

/// Scores programs by the hash of what they do, and of nothing else.
struct ByBehaviour<D>(D);

impl<D: Domain> Evaluator<D::Program> for ByBehaviour<D> {
    fn evaluate(&self, cohort: &[Trial<'_, D::Program>]) -> Vec<Outcome> {
        let fitness = |trial: &Trial<'_, D::Program>| {
            let analysis = self.0.analyse(trial.program);
            let structure = || self.0.structure(trial.program, &analysis);
            let hash = self.0.behaviour(trial.program, &analysis).unwrap_or_else(structure);
            let number = u64::from_le_bytes(hash.0[..8].try_into().expect("eight bytes"));
            Outcome::Scored(Score::new(number as f64, Vec::new()))
        };
        cohort.iter().map(fitness).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

/// Every birth with parents and fitness, the hall of fame, and the number of evaluations. Of
/// several equally fit of one length, who has the row depends on whose outcome had to be confirmed.
type Course = (Vec<(u64, Option<u64>, Option<u64>, u64)>, Vec<(usize, u64)>, u64);

fn course<C: Case>(deduplication: &str) -> Course {
    let mut config: SearchConfig = SearchConfig::new(
        StrategyConfig::RegularizedEvolution { population: 50, tournament: 5 },
        Stopping { candidates: Some(BIRTHS), ..Stopping::default() },
    );
    config.window = 40;
    config.deduplication = ron::from_str(deduplication).expect("it is a policy");
    let (domain, births) = (C::domain(), Arc::new(Mutex::new(Vec::new())));
    let evaluator = ByBehaviour(domain.clone());
    let watching = Arc::clone(&births);
    let search = Search::from_starts(&config, Seed(5), domain, C::starts());
    let mut search = search.expect("the settings are valid").watched_by(Box::new(move |it| {
        let birth = (it.birth, it.parent, it.mate, it.fitness.to_bits());
        watching.lock().expect("nobody panics").push(birth);
    }));
    evo_search::run(&mut search, &evaluator, &mut (), &RunOptions::default()).expect("no store");
    let champions = search.hall_of_fame().iter();
    let champions = champions.map(|it| (it.length, it.individual.fitness.to_bits())).collect();
    let births = std::mem::take(&mut *births.lock().expect("nobody panics"));
    (births, champions, search.counters().evaluations)
}

/// A cache that is right, and forgets nothing, spares evaluations and changes nothing else.
fn caching_changes_no_course<C: Case>() {
    let (births, champions, evaluations) = course::<C>("(level: Off)");
    assert_eq!((births.len() as u64, evaluations), (BIRTHS, BIRTHS));
    let (all, of_all, evaluations) = course::<C>("(counterfactual: true, recheck: 0.0)");
    assert!(all == births && of_all == champions && evaluations == BIRTHS);
    let mut most = BIRTHS;
    for level in ["Text", "Structural", "Functional"] {
        let (cached, of_cached, evaluations) = course::<C>(&format!("(level: {level})"));
        assert!(evaluations <= most && (level == "Text" || evaluations < BIRTHS), "{level}");
        most = evaluations;
        assert!(cached == births && of_cached == champions, "{level}");
    }
}

#[test]
fn caching_changes_no_course_of_optimizers() {
    caching_changes_no_course::<OfOptimizers>();
    caching_changes_no_course::<OfTwoParents>();
}

#[test]
fn caching_changes_no_course_of_expressions() {
    caching_changes_no_course::<OfExpressions>();
}

#[test]
fn caching_changes_no_course_of_learners() {
    caching_changes_no_course::<OfLearners>();
}

#[test]
fn caching_changes_no_course_of_necklaces() {
    caching_changes_no_course::<OfNecklaces>();
}
