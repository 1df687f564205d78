//! The tables a reader looks at first: hall of fame, counters, mutations, restarts.
//!
//! Invariant: they repeat what the search holds when they are written, at every new best, at every
//! snapshot and at the end, and no run ever goes on from them. So they carry no checksums: whatever
//! becomes of them, a run that is resumed writes all of it anew.

use evo_domain::Domain;
use rusqlite::params;
use serde_json::Value;

use super::Store;
use crate::{Counters, HallOfFame, MutationStatistics, PolicyCounters, Restart, SearchError};

impl Store {
    /// Writes all of it anew.
    pub(crate) fn save_summary<D: Domain>(
        &mut self,
        domain: &D,
        hall_of_fame: &HallOfFame<D::Program>,
        (counters, policies): (&Counters, Option<&PolicyCounters>),
        mutations: &MutationStatistics,
        restarts: &[Restart<D::Program>],
    ) -> Result<(), SearchError> {
        self.write(|connection, _| {
            connection.execute_batch(
                "DELETE FROM hall_of_fame; DELETE FROM counters; DELETE FROM mutations;
                 DELETE FROM restarts;",
            )?;
            let mut row = connection.prepare("INSERT INTO hall_of_fame VALUES (?, ?, ?, ?)")?;
            for champion in hall_of_fame.iter() {
                let individual = &champion.individual;
                let program = domain.live_text(&individual.program);
                let birth = individual.birth as i64;
                row.execute(params![champion.length as i64, birth, individual.fitness, program])?;
            }
            let mut row = connection.prepare("INSERT INTO counters VALUES (?, ?)")?;
            let policies = policies.map(PolicyCounters::named).unwrap_or_default();
            let policies = policies.into_iter().map(|(name, value)| (name, value as i64));
            for (name, value) in named(counters).into_iter().chain(policies) {
                row.execute(params![name, value])?;
            }
            let mut row = connection.prepare("INSERT INTO mutations VALUES (?, ?, ?, ?)")?;
            for (kind, tally) in mutations.iter() {
                let tally = [tally.tried, tally.neutral, tally.improved].map(|count| count as i64);
                row.execute(params![kind, tally[0], tally[1], tally[2]])?;
            }
            let mut row = connection.prepare("INSERT INTO restarts VALUES (?, ?, ?)")?;
            for restart in restarts {
                let (birth, carried) = (restart.birth as i64, restart.carried.birth as i64);
                row.execute(params![birth, restart.reason.to_string(), carried])?;
            }
            Ok(())
        })
    }
}

/// Every counter by the name of its field.
fn named(counters: &Counters) -> Vec<(String, i64)> {
    let Ok(Value::Object(fields)) = serde_json::to_value(counters) else {
        unreachable!("counters are a struct of numbers")
    };
    fields.into_iter().map(|(name, value)| (name, value.as_i64().unwrap_or(i64::MAX))).collect()
}
