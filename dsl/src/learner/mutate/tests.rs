use evo_hashes::Seed;

use super::*;
use crate::LearnerOp as L;

fn function(ops: &[&str], least: usize, most: usize) -> LearnerFunctionConfig {
    let ops = Some(ops.iter().map(|name| (*name).to_owned()).collect());
    LearnerFunctionConfig { ops, least, most, start: Some(least) }
}

fn config(weights: [f64; 7]) -> LearnerMutation {
    let [
        alter_parameter,
        randomize_instruction,
        randomize_function,
        insert,
        remove,
        trade,
        randomize_learner,
    ] = weights;
    LearnerMutation {
        weights: LearnerWeights {
            alter_parameter,
            randomize_instruction,
            randomize_function,
            insert,
            remove,
            trade,
            randomize_learner,
        },
        mutate: 1.0,
        memory: LearnerMemory { scalars: 4, vectors: 3, matrices: 1 },
        setup: function(&["scalar_const_set", "MATRIX_GAUSSIAN_SET_OP"], 3, 5),
        predict: function(&["vector_inner_product"], 1, 2),
        learn: LearnerFunctionConfig { least: 2, most: 9, ..LearnerFunctionConfig::default() },
    }
}

fn only(kind: usize) -> LearnerMutator {
    let mut weights = [0.0; 7];
    weights[kind] = 1.0;
    LearnerMutator::new(&config(weights)).expect("the settings are sound")
}

#[test]
fn children_stay_within_the_limits_and_reach_both_ends() {
    let mutator = LearnerMutator::new(&config([1.0; 7])).expect("the settings are sound");
    let mut learner = mutator.random(&mut Seed(1).stream("random", 0));
    let mut lengths = Vec::new();
    for birth in 0..20_000 {
        let (child, _) = mutator.mutate(&learner, &mut Seed(1).stream("child", birth));
        assert_eq!(mutator.fault(&child), None, "{child}");
        let functions = LearnerFunction::ALL.map(|function| child.function(function));
        assert!(LearnerProgram::new(functions).is_ok(), "{child}");
        let setup = functions[0].iter().map(|it| it.op);
        assert!(
            setup.into_iter().all(|op| [L::ScalarConstSet, L::MatrixGaussianSet].contains(&op))
        );
        lengths.push(functions.map(<[_]>::len));
        learner = child;
    }
    for (at, (least, most)) in [(3, 5), (1, 2), (2, 9)].into_iter().enumerate() {
        let of = || lengths.iter().map(|lengths| lengths[at]);
        assert_eq!((of().min(), of().max()), (Some(least), Some(most)));
    }
}

#[test]
fn every_kind_changes_what_it_says() {
    let start = only(0).random(&mut Seed(2).stream("random", 0));
    for kind in 0..7 {
        let mutator = only(kind);
        for birth in 0..500 {
            let (child, told) = mutator.mutate(&start, &mut Seed(3).stream("child", birth));
            let length = |learner: &LearnerProgram| learner.statements().len() as i64;
            let grown = length(&child) - length(&start);
            let differ = |(a, b): &(&LearnerStatement, &LearnerStatement)| a != b;
            let pairs = || start.statements().iter().zip(child.statements());
            let changed = pairs().filter(differ).count();
            match kind {
                0 => {
                    assert!(grown == 0 && changed <= 1);
                    assert!(pairs().all(|(a, b)| a.op == b.op));
                }
                1 => assert!(grown == 0 && changed <= 1),
                2 => assert!(grown == 0 && changed <= 3),
                3 => assert_eq!(grown, 1),
                // All functions have as few statements as they may.
                4 => assert_eq!((grown, told), (0, None)),
                6 => assert!(grown == 0 && changed >= 3),
                _ => assert_eq!(grown, 0),
            }
            assert!(kind == 4 || told == Some(kind));
        }
    }
}

#[test]
fn a_learner_drawn_anew_has_nothing_of_its_parent_but_what_no_mutation_may_write() {
    let mut config = config([0.0; 7]);
    config.weights.randomize_learner = 1.0;
    config.predict.ops = Some(Vec::new());
    let mutator = LearnerMutator::new(&config).expect("the settings are sound");
    let text = "def Setup():\n  s2 = 9.0\n  s2 = 9.0\n  s2 = 9.0\ndef Predict():\n  \
                s1 = dot(v1, v0)\n\
                def Learn():\n  s3 = 9.0\n  s3 = 9.0\n";
    let parent = LearnerProgram::parse(text).expect("it is one");
    let bare = LearnerProgram::parse(
        "def Setup():\n  s3 = 8.0\n  s3 = 8.0\n  s3 = 8.0\n\
        def Predict():\n  s1 = dot(v1, v0)\ndef Learn():\n  s2 = 8.0\n  s2 = 8.0\n",
    );
    let bare = bare.expect("it is one");
    for birth in 0..200 {
        let child = |of| mutator.mutate(of, &mut Seed(3).stream("child", birth)).0;
        // It follows from the stream and the parent's sizes alone.
        assert_eq!(child(&parent), child(&bare));
        let statements = child(&parent).statements().to_vec();
        let kept = statements.iter().zip(parent.statements()).map(|(a, b)| a == b);
        assert_eq!(kept.collect::<Vec<_>>(), [false, false, false, true, false, false]);
    }
}

#[test]
fn some_children_are_their_parents() {
    let config = LearnerMutation { mutate: 0.25, ..config([1.0; 7]) };
    let mutator = LearnerMutator::new(&config).expect("the settings are sound");
    let start = mutator.random(&mut Seed(2).stream("random", 0));
    let told = |birth| mutator.mutate(&start, &mut Seed(3).stream("child", birth)).1;
    let changed = (0..4_000).filter(|birth| told(*birth).is_some()).count();
    // A quarter, less those that had nothing to remove.
    assert!((750..1000).contains(&changed), "{changed}");
}

#[test]
fn altered_constants_keep_a_deviation_above_0_and_a_range_in_order() {
    let text = "def Setup():\n  m0 = gaussian(0.5, 0.5, (n_features, n_features))\n  \
                s2 = uniform(0.5, -0.5)\n";
    let mut learner = LearnerProgram::parse(text).expect("it is one").functions();
    let mut rng = Seed(4).stream("alter", 0);
    for _ in 0..1_000 {
        learner.statements_mut().iter_mut().for_each(|it| alter_constants(it, &mut rng));
        let [gaussian, uniform] = [0, 1].map(|at| learner.statements()[at].constants);
        assert!(gaussian[1] >= 0.0 && uniform[0] <= uniform[1]);
    }
}

#[test]
fn settings_that_cannot_be_searched_with_are_refused_at_their_key() {
    let refused = |change: &dyn Fn(&mut LearnerMutation)| {
        let mut config = config([1.0; 7]);
        change(&mut config);
        LearnerMutator::new(&config).expect_err("it cannot be searched with").to_string()
    };
    assert_eq!(refused(&|it| it.mutate = 1.5), "mutation.mutate: 1.5 is no probability");
    assert!(refused(&|it| it.weights.trade = -1.0).starts_with("mutation.weights.trade:"));
    let infinite = refused(&|it| (it.weights.trade, it.weights.insert) = (f64::MAX, f64::MAX));
    assert_eq!(infinite, "mutation.weights: their sum must be finite");
    assert!(refused(&|it| it.memory.scalars = 1).starts_with("mutation.memory.scalars: must be 2"));
    assert!(refused(&|it| it.memory.vectors = 65).starts_with("mutation.memory.vectors:"));
    assert!(refused(&|it| it.predict.least = 3).starts_with("mutation.predict.least:"));
    assert!(refused(&|it| it.learn.most = 1001).starts_with("mutation.learn.most:"));
    assert!(refused(&|it| it.setup.start = Some(6)).starts_with("mutation.setup.start:"));
    let unknown = refused(&|it| it.setup = function(&["scalar_sun"], 0, 5));
    assert_eq!(
        unknown,
        "mutation.setup.ops[0]: there is no op `scalar_sun`; did you mean `scalar_sum`?"
    );
    let without = refused(&|it| it.memory.matrices = 0);
    assert!(without.starts_with("mutation.setup.ops[1]: memory has no address"), "{without}");
    let nothing = refused(&|it| {
        let functions = [&mut it.setup, &mut it.predict, &mut it.learn];
        functions.into_iter().for_each(|it| *it = function(&[], 0, 5));
    });
    assert!(nothing.ends_with("no function has an op to write"));
}
