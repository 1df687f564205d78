//! The second domain under the same engine: expressions that fit points.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use evo_domain::Evaluator;
use evo_dsl::{ExpressionMutation, Expressions, FunctionalHasher, Program};
use evo_evaluators::{ExpressionConfig, ExpressionData, ExpressionEvaluator, ExpressionTask};
use evo_hashes::Seed;
use evo_search::{
    Counters, DeduplicationLevel, Restarts, RunOptions, Search, SearchConfig, Stopping,
    StrategyConfig, run,
};

fn evaluator(number: u32, fit_constants: u32) -> ExpressionEvaluator {
    let task = ExpressionTask::new(ExpressionData::Nguyen(number));
    let config = ExpressionConfig { fit_constants, ..ExpressionConfig::new(vec![task]) };
    ExpressionEvaluator::new(&config, Path::new(".")).expect("a published equation")
}

fn search(evaluator: &ExpressionEvaluator, births: u64, seed: u64) -> Search<Expressions> {
    let mutation = ExpressionMutation::default();
    let hasher = FunctionalHasher::with_probe(8, Arc::new(evaluator.probe()));
    let hasher = hasher.expect("8 is between 1 and 23");
    let domain = Expressions::new(&mutation, hasher).expect("the defaults are sound");
    let strategy = StrategyConfig::RegularizedEvolution { population: 200, tournament: 10 };
    let stopping = Stopping {
        candidates: Some(births),
        fitness: Some(evaluator.fitness_at(1e-6)),
        ..Stopping::default()
    };
    let mut config: SearchConfig = SearchConfig::new(strategy, stopping);
    config.restarts = Restarts { plateau: Some(10_000), ..Restarts::default() };
    if evaluator.depends_on() > evo_domain::DependsOn::Behaviour {
        config.deduplication = DeduplicationLevel::Structural.into();
    }
    Search::new(&config, Seed(seed), domain, evaluator.start()).expect("the settings are valid")
}

fn found(evaluator: &ExpressionEvaluator, threads: usize, births: u64) -> (Program, f64, Counters) {
    let count = |count| NonZeroUsize::new(count).expect("the test uses one or more");
    let options = RunOptions { threads: count(threads), cohort: count(3), cancel: None };
    let mut search = search(evaluator, births, 1);
    run(&mut search, evaluator, &mut (), &options).expect("the threads start");
    let best = &search.best().expect("the start program is finite").individual;
    (Program::clone(&best.program), best.fitness, *search.counters())
}

#[test]
fn threads_change_nothing_with_and_without_fitted_constants() {
    for fit in [0, 2] {
        let evaluator = evaluator(5, fit);
        let alone = found(&evaluator, 1, 3_000);
        assert_eq!(alone, found(&evaluator, 2, 3_000), "{fit} steps of fitting");
        assert!(alone.1 > 0.0, "something better than a constant");
    }
}

#[test]
fn the_first_published_polynomial_is_found() {
    let evaluator = evaluator(1, 6);
    let (program, ..) = found(&evaluator, 2, 300_000);
    let error = evaluator.train_loss(&program).expect("it is finite");
    assert!(error < 1e-6, "{error}: {program}");
}
