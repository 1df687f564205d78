//! Noise: a normal number added to every fitness, for the study of searches whose evaluations are
//! not exact.
//!
//! Invariant: it is a function of the seed of the search and of the birth that was evaluated, so no
//! two evaluations have the same, whatever they share, and a run that is resumed takes what was
//! added from its store. It is the engine's and no evaluator's: every domain has the very same.

use std::sync::Arc;

use evo_domain::{Outcome, Score};
use evo_hashes::SeedPurpose;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::SearchError;

/// What is added to the fitness of every evaluation; nothing, unless `sd` is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseConfig {
    /// The standard deviation. Outcomes then say nothing of a program to other runs, and are
    /// shared with none. Default: 0.
    pub sd: f64,
}

impl NoiseConfig {
    /// Checks it, beside rechecks and hurdles or without them.
    pub(crate) fn validate(&self, rechecks: bool, hurdles: bool) -> Result<(), SearchError> {
        if !(self.sd >= 0.0 && self.sd.is_finite()) {
            return Err(SearchError::config("noise.sd", "must be 0 or a positive number"));
        }
        if self.sd > 0.0 && rechecks {
            let message = "must be 0 beside `noise`: two evaluations differ in any case";
            return Err(SearchError::config("deduplication.recheck", message));
        }
        if self.sd > 0.0 && hurdles {
            let message = "goes without `hurdles`, which look at parts of a fitness";
            return Err(SearchError::config("noise", message));
        }
        Ok(())
    }
}

/// The noise of a search.
#[derive(Clone, Copy)]
pub(crate) struct Noise {
    sd: f64,
    streams: SeedPurpose,
}

impl Noise {
    pub(crate) fn new(config: NoiseConfig, streams: SeedPurpose) -> Noise {
        Noise { sd: config.sd, streams }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.sd > 0.0
    }

    /// What the evaluation of a birth comes to with it.
    pub(crate) fn add(&self, birth: u64, outcome: Arc<Outcome>) -> Arc<Outcome> {
        match &*outcome {
            Outcome::Scored(score) if self.is_on() => {
                let fitness = score.fitness + self.sd * self.normal(birth);
                Arc::new(Outcome::Scored(Score { fitness, ..score.clone() }))
            }
            _ => outcome,
        }
    }

    /// A standard normal number (Box and Muller 1958), by operations that are the same everywhere.
    fn normal(&self, birth: u64) -> f64 {
        let mut rng = self.streams.stream(birth);
        let (radius, angle) = (1.0 - rng.random::<f64>(), rng.random::<f64>());
        (-2.0 * libm::log(radius)).sqrt() * libm::cos(std::f64::consts::TAU * angle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo_hashes::Seed;

    #[test]
    fn it_is_normal_and_of_each_birth_its_own() {
        let noise = Noise::new(NoiseConfig { sd: 0.5 }, Seed(1).purpose("noise"));
        let at = |birth| {
            let exact = Arc::new(Outcome::Scored(Score::new(2.0, vec![1.0])));
            noise.add(birth, exact).fitness() - 2.0
        };
        let drawn: Vec<f64> = (0..20_000).map(at).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let deviation = drawn.iter().map(|it| (it - mean) * (it - mean)).sum::<f64>();
        let deviation = (deviation / drawn.len() as f64).sqrt();
        let within = drawn.iter().filter(|it| it.abs() < 0.5).count() as f64 / drawn.len() as f64;
        assert!(mean.abs() < 0.015 && (deviation - 0.5).abs() < 0.015, "{mean} {deviation}");
        assert!((within - 0.6827).abs() < 0.015, "{within}");
        assert_eq!(at(7), at(7));
        assert_ne!(at(7), at(8));
    }

    #[test]
    fn without_a_deviation_outcomes_stay_as_they_are_and_bad_programs_with_one() {
        let none = Noise::new(NoiseConfig::default(), Seed(1).purpose("noise"));
        let exact = Arc::new(Outcome::Scored(Score::new(2.0, vec![])));
        assert!(Arc::ptr_eq(&none.add(3, Arc::clone(&exact)), &exact));
        let some = Noise::new(NoiseConfig { sd: 1.0 }, Seed(1).purpose("noise"));
        let failed = Arc::new(Outcome::Failed { message: String::new() });
        assert!(Arc::ptr_eq(&some.add(3, Arc::clone(&failed)), &failed));
    }
}
