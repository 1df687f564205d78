//! What a run spared by telling duplicates, and what its policy did with them.
//!
//! Invariant: counts and intervals are those of the search; nothing is estimated here.

use evo::{Collisions, Domain, PolicyCounters, Search};
use serde::Serialize;

/// What became of duplicates, for `report.json`.
#[derive(Serialize)]
pub(super) struct Duplicates {
    /// Births that were not evaluated, and their share of all.
    evaluations_saved: u64,
    share_saved: f64,
    /// Behaviours that were evaluated, each once.
    distinct: u64,
    /// What a policy beyond caching did.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
}

#[derive(Serialize)]
struct Policy {
    aggregated: u64,
    forgotten: u64,
    tabu_retries: u64,
    tabu_kept: u64,
    /// Where nothing was shared: how often what would have been was not what came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    collisions: Vec<Collision>,
}

/// How often two outcomes of one level were further apart than a tolerance.
#[derive(Serialize)]
struct Collision {
    level: &'static str,
    tolerance: f64,
    compared: u64,
    apart: u64,
    /// Of the rate, with 95% confidence.
    interval: (f64, f64),
}

impl Duplicates {
    pub(super) fn of<D: Domain>(search: &Search<D>) -> Duplicates {
        let counters = search.counters();
        let saved = counters.structural_hits + counters.functional_hits;
        let policies = search.policy_counters();
        Duplicates {
            evaluations_saved: saved,
            share_saved: saved as f64 / counters.births.max(1) as f64,
            distinct: policies.copied().unwrap_or_default().distinct(counters),
            policy: policies.map(Policy::of),
        }
    }

    /// What a policy did, in a line or more; nothing of a run that only caches.
    pub(super) fn text(&self) -> String {
        self.policy.as_ref().map(Policy::text).unwrap_or_default()
    }
}

impl Policy {
    fn of(counters: &PolicyCounters) -> Policy {
        let PolicyCounters { aggregated, forgotten, tabu_retries, tabu_kept, .. } = *counters;
        let levels = [("structural", counters.structural), ("functional", counters.functional)];
        let compared = levels.into_iter().filter(|(_, collisions)| collisions.compared > 0);
        let collisions = compared.flat_map(|(level, it)| Collision::of(level, &it)).collect();
        Policy { aggregated, forgotten, tabu_retries, tabu_kept, collisions }
    }

    fn text(&self) -> String {
        let counts = [
            (self.aggregated, "duplicates aggregated"),
            (self.forgotten, "forgotten"),
            (self.tabu_retries, "children made again for a tabu behaviour"),
            (self.tabu_kept, "births of one all the same"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        let mut text = match counts.is_empty() {
            true => String::new(),
            false => counts.join(", ") + ".\n",
        };
        for it in &self.collisions {
            let (low, high) = it.interval;
            text += &format!(
                "{} of {} {} hits would have been wrong by more than {} ({:.3} to {:.3}%).\n",
                it.apart,
                it.compared,
                it.level,
                it.tolerance,
                100.0 * low,
                100.0 * high
            );
        }
        text
    }
}

impl Collision {
    fn of(level: &'static str, collisions: &Collisions) -> Vec<Collision> {
        let row = |(tolerance, rate): (f64, evo::RecheckRate)| Collision {
            level,
            tolerance,
            compared: rate.rechecked,
            apart: rate.disagreed,
            interval: rate.interval(),
        };
        collisions.rates().map(row).collect()
    }
}
