//! How well one ranking agrees with another: Kendall's tau-b, and what choosing by one costs in
//! the other.
//!
//! Invariant: only the order of numbers counts, never their distance, so an infinite number is a
//! last or first place, and programs that do not train tie there. The pairs are gone through one
//! by one, in n² / 2 steps: rankings here have dozens of items, for which that is faster than
//! sorting and counting exchanges, and plain to read.

use std::cmp::Ordering;

use crate::{Bootstrap, Estimate};

/// Kendall's rank correlation of paired numbers, from -1 to 1, with ties: tau-b is
/// (C - D) / √((C + D + A) (C + D + B)), where C pairs of items have the same order in both, D the
/// opposite one, A tie in `b` alone and B in `a` alone (Kendall, "The Treatment of Ties in Ranking
/// Problems", 1945).
///
/// `None` where there are not as many of both, fewer than two, a NaN, or all of one side tie.
pub fn kendall(a: &[f64], b: &[f64]) -> Option<f64> {
    if !are_paired(a, b) {
        return None;
    }
    let (mut agreement, mut apart_in_a, mut apart_in_b) = (0_i64, 0_i64, 0_i64);
    for first in 0..a.len() {
        for second in 0..first {
            let (a, b) = (order(a[first], a[second]), order(b[first], b[second]));
            agreement += a * b;
            apart_in_a += a * a;
            apart_in_b += b * b;
        }
    }
    let apart = apart_in_a as f64 * apart_in_b as f64;
    (apart > 0.0).then(|| agreement as f64 / apart.sqrt())
}

/// Kendall's tau-b and its interval between percentiles, the items being what is resampled: how
/// much of it is due to the items that happen to be compared.
///
/// Resamples in which one side ties throughout have no tau and are left out, so among few items,
/// or many ties, the interval tells of less than `bootstrap.resamples`. An item that is drawn
/// twice ties with itself. `None` where [`kendall`] has none.
pub fn kendall_interval(a: &[f64], b: &[f64], bootstrap: &Bootstrap) -> Option<Estimate> {
    let value = kendall(a, b)?;
    let of = |items: &[usize], side: &[f64]| -> Vec<f64> {
        items.iter().map(|&item| side[item]).collect()
    };
    let mut resampled = bootstrap.resampled(&[a.len()], |items| {
        kendall(&of(&items[0], a), &of(&items[0], b)).unwrap_or(f64::NAN)
    });
    resampled.retain(|tau| !tau.is_nan());
    bootstrap.between_percentiles(value, resampled)
}

/// What is lost by choosing with a proxy: the best target of all items less the best target among
/// the `k` items with the highest proxy. In the unit of the target; higher is better in both, and
/// 0 is no loss.
///
/// Of items that tie in the proxy around place `k` those with the lowest targets are taken: the
/// proxy promises no more than that. With fewer than `k` items all are. The loss is infinite where
/// only items that are not among the `k` have a target above minus infinity. `None` where there
/// are not as many of both, none, a NaN, or `k` is 0.
pub fn top_k_regret(proxy: &[f64], target: &[f64], k: usize) -> Option<f64> {
    if k == 0 || proxy.is_empty() || !are_comparable(proxy, target) {
        return None;
    }
    let mut items: Vec<usize> = (0..proxy.len()).collect();
    items.sort_by(|&a, &b| {
        let by_target = target[a].total_cmp(&target[b]);
        proxy[b].partial_cmp(&proxy[a]).unwrap_or(Ordering::Equal).then(by_target)
    });
    let best =
        |items: &[usize]| items.iter().map(|&item| target[item]).fold(f64::NEG_INFINITY, f64::max);
    let (of_all, found) = (best(&items), best(&items[..k.min(items.len())]));
    Some(if of_all == found { 0.0 } else { of_all - found })
}

fn are_paired(a: &[f64], b: &[f64]) -> bool {
    a.len() > 1 && are_comparable(a, b)
}

fn are_comparable(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && !a.iter().chain(b).any(|number| number.is_nan())
}

/// 1, 0 or -1 as a number is above, equal to or below another; the zeros are equal.
fn order(number: f64, other: f64) -> i64 {
    i64::from(number > other) - i64::from(number < other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo_hashes::Seed;
    use rand::RngExt;

    const INFINITY: f64 = f64::INFINITY;

    /// Numbers from 0 to 5, so that many tie.
    fn tied(seed: u64, count: usize) -> Vec<f64> {
        let mut rng = Seed(seed).stream("numbers", 0);
        (0..count).map(|_| f64::from(rng.random_range(0..6))).collect()
    }

    #[test]
    fn tau_is_symmetric_turns_with_a_side_and_sees_nothing_but_order() {
        for seed in 0..50 {
            let (a, b) = (tied(seed, 9), tied(seed + 1000, 9));
            let tau = kendall(&a, &b).expect("not all tie");
            assert!((-1.0..=1.0).contains(&tau));
            assert_eq!(kendall(&b, &a), Some(tau));
            let turned: Vec<f64> = a.iter().map(|number| -number).collect();
            assert_eq!(kendall(&turned, &b), Some(-tau));
            let bent: Vec<f64> = a.iter().map(|number| libm::exp(3.0 * number)).collect();
            assert_eq!(kendall(&bent, &b), Some(tau));
            // Places 0 and 5 of the six are as far out as can be.
            let far = |number: &f64| match *number {
                0.0 => -INFINITY,
                5.0 => INFINITY,
                other => other,
            };
            assert_eq!(kendall(&a.iter().map(far).collect::<Vec<_>>(), &b), Some(tau));
            assert_eq!(kendall(&a, &a), Some(1.0));
        }
    }

    #[test]
    fn what_has_no_tau() {
        assert_eq!(kendall(&[], &[]), None);
        assert_eq!(kendall(&[1.0], &[1.0]), None);
        assert_eq!(kendall(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(kendall(&[1.0, 2.0], &[3.0, 3.0]), None);
        assert_eq!(kendall(&[0.0, -0.0], &[1.0, 2.0]), None);
        assert_eq!(kendall(&[1.0, f64::NAN, 2.0], &[1.0, 2.0, 3.0]), None);
        let bootstrap = Bootstrap::new(Seed(1));
        assert_eq!(kendall_interval(&[1.0, 2.0], &[3.0, 3.0], &bootstrap), None);
        let none = Bootstrap { resamples: 0, ..bootstrap };
        assert_eq!(kendall_interval(&[1.0, 2.0], &[3.0, 4.0], &none), None);
    }

    #[test]
    fn resamples_that_tie_throughout_are_left_out() {
        // Half of the resamples of two items hold one of them twice.
        let bootstrap = Bootstrap { resamples: 50, ..Bootstrap::new(Seed(1)) };
        let estimate = kendall_interval(&[1.0, 2.0], &[3.0, 4.0], &bootstrap);
        assert_eq!(estimate, Some(Estimate { value: 1.0, low: 1.0, high: 1.0 }));
    }

    #[test]
    fn more_items_make_the_interval_of_tau_narrower() {
        let width = |count: usize| {
            let (a, noise) = (tied(1, count), tied(2, count));
            let b: Vec<f64> = a.iter().zip(noise).map(|(a, noise)| a + noise).collect();
            let bootstrap = Bootstrap { resamples: 500, ..Bootstrap::new(Seed(1)) };
            let estimate = kendall_interval(&a, &b, &bootstrap).expect("not all tie");
            assert!(estimate.low < estimate.value && estimate.value < estimate.high);
            estimate.high - estimate.low
        };
        assert!(width(100) < 0.7 * width(25));
    }

    #[test]
    fn regret_is_what_the_chosen_lack() {
        let (proxy, target) = ([3.0, 2.0, 1.0, 0.0], [0.5, 0.25, 0.75, -INFINITY]);
        let regret = |k| top_k_regret(&proxy, &target, k);
        assert_eq!([regret(1), regret(2), regret(3)], [Some(0.25), Some(0.25), Some(0.0)]);
        assert_eq!((regret(0), regret(9)), (None, Some(0.0)));
        assert_eq!(top_k_regret(&[0.0, 1.0], &[1.0, -INFINITY], 1), Some(INFINITY));
        assert_eq!(top_k_regret(&[0.0, 1.0], &[-INFINITY; 2], 1), Some(0.0));
        assert_eq!(top_k_regret(&[INFINITY, 1.0], &[2.0, INFINITY], 2), Some(0.0));
        assert_eq!(top_k_regret(&[], &[], 1), None);
        assert_eq!(top_k_regret(&[1.0], &[f64::NAN], 1), None);
        assert_eq!(top_k_regret(&[1.0, 2.0], &[1.0], 1), None);
    }

    #[test]
    fn of_a_tie_at_the_border_the_worst_is_taken() {
        let (proxy, target) = ([1.0, 1.0, 2.0, 1.0, 0.0, -0.0], [0.9, 0.1, 0.3, 0.5, 0.6, 0.7]);
        let regret = |k| top_k_regret(&proxy, &target, k).expect("there are items");
        let expected = [0.9 - 0.3, 0.9 - 0.3, 0.9 - 0.5, 0.0, 0.0, 0.0];
        assert_eq!([1, 2, 3, 4, 5, 6].map(regret), expected);
    }
}
