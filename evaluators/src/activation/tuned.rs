//! Tuning: of the runs on a task those with the learning rate that suits an activation best.
//!
//! Invariant: every activation, the baseline's included, is tuned over the same multiples by this
//! one rule. The mean over all of them would reward an activation for the scale of its slopes,
//! which a user's own tuning takes out. A multiple that cannot be trained with is none to choose,
//! and has no runs here.

use crate::{RunResult, TaskRuns};

/// The repeats with the multiple of the lowest mean loss, the first of several; none of no runs.
pub fn tuned_runs(runs: &TaskRuns) -> &[RunResult] {
    let multiples = runs.runs.chunk_by(|a, b| a.multiple == b.multiple);
    multiples.min_by(|a, b| mean_loss(a).total_cmp(&mean_loss(b))).unwrap_or_default()
}

/// The mean loss of these repeats, NaN of none.
pub(super) fn tuned_loss(runs: &TaskRuns) -> f64 {
    mean_loss(tuned_runs(runs))
}

fn mean_loss(runs: &[RunResult]) -> f64 {
    runs.iter().map(|run| run.loss).sum::<f64>() / runs.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_multiple_of_the_lowest_mean_counts_with_all_its_repeats() {
        let run = |(multiple, repeat, loss)| RunResult { multiple, repeat, loss, course: vec![] };
        let runs = [(0.4, 0, 0.5), (0.4, 1, 0.1), (1.0, 0, 0.2), (1.0, 1, 0.3)].map(run);
        let runs = TaskRuns { task: "task".to_owned(), runs: runs.to_vec() };
        assert_eq!(tuned_runs(&runs), &runs.runs[2..]);
        assert_eq!(tuned_loss(&runs), 0.25);
        let none = TaskRuns { task: "task".to_owned(), runs: Vec::new() };
        assert!(tuned_runs(&none).is_empty() && tuned_loss(&none).is_nan());
    }
}
