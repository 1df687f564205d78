//! What policies beyond caching have done so far.
//!
//! Invariant: a function of configuration, seed and the number of births, as [`Counters`] are. They
//! are apart from those because a search that only caches has none, and its store says nothing of
//! them.

use evo_domain::Outcome;
use serde::{Deserialize, Serialize};

use crate::{Counters, RECHECK_TOLERANCE, RecheckRate, outcomes_apart};

/// How far apart two outcomes have to be in fitness to count as a collision, for each figure.
pub const COLLISION_TOLERANCES: [f64; 3] = [0.0, RECHECK_TOLERANCE, 0.02];

/// What policies beyond caching have done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyCounters {
    /// Duplicates that were evaluated to join a mean.
    pub aggregated: u64,
    /// Duplicates that were evaluated anew, what was known being forgotten.
    pub forgotten: u64,
    /// Children thrown away because their behaviour was tabu.
    pub tabu_retries: u64,
    /// Births whose behaviour was tabu after all tries.
    pub tabu_kept: u64,
    /// Of births with the structure of an earlier one, where nothing is shared.
    pub structural: Collisions,
    /// Of births that behave like an earlier one of another structure, where nothing is shared.
    pub functional: Collisions,
}

/// How often a birth had another outcome than the one it would have shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collisions {
    /// Births whose outcome was compared with the one they would have shared.
    pub compared: u64,
    /// Those further apart than each of [`COLLISION_TOLERANCES`].
    pub apart: [u64; COLLISION_TOLERANCES.len()],
}

impl Collisions {
    pub(crate) fn note(&mut self, own: &Outcome, shared: &Outcome) {
        let Some(apart) = outcomes_apart(own, shared) else { return };
        self.compared += 1;
        for (count, tolerance) in self.apart.iter_mut().zip(COLLISION_TOLERANCES) {
            *count += u64::from(apart > tolerance);
        }
    }

    /// The rate at each of [`COLLISION_TOLERANCES`].
    pub fn rates(&self) -> impl Iterator<Item = (f64, RecheckRate)> {
        let rate = |disagreed| RecheckRate { rechecked: self.compared, disagreed };
        COLLISION_TOLERANCES.into_iter().zip(self.apart.map(rate))
    }
}

impl PolicyCounters {
    /// The behaviours that a search has evaluated, each once. With hurdles, and where the engine
    /// failed, one may be counted more than once.
    pub fn distinct(&self, counters: &Counters) -> u64 {
        let rechecks = self.structural.compared + counters.rechecked;
        counters.evaluations.saturating_sub(self.aggregated + self.forgotten + rechecks)
    }

    /// Every counter by its name.
    pub(crate) fn named(&self) -> Vec<(String, u64)> {
        let PolicyCounters { aggregated, forgotten, tabu_retries, tabu_kept, .. } = *self;
        let plain = [
            ("aggregated", aggregated),
            ("forgotten", forgotten),
            ("tabu_retries", tabu_retries),
            ("tabu_kept", tabu_kept),
        ];
        let mut named: Vec<_> = plain.map(|(name, count)| (name.to_owned(), count)).into();
        for (level, collisions) in
            [("structural", self.structural), ("functional", self.functional)]
        {
            named.push((format!("{level}_compared"), collisions.compared));
            for (tolerance, count) in COLLISION_TOLERANCES.into_iter().zip(collisions.apart) {
                named.push((format!("{level}_apart_{tolerance}"), count));
            }
        }
        named
    }

    /// The counters with these values by their names; `None` where one is missing.
    pub(crate) fn of_named(value: impl Fn(&str) -> Option<u64>) -> Option<PolicyCounters> {
        let collisions = |level: &str| {
            let apart = COLLISION_TOLERANCES.map(|it| value(&format!("{level}_apart_{it}")));
            let [Some(exact), Some(near), Some(far)] = apart else { return None };
            let compared = value(&format!("{level}_compared"))?;
            Some(Collisions { compared, apart: [exact, near, far] })
        };
        Some(PolicyCounters {
            aggregated: value("aggregated")?,
            forgotten: value("forgotten")?,
            tabu_retries: value("tabu_retries")?,
            tabu_kept: value("tabu_kept")?,
            structural: collisions("structural")?,
            functional: collisions("functional")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo_domain::Score;

    #[test]
    fn an_outcome_collides_where_it_is_further_away_than_the_tolerance() {
        let scored = |fitness| Outcome::Scored(Score::new(fitness, vec![]));
        let failed = Outcome::Failed { message: String::new() };
        let mut collisions = Collisions::default();
        for fitness in [0.0, 5e-4, 2e-3, 0.5] {
            collisions.note(&scored(fitness), &scored(0.0));
        }
        collisions.note(&failed, &scored(0.0));
        assert_eq!(collisions, Collisions { compared: 4, apart: [3, 2, 1] });
        let rates: Vec<_> = collisions.rates().map(|(at, rate)| (at, rate.disagreed)).collect();
        assert_eq!(rates, [(0.0, 3), (1e-3, 2), (0.02, 1)]);
    }

    #[test]
    fn counters_are_found_again_by_their_names() {
        let counters = PolicyCounters {
            aggregated: 1,
            forgotten: 2,
            tabu_retries: 3,
            tabu_kept: 4,
            structural: Collisions { compared: 5, apart: [6, 7, 8] },
            functional: Collisions { compared: 9, apart: [10, 11, 12] },
        };
        let named: std::collections::BTreeMap<_, _> = counters.named().into_iter().collect();
        assert_eq!(named.len(), 12);
        let value = |name: &str| named.get(name).copied();
        assert_eq!(PolicyCounters::of_named(value), Some(counters));
        assert_eq!(PolicyCounters::of_named(|_| None), None);
    }
}
