//! The embedded UCI digits (origin and licence: `data/README.md` of this crate).
//!
//! Invariant: 1,797 rows of 64 pixels scaled to [0, 1], whatever the machine. The text is compiled
//! in, so that the quickstart needs no download and its parsing cannot fail at run time.

use super::Features;
use super::rows::{ImageShape, LabelledRows, Rows};

const CSV: &str = include_str!("../../data/digits.csv");
const PIXELS: usize = 64;
/// The largest pixel value of the source.
const WHITE: f32 = 16.0;

/// All examples in file order.
pub(super) fn rows() -> LabelledRows {
    let mut features = Vec::new();
    let mut labels = Vec::new();
    for line in CSV.lines() {
        let mut fields = line
            .split(',')
            .map(|field| field.parse::<u8>().expect("the embedded file holds small integers only"));
        features.extend(fields.by_ref().take(PIXELS).map(|pixel| f32::from(pixel) / WHITE));
        labels.extend(fields.map(u32::from));
    }
    LabelledRows {
        rows: Rows { features: Features::Numbers(features), width: PIXELS, labels },
        classes: 10,
        image: Some(ImageShape { height: 8, width: 8, channels: 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_64_pixels_and_a_digit() {
        let LabelledRows { rows, .. } = rows();
        assert_eq!(rows.labels.len(), 1797);
        assert!((0..1797).all(|index| rows.row(index).len() == PIXELS));
        assert!(rows.labels.iter().all(|&label| label < 10));
        let pixels = (0..1797).flat_map(|index| rows.row(index));
        let largest = pixels.fold(0.0, f32::max);
        assert_eq!(largest, 1.0);
    }
}
