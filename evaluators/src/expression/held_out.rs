//! The points held out, as an evaluator of their own: what the fittest of a search is worth there.
//!
//! Invariant: nothing is fitted to these points. Constants are those fitted to the others, and an
//! error counts against the variance of those, as in the search: so the two fitness values of one
//! expression differ by the points alone.

use evo_dsl::Program;

use super::evaluator::ExpressionEvaluator;
use crate::{DependsOn, Evaluator, Outcome, Score, Trial};

/// Scores expressions by their error on the points that a task holds out.
#[derive(Clone, Copy, Debug)]
pub struct HeldOutPoints<'a>(&'a ExpressionEvaluator);

impl ExpressionEvaluator {
    /// The evaluator of the points held out; `None` where there are none.
    pub fn held_out(&self) -> Option<HeldOutPoints<'_>> {
        (self.points()[1] > 0).then_some(HeldOutPoints(self))
    }
}

impl HeldOutPoints<'_> {
    fn outcome(&self, program: &Program) -> Outcome {
        if let Some(refused) = self.0.refused(program) {
            return refused;
        }
        match self.0.test_loss(program).expect("there are points") {
            Ok(loss) => Outcome::Scored(Score::new(self.0.fitness_at(loss), vec![loss])),
            Err(invalid) => Outcome::Invalid(invalid),
        }
    }
}

impl Evaluator<Program> for HeldOutPoints<'_> {
    fn evaluate(&self, cohort: &[Trial<'_>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| self.outcome(trial.program)).collect()
    }

    fn depends_on(&self) -> DependsOn {
        self.0.depends_on()
    }
}
