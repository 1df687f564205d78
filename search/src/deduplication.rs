//! The settings of deduplication.

use evo_domain::DependsOn;
use evo_hashes::SeedPurpose;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::SearchError;

/// Which births count as equal to an earlier one and are not evaluated again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deduplication {
    /// By what programs are compared. Default: `Functional`.
    pub level: DeduplicationLevel,
    /// The share of the births equal by behaviour alone that are evaluated all the same, 0 to 1:
    /// what it costs to know how often the functional hash is wrong. Default: 0.02.
    pub recheck: f64,
}

impl Default for Deduplication {
    fn default() -> Deduplication {
        Deduplication { level: DeduplicationLevel::default(), recheck: 0.02 }
    }
}

/// By what programs are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DeduplicationLevel {
    /// By functional hash; a known structure settles it without running anything.
    #[default]
    Functional,
    /// By structural hash.
    Structural,
    /// By text, dead statements and names included.
    Text,
    /// Not at all: every birth is evaluated.
    Off,
}

impl From<DeduplicationLevel> for Deduplication {
    fn from(level: DeduplicationLevel) -> Deduplication {
        Deduplication { level, ..Deduplication::default() }
    }
}

impl Deduplication {
    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        if !(0.0..=1.0).contains(&self.recheck) {
            return Err(SearchError::config("deduplication.recheck", "must be 0 to 1"));
        }
        Ok(())
    }

    /// Refuses to share outcomes among programs for which they may differ.
    ///
    /// # Errors
    /// A level that compares programs by less than their outcomes depend on.
    pub fn check_suits(&self, evaluator: DependsOn) -> Result<(), SearchError> {
        let loosest = match evaluator {
            DependsOn::Behaviour => DeduplicationLevel::Functional,
            DependsOn::Structure => DeduplicationLevel::Structural,
            DependsOn::Text => DeduplicationLevel::Text,
        };
        if self.level >= loosest {
            return Ok(());
        }
        let message = format!(
            "is {:?}, and outcomes of this evaluator depend on {evaluator}: {loosest:?} at most",
            self.level
        );
        Err(SearchError::config("deduplication.level", message))
    }

    /// Whether a birth that is equal by behaviour alone is evaluated all the same.
    pub(crate) fn rechecks(&self, streams: SeedPurpose, birth: u64) -> bool {
        self.recheck > 0.0 && streams.stream(birth).random::<f64>() < self.recheck
    }
}
