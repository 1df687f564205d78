//! Rechecks: births that equal an earlier one by behaviour alone and are evaluated all the same.
//!
//! Invariant: which births are rechecked follows from seed and birth alone. The outcome that
//! counts is always the birth's own; the other one is looked at only to tell how often functional
//! identity is wrong, an assumption that every functional hit makes.

use evo_domain::Outcome;

use crate::Counters;

/// Fitness values further apart than this disagree.
pub const RECHECK_TOLERANCE: f64 = 1e-3;

/// The rate of disagreement above which a run warns: the lower end of its interval.
pub const RECHECK_WARNING: f64 = 0.02;

/// How far apart two outcomes are in fitness, as far as both are known: infinite where one program
/// trains and the other does not, being invalid or having ended its evaluation.
///
/// Evaluations that a hurdle stopped are compared by the fitness behind the last stage that both
/// reached. `None` where the engine failed at one of them.
pub fn outcomes_apart(a: &Outcome, b: &Outcome) -> Option<f64> {
    use Outcome::{Ended, Failed, Invalid, Scored, Stopped};
    Some(match (a, b) {
        (Failed { .. }, _) | (_, Failed { .. }) => return None,
        (Scored(a), Scored(b)) => difference(a.fitness, b.fitness),
        (Invalid(_) | Ended(_), Invalid(_) | Ended(_)) => 0.0,
        (Scored(_), Invalid(_) | Ended(_)) | (Invalid(_) | Ended(_), Scored(_)) => f64::INFINITY,
        (Stopped(_), _) | (_, Stopped(_)) => {
            let stopped = |outcome: &Outcome| match outcome {
                Stopped(stopped) => stopped.stage,
                _ => usize::MAX,
            };
            // Infinite where one never came to where the other was stopped.
            let common = a.stages().zip(b.stages()).nth(stopped(a).min(stopped(b)));
            common.map_or(f64::INFINITY, |(a, b)| difference(a, b))
        }
    })
}

fn difference(a: f64, b: f64) -> f64 {
    if a == b || (a.is_nan() && b.is_nan()) {
        return 0.0;
    }
    let apart = (a - b).abs();
    if apart.is_nan() { f64::INFINITY } else { apart }
}

/// How often rechecked births disagreed with the outcome they would have shared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecheckRate {
    /// Births rechecked.
    pub rechecked: u64,
    /// Those whose own fitness was more than [`RECHECK_TOLERANCE`] away, or that trained where the
    /// other did not.
    pub disagreed: u64,
}

impl RecheckRate {
    /// The rate of a run so far.
    pub fn of(counters: &Counters) -> RecheckRate {
        RecheckRate { rechecked: counters.rechecked, disagreed: counters.disagreed }
    }

    /// The interval that holds the true rate with 95% confidence (Wilson 1927): 0 to 1 of nothing.
    pub fn interval(&self) -> (f64, f64) {
        if self.rechecked == 0 {
            return (0.0, 1.0);
        }
        let (n, z) = (self.rechecked as f64, 1.959_963_984_540_054);
        let rate = self.disagreed as f64 / n;
        let centre = (rate + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let spread = rate * (1.0 - rate) / n + z * z / (4.0 * n * n);
        let half = z * spread.sqrt() / (1.0 + z * z / n);
        ((centre - half).max(0.0), (centre + half).min(1.0))
    }

    /// Whether functional identity is wrong too often to be relied on.
    pub fn is_alarming(&self) -> bool {
        self.interval().0 > RECHECK_WARNING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo_domain::{EndReason, Ended, Invalid, InvalidReason, Score, Stopped};

    fn scored(fitness: f64, stages: &[f64]) -> Outcome {
        let score = Score::new(fitness, vec![]);
        Outcome::Scored(Score { stages: stages.to_vec(), ..score })
    }

    fn stopped(stages: &[f64]) -> Outcome {
        let (last, cleared) = stages.split_last().expect("it was stopped behind a stage");
        let stage = cleared.len();
        Outcome::Stopped(Stopped { stage, fitness: *last, cleared: cleared.to_vec(), whole: None })
    }

    fn invalid(stages: &[f64]) -> Outcome {
        let (reason, stages) = (InvalidReason::Diverged, stages.to_vec());
        Outcome::Invalid(Invalid { reason, task: "task".to_owned(), step: 1, stages })
    }

    #[test]
    fn outcomes_are_compared_as_far_as_both_are_known() {
        let apart = |a: &Outcome, b: &Outcome| {
            assert_eq!(outcomes_apart(a, b), outcomes_apart(b, a));
            outcomes_apart(a, b).expect("no engine failed")
        };
        assert_eq!(apart(&scored(0.5, &[]), &scored(0.75, &[])), 0.25);
        assert_eq!(apart(&scored(f64::NAN, &[]), &scored(f64::NAN, &[])), 0.0);
        assert_eq!(apart(&scored(f64::NAN, &[]), &scored(0.0, &[])), f64::INFINITY);
        assert_eq!(apart(&invalid(&[]), &invalid(&[0.1])), 0.0);
        assert_eq!(apart(&invalid(&[]), &scored(0.0, &[])), f64::INFINITY);
        assert_eq!(apart(&stopped(&[0.1, 0.25]), &scored(9.0, &[0.1, 0.5])), 0.25);
        assert_eq!(apart(&stopped(&[0.25]), &stopped(&[0.5, 0.7])), 0.25);
        assert_eq!(apart(&stopped(&[0.1, 0.2]), &invalid(&[0.1])), f64::INFINITY);
        assert_eq!(apart(&stopped(&[0.1, 0.2]), &invalid(&[0.1, 0.2])), 0.0);
        let reason = EndReason::OutOfMemory;
        let ended = Outcome::Ended(Ended { reason, message: String::new() });
        assert_eq!((apart(&ended, &ended), apart(&ended, &invalid(&[0.1]))), (0.0, 0.0));
        assert_eq!(apart(&ended, &scored(0.0, &[0.1])), f64::INFINITY);
        assert_eq!(apart(&ended, &stopped(&[0.1])), f64::INFINITY);
        let failed = Outcome::Failed { message: String::new() };
        assert_eq!(outcomes_apart(&failed, &invalid(&[])), None);
    }

    #[test]
    fn the_interval_holds_the_rate_and_narrows() {
        let interval = |disagreed, rechecked| RecheckRate { rechecked, disagreed }.interval();
        assert_eq!(interval(0, 0), (0.0, 1.0));
        let (low, high) = interval(0, 20);
        assert!(low == 0.0 && (0.1..0.2).contains(&high), "{high}");
        let (low, high) = interval(20, 100);
        assert!((low - 0.1334).abs() < 1e-3 && (high - 0.2888).abs() < 1e-3, "{low} {high}");
        assert!(RecheckRate { rechecked: 100, disagreed: 20 }.is_alarming());
        assert!(!RecheckRate { rechecked: 20, disagreed: 0 }.is_alarming());
    }
}
