//! Row data: feature vectors with a class each, and their split.
//!
//! Invariant: the split is a seeded permutation cut once, so the training and validation rows are
//! disjoint and together come from distinct examples. The two parts are copied out rather than
//! indexed: batches are then gathered from one dense matrix.

use evo_hashes::Seed;
use rand::RngExt;

use super::{Features, VALIDATION_NUMBERS, VALIDATION_PREDICTIONS, VALIDATION_SHARE};
use crate::EvaluatorError;

/// Height, width and channels of an image whose features are stored row by row, channel last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageShape {
    /// Rows of pixels.
    pub(crate) height: usize,
    /// Columns of pixels.
    pub(crate) width: usize,
    /// Values per pixel.
    pub(crate) channels: usize,
}

/// Examples: a matrix of features, one row an example, and a class for each row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rows {
    /// Row-major features, `labels.len() * width` of them.
    pub(crate) features: Features,
    /// Features of an example.
    pub(crate) width: usize,
    /// The class of each example, below the number of classes.
    pub(crate) labels: Vec<u32>,
}

impl Rows {
    fn select(&self, indices: &[usize]) -> Self {
        Self {
            features: self.features.select(self.width, indices),
            width: self.width,
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
        }
    }

    /// Most of them that are validated on, fewer where images are very large.
    fn most_validated(&self) -> usize {
        (VALIDATION_NUMBERS / self.width).clamp(1, VALIDATION_PREDICTIONS)
    }

    /// Keeps the first `count` examples.
    pub(super) fn truncate(&mut self, count: usize) {
        self.features.truncate(count * self.width);
        self.labels.truncate(count);
    }

    /// Appends the features of example `index` to a vector.
    pub(crate) fn append_row(&self, index: usize, to: &mut Vec<f32>) {
        self.features.append_to(index * self.width..(index + 1) * self.width, to);
    }

    /// The features of example `index`.
    #[cfg(test)]
    pub(crate) fn row(&self, index: usize) -> Vec<f32> {
        let mut row = Vec::new();
        self.append_row(index, &mut row);
        row
    }
}

/// All examples of a source, before they are split.
pub(super) struct LabelledRows {
    pub(super) rows: Rows,
    pub(super) classes: usize,
    pub(super) image: Option<ImageShape>,
}

/// Row data split into training and validation.
#[derive(Clone, Debug)]
pub(crate) struct RowData {
    /// The examples training draws from.
    pub(crate) train: Rows,
    /// The examples the loss is measured on.
    pub(crate) validation: Rows,
    /// Number of classes.
    pub(crate) classes: usize,
    /// The shape of a row, where it is an image.
    pub(crate) image: Option<ImageShape>,
}

impl LabelledRows {
    /// Sets aside a seeded fifth of the rows (at most 2,048, and a gibi of numbers) for validation.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] on `data` when there are fewer than 5 rows.
    pub(super) fn split(self, seed: Seed) -> Result<RowData, EvaluatorError> {
        let count = self.rows.labels.len();
        if count < VALIDATION_SHARE {
            return Err(EvaluatorError::config(
                "data",
                format!("{count} examples are too few to set some aside for validation"),
            ));
        }
        let order = shuffled(count, seed);
        let validation = (count / VALIDATION_SHARE).min(self.rows.most_validated());
        let (validation, train) = order.split_at(validation);
        Ok(RowData {
            train: self.rows.select(train),
            validation: self.rows.select(validation),
            classes: self.classes,
            image: self.image,
        })
    }

    /// Takes all rows for training and a seeded part (at most 2,048) of others for validation.
    pub(super) fn validated_by(self, others: &Rows, seed: Seed) -> RowData {
        let mut order = shuffled(others.labels.len(), seed);
        order.truncate(others.most_validated());
        let train = self.rows.select(&shuffled(self.rows.labels.len(), seed));
        RowData {
            train,
            validation: others.select(&order),
            classes: self.classes,
            image: self.image,
        }
    }
}

impl RowData {
    /// Sets a share of the training examples aside, one at least and as many as are validated on at
    /// most; `None` where no other would be left.
    pub(crate) fn set_aside(&mut self, share: f64) -> Option<Rows> {
        let count = self.train.labels.len();
        let aside = super::part(count, share).min(self.train.most_validated());
        if aside == count {
            return None;
        }
        // They are in a seeded order.
        let indices: Vec<usize> = (count - aside..count).collect();
        let rows = self.train.select(&indices);
        self.train.truncate(count - aside);
        Some(rows)
    }
}

/// The numbers below `count` in a seeded order.
fn shuffled(count: usize, seed: Seed) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut rng = seed.stream("split", 0);
    for last in (1..count).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: u16) -> LabelledRows {
        LabelledRows {
            rows: Rows {
                features: Features::Numbers((0..count).map(f32::from).collect()),
                width: 1,
                labels: vec![0; usize::from(count)],
            },
            classes: 1,
            image: None,
        }
    }

    #[test]
    fn the_split_is_seeded_disjoint_and_complete() {
        let data = numbered(100).split(Seed(1)).expect("enough rows");
        let rows =
            |rows: &Rows| (0..rows.labels.len()).flat_map(|i| rows.row(i)).collect::<Vec<_>>();
        let mut all = [rows(&data.train), rows(&data.validation)].concat();
        all.sort_by(f32::total_cmp);
        assert_eq!(all, rows(&numbered(100).rows));
        assert_eq!(data.validation.labels.len(), 20);
        let again = numbered(100).split(Seed(1)).expect("enough rows");
        assert_eq!(data.train, again.train);
        let other = numbered(100).split(Seed(2)).expect("enough rows");
        assert_ne!(data.train, other.train);
    }

    #[test]
    fn what_is_set_aside_is_not_trained_on() {
        let mut data = numbered(100).split(Seed(1)).expect("enough rows");
        let before = data.train.clone();
        let aside = data.set_aside(0.25).expect("others are left");
        assert_eq!((aside.labels.len(), data.train.labels.len()), (20, 60));
        let rows =
            |rows: &Rows| (0..rows.labels.len()).flat_map(|i| rows.row(i)).collect::<Vec<_>>();
        assert_eq!([rows(&data.train), rows(&aside)].concat(), rows(&before));
        let mut two = numbered(5).split(Seed(1)).expect("enough rows");
        two.train.truncate(1);
        assert_eq!(two.set_aside(0.1), None);
    }

    #[test]
    fn too_few_rows_are_refused() {
        assert!(numbered(4).split(Seed(0)).is_err());
    }
}
