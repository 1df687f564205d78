//! How often hurdles inside of tasks stop what they should not, as a report tells it.
//!
//! Invariant: it is told from births drawn beforehand, stopped or not, so the share of their
//! fittest that were stopped is that of all births, and comes with its interval.

use evo::{Domain, Reprieves, Search};
use serde::Serialize;

/// What came of the births that were evaluated to their end whatever partial hurdles said.
#[derive(Serialize)]
pub(super) struct Reprieved {
    #[serde(flatten)]
    counts: Reprieves,
    /// Of the share of the fittest that was lost, with 95% confidence.
    interval: (f64, f64),
}

impl Reprieved {
    /// `None` without partial hurdles.
    pub(super) fn of<D: Domain>(search: &Search<D>) -> Option<Reprieved> {
        let counts = search.reprieves()?;
        Some(Reprieved { counts, interval: counts.rate().interval() })
    }

    /// A line.
    pub(super) fn text(&self) -> String {
        let Reprieves { reprieved, stopped, top, lost } = self.counts;
        let (low, high) = self.interval;
        format!(
            "Hurdles inside of tasks: {reprieved} evaluations reprieved, {stopped} of them \
             stopped; of the {top} in the fittest tenth of their time {lost} lost ({:.1} to \
             {:.1}%).\n",
            100.0 * low,
            100.0 * high
        )
    }

    /// Says so where too many are lost.
    pub(super) fn warn(&self) {
        let rate = self.counts.rate();
        if rate.is_alarming() {
            eprintln!(
                "warning: of {} reprieved evaluations in the fittest tenth of their time, hurdles \
                 inside of tasks had stopped {}: lower `hurdles.partial.percentile`, or look later",
                rate.rechecked, rate.disagreed
            );
        }
    }
}
