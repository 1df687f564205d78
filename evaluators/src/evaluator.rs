//! The evaluator: the one seam between the search and whatever measures a program.
//!
//! Invariant: outcome `i` depends on `cohort[i]` alone. The cohort exists so that an accelerator can
//! train its members side by side; passing trials one at a time would close that door, and letting
//! neighbours matter would make results depend on scheduling.

use crate::{Outcome, Trial};

/// Measures how good programs are.
pub trait Evaluator: Send + Sync {
    /// One outcome per trial of the cohort, in order; an outcome never depends on its neighbours.
    fn evaluate(&self, cohort: &[Trial<'_>]) -> Vec<Outcome>;
}
