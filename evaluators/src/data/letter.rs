//! The embedded UCI letters (origin and licence: `data/README.md` of this crate).
//!
//! Invariant: 20,000 rows of 16 measurements of a printed capital, in 26 classes of 734 to 813
//! rows. In the source they are whole numbers from 0 to 15; here each measurement has the mean 0
//! and the variance 1 over all rows, as tables usually have in training. Scaled to [0, 1] they
//! would be about 0.4 and hardly vary, and training would be slow for that alone. As in the source,
//! 1,332 rows have the numbers of an earlier one; a split tells rows apart and not what they hold,
//! so some rows that are validated on have a twin that is trained on.

use super::Features;
use super::compressed::embedded;
use super::rows::{LabelledRows, Rows};

/// The source's own text: a capital, then its numbers, with commas between.
pub(super) const PACKED: &[u8] = include_bytes!("../../data/letter.csv.gz");
const MEASUREMENTS: usize = 16;

/// All examples in file order.
pub(super) fn rows() -> LabelledRows {
    let text = String::from_utf8(embedded(PACKED)).expect("the embedded file is ASCII");
    let (mut numbers, mut labels) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let (letter, rest) = line.split_once(',').expect("every row has 17 fields");
        labels.push(u32::from(letter.as_bytes()[0] - b'A'));
        numbers.extend(rest.split(',').map(|field| {
            field.parse::<u32>().expect("the embedded file holds small integers only")
        }));
    }
    LabelledRows {
        rows: Rows {
            features: Features::Numbers(standardised(&numbers)),
            width: MEASUREMENTS,
            labels,
        },
        classes: 26,
        image: None,
    }
}

/// Each measurement less its mean, over its standard deviation.
fn standardised(numbers: &[u32]) -> Vec<f32> {
    let count = (numbers.len() / MEASUREMENTS) as f64;
    let scales: [(f64, f64); MEASUREMENTS] = std::array::from_fn(|measurement| {
        // Sums of integers are exact, in whatever order.
        let of = |power: fn(u32) -> u32| -> u32 {
            numbers.iter().skip(measurement).step_by(MEASUREMENTS).copied().map(power).sum()
        };
        let mean = f64::from(of(|number| number)) / count;
        let variance = f64::from(of(|number| number * number)) / count - mean * mean;
        (mean, variance.sqrt())
    });
    let scaled = |(&number, &(mean, deviation)): (&u32, &(f64, f64))| {
        ((f64::from(number) - mean) / deviation) as f32
    };
    numbers.iter().zip(scales.iter().cycle()).map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_has_16_numbers_and_a_letter() {
        let LabelledRows { rows, .. } = rows();
        assert_eq!(rows.labels.len(), 20_000);
        let Features::Numbers(numbers) = &rows.features else { panic!("they are numbers") };
        assert_eq!(numbers.len(), 20_000 * MEASUREMENTS);
        for feature in 0..MEASUREMENTS {
            let column = || numbers.iter().skip(feature).step_by(MEASUREMENTS).copied();
            let mean = column().sum::<f32>() / 20_000.0;
            let variance = column().map(|x| x * x).sum::<f32>() / 20_000.0;
            assert!(mean.abs() < 1e-3 && (variance - 1.0).abs() < 1e-3, "{mean}, {variance}");
            let different: BTreeSet<_> = column().map(f32::to_bits).collect();
            assert!((10..=16).contains(&different.len()), "{}", different.len());
        }
        let mut counts = [0; 26];
        rows.labels.iter().for_each(|&label| counts[label as usize] += 1);
        assert!(counts.iter().all(|count| (734..=813).contains(count)), "{counts:?}");
    }

    #[test]
    fn as_many_rows_are_repeated_as_is_said() {
        let LabelledRows { rows, .. } = rows();
        let bits = |index| rows.row(index).into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let different: BTreeSet<_> = (0..20_000).map(bits).collect();
        assert_eq!(20_000 - different.len(), 1332);
    }
}
