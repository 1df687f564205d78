//! What a store keeps of a run.
//!
//! Invariant: a run that is resumed goes on to the same end, whatever is kept. Without rows for
//! births, those behind the latest snapshot are bred and evaluated again; and since no outcome can
//! be looked up that has been forgotten, what is remembered is set back to what a snapshot holds
//! whenever one is taken, in the run that goes on as in the one that is resumed.

use serde::{Deserialize, Serialize};

use crate::SearchError;

/// What a store keeps of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// Every birth with its lineage, and every evaluation.
    #[default]
    Births,
    /// The state now and then, what sums the run up, and held-out points: for candidates so cheap
    /// that a row would cost more. Where one came from is told by the run made again.
    Snapshots,
}

/// The widest window without rows: the outcomes that its births share are in memory.
const WIDEST_WINDOW: u64 = 4_096;

impl Keep {
    /// Births from one snapshot to the next; as many are bred again after an interruption, and
    /// where no births are kept evaluated again.
    pub(crate) fn snapshot_every(self) -> u64 {
        match self {
            Keep::Births => 10_000,
            Keep::Snapshots => 100_000,
        }
    }

    /// Refuses what looks outcomes up for longer than memory holds them.
    pub(crate) fn validate(
        self,
        window: u64,
        hurdles: bool,
        seconds: bool,
    ) -> Result<(), SearchError> {
        if self == Keep::Births {
            return Ok(());
        }
        if seconds {
            let message = "needs `keep: Births`: a run of `Snapshots` that is resumed makes births \
                           again, and cannot tell where the time was up; limit \
                           `stopping.candidates` instead";
            return Err(SearchError::config("stopping.seconds", message));
        }
        if window > WIDEST_WINDOW {
            let message = format!("must be at most {WIDEST_WINDOW} where `keep` is `Snapshots`");
            return Err(SearchError::config("window", message));
        }
        if hurdles {
            let message = "`Snapshots` keeps too little for `hurdles`";
            return Err(SearchError::config("keep", message));
        }
        Ok(())
    }
}
