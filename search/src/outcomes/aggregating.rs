//! Aggregating: births have the mean of several evaluations of their behaviour.
//!
//! Invariant: what is told of births ahead is what their absorption is going to find.

use evo_domain::{Outcome, Score};

use super::{MeansAhead, Outcomes};

impl Outcomes {
    /// Whether births have the mean of several evaluations.
    pub(crate) fn aggregates(&self) -> bool {
        self.config.aggregate > 1
    }

    /// Takes what an evaluation came to into its mean, and gives that; `None` where there is no
    /// score.
    pub(crate) fn aggregate(&mut self, evaluation: u64, outcome: &Outcome) -> Option<Score> {
        self.ledger.as_mut()?.absorb(evaluation, outcome)
    }

    /// The mean of the evaluations absorbed; `None` where there is no score.
    pub(crate) fn mean(&self, evaluation: u64) -> Option<Score> {
        self.ledger.as_ref()?.mean(evaluation)
    }

    /// As [`Outcomes::aggregate`], of what is going to be absorbed.
    pub(crate) fn aggregate_ahead(
        &self,
        ahead: &mut MeansAhead,
        evaluation: u64,
        outcome: &Outcome,
    ) -> Option<Score> {
        self.ledger.as_ref()?.absorb_ahead(ahead, evaluation, outcome)
    }

    /// As [`Outcomes::mean`], of what is going to be absorbed.
    pub(crate) fn mean_ahead(&self, ahead: &MeansAhead, evaluation: u64) -> Option<Score> {
        self.ledger.as_ref()?.mean_ahead(ahead, evaluation)
    }
}
