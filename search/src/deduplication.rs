//! The settings of deduplication: what counts as equal, and what becomes of what is equal.
//!
//! Invariant: what a setting does is decided for each birth by the births before it, in their
//! order. A setting that another one takes the meaning from is refused, not ignored.

use evo_domain::DependsOn;
use evo_hashes::SeedPurpose;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::SearchError;
use crate::tabu::TabuConfig;

/// Which births count as equal to an earlier one, and whether they are evaluated again.
///
/// Unless the settings behind `recheck` say otherwise, an evaluation stands for all births of its
/// behaviour, for ever: caching. They are the policies of unified functional hashing (arXiv
/// 2302.05433).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deduplication {
    /// By what programs are compared. Default: `Functional`.
    pub level: DeduplicationLevel,
    /// The share of the births equal by behaviour alone that are evaluated all the same, 0 to 1:
    /// what it costs to know how often the functional hash is wrong. It goes with caching alone,
    /// and has to be 0 beside any other policy. Default: 0.02.
    pub recheck: f64,
    /// Aggregating: how many births of one behaviour are evaluated, each with a fresh repeat
    /// ([`Trial::repeat`](evo_domain::Trial::repeat)). A birth has the mean of all evaluations up
    /// to its own, and those that are not evaluated have the mean of all. Default: 1.
    pub aggregate: u32,
    /// Whether the members of the populations follow that mean as it moves, or keep the fitness
    /// they came in with. Default: false.
    pub refresh: bool,
    /// Forgetting by chance: the share of the duplicates that make the search forget what is known
    /// of their behaviour, and are evaluated anew, with a fresh repeat. Default: 0.
    pub forget: f64,
    /// Forgetting by count: how many births one evaluation, or one mean, serves, the first
    /// included; the next is evaluated anew, with a fresh repeat. AutoML-Zero has 100. Default:
    /// none, which is for ever.
    pub forget_every: Option<u64>,
    /// Evolve as if nothing were compared, every birth being evaluated and having its own outcome,
    /// and count how often that is not the one it would have shared. Default: false.
    pub counterfactual: bool,
    /// Which children are made again for behaving as others did lately.
    pub tabu: TabuConfig,
}

impl Default for Deduplication {
    fn default() -> Deduplication {
        Deduplication {
            level: DeduplicationLevel::default(),
            recheck: 0.02,
            aggregate: 1,
            refresh: false,
            forget: 0.0,
            forget_every: None,
            counterfactual: false,
            tabu: TabuConfig::default(),
        }
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

/// The most evaluations of one behaviour: a mean of more moves by less than a thousandth of the
/// deviation.
const MOST_AGGREGATED: u32 = 1_000_000;

impl Deduplication {
    /// Checks everything, beside hurdles or without them.
    pub(crate) fn validate(&self, hurdles: bool) -> Result<(), SearchError> {
        let refuse = |key: &str, message: String| {
            Err(SearchError::config(format!("deduplication.{key}"), message))
        };
        for (key, share) in [("recheck", self.recheck), ("forget", self.forget)] {
            if !(0.0..=1.0).contains(&share) {
                return refuse(key, "must be 0 to 1".to_owned());
            }
        }
        if !(1..=MOST_AGGREGATED).contains(&self.aggregate) {
            return refuse("aggregate", format!("must be 1 to {MOST_AGGREGATED}"));
        }
        if let Some(every) = self.forget_every.filter(|it| *it <= u64::from(self.aggregate)) {
            let message = format!("must be above {}, `aggregate`, and is {every}", self.aggregate);
            return refuse("forget_every", message);
        }
        if self.refresh && self.aggregate == 1 {
            return refuse("refresh", "needs `aggregate` above 1: no mean moves".to_owned());
        }
        if hurdles && self.aggregate > 1 {
            let message = "must be 1 beside `hurdles`: there is no mean of what was stopped";
            return refuse("aggregate", message.to_owned());
        }
        self.validate_counterfactual()?;
        if let Some(key) = self.policy() {
            if self.level == DeduplicationLevel::Off {
                return refuse(key, "needs a level that compares programs, not `Off`".to_owned());
            }
            if self.rechecks_any() {
                return refuse("recheck", format!("must be 0 beside `{key}`"));
            }
        }
        self.tabu.validate()
    }

    fn validate_counterfactual(&self) -> Result<(), SearchError> {
        let remembers = self.aggregate > 1 || self.is_forgetful();
        if self.counterfactual && remembers {
            let message = "goes with neither `aggregate` nor forgetting: nothing is shared";
            return Err(SearchError::config("deduplication.counterfactual", message));
        }
        Ok(())
    }

    /// Whether there may be rechecks.
    pub(crate) fn rechecks_any(&self) -> bool {
        self.recheck > 0.0 && self.level == DeduplicationLevel::Functional
    }

    /// The key of the first setting that makes it another policy than caching.
    fn policy(&self) -> Option<&'static str> {
        let keys = [
            ("aggregate", self.aggregate > 1),
            ("forget", self.forget > 0.0),
            ("forget_every", self.forget_every.is_some()),
            ("counterfactual", self.counterfactual),
        ];
        keys.into_iter().find(|(_, is_set)| *is_set).map(|(key, _)| key)
    }

    /// Whether there is anything to count beyond what every search counts.
    pub fn has_policy(&self) -> bool {
        self.policy().is_some() || self.tabu.is_on()
    }

    /// Whether something known is ever forgotten on purpose.
    pub(crate) fn is_forgetful(&self) -> bool {
        self.forget > 0.0 || self.forget_every.is_some()
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
        // What is counterfactual shares nothing.
        if self.level >= loosest || self.counterfactual {
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

    /// Whether a duplicate makes the search forget what it knows of its behaviour.
    pub(crate) fn forgets(&self, streams: SeedPurpose, birth: u64) -> bool {
        self.forget > 0.0 && streams.stream(birth).random::<f64>() < self.forget
    }
}
