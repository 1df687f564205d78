use std::num::NonZeroUsize;

use evo_dsl::LearnerZooEntry;

use super::*;
use crate::DataConfig;

fn config(problem: LearnerProblem, features: usize) -> LearnerConfig {
    let size = |size: usize| NonZeroUsize::new(size).expect("it is above 0");
    let set = |tasks, examples| LearnerSet {
        tasks: size(tasks),
        examples: size(examples),
        validation: size(50),
        epochs: size(1),
    };
    LearnerConfig {
        problem,
        features: size(features),
        search: set(10, 100),
        select: set(20, 1_000),
        last: set(3, 1_000),
        most_error: 100.0,
        data_seed: 0,
    }
}

fn judges(config: &LearnerConfig) -> LearnerJudges {
    LearnerJudges::new(config, Path::new("")).expect("the configuration is sound")
}

fn zoo(name: &str) -> LearnerProgram {
    LearnerZooEntry::named(name).expect("it is in the zoo").program()
}

#[test]
fn each_problem_is_solved_by_the_learner_made_for_it() {
    let select = |problem, name: &str| judges(&config(problem, 4)).select.fitness(&zoo(name)).0;
    let linear = select(LearnerProblem::Linear, "linear_learner");
    assert!(linear > 0.9999, "{linear}");
    let affine = select(LearnerProblem::Affine, "affine_learner");
    assert!(affine > 0.9999, "{affine}");
    let short = select(LearnerProblem::Affine, "linear_learner");
    assert!(short < 0.7, "{short}");
    let linear = select(LearnerProblem::Network, "linear_learner");
    let network = select(LearnerProblem::Network, "network_learner");
    assert!(network > linear, "{network} {linear}");
}

fn digits(held_out_pairs: Vec<(u32, u32)>) -> LearnerProblem {
    LearnerProblem::Classes { data: DataConfig::Digits, held_out_pairs }
}

#[test]
fn pairs_of_digits_are_told_apart() {
    let judges = judges(&config(digits(vec![(0, 5)]), 16));
    for (evaluator, tasks) in [(&judges.search, 10), (&judges.last, 3)] {
        let (mean, fitness) = evaluator.fitness(&zoo("logistic_learner"));
        assert!(mean > 0.85, "{mean}");
        assert_eq!(fitness.len(), tasks);
        let (chance, _) = evaluator.fitness(&LearnerProgram::empty());
        assert!((0.3..0.7).contains(&chance), "{chance}");
    }
}

#[test]
fn tasks_repeat_and_every_set_has_its_own() {
    let linear = config(LearnerProblem::Linear, 4);
    let one = judges(&linear);
    assert_eq!(one.fingerprint(), judges(&linear).fingerprint());
    let other = LearnerConfig { data_seed: 1, ..linear.clone() };
    assert_ne!(one.fingerprint(), judges(&other).fingerprint());
    let same = LearnerConfig { select: linear.search, ..linear };
    let judges = judges(&same);
    assert_ne!(judges.search.fingerprint, judges.select.fingerprint);
}

#[test]
fn later_epochs_have_the_same_examples_in_another_order_and_the_best_counts() {
    let mut twice = config(LearnerProblem::Linear, 4);
    twice.search.epochs = NonZeroUsize::new(4).expect("it is above 0");
    let once = config(LearnerProblem::Linear, 4);
    let linear = zoo("linear_learner");
    let [once, twice] = [once, twice].map(|it| judges(&it).search.fitness(&linear));
    assert!(once.1.iter().zip(&twice.1).all(|(once, twice)| twice >= once));
    assert!(twice.0 > once.0);
}

#[test]
fn what_cannot_be_evaluated_is_refused_at_its_key() {
    let refused = |config: LearnerConfig| {
        LearnerJudges::new(&config, Path::new("")).expect_err("it is unsound").to_string()
    };
    let features = config(LearnerProblem::Network, 2);
    assert_eq!(refused(features), "features: must be 3 to 64");
    assert!(refused(config(LearnerProblem::Linear, 65)).starts_with("features:"));
    let mut huge = config(LearnerProblem::Linear, 64);
    huge.last.examples = NonZeroUsize::MAX;
    assert!(refused(huge).starts_with("final:"));
    let error = LearnerConfig { most_error: f64::NAN, ..config(LearnerProblem::Linear, 4) };
    assert!(refused(error).starts_with("most_error:"));
    let pair = refused(config(digits(vec![(1, 2), (3, 10)]), 4));
    assert!(pair.starts_with("problem.Classes.held_out_pairs[1]:"), "{pair}");
    let text = LearnerProblem::Classes { data: DataConfig::Shakespeare, held_out_pairs: vec![] };
    assert!(refused(config(text, 4)).starts_with("problem.Classes.data:"));
}
