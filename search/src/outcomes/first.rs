//! The evaluation that serves all births with one hash, and whether it serves one more.

use std::sync::Arc;

use evo_domain::Outcome;

/// A birth that is being evaluated for all with its hash.
#[derive(Clone, Debug)]
pub(super) struct First {
    pub(super) birth: u64,
    /// The hurdles it has to clear.
    pub(super) hurdles: Arc<[f64]>,
}

impl First {
    /// Whether its outcome will say enough where these hurdles are up: it is stopped at none that
    /// they would let it pass.
    pub(super) fn serves(&self, hurdles: &[f64]) -> bool {
        let mine = |stage: usize| hurdles.get(stage).copied().unwrap_or(f64::NEG_INFINITY);
        self.hurdles.iter().enumerate().all(|(stage, hurdle)| *hurdle <= mine(stage))
    }
}

/// An evaluation that has been absorbed.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) birth: u64,
    pub(super) outcome: Arc<Outcome>,
}

impl Known {
    /// Whether its outcome says enough where these hurdles are up.
    pub(super) fn serves(&self, hurdles: &[f64]) -> bool {
        match &*self.outcome {
            Outcome::Scored(_) | Outcome::Invalid(_) | Outcome::Ended(_) => true,
            Outcome::Stopped(_) => self.outcome.stopped_by(hurdles).is_some(),
            Outcome::Failed { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo_domain::{EndReason, Ended, Score, Stopped};

    #[test]
    fn what_is_in_flight_serves_births_with_hurdles_at_least_as_high() {
        let first = First { birth: 0, hurdles: [0.2, 0.4].into() };
        assert!(first.serves(&[0.2, 0.4]) && first.serves(&[0.3, 0.4, 0.1]));
        assert!(!first.serves(&[0.1, 0.4]) && !first.serves(&[0.2]) && !first.serves(&[]));
        assert!(First { birth: 0, hurdles: [].into() }.serves(&[]));
    }

    #[test]
    fn a_stopped_evaluation_serves_only_births_that_would_be_stopped_too() {
        let known = |outcome: Outcome| Known { birth: 0, outcome: Arc::new(outcome) };
        let stopped = known(Outcome::Stopped(Stopped {
            stage: 1,
            fitness: 0.3,
            cleared: vec![0.1],
            whole: None,
        }));
        assert!(stopped.serves(&[0.0, 0.4]) && stopped.serves(&[0.2]));
        assert!(!stopped.serves(&[0.1, 0.3]) && !stopped.serves(&[]));
        assert!(known(Outcome::Scored(Score::new(0.0, vec![]))).serves(&[9.0]));
        let ended = Ended { reason: EndReason::Crashed, message: String::new() };
        assert!(known(Outcome::Ended(ended)).serves(&[9.0]));
        assert!(!known(Outcome::Failed { message: String::new() }).serves(&[9.0]));
    }
}
