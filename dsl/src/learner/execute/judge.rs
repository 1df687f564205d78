//! How predictions are judged: a block at a time, with sums in registers.

use std::cell::Cell;

use super::kernel::{Row, Rows, splat, zip};
use super::lanes::Line;
use super::run::Phase;
use super::watch::Watch;
use crate::learner::{LearnerLoss, LearnerTraining};

/// What the predictions of a learner have come to.
pub(super) struct Verdict<const K: usize> {
    /// 1 in the lanes in which an error was too large.
    bad: Row<K>,
    /// The losses in validation.
    sums: Row<K>,
}

impl<const K: usize> Verdict<K> {
    /// Of learners on so many tasks. Lanes behind the last of them count as bad from the beginning,
    /// so that none of them keeps an evaluation from its end.
    pub(super) fn new(tasks: usize) -> Verdict<K> {
        let mut bad: Row<K> = splat(0.0);
        let lanes = bad.iter_mut().flat_map(|line| &mut line.0);
        lanes.skip(tasks).for_each(|bad| *bad = 1.0);
        Verdict { bad, sums: splat(0.0) }
    }

    /// Begins a sum of losses.
    pub(super) fn begin(&mut self) {
        self.sums = splat(0.0);
    }

    /// Takes in the predictions of some examples.
    #[inline(always)]
    pub(super) fn judge<'e>(
        &mut self,
        phase: Phase,
        training: LearnerTraining,
        labels: impl Iterator<Item = &'e Cell<Row<K>>>,
        predictions: &Rows<K>,
        watch: &mut Option<&mut Watch>,
    ) {
        match training.loss {
            LearnerLoss::RootMeanSquare => {
                self.judge_square(training.most_error, labels, predictions);
            }
            LearnerLoss::Accuracy => {
                for (label, prediction) in labels.zip(predictions) {
                    self.judge_side(phase, training.most_error, &label.get(), &prediction.get());
                }
            }
        }
        if let Some(watch) = watch {
            predictions.iter().for_each(|prediction| watch.note(&prediction.get()));
        }
    }

    #[inline(always)]
    fn judge_square<'e>(
        &mut self,
        most_error: f64,
        labels: impl Iterator<Item = &'e Cell<Row<K>>>,
        predictions: &Rows<K>,
    ) {
        let (mut bad, mut sums) = (self.bad, self.sums);
        for (label, prediction) in labels.zip(predictions) {
            let (label, prediction) = (label.get(), prediction.get());
            for line in 0..K {
                for lane in 0..Line::LANES {
                    let error = label[line].0[lane] - prediction[line].0[lane];
                    let is_bad = &mut bad[line].0[lane];
                    *is_bad = if error.abs() <= most_error { *is_bad } else { 1.0 };
                    // In training too, where nobody asks for it: that is no branch.
                    sums[line].0[lane] += error * error;
                }
            }
        }
        (self.bad, self.sums) = (bad, sums);
    }

    /// Where the side of one half counts; in training predictions are probabilities.
    #[inline(never)]
    fn judge_side(&mut self, phase: Phase, most_error: f64, label: &Row<K>, prediction: &Row<K>) {
        let is_bad = |bad, error: f64| if error <= most_error { bad } else { 1.0 };
        let errors = match phase {
            Phase::Train => zip(label, prediction, |label, it| (label - it).abs()),
            Phase::Validate => {
                zip(label, prediction, |label, it| LearnerLoss::Accuracy.of(label, it))
            }
        };
        self.sums = zip(&self.sums, &errors, |sum, loss| sum + loss);
        self.bad = zip(&self.bad, &errors, is_bad);
    }

    /// For every lane the sum of its losses, and whether an error was too large.
    pub(super) fn lanes(&self) -> impl Iterator<Item = (f64, bool)> {
        let bad = self.bad.iter().flat_map(|line| line.0).map(|bad| bad > 0.0);
        self.sums.iter().flat_map(|line| line.0).zip(bad)
    }

    /// Whether an error was too large in every lane.
    #[inline(always)]
    pub(super) fn is_over(&self) -> bool {
        self.bad.iter().all(|line| line.0.iter().all(|bad| *bad > 0.0))
    }
}
