//! Tests of paired differences, such as one per task between two programs: whether they could well
//! be as they are if each had been as likely the other way round.
//!
//! Invariant: every p value is exact and two-sided, twice the smaller tail and at most 1. Where all
//! of eight tasks are won it is 0.0078, and by the normal approximation 0.0117; and as the exact
//! distribution takes about a second for a thousand differences, nothing switches over to that.

/// The p value of Wilcoxon's signed-rank test (1945): that the differences are symmetric about 0.
///
/// Differences of 0 are dropped, as Wilcoxon did; such as tie in size share the mean of their
/// ranks, and the distribution is that of the ranks as they are, over all 2^n signs. An infinite
/// difference has the last rank. 1 where no difference is left, NaN where one is NaN. Takes n³
/// additions at most.
pub fn wilcoxon(differences: &[f64]) -> f64 {
    if differences.iter().any(|difference| difference.is_nan()) {
        return f64::NAN;
    }
    let mut left: Vec<f64> = differences.iter().copied().filter(|&number| number != 0.0).collect();
    left.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let ranks = doubled_ranks(&left);
    let side = |is_on_it: fn(f64) -> bool| -> usize {
        let ranked = left.iter().zip(&ranks);
        ranked.filter(|&(&difference, _)| is_on_it(difference)).map(|(_, rank)| rank).sum()
    };
    let smaller = side(|difference| difference > 0.0).min(side(|difference| difference < 0.0));
    // The chance of each sum of ranks up to the smaller side's; the sums are symmetric about their
    // middle, so this tail is as heavy as the other one. Chances and not counts of signs, which
    // for 1100 differences exceed a float64; what falls below its least number is none of p's
    // digits.
    let mut chances = vec![0.0; smaller + 1];
    chances[0] = 1.0;
    for rank in ranks {
        for sum in (0..=smaller).rev() {
            let with_it = sum.checked_sub(rank).map_or(0.0, |rest| chances[rest]);
            chances[sum] = 0.5 * (chances[sum] + with_it);
        }
    }
    f64::min(1.0, 2.0 * chances.iter().sum::<f64>())
}

/// Twice the rank of each of some numbers in order of size, from 1; a tie has the mean of its
/// ranks, whose double is whole.
fn doubled_ranks(sorted: &[f64]) -> Vec<usize> {
    let mut ranks = Vec::with_capacity(sorted.len());
    for tie in sorted.chunk_by(|a, b| a.abs() == b.abs()) {
        let before = ranks.len();
        // The ranks of a tie are before + 1 to before + len.
        ranks.resize(before + tie.len(), 2 * before + tie.len() + 1);
    }
    ranks
}

/// The p value of the sign test: that a win is as likely as a loss. Who drops ties before, as is
/// usual, tests those pairs that differ. Takes as many steps as there are of the fewer.
pub fn sign_test(wins: usize, losses: usize) -> f64 {
    let (fewer, more) = (wins.min(losses), wins.max(losses));
    // (n choose fewer) / 2^n, halved on the way, as both are too large for a float64 where n >
    // 1029.
    let mut halvings = wins + losses;
    let mut chance = 1.0;
    for taken in 1..=fewer {
        chance *= (more + taken) as f64 / taken as f64;
        while chance >= 2.0 && halvings > 0 {
            chance /= 2.0;
            halvings -= 1;
        }
    }
    // Beyond 2000 halvings it is 0 however often.
    chance = libm::ldexp(chance, -(halvings.min(2000) as i32));
    let mut tail = 0.0;
    for count in (0..=fewer).rev() {
        tail += chance;
        chance *= count as f64 / (wins + losses - count + 1) as f64;
    }
    f64::min(1.0, 2.0 * tail)
}

/// p values of several tests, adjusted so that at most a share α of all families of tests has a
/// false one among those at or below α (Holm, "A Simple Sequentially Rejective Multiple Test
/// Procedure", 1979), in the order given.
///
/// A p value that is NaN stays so and counts as the largest: a test that says nothing is one that
/// was made.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| match (p[a].is_nan(), p[b].is_nan()) {
        (false, false) => p[a].total_cmp(&p[b]),
        (a, b) => a.cmp(&b),
    });
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut largest: f64 = 0.0;
    for (place, &test) in order.iter().enumerate() {
        if !p[test].is_nan() {
            largest = largest.max((p.len() - place) as f64 * p[test]).min(1.0);
            adjusted[test] = largest;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo_hashes::Seed;
    use rand::RngExt;

    /// Differences of which many tie and some are 0.
    fn differences(seed: u64, count: usize) -> Vec<f64> {
        let mut rng = Seed(seed).stream("numbers", 0);
        (0..count).map(|_| f64::from(rng.random_range(-4..8))).collect()
    }

    /// The share of all signs under which the sum of positive ranks lies as far out.
    fn by_all_signs(differences: &[f64]) -> f64 {
        let mut left: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
        left.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        let ranks = doubled_ranks(&left);
        let total: usize = ranks.iter().sum();
        let positive = |signs: usize| -> usize {
            (0..ranks.len()).filter(|at| signs >> at & 1 == 1).map(|at| ranks[at]).sum()
        };
        let own: usize = (0..left.len()).filter(|&at| left[at] > 0.0).map(|at| 1 << at).sum();
        let own = positive(own).min(total - positive(own));
        let all = 1_usize << ranks.len();
        let tail = (0..all).filter(|&signs| positive(signs) <= own).count();
        f64::min(1.0, 2.0 * tail as f64 / all as f64)
    }

    #[test]
    fn the_signed_rank_test_counts_all_signs() {
        for seed in 0..60 {
            let differences = differences(seed, 1 + seed as usize % 11);
            assert_eq!(wilcoxon(&differences), by_all_signs(&differences), "{differences:?}");
        }
    }

    #[test]
    fn signs_units_and_zeros_do_not_matter_to_the_signed_rank_test() {
        let given = differences(4, 30);
        let turned: Vec<f64> = given.iter().map(|difference| -difference).collect();
        let scaled: Vec<f64> = given.iter().map(|difference| 0.25 * difference).collect();
        let padded: Vec<f64> = given.iter().copied().chain([0.0, -0.0]).collect();
        for other in [turned, scaled, padded] {
            assert_eq!(wilcoxon(&other), wilcoxon(&given));
        }
    }

    #[test]
    fn differences_without_an_answer_and_with_an_obvious_one() {
        assert_eq!((wilcoxon(&[]), wilcoxon(&[0.0, -0.0])), (1.0, 1.0));
        assert!(wilcoxon(&[1.0, f64::NAN]).is_nan());
        assert_eq!(wilcoxon(&[f64::INFINITY, 1.0, 2.0]), wilcoxon(&[3.0, 1.0, 2.0]));
        assert_eq!(wilcoxon(&[1.0, -1.0]), 1.0);
        for count in [1, 2, 10, 500, 1000] {
            let positive: Vec<f64> = (1..=count).map(f64::from).collect();
            assert_eq!(wilcoxon(&positive), libm::ldexp(1.0, 1 - count));
        }
    }

    #[test]
    fn many_differences_come_to_what_the_normal_distribution_says() {
        let count = 500;
        let differences: Vec<f64> = (1..=count)
            .map(|rank| f64::from(rank) * if rank % 9 < 5 { 1.0 } else { -1.0 })
            .collect();
        let positive: f64 = differences.iter().filter(|difference| **difference > 0.0).sum();
        let n = f64::from(count);
        let deviation = f64::sqrt(n * (n + 1.0) * (2.0 * n + 1.0) / 24.0);
        let z = (positive - n * (n + 1.0) / 4.0) / deviation;
        let expected = 2.0 * crate::normal::cdf(-z.abs());
        assert!((wilcoxon(&differences) / expected - 1.0).abs() < 0.01);
    }

    #[test]
    fn the_sign_test_is_symmetric_and_its_chances_are_exact() {
        assert_eq!((sign_test(0, 0), sign_test(1, 0), sign_test(3, 3)), (1.0, 1.0, 1.0));
        assert_eq!(sign_test(8, 0), 2.0 / 256.0);
        assert_eq!(sign_test(2, 8), sign_test(8, 2));
        assert_eq!(sign_test(8, 2), 2.0 * (45.0 + 10.0 + 1.0) / 1024.0);
        assert_eq!(sign_test(0, 1074), libm::ldexp(1.0, -1073));
        assert_eq!(sign_test(0, 100_000), 0.0);
        assert!((sign_test(500_000, 499_999) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn holm_multiplies_by_how_many_are_left_and_keeps_the_order() {
        let close = |p: &[f64], expected: &[f64]| {
            let adjusted = holm(p);
            let same = adjusted.iter().zip(expected).all(|(adjusted, expected)| {
                (adjusted - expected).abs() < 1e-15 || adjusted.is_nan() && expected.is_nan()
            });
            assert!(same && adjusted.len() == expected.len(), "{adjusted:?}");
        };
        close(&[], &[]);
        close(&[0.02], &[0.02]);
        close(&[0.03, 0.01, 0.04, 0.5], &[0.09, 0.04, 0.09, 0.5]);
        close(&[0.6, 0.7], &[1.0, 1.0]);
        close(&[f64::NAN, 0.01, -f64::NAN, 0.02], &[f64::NAN, 0.04, f64::NAN, 0.06]);
    }

    #[test]
    fn of_random_p_values_holm_is_wrong_as_rarely_as_stated() {
        let families = 2000;
        let mut rng = Seed(1).stream("numbers", 0);
        let wrong = (0..families).filter(|_| {
            let p: Vec<f64> = (0..6).map(|_| rng.random_range(0.0..1.0)).collect();
            holm(&p).iter().any(|adjusted| *adjusted <= 0.05)
        });
        let share = wrong.count() as f64 / f64::from(families);
        assert!((0.035..=0.06).contains(&share), "{share}");
    }
}
