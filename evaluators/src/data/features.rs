//! Features: the numbers of all examples, held as densely as their source has them.
//!
//! Invariant: a number is the same however it is held: a byte is a pixel, and 255 of it are 1.
//! Image files stay bytes, since a tenth of ImageNet at 64×64 pixels is 1.6 GB of them and four
//! times that in float32; what is converted in a training step is one batch.

use std::ops::Range;

/// What a byte is divided by.
const WHITE: f32 = 255.0;

/// The features of examples, one after another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Features {
    /// Any numbers.
    Numbers(Vec<f32>),
    /// Pixels.
    Bytes(Vec<u8>),
}

impl Features {
    /// Appends a range of them to a vector.
    pub(crate) fn append_to(&self, range: Range<usize>, to: &mut Vec<f32>) {
        match self {
            Self::Numbers(numbers) => to.extend_from_slice(&numbers[range]),
            Self::Bytes(bytes) => {
                to.extend(bytes[range].iter().map(|&byte| f32::from(byte) / WHITE));
            }
        }
    }

    /// The examples of these indices, `width` numbers each, in this order.
    pub(super) fn select(&self, width: usize, indices: &[usize]) -> Self {
        match self {
            Self::Numbers(numbers) => Self::Numbers(select(numbers, width, indices)),
            Self::Bytes(bytes) => Self::Bytes(select(bytes, width, indices)),
        }
    }

    /// Keeps the first `count` numbers.
    pub(super) fn truncate(&mut self, count: usize) {
        match self {
            Self::Numbers(numbers) => numbers.truncate(count),
            Self::Bytes(bytes) => bytes.truncate(count),
        }
    }
}

fn select<T: Copy>(all: &[T], width: usize, indices: &[usize]) -> Vec<T> {
    let mut selected = Vec::with_capacity(indices.len() * width);
    for &index in indices {
        selected.extend_from_slice(&all[index * width..][..width]);
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_numbers_they_stand_for() {
        let bytes = [0, 51, 102, 255, 7, 9];
        let numbers = bytes.map(|byte: u8| f32::from(byte) / 255.0);
        let read = |features: &Features, count| {
            let mut row = Vec::new();
            features.append_to(0..count, &mut row);
            row
        };
        let (bytes, numbers) = (Features::Bytes(bytes.into()), Features::Numbers(numbers.into()));
        assert_eq!(read(&bytes, 6), read(&numbers, 6));
        let order = [2, 0];
        let selected = read(&bytes.select(2, &order), 4);
        assert_eq!(selected, read(&numbers.select(2, &order), 4));
        assert_eq!(selected, [7.0 / 255.0, 9.0 / 255.0, 0.0, 0.2]);
        let mut few = bytes;
        few.truncate(2);
        assert_eq!(few, Features::Bytes(vec![0, 51]));
    }
}
