//! Learners from texts that were printed and then damaged, and what was once found by fuzzing.

#[path = "learner_promises/mod.rs"]
mod promises;

use evo_dsl::{LearnerFunctionConfig, LearnerMutation, LearnerMutator, LearnerZooEntry};
use evo_hashes::Seed;
use proptest::prelude::*;
use rand::RngExt;

/// A random learner's text.
fn printed(seed: u64) -> String {
    let function = || LearnerFunctionConfig { start: Some(6), ..LearnerFunctionConfig::default() };
    let (setup, predict, learn) = (function(), function(), function());
    let config = LearnerMutation { setup, predict, learn, ..LearnerMutation::default() };
    let mutator = LearnerMutator::new(&config).expect("the settings are sound");
    mutator.random(&mut Seed(seed).stream("text", 0)).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_learners_keep_the_promises(seed: u64) {
        promises::check(printed(seed).as_bytes());
    }

    #[test]
    fn damaged_texts_keep_them_too(seed: u64, edits in 1_usize..6) {
        let mut bytes = printed(seed).into_bytes();
        let mut rng = Seed(seed).stream("damage", 0);
        for _ in 0..edits {
            let at = rng.random_range(0..bytes.len());
            match rng.random_range(0..4) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, b"0123456789svm=+-*/()[], .e#\n"[rng.random_range(0..28)]),
                2 => bytes[at] = rng.random(),
                _ => {
                    let end = (at + rng.random_range(1..30)).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    bytes.extend(copy);
                }
            }
        }
        promises::check(&bytes);
    }

    #[test]
    fn any_text_keeps_them(text in ".{0,200}") {
        promises::check(text.as_bytes());
        promises::check(format!("def Predict():\n  {text}").as_bytes());
    }
}

#[test]
fn the_zoo_keeps_them() {
    for entry in LearnerZooEntry::all() {
        promises::check(entry.text.as_bytes());
    }
}
