//! Label noise: a share of the training labels drawn again.
//!
//! Invariant: which labels, and what they become, is a function of the seed, and a label that does
//! not count stays so. A redrawn label may come out as it was; so the share of wrong labels is a
//! little smaller, and with a noise of 1 labels and inputs are independent.

use evo_hashes::Seed;
use rand::RngExt;

use crate::layers::IGNORED;

/// Redraws each label with probability `share`, uniformly from those below `classes`.
pub(super) fn redraw<'a>(
    labels: impl Iterator<Item = &'a mut u32>,
    classes: usize,
    share: f64,
    seed: Seed,
) {
    let mut rng = seed.stream("label noise", 0);
    for label in labels.filter(|label| **label != IGNORED) {
        if rng.random_bool(share) {
            *label = rng.random_range(0..classes) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_the_share_of_the_counted_labels_is_redrawn() {
        let mut labels = [vec![0; 1000], vec![IGNORED; 10]].concat();
        redraw(labels.iter_mut(), 4, 0.4, Seed(1));
        let wrong = labels[..1000].iter().filter(|&&label| label != 0).count();
        assert!((250..350).contains(&wrong), "{wrong}: 0.4 · 3/4 of 1000 are expected");
        assert!(labels[..1000].iter().all(|&label| label < 4));
        assert!(labels[1000..].iter().all(|&label| label == IGNORED));
        let mut again = vec![0; 1000];
        redraw(again.iter_mut(), 4, 0.4, Seed(1));
        assert_eq!(again, labels[..1000]);
    }
}
