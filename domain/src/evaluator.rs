//! The evaluator: the one seam between the search and whatever measures a program.
//!
//! Invariant: outcome `i` depends on `cohort[i]` alone. The cohort exists so that an accelerator
//! can train its members side by side; passing trials one at a time would close that door, and
//! letting neighbours matter would make results depend on scheduling.

use std::fmt;

use crate::{Outcome, Trial};

/// Measures how good programs of a representation are.
pub trait Evaluator<P>: Send + Sync {
    /// One outcome per trial of the cohort, in order; an outcome never depends on its neighbours.
    fn evaluate(&self, cohort: &[Trial<'_, P>]) -> Vec<Outcome>;

    /// What of a program its outcome depends on, so that no program is given the outcome of another
    /// for which it would be different.
    ///
    /// Nothing is assumed, since a wrong guess is never noticed: an evaluator that looks at the
    /// length of a program depends on more than what the program does.
    fn depends_on(&self) -> DependsOn;
}

/// What of a program an outcome depends on. Each of these includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DependsOn {
    /// The updates it makes, and nothing else.
    Behaviour,
    /// Its dataflow too, as the number of live statements or the time a step takes.
    Structure,
    /// Its text too: dead statements, the order of independent ones, names.
    Text,
}

impl fmt::Display for DependsOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DependsOn::Behaviour => "what a program does",
            DependsOn::Structure => "the structure of a program",
            DependsOn::Text => "the text of a program",
        })
    }
}
