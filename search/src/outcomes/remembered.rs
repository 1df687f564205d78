//! What is remembered of outcomes where a store has no rows for them.
//!
//! Invariant: a run that goes on and one that is resumed from its snapshot find the same. What is
//! forgotten at a snapshot is a matter of births alone, and not of how many have been absorbed,
//! which is one of timing.

use std::collections::BTreeSet;
use std::sync::Arc;

use evo_domain::Outcome;
use evo_hashes::Hash;
use serde::{Deserialize, Serialize};

use super::first::First;
use super::{Absorbed, Ledger, Outcomes};

/// Outcomes in memory, as a snapshot holds them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// By birth, what births in the window share.
    shared: Vec<(u64, Outcome)>,
    /// What no later birth has been late enough to know, in the order of births.
    absorbed: Vec<SavedOutcome>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedOutcome {
    birth: u64,
    structure: [u8; 16],
    behaviour: [u8; 16],
    outcome: Outcome,
    recheck: bool,
}

impl Remembered {
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.absorbed.is_empty()
    }
}

impl Outcomes {
    /// Forgets the outcomes of births below this one, which all later births are late enough to
    /// know; those of some are kept for the births that share them, which come before `birth`, and
    /// found by no other. What is found afterwards is a matter of births alone, and not of how many
    /// have been absorbed.
    pub(crate) fn forget_below(&mut self, below: u64, shared: &BTreeSet<u64>, birth: u64) {
        self.make_known(below);
        if let Some(ledger) = &mut self.ledger {
            ledger.forget_below(below, shared, birth);
        }
        let known = self.known.sorted().into_iter().map(|(_, known)| known);
        let kept = known.filter(|known| shared.contains(&known.birth));
        self.shared = kept.map(|known| (known.birth, Arc::clone(&known.outcome))).collect();
        self.known.clear();
    }

    /// What is remembered behind [`Outcomes::forget_below`].
    pub(crate) fn remembered(&self) -> Remembered {
        let shared = self.shared.iter().map(|(&birth, outcome)| (birth, (**outcome).clone()));
        let saved = |(&birth, it): (&u64, &Absorbed)| SavedOutcome {
            birth,
            structure: it.structure.0,
            behaviour: it.behaviour.0,
            outcome: (*it.outcome).clone(),
            recheck: it.recheck,
        };
        let absorbed = self.absorbed.iter().map(saved).collect();
        Remembered { shared: shared.collect(), absorbed }
    }

    /// What policies beyond caching have counted.
    pub(crate) fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// Goes on with what was counted; `false` if this policy counts nothing, or something is
    /// missing.
    pub(crate) fn restore_ledger(&mut self, ledger: Option<Ledger>) -> bool {
        let fits = ledger.is_some() == self.ledger.is_some();
        self.ledger = ledger;
        fits
    }

    /// Takes what was remembered, before the births of the window, which are later ones.
    pub(crate) fn remember(&mut self, remembered: Remembered) {
        let shared = remembered.shared.into_iter();
        self.shared = shared.map(|(birth, outcome)| (birth, Arc::new(outcome))).collect();
        for SavedOutcome { birth, structure, behaviour, outcome, recheck } in remembered.absorbed {
            let first = First { birth, hurdles: Arc::from([]) };
            let (structure, behaviour, outcome) =
                (Hash(structure), Hash(behaviour), Arc::new(outcome));
            if !recheck {
                self.pending.insert(behaviour, first.clone());
            }
            self.pending.insert(structure, first);
            self.absorbed.insert(birth, Absorbed { structure, behaviour, outcome, recheck });
        }
    }
}
