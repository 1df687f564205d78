//! Rates: what the runs with several learning rates come to.
//!
//! Invariant: everything that is judged by the best of the rates, baselines included, is tuned over
//! the same multiples by this one rule. A mean over all of them rewards a program for a scale that
//! a user's own tuning takes out. A multiple that cannot be trained with is then none to choose, and
//! has no runs.

use evo_dsl::{Executor, Program};

use super::proxy_task::{ProxyTask, Run};
use super::scoring::Rates;
use super::training::{Watching, train_runs};
use crate::{EvaluatorError, Invalid, RunResult, TaskRuns};

/// What the runs on a task come to, or why there are none.
pub(crate) type Trained = Result<Result<TaskRuns, Invalid>, EvaluatorError>;

impl Rates {
    /// How the runs on a task become its loss.
    pub(crate) fn measure(self) -> fn(&TaskRuns) -> f64 {
        match self {
            Rates::Mean => TaskRuns::loss,
            Rates::Best => tuned_loss,
        }
    }

    /// The parts of the runs on a task that are trained for themselves, `repeats` runs of one
    /// multiple following each other: all of them, or those of each multiple.
    pub(crate) fn parts(self, runs: &[Run], repeats: usize) -> impl Iterator<Item = &[Run]> {
        runs.chunks(match self {
            Rates::Mean => runs.len(),
            Rates::Best => repeats,
        })
    }

    /// Trains the runs on `task` with `program`, each part of them until one of it is stopped.
    pub(crate) fn train(
        self,
        task: &ProxyTask,
        program: &Program,
        (runs, repeats): (&[Run], usize),
        watching: Watching<'_>,
    ) -> Trained {
        let parts = self.parts(runs, repeats).map(|runs| {
            train_runs(task, runs, watching, |run| {
                Executor::new(&run.program(program), &task.layout)
            })
        });
        let parts: Vec<_> = parts.collect::<Result<_, _>>()?;
        Ok(joined(&task.name, parts.into_iter()))
    }
}

/// What the parts of the runs on a task come to together: those that were trained, or the first
/// stop where none were.
pub(crate) fn joined(
    task: &str,
    parts: impl Iterator<Item = Result<TaskRuns, Invalid>>,
) -> Result<TaskRuns, Invalid> {
    let (mut trained, mut stop) = (Vec::new(), None);
    for part in parts {
        match part {
            Ok(runs) => trained.extend(runs.runs),
            Err(invalid) => drop(stop.get_or_insert(invalid)),
        }
    }
    match stop {
        Some(invalid) if trained.is_empty() => Err(invalid),
        _ => Ok(TaskRuns { task: task.to_owned(), runs: trained }),
    }
}

/// The repeats with the multiple of the lowest mean loss, the first of several; none of no runs.
pub fn tuned_runs(runs: &TaskRuns) -> &[RunResult] {
    let multiples = runs.runs.chunk_by(|a, b| a.multiple == b.multiple);
    multiples.min_by(|a, b| mean_loss(a).total_cmp(&mean_loss(b))).unwrap_or_default()
}

/// The mean loss of these repeats, NaN of none.
fn tuned_loss(runs: &TaskRuns) -> f64 {
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
