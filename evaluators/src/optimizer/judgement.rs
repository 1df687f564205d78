//! Judgement: what is said of a program beside its fitness.
//!
//! Invariant: nothing here moves a fitness. A fitness is an average over multiples of the learning
//! rate and a draw of initial weights and batches; these say how much of it is either.

use serde::Serialize;

use super::progress::gain;
use crate::{RunResult, TaskRuns};

/// What a program scores with one multiple of the learning rate on all tasks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AtMultiple {
    /// The multiple.
    pub multiple: f64,
    /// The fitness of the runs with it, against the same baseline losses.
    pub fitness: f64,
}

/// The best of the multiples that all tasks were trained with, from every run by task; the first of
/// several, and of none the first multiple with a fitness of minus infinity.
pub(super) fn best_multiple(multiples: &[f64], baselines: &[f64], runs: &[TaskRuns]) -> AtMultiple {
    let at = |multiple: f64| {
        let gains = runs.iter().zip(baselines).map(|(TaskRuns { runs, .. }, &baseline)| {
            let with_it = runs.iter().filter(|run| run.multiple == multiple);
            let losses: Vec<f64> = with_it.map(|run: &RunResult| run.loss).collect();
            match losses.is_empty() {
                true => f64::NEG_INFINITY,
                false => gain(baseline, mean(losses.into_iter())),
            }
        });
        gains.sum::<f64>() / baselines.len() as f64
    };
    let mut best = AtMultiple { multiple: multiples[0], fitness: at(multiples[0]) };
    for &multiple in &multiples[1..] {
        let fitness = at(multiple);
        if fitness > best.fitness {
            best = AtMultiple { multiple, fitness };
        }
    }
    best
}

fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len();
    numbers.sum::<f64>() / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_multiple_is_the_same_on_all_tasks() {
        // Two multiples with two repeats each; the second task is worse at the second multiple.
        let runs = [[1.0, 3.0, 0.5, 0.5], [0.5, 0.5, 0.9, 1.1]].map(|losses| TaskRuns {
            task: "task".to_owned(),
            runs: [(0.4, 0), (0.4, 1), (2.0, 0), (2.0, 1)]
                .into_iter()
                .zip(losses)
                .map(|((multiple, repeat), loss)| RunResult {
                    multiple,
                    repeat,
                    loss,
                    course: Vec::new(),
                })
                .collect(),
        });
        let best = best_multiple(&[0.4, 2.0], &[2.0, 1.0], &runs);
        let expected = AtMultiple { multiple: 2.0, fitness: libm::log(4.0) / 2.0 };
        assert_eq!(best, expected);
    }
}
