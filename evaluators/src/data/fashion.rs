//! The embedded Fashion-MNIST images (origin and licence: `data/README.md` of this crate).
//!
//! Invariant: the first 3,500 training images in the order of their source, 28×28 bytes each, in
//! ten classes of 326 to 380 images. All 60,000 would be 26 MB; at half the side there would be
//! room for four times as many, but they would be little larger than the digits.

use super::Features;
use super::compressed::embedded;
use super::rows::{ImageShape, LabelledRows, Rows};

/// The labels, a byte each, then the images.
pub(super) const PACKED: &[u8] = include_bytes!("../../data/fashion.bin.gz");
const COUNT: usize = 3500;
const SIDE: usize = 28;

/// All examples in file order.
pub(super) fn rows() -> LabelledRows {
    let mut labels = embedded(PACKED);
    let pixels = labels.split_off(COUNT);
    let labels = labels.into_iter().map(u32::from).collect();
    LabelledRows {
        rows: Rows { features: Features::Bytes(pixels), width: SIDE * SIDE, labels },
        classes: 10,
        image: Some(ImageShape { height: SIDE, width: SIDE, channels: 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_has_its_pixels_and_classes_are_about_as_large() {
        let LabelledRows { rows, .. } = rows();
        assert_eq!(rows.labels.len(), COUNT);
        let mut counts = [0; 10];
        rows.labels.iter().for_each(|&label| counts[label as usize] += 1);
        assert!(counts.iter().all(|count| (326..=380).contains(count)), "{counts:?}");
        let Features::Bytes(pixels) = &rows.features else { panic!("pixels are bytes") };
        assert_eq!(pixels.len(), COUNT * 784);
        let largest = (0..COUNT).flat_map(|index| rows.row(index)).fold(0.0, f32::max);
        assert_eq!(largest, 1.0);
    }

    #[test]
    fn an_image_is_that_of_its_label() {
        // Trousers (1) are dark between the legs, below the middle, where dresses (3) are light.
        let LabelledRows { rows, .. } = rows();
        let middle = |label: u32| {
            let of_class = (0..COUNT).filter(|&index| rows.labels[index] == label);
            let lights: Vec<f32> = of_class.map(|index| rows.row(index)[22 * 28 + 13]).collect();
            lights.iter().sum::<f32>() / lights.len() as f32
        };
        assert!(middle(1) + 0.3 < middle(3), "{} and {}", middle(1), middle(3));
    }
}
