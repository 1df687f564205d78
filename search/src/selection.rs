//! Selection: which of two individuals is preferred.
//!
//! Invariant: preferences depend on the individuals alone, and among equals the first drawn stays,
//! so a tournament is a function of its draws.

use serde::{Deserialize, Serialize};

use crate::Individual;

/// What makes one individual preferable to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Selection {
    /// A higher fitness.
    #[default]
    Fitness,
    /// Dominance: at least as fit, with no more live statements and no more live state slots, and
    /// better in one of the three. A program without a score is dominated by every one with a
    /// score.
    Pareto,
}

impl Selection {
    /// Whether `rival` is preferable to `other`.
    pub(crate) fn prefers<P>(self, rival: &Individual<P>, other: &Individual<P>) -> bool {
        match self {
            Selection::Fitness => rival.fitness > other.fitness,
            Selection::Pareto => dominates(rival, other),
        }
    }

    /// Of several individuals the first that none of the others is preferable to.
    pub(crate) fn first_best<'a, P>(
        self,
        drawn: &[&'a Individual<P>],
    ) -> Option<&'a Individual<P>> {
        let unbeaten = |one: &&&Individual<P>| !drawn.iter().any(|rival| self.prefers(rival, one));
        drawn.iter().find(unbeaten).copied()
    }
}

fn dominates<P>(rival: &Individual<P>, other: &Individual<P>) -> bool {
    if other.fitness == f64::NEG_INFINITY {
        return rival.fitness > other.fitness;
    }
    let no_worse = rival.fitness >= other.fitness
        && rival.length <= other.length
        && rival.states <= other.states;
    let better =
        rival.fitness > other.fitness || rival.length < other.length || rival.states < other.states;
    no_worse && better
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn individual(fitness: f64, length: usize, states: usize) -> Individual<()> {
        let behaviour = evo_hashes::Hash([0; 16]);
        Individual { birth: 0, start: 0, program: Arc::new(()), behaviour, fitness, length, states }
    }

    #[test]
    fn dominance_needs_all_three_and_something_better() {
        let prefers = |a, b| Selection::Pareto.prefers(&a, &b);
        assert!(prefers(individual(1.0, 5, 1), individual(1.0, 6, 1)));
        assert!(prefers(individual(1.0, 5, 0), individual(1.0, 5, 1)));
        assert!(prefers(individual(2.0, 5, 1), individual(1.0, 5, 1)));
        assert!(!prefers(individual(1.0, 5, 1), individual(1.0, 5, 1)));
        assert!(!prefers(individual(2.0, 6, 1), individual(1.0, 5, 1)));
        let invalid = || individual(f64::NEG_INFINITY, 0, 0);
        assert!(prefers(individual(-9.0, 50, 4), invalid()));
        assert!(!prefers(invalid(), individual(-9.0, 50, 4)) && !prefers(invalid(), invalid()));
    }

    #[test]
    fn the_first_that_is_not_dominated_is_chosen() {
        let drawn = [individual(1.0, 9, 2), individual(2.0, 8, 2), individual(0.5, 3, 0)];
        let drawn: Vec<&Individual<()>> = drawn.iter().collect();
        assert_eq!(Selection::Pareto.first_best(&drawn).map(|it| it.fitness), Some(2.0));
        let other_order = [drawn[2], drawn[0], drawn[1]];
        assert_eq!(Selection::Pareto.first_best(&other_order).map(|it| it.fitness), Some(0.5));
        assert_eq!(Selection::Fitness.first_best(&other_order).map(|it| it.fitness), Some(2.0));
        assert!(Selection::Pareto.first_best::<()>(&[]).is_none());
    }
}
