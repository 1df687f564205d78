//! The tables a reader looks at first: hall of fame, counters, mutations, restarts.
//!
//! Invariant: they repeat what the search holds when they are written, at every new best, at every
//! snapshot and at the end, and no run ever goes on from them. So they carry no checksums: whatever
//! becomes of them, a run that is resumed writes all of it anew.

use evo_domain::Domain;
use rusqlite::params;
use serde_json::Value;

use super::Store;
use crate::{
    Counters, HallOfFame, MutationStatistics, PolicyCounters, Reprieves, Restart, SearchError,
};

impl Store {
    /// Writes all of it anew.
    pub(crate) fn save_summary<D: Domain>(
        &mut self,
        domain: &D,
        hall_of_fame: &HallOfFame<D::Program>,
        counted: &Counted<'_>,
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
            for (name, value) in counted.named() {
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

/// All that is counted of a run.
pub(crate) struct Counted<'a> {
    pub(crate) counters: &'a Counters,
    /// Of one with policies beyond caching.
    pub(crate) policies: Option<&'a PolicyCounters>,
    /// Of one with partial hurdles.
    pub(crate) reprieves: Option<Reprieves>,
}

impl Counted<'_> {
    /// Every count by the name of its field.
    fn named(&self) -> Vec<(String, i64)> {
        let Ok(Value::Object(fields)) = serde_json::to_value(self.counters) else {
            unreachable!("counters are a struct of numbers")
        };
        let plain =
            fields.into_iter().map(|(name, value)| (name, value.as_u64().unwrap_or(u64::MAX)));
        let policies = self.policies.map(PolicyCounters::named).unwrap_or_default();
        let reprieves = self.reprieves.into_iter().flat_map(|it| it.named());
        let reprieves = reprieves.map(|(name, value)| (name.to_owned(), value));
        let all = plain.chain(policies).chain(reprieves);
        all.map(|(name, value)| (name, i64::try_from(value).unwrap_or(i64::MAX))).collect()
    }
}
