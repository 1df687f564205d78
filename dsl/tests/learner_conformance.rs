//! Learners against memories computed by NumPy from the documented meaning of the ops
//! (`tests/python/learner_conformance.py`).

use evo_dsl::{
    Draw, LearnerDraws, LearnerExamples, LearnerFunction, LearnerInterpreter, LearnerLoss,
    LearnerProgram, LearnerTask, LearnerTasks, LearnerTraining, LearnerType,
};
use evo_hashes::Seed;
use serde_json::Value;

/// The suite has no op that draws.
struct Nothing;

impl Draw for Nothing {
    fn uniform(&mut self) -> f64 {
        unreachable!("nothing is drawn")
    }

    fn normal(&mut self) -> f64 {
        unreachable!("nothing is drawn")
    }
}

fn numbers(bits: &Value) -> Vec<f64> {
    let bits = bits.as_str().expect("numbers are written as their bits");
    let number = |at: usize| {
        let bits = u64::from_str_radix(&bits[16 * at..][..16], 16);
        f64::from_bits(bits.expect("in hexadecimal"))
    };
    (0..bits.len() / 16).map(number).collect()
}

fn rows(of: &Value) -> Vec<Vec<f64>> {
    of.as_array().expect("a list").iter().map(numbers).collect()
}

fn assert_same(found: &[f64], expected: &[f64], exact: bool, what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        let close = (found - expected).abs() <= 1e-9 * expected.abs().max(1e-9);
        let same = found.to_bits() == expected.to_bits()
            || (found.is_nan() && expected.is_nan())
            || (!exact && (close || found == expected));
        assert!(same, "{found:?} for {expected:?} in {what}");
    }
}

fn cases() -> Vec<Value> {
    let text = include_str!("data/learner_conformance.json");
    serde_json::from_str(text).expect("the suite is JSON")
}

#[test]
fn memory_is_what_the_documented_meaning_makes_it() {
    let cases = cases();
    assert!(cases.len() >= 200);
    for case in &cases {
        let text = case["program"].as_str().expect("a text");
        let program = LearnerProgram::parse(text).expect("it is a learner");
        let n = case["n"].as_u64().expect("a number") as usize;
        let mut learner = LearnerInterpreter::new(&program, n);
        learner.run(LearnerFunction::Setup, &mut Nothing);
        for (features, label) in rows(&case["features"]).iter().zip(numbers(&case["labels"])) {
            for (given, function) in
                [(0.0, LearnerFunction::Predict), (label, LearnerFunction::Learn)]
            {
                learner.set_features(features);
                learner.set_label(given);
                learner.run(function, &mut Nothing);
            }
        }
        let exact = case["exact"].as_bool().expect("a flag");
        let scalars: Vec<Vec<f64>> =
            numbers(&case["scalars"]).into_iter().map(|scalar| vec![scalar]).collect();
        let types = [scalars, rows(&case["vectors"]), rows(&case["matrices"])];
        for (ty, expected) in LearnerType::ALL.into_iter().zip(types) {
            for (address, expected) in (0..).zip(expected) {
                assert_same(learner.value(ty, address), &expected, exact, text);
            }
        }
    }
}

#[test]
fn the_fast_engine_agrees_on_the_whole_suite() {
    for case in cases() {
        let text = case["program"].as_str().expect("a text");
        let program = LearnerProgram::parse(text).expect("it is a learner");
        let examples = LearnerExamples {
            features: rows(&case["features"]).concat(),
            labels: numbers(&case["labels"]),
        };
        let task = LearnerTask {
            n: case["n"].as_u64().expect("a number") as usize,
            epochs: vec![examples.clone()],
            validation: examples,
            draws: LearnerDraws::new(&mut Seed(0).stream("draws", 0)),
        };
        for loss in [LearnerLoss::RootMeanSquare, LearnerLoss::Accuracy] {
            let training = LearnerTraining { loss, most_error: 1e300 };
            let fast = LearnerTasks::new(std::slice::from_ref(&task), training).fitness(&program);
            let slow = task.fitness(&program, training);
            assert_eq!(fast[0].to_bits(), slow.to_bits(), "{text}");
        }
    }
}
