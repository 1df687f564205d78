//! The tabu list: behaviours that children are made again for.
//!
//! Invariant: a birth is held against the list as it was when the births were absorbed that are
//! known to it, whatever has been absorbed by the time it is bred on whichever thread. So an entry
//! has a number, counted from 0, and a birth the number of entries that were there for it; entries
//! that fell off the list lately stay until no birth under way can have seen them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use evo_hashes::Hash;
use serde::{Deserialize, Serialize};

use crate::SearchError;
use crate::generations::ByHash;

/// Which children are made again for behaving as others did lately; none, unless `last` is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabuConfig {
    /// How many of the latest distinct behaviours are tabu, those of a hundred thousand at most.
    /// Behaviours are what the level of deduplication compares. Default: none.
    pub last: Option<u32>,
    /// How often a child of such a behaviour is thrown away and made again from its parent; the
    /// last one stays, whatever it is. Default: 10.
    pub retries: u32,
}

impl Default for TabuConfig {
    fn default() -> TabuConfig {
        TabuConfig { last: None, retries: 10 }
    }
}

/// The longest list: snapshots hold it.
const LONGEST: u32 = 100_000;

impl TabuConfig {
    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        if self.last.is_some_and(|last| !(1..=LONGEST).contains(&last)) {
            let message = format!("must be 1 to {LONGEST}");
            return Err(SearchError::config("deduplication.tabu.last", message));
        }
        if self.last.is_some() && self.retries == 0 {
            return Err(SearchError::config("deduplication.tabu.retries", "must be 1 or more"));
        }
        Ok(())
    }

    pub(crate) fn is_on(&self) -> bool {
        self.last.is_some()
    }

    /// Tries beyond the first that a birth may take for it.
    pub(crate) fn tries(&self) -> u32 {
        if self.is_on() { self.retries } else { 0 }
    }
}

/// The list, to be looked into by births bred anywhere.
pub(crate) struct Tabu {
    last: u64,
    pub(crate) retries: u32,
    list: Mutex<List>,
}

struct List {
    /// Entries that came before those held.
    gone: u64,
    entries: VecDeque<Hash>,
    /// The numbers of the entries held of a behaviour, rising. It comes again only once it has
    /// fallen off the list, so there are hardly ever two.
    numbers: HashMap<Hash, Vec<u64>, ByHash>,
    /// Entries held.
    most: usize,
}

impl Tabu {
    /// The list of these settings in a search with this window; `None` where nothing is tabu.
    pub(crate) fn new(config: TabuConfig, window: u64) -> Option<Tabu> {
        let last = u64::from(config.last?);
        // A birth under way may have been begun as many absorbed births ago as the window is wide.
        let most = usize::try_from(last + window + 1).expect("both are bounded");
        let list = List { gone: 0, entries: VecDeque::new(), numbers: HashMap::default(), most };
        Some(Tabu { last, retries: config.retries, list: Mutex::new(list) })
    }

    /// The number of entries so far.
    pub(crate) fn entries(&self) -> u64 {
        self.list().count()
    }

    /// Whether a behaviour was on the list when it had so many entries.
    pub(crate) fn holds(&self, behaviour: &Hash, entries: u64) -> bool {
        let oldest = entries.saturating_sub(self.last);
        let list = self.list();
        let numbers = list.numbers.get(behaviour).map_or(&[][..], Vec::as_slice);
        numbers.iter().any(|number| (oldest..entries).contains(number))
    }

    /// Puts the behaviour of a birth that was absorbed on the list, unless it is there.
    pub(crate) fn note(&self, behaviour: Hash) {
        let entries = self.entries();
        if !self.holds(&behaviour, entries) {
            self.list().push(behaviour);
        }
    }

    /// Number of the first entry held, and all that are held, in order.
    pub(crate) fn saved(&self) -> (u64, Vec<[u8; 16]>) {
        let list = self.list();
        (list.gone, list.entries.iter().map(|behaviour| behaviour.0).collect())
    }

    /// Goes on from what was saved.
    pub(crate) fn restore(&self, (gone, entries): (u64, Vec<[u8; 16]>)) {
        let mut list = self.list();
        list.gone = gone;
        entries.into_iter().for_each(|behaviour| list.push(Hash(behaviour)));
    }

    /// A list is sound whatever a thread was doing when it panicked: none panics within.
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn count(&self) -> u64 {
        self.gone + self.entries.len() as u64
    }

    fn push(&mut self, behaviour: Hash) {
        let number = self.count();
        self.numbers.entry(behaviour).or_default().push(number);
        self.entries.push_back(behaviour);
        if self.entries.len() <= self.most {
            return;
        }
        if let Some(oldest) = self.entries.pop_front() {
            if let Some(numbers) = self.numbers.get_mut(&oldest) {
                numbers.retain(|number| *number != self.gone);
                if numbers.is_empty() {
                    self.numbers.remove(&oldest);
                }
            }
            self.gone += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tabu(last: u32, window: u64) -> Tabu {
        Tabu::new(TabuConfig { last: Some(last), retries: 1 }, window).expect("it is on")
    }

    fn key(number: u8) -> Hash {
        Hash([number; 16])
    }

    #[test]
    fn births_under_way_see_the_list_they_were_begun_with() {
        let tabu = tabu(2, 3);
        assert!(!tabu.holds(&key(1), tabu.entries()));
        tabu.note(key(1));
        let then = tabu.entries();
        for number in [1, 2, 2, 3] {
            tabu.note(key(number));
        }
        let now = tabu.entries();
        assert_eq!((then, now), (1, 3), "a behaviour on the list is not put there again");
        assert!(tabu.holds(&key(1), then) && !tabu.holds(&key(2), then));
        assert!(!tabu.holds(&key(1), now) && tabu.holds(&key(2), now) && tabu.holds(&key(3), now));
        // Fallen off and back again: it counts from then on.
        tabu.note(key(1));
        assert!(tabu.holds(&key(1), tabu.entries()) && !tabu.holds(&key(1), now));
        assert!(tabu.holds(&key(1), then));
    }

    #[test]
    fn what_no_birth_can_see_any_more_is_dropped_and_what_is_saved_is_restored() {
        let list = tabu(5, 2);
        for number in 0..100 {
            list.note(key(number));
            assert!(list.list().entries.len() <= 8 && list.list().numbers.len() <= 8);
        }
        let again = tabu(5, 2);
        again.restore(list.saved());
        assert_eq!(again.entries(), 100);
        for number in 0..100 {
            for entries in 98..=100 {
                let held = list.holds(&key(number), entries);
                assert_eq!(held, u64::from(number) + 5 >= entries && u64::from(number) < entries);
                assert_eq!(again.holds(&key(number), entries), held);
            }
        }
    }
}
