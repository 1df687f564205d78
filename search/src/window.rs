//! The window: births that have been bred and not yet absorbed, oldest first.
//!
//! Invariant: births enter and leave in birth order; outcomes come in any order and wait here for
//! their turn. That is all it takes to make a run independent of the timing of its workers.

use std::collections::VecDeque;
use std::sync::Arc;

use evo_domain::Outcome;

use crate::identity::Identity;
use crate::lineage::Lineage;
use crate::outcomes::Sighting;

/// A birth not yet absorbed.
pub(crate) struct Birth<P> {
    pub(crate) program: Arc<P>,
    pub(crate) identity: Identity,
    /// None of a start program.
    pub(crate) lineage: Option<Lineage>,
    /// The hurdles that were up when it was bred.
    pub(crate) hurdles: Arc<[f64]>,
    /// What was known of it when it was bred.
    pub(crate) sighting: Sighting,
    pub(crate) fate: Fate,
}

/// Where the outcome of a birth comes from.
pub(crate) enum Fate {
    /// Being evaluated.
    Awaited,
    /// Evaluated.
    Told(Arc<Outcome>),
    /// That of the earlier birth it is a duplicate of.
    Shared,
}

/// Births in order, from the first not yet absorbed.
pub(crate) struct Window<P> {
    first: u64,
    births: VecDeque<Birth<P>>,
    awaited: usize,
}

impl<P> Window<P> {
    /// An empty window whose next birth is `first`.
    pub(crate) fn from(first: u64) -> Window<P> {
        Window { first, births: VecDeque::new(), awaited: 0 }
    }

    /// Adds the next birth.
    pub(crate) fn push(&mut self, birth: Birth<P>) {
        self.awaited += usize::from(matches!(birth.fate, Fate::Awaited));
        self.births.push_back(birth);
    }

    /// Stores an outcome until its turn; gives back its birth, or `None` when no outcome is awaited
    /// for it.
    pub(crate) fn tell(&mut self, birth: u64, outcome: Arc<Outcome>) -> Option<&Birth<P>> {
        let index = usize::try_from(birth.checked_sub(self.first)?).ok()?;
        let told = self.births.get_mut(index)?;
        if !matches!(told.fate, Fate::Awaited) {
            return None;
        }
        told.fate = Fate::Told(outcome);
        self.awaited -= 1;
        Some(told)
    }

    /// Removes the oldest birth, unless its outcome is awaited.
    pub(crate) fn pop_settled(&mut self) -> Option<(u64, Birth<P>)> {
        let settled = |birth: &mut Birth<P>| !matches!(birth.fate, Fate::Awaited);
        let birth = self.births.pop_front_if(settled)?;
        self.first += 1;
        Some((self.first - 1, birth))
    }

    /// A birth in the window.
    pub(crate) fn get(&self, birth: u64) -> Option<&Birth<P>> {
        let index = usize::try_from(birth.checked_sub(self.first)?).ok()?;
        self.births.get(index)
    }

    /// The births, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Birth<P>)> {
        (self.first..).zip(&self.births)
    }

    /// Number of outcomes awaited.
    pub(crate) fn awaited(&self) -> usize {
        self.awaited
    }
}
