//! A list of what comes by one after another, thinned out as it grows.
//!
//! Invariant: what is kept depends on how much has come by alone: every item at first, and every
//! second of those kept each time that the list is full. So a curve has points all along, however
//! long the run turns out to be, and memory is bounded.

/// Items kept, evenly spaced among all that were offered.
#[derive(Clone, Debug)]
pub(super) struct Thinned<T> {
    kept: Vec<T>,
    most: usize,
    /// One of so many is kept.
    stride: u64,
    offered: u64,
}

impl<T> Thinned<T> {
    /// An empty list of at most so many, two or more.
    pub(super) fn new(most: usize) -> Thinned<T> {
        Thinned { kept: Vec::new(), most: most.max(2), stride: 1, offered: 0 }
    }

    /// Keeps the next item where its turn is.
    pub(super) fn offer(&mut self, item: impl FnOnce() -> T) {
        let turn = self.offered.is_multiple_of(self.stride);
        self.offered += 1;
        if !turn {
            return;
        }
        if self.kept.len() == self.most {
            let mut place = 0;
            self.kept.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.stride *= 2;
            if !(self.offered - 1).is_multiple_of(self.stride) {
                return;
            }
        }
        self.kept.push(item());
    }

    /// What is kept, in order.
    pub(super) fn kept(&self) -> &[T] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_evenly_spaced_from_the_first_on() {
        for count in [0_u64, 1, 7, 8, 9, 100, 1_001] {
            let mut thinned = Thinned::new(8);
            (0..count).for_each(|item| thinned.offer(|| item));
            let kept = thinned.kept();
            assert!(kept.len() <= 8 && kept.len() as u64 >= count.min(4), "{kept:?} of {count}");
            let stride = kept.get(1).map_or(1, |second| second - kept[0]);
            assert!(kept.iter().zip(0..).all(|(item, place)| *item == place * stride), "{kept:?}");
            assert!(kept.last().is_none_or(|last| last + stride >= count), "{kept:?} of {count}");
        }
    }
}
