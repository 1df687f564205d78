//! The training step of the MLP as one straight function on the `gemm` crate, without candle.
//!
//! Invariant: it does the work of a step of [`Steps`](evo_evaluators::Steps), batch, loss and AdamW
//! included; [`ByHand::follows`] says whether its losses are those of a recorded run. It is what a
//! step could cost if nothing were paid for being able to train other networks and programs.

use evo_evaluators::{RecordedBatch, Recording};
use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

const INPUTS: usize = 64;
const HIDDEN: usize = 32;
const CLASSES: usize = 10;
const BATCH: usize = 64;

/// Where a leaf ends in the flat vector.
const W1: usize = INPUTS * HIDDEN;
const B1: usize = W1 + HIDDEN;
const W2: usize = B1 + HIDDEN * CLASSES;
const B2: usize = W2 + CLASSES;

/// The network 64-32-10 with batches of 64, and AdamW as the zoo has it.
pub(crate) struct ByHand {
    features: Vec<f32>,
    labels: Vec<u32>,
    batches: StreamRng,
    weights: Vec<f32>,
    gradient: Vec<f32>,
    first_moment: Vec<f32>,
    second_moment: Vec<f32>,
    step: i32,
    batch: Vec<f32>,
    targets: Vec<usize>,
    hidden: Vec<f32>,
    logits: Vec<f32>,
    hidden_gradient: Vec<f32>,
}

impl ByHand {
    /// Training from where a recorded run starts, on the rows of its batches.
    pub(crate) fn new(recording: &Recording) -> Self {
        let (mut features, mut labels) = (Vec::new(), Vec::new());
        for batch in &recording.batches {
            let RecordedBatch::Rows { features: rows, labels: of_rows } = batch else {
                panic!("the MLP reads rows");
            };
            features.extend_from_slice(rows);
            labels.extend_from_slice(of_rows);
        }
        let weights: Vec<f32> =
            recording.leaves.iter().flat_map(|leaf| leaf.weights.iter().copied()).collect();
        assert_eq!(weights.len(), B2, "the network is 64-32-10");
        Self {
            features,
            labels,
            batches: Seed(0).stream("batches", 0),
            gradient: vec![0.0; B2],
            first_moment: vec![0.0; B2],
            second_moment: vec![0.0; B2],
            weights,
            step: 0,
            batch: vec![0.0; BATCH * INPUTS],
            targets: vec![0; BATCH],
            hidden: vec![0.0; BATCH * HIDDEN],
            logits: vec![0.0; BATCH * CLASSES],
            hidden_gradient: vec![0.0; BATCH * HIDDEN],
        }
    }

    /// Whether its losses on the recorded batches are the recorded ones up to rounding.
    pub(crate) fn follows(recording: &Recording) -> bool {
        let mut by_hand = Self::new(recording);
        recording.losses.iter().enumerate().all(|(step, loss)| {
            let found = by_hand.train(|place| step * BATCH + place);
            (f64::from(found) - loss).abs() <= 1e-5 * loss
        })
    }

    /// One training step on a batch that is drawn; the loss before it.
    pub(crate) fn step(&mut self) -> f32 {
        let (mut batches, count) = (self.batches.clone(), self.labels.len());
        let loss = self.train(|_| batches.random_range(0..count));
        self.batches = batches;
        loss
    }

    /// One training step on the rows that `row` gives for the places of a batch.
    fn train(&mut self, mut row: impl FnMut(usize) -> usize) -> f32 {
        let places = self.batch.chunks_exact_mut(INPUTS).zip(&mut self.targets).enumerate();
        for (place, (features, target)) in places {
            let index = row(place);
            features.copy_from_slice(&self.features[index * INPUTS..][..INPUTS]);
            *target = self.labels[index] as usize;
        }
        let (w1, rest) = self.weights.split_at(W1);
        let (b1, rest) = rest.split_at(B1 - W1);
        let (w2, b2) = rest.split_at(W2 - B1);
        multiply(&mut self.hidden, [BATCH, INPUTS, HIDDEN], (&self.batch, false), (w1, false));
        for row in self.hidden.chunks_exact_mut(HIDDEN) {
            for (z, &bias) in row.iter_mut().zip(b1) {
                *z = (*z + bias).max(0.0);
            }
        }
        multiply(&mut self.logits, [BATCH, HIDDEN, CLASSES], (&self.hidden, false), (w2, false));
        let loss = cross_entropy(&mut self.logits, b2, &self.targets);

        let (dw1, rest) = self.gradient.split_at_mut(W1);
        let (db1, rest) = rest.split_at_mut(B1 - W1);
        let (dw2, db2) = rest.split_at_mut(W2 - B1);
        multiply(dw2, [HIDDEN, BATCH, CLASSES], (&self.hidden, true), (&self.logits, false));
        sum_rows(db2, &self.logits);
        let sizes = [BATCH, CLASSES, HIDDEN];
        multiply(&mut self.hidden_gradient, sizes, (&self.logits, false), (w2, true));
        for (dz, &h) in self.hidden_gradient.iter_mut().zip(&self.hidden) {
            *dz = if h > 0.0 { *dz } else { 0.0 };
        }
        multiply(dw1, [INPUTS, BATCH, HIDDEN], (&self.batch, true), (&self.hidden_gradient, false));
        sum_rows(db1, &self.hidden_gradient);
        self.update();
        loss
    }

    fn update(&mut self) {
        self.step += 1;
        let correction = |beta: f64| (1.0 / (1.0 - libm::pow(beta, f64::from(self.step)))) as f32;
        let (first, second) = (correction(0.9), correction(0.999));
        let moments = self.first_moment.iter_mut().zip(&mut self.second_moment);
        for ((w, &g), (m, v)) in self.weights.iter_mut().zip(&self.gradient).zip(moments) {
            *m = 0.1 * g + 0.9 * *m;
            *v = 0.001 * (g * g) + 0.999 * *v;
            *w -= 0.001 * (*m * first / ((*v * second).sqrt() + 1e-8) + 0.01 * *w);
        }
    }
}

/// Adds the bias and replaces the logits by their gradient; the mean loss.
#[expect(clippy::disallowed_methods, reason = "the step is timed, and its bits decide nothing")]
fn cross_entropy(logits: &mut [f32], bias: &[f32], targets: &[usize]) -> f32 {
    let mut loss = 0.0;
    for (row, &target) in logits.chunks_exact_mut(CLASSES).zip(targets) {
        let mut largest = f32::NEG_INFINITY;
        for (z, &bias) in row.iter_mut().zip(bias) {
            *z += bias;
            largest = largest.max(*z);
        }
        let of_target = row[target] - largest;
        let mut sum = 0.0;
        for z in row.iter_mut() {
            *z = (*z - largest).exp();
            sum += *z;
        }
        loss += sum.ln() - of_target;
        row.iter_mut().for_each(|z| *z *= 1.0 / (sum * BATCH as f32));
        row[target] -= 1.0 / BATCH as f32;
    }
    loss / BATCH as f32
}

fn sum_rows(sums: &mut [f32], rows: &[f32]) {
    sums.fill(0.0);
    for row in rows.chunks_exact(sums.len()) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}

/// out = a·b of sizes rows × inner and inner × columns; an operand marked is stored transposed.
#[allow(unsafe_code)]
fn multiply(
    out: &mut [f32],
    [rows, inner, columns]: [usize; 3],
    (a, a_transposed): (&[f32], bool),
    (b, b_transposed): (&[f32], bool),
) {
    assert!(out.len() == rows * columns && a.len() == rows * inner && b.len() == inner * columns);
    let strides = |rows: usize, columns: usize, transposed| {
        if transposed { (rows as isize, 1) } else { (1, columns as isize) }
    };
    let ((a_column, a_row), (b_column, b_row)) =
        (strides(rows, inner, a_transposed), strides(inner, columns, b_transposed));
    // SAFETY: the slices hold the numbers the sizes and strides speak of, and `out` is not read.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            columns as isize,
            false,
            a.as_ptr(),
            a_column,
            a_row,
            b.as_ptr(),
            b_column,
            b_row,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
