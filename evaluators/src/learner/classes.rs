//! Classification tasks: two classes of a data set, projected to a few features.
//!
//! Invariant: a task is a function of its stream and the data. The examples that a task validates
//! on are none of those it trains on, and the scale of its features is that of the latter.

use std::path::Path;

use evo_dsl::{LearnerExamples, draw_normal};
use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

use super::LearnerSet;
use crate::data::{Dataset, Rows};
use crate::{DataConfig, EvaluatorError};

/// One part in this many of a task's examples is set aside to validate on.
const SHARE: usize = 5;

/// The fewest examples of a class that make a task.
const FEWEST: usize = 10;

/// A data set by classes.
pub(super) struct Classes {
    width: usize,
    /// Of every class its examples, one behind the other.
    examples: Vec<Vec<f32>>,
    /// Pairs of classes of the last set, and of the others.
    held_out: Vec<(usize, usize)>,
    pairs: Vec<(usize, usize)>,
}

impl Classes {
    /// Loads the data; keys start at `problem`.
    pub(super) fn load(
        data: &DataConfig,
        held_out: &[(u32, u32)],
        base_dir: &Path,
        seed: Seed,
    ) -> Result<Classes, EvaluatorError> {
        let Dataset::Rows(rows) = Dataset::load(data, base_dir, seed, 1)? else {
            let message = "needs data of examples with a class each, as `Digits`";
            return Err(EvaluatorError::config("data", message));
        };
        let mut examples = vec![Vec::new(); rows.classes];
        for part in [&rows.train, &rows.validation] {
            for (index, label) in part.labels.iter().enumerate() {
                Rows::append_row(part, index, &mut examples[*label as usize]);
            }
        }
        let width = rows.train.width;
        let held_out = pairs(held_out, rows.classes)?;
        let enough = |class: usize| examples[class].len() >= FEWEST * width;
        let all = (0..rows.classes).flat_map(|a| (a + 1..rows.classes).map(move |b| (a, b)));
        let pairs: Vec<(usize, usize)> = all
            .filter(|pair| enough(pair.0) && enough(pair.1) && !held_out.contains(pair))
            .collect();
        if pairs.is_empty() {
            let message = format!("no pair of classes with {FEWEST} examples each is left");
            return Err(EvaluatorError::config("held_out_pairs", message));
        }
        if let Some(pair) = held_out.iter().find(|pair| !enough(pair.0) || !enough(pair.1)) {
            let message = format!("classes {pair:?} have fewer than {FEWEST} examples");
            return Err(EvaluatorError::config("held_out_pairs", message));
        }
        // Without a pair held out all sets have the same.
        let held_out = if held_out.is_empty() { pairs.clone() } else { held_out };
        Ok(Classes { width, examples, held_out, pairs })
    }

    /// Draws the examples of a task: those of every epoch, and those to validate on.
    pub(super) fn task(
        &self,
        last: bool,
        n: usize,
        set: &LearnerSet,
        rng: &mut StreamRng,
    ) -> (Vec<LearnerExamples>, LearnerExamples) {
        let pairs = if last { &self.held_out } else { &self.pairs };
        let (a, b) = pairs[rng.random_range(0..pairs.len())];
        let projection: Vec<f64> = (0..self.width * n).map(|_| draw_normal(rng)).collect();
        let mut examples: Vec<(Vec<f64>, f64)> = Vec::new();
        for (class, label) in [(a, 1.0), (b, 0.0)] {
            let pixels = self.examples[class].chunks_exact(self.width);
            examples.extend(pixels.map(|pixels| (project(pixels, &projection, n), label)));
        }
        let order = shuffled(examples.len(), rng);
        let (validation, train) = order.split_at(examples.len() / SHARE);
        standardise(&mut examples, train);
        let take = |indices: &[usize]| LearnerExamples {
            features: indices.iter().flat_map(|&at| examples[at].0.iter().copied()).collect(),
            labels: indices.iter().map(|&at| examples[at].1).collect(),
        };
        let validation = &validation[..validation.len().min(set.validation.get())];
        let epoch = |rng: &mut StreamRng| {
            let mut indices: Vec<usize> = Vec::new();
            while indices.len() < set.examples.get() {
                indices.extend(shuffled(train.len(), rng).into_iter().map(|at| train[at]));
            }
            indices.truncate(set.examples.get());
            take(&indices)
        };
        let epochs = (0..set.epochs.get()).map(|_| epoch(rng)).collect();
        (epochs, take(validation))
    }

    /// The fewest examples that a task may validate on: all tasks of a set have as many.
    pub(super) fn validated(&self) -> usize {
        let pairs = self.pairs.iter().chain(&self.held_out);
        let size = |class: usize| self.examples[class].len() / self.width;
        pairs.map(|&(a, b)| (size(a) + size(b)) / SHARE).min().unwrap_or(0)
    }
}

/// Pairs that are held out, the smaller class first.
fn pairs(stated: &[(u32, u32)], classes: usize) -> Result<Vec<(usize, usize)>, EvaluatorError> {
    let pair = |(index, &(a, b)): (usize, &(u32, u32))| {
        let (a, b) = (a.min(b) as usize, a.max(b) as usize);
        if a == b || b >= classes {
            let message = format!("must be two different classes of the {classes} there are");
            return Err(EvaluatorError::config(format!("held_out_pairs[{index}]"), message));
        }
        Ok((a, b))
    };
    stated.iter().enumerate().map(pair).collect()
}

fn project(pixels: &[f32], projection: &[f64], n: usize) -> Vec<f64> {
    let mut features = vec![0.0; n];
    for (pixel, row) in pixels.iter().zip(projection.chunks_exact(n)) {
        for (feature, weight) in features.iter_mut().zip(row) {
            *feature += f64::from(*pixel) * weight;
        }
    }
    features
}

/// Scales every feature to mean 0 and variance 1 on the examples at some places.
fn standardise(examples: &mut [(Vec<f64>, f64)], train: &[usize]) {
    let count = train.len() as f64;
    for feature in 0..examples[0].0.len() {
        let of = |at: &usize| examples[*at].0[feature];
        let mean = train.iter().map(of).sum::<f64>() / count;
        let squares = train.iter().map(|at| (of(at) - mean) * (of(at) - mean));
        let deviation = (squares.sum::<f64>() / count).sqrt();
        let scale = if deviation > 0.0 { 1.0 / deviation } else { 1.0 };
        for (features, _) in examples.iter_mut() {
            features[feature] = (features[feature] - mean) * scale;
        }
    }
}

/// The numbers below `count` in an order that is drawn.
pub(super) fn shuffled(count: usize, rng: &mut StreamRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
    order
}
