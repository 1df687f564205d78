//! Runs: what a score is the mean of, one training each.
//!
//! Invariant: all runs on one task have their losses at the same stated steps, so a course is
//! averaged place by place. Losses on the way say how a program trains and never enter its
//! fitness.

use serde::{Deserialize, Deserializer, Serialize};

/// The runs on one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRuns {
    /// The name of the task; empty where an earlier version stored the losses alone.
    pub task: String,
    /// For each multiple of the learning rate its repeats.
    pub runs: Vec<RunResult>,
}

/// What one run on a task came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The multiple of the task's learning rate; NaN where an earlier version stored the loss
    /// alone.
    pub multiple: f64,
    /// The repeat, from 0; where an earlier version stored the loss alone, the place in its list.
    pub repeat: u32,
    /// The validation loss behind the last step.
    pub loss: f64,
    /// The validation losses at the stated steps before that: the steps made, rising, and the loss
    /// behind them, which need not be finite.
    pub course: Vec<(u64, f64)>,
}

impl TaskRuns {
    /// The mean loss of the runs, NaN of none.
    pub fn loss(&self) -> f64 {
        mean(self.runs.iter().map(|run| run.loss))
    }

    /// The stated steps, each with the mean loss of the runs there.
    pub fn course(&self) -> Vec<(u64, f64)> {
        let stated = self.runs.first().map_or(&[][..], |run| &run.course);
        let at = |(place, &(step, _)): (usize, &(u64, f64))| {
            let loss = |run: &RunResult| run.course.get(place).map_or(f64::NAN, |it| it.1);
            (step, mean(self.runs.iter().map(loss)))
        };
        stated.iter().enumerate().map(at).collect()
    }

    /// The first stated step at which the mean loss is at or below a target.
    pub fn steps_to(&self, target: f64) -> Option<u64> {
        self.course().into_iter().find(|(_, loss)| *loss <= target).map(|(step, _)| step)
    }
}

fn mean(losses: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = losses.len();
    losses.sum::<f64>() / count as f64
}

/// Reads runs, also those of earlier versions: bare losses, a list for each task.
pub(crate) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<TaskRuns>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Runs(TaskRuns),
        Losses(Vec<f64>),
    }
    // Formats that do not describe themselves came later and hold no bare losses.
    if !from.is_human_readable() {
        return Vec::deserialize(from);
    }
    let stored = Vec::<Stored>::deserialize(from)?;
    let runs = |stored| match stored {
        Stored::Runs(runs) => runs,
        Stored::Losses(losses) => TaskRuns {
            task: String::new(),
            runs: (0..)
                .zip(losses)
                .map(|(repeat, loss)| RunResult::of_loss(repeat, loss))
                .collect(),
        },
    };
    Ok(stored.into_iter().map(runs).collect())
}

impl RunResult {
    fn of_loss(repeat: u32, loss: f64) -> RunResult {
        RunResult { multiple: f64::NAN, repeat, loss, course: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, Score};

    fn run(multiple: f64, repeat: u32, loss: f64, course: &[(u64, f64)]) -> RunResult {
        RunResult { multiple, repeat, loss, course: course.to_vec() }
    }

    fn scored(runs: Vec<TaskRuns>) -> Outcome {
        Outcome::Scored(Score { runs, ..Score::new(0.25, vec![0.1, 0.2]) })
    }

    #[test]
    fn outcomes_read_back_to_the_bit_whatever_the_losses_on_the_way() {
        let awkward =
            [(1, f64::INFINITY), (2, f64::NEG_INFINITY), (1 << 60, 0.1), (1 << 61, 1e300)];
        let runs = vec![
            TaskRuns {
                task: "a \"task\"".to_owned(),
                runs: vec![run(0.4, 0, 1.0 / 3.0, &awkward), run(2.5, u32::MAX, 1.0, &awkward)],
            },
            TaskRuns { task: "none".to_owned(), runs: Vec::new() },
            TaskRuns { task: "short".to_owned(), runs: vec![run(1.0, 0, 5e-324, &[])] },
        ];
        let outcome = scored(runs);
        let text = ron::to_string(&outcome).expect("RON writes any outcome");
        assert_eq!(ron::from_str::<Outcome>(&text).expect("it was just written"), outcome);
        let bytes = postcard::to_stdvec(&outcome).expect("postcard writes any outcome");
        assert_eq!(postcard::from_bytes::<Outcome>(&bytes).expect("it was just written"), outcome);
        let nan = scored(vec![TaskRuns {
            task: "t".to_owned(),
            runs: vec![run(1.0, 0, 0.5, &[(3, f64::NAN)])],
        }]);
        let text = ron::to_string(&nan).expect("RON writes any outcome");
        let Ok(Outcome::Scored(read)) = ron::from_str(&text) else { panic!("{text}") };
        assert!(read.runs[0].runs[0].course[0].1.is_nan());
    }

    #[test]
    fn outcomes_of_earlier_versions_are_read_with_bare_losses_or_without_runs() {
        let read = |text: &str| match ron::from_str(text) {
            Ok(Outcome::Scored(score)) => score,
            other => panic!("{other:?}"),
        };
        let bare = "Scored((fitness:0.25,losses:[0.15000000000000002,0.3],\
                    runs:[[0.1,0.2],[0.30000000000000004,1]],stages:[0.5]))";
        let score = read(bare);
        let losses = |task: usize| -> Vec<(u32, u64)> {
            let runs = score.runs[task].runs.iter();
            runs.map(|run| (run.repeat, run.loss.to_bits())).collect()
        };
        assert_eq!(losses(0), [(0, 0.1_f64.to_bits()), (1, 0.2_f64.to_bits())]);
        assert_eq!(losses(1), [(0, 0.30000000000000004_f64.to_bits()), (1, 1.0_f64.to_bits())]);
        assert!(score.runs[0].task.is_empty() && score.runs[0].runs[0].multiple.is_nan());
        assert_eq!((score.stages, score.runs.len()), (vec![0.5], 2));
        assert_eq!(read("Scored((fitness:0.25,losses:[0.1]))").runs, []);
        assert_eq!(read("Scored((fitness:0.25,losses:[0.1],runs:[]))").runs, []);
    }

    #[test]
    fn steps_to_a_target_are_those_of_the_mean_at_the_stated_steps() {
        let runs = TaskRuns {
            task: "task".to_owned(),
            runs: vec![
                run(0.4, 0, 0.5, &[(10, 3.0), (20, 1.0), (30, 2.0)]),
                run(1.0, 0, 0.25, &[(10, 1.0), (20, 0.5), (30, 0.5)]),
            ],
        };
        assert_eq!(runs.loss(), 0.375);
        assert_eq!(runs.course(), [(10, 2.0), (20, 0.75), (30, 1.25)]);
        let steps = [2.5, 2.0, 1.25, 0.75, 0.7, 0.375].map(|target| runs.steps_to(target));
        assert_eq!(steps, [Some(10), Some(10), Some(20), Some(20), None, None]);
        let nan = TaskRuns { runs: vec![run(1.0, 0, 0.5, &[(10, f64::NAN), (20, 0.5)])], ..runs };
        assert_eq!(nan.steps_to(1.0), Some(20));
        let none = TaskRuns { task: "task".to_owned(), runs: Vec::new() };
        assert_eq!((none.course(), none.steps_to(1.0)), (vec![], None));
    }
}
