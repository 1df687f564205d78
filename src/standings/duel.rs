//! A duel: a program against one rival on every task, or against another on each.
//!
//! Invariant: a win or a loss is one that chance explains in at most one comparison of twenty,
//! over all tasks together; everything else is a tie. The rival's final loss is the target, taken
//! anew on every resample, so the rival's luck is in the interval too.

use evo_evaluators::Study;
use evo_statistics::{Bootstrap, Estimate, holm, wilcoxon};
use serde::Serialize;

use super::every_seed;

/// The most that chance may explain of a win or a loss.
const SIGNIFICANCE: f64 = 0.05;

/// The fewest seeds with which a win on one of so many tasks can be told from chance: of n seeds,
/// the least p is 2 / 2^n.
pub fn fewest_seeds(tasks: usize) -> u32 {
    let least = |seeds: &u32| tasks as f64 * libm::exp2(1.0 - f64::from(*seeds)) <= SIGNIFICANCE;
    (1..).find(least).expect("p halves with every seed")
}

/// A program against its rivals.
#[derive(Clone, Debug, Serialize)]
pub struct Duel {
    /// The mean over tasks and seeds of ln(rival's loss / loss); `None` where a run was stopped.
    pub gain: Option<Estimate>,
    /// The geometric mean over tasks of the steps to the rival's final loss, by those that the
    /// rival takes. Infinite where one is not reached; `None` where a run was stopped.
    pub steps: Option<Estimate>,
    /// Tasks on which the rival's final loss is reached.
    pub reached: usize,
    /// Tasks won.
    pub wins: usize,
    /// Tasks neither won nor lost.
    pub ties: usize,
    /// Tasks lost; one that cannot be trained is.
    pub losses: usize,
    /// Task by task.
    pub tasks: Vec<DuelOnTask>,
}

/// A program against a rival on a task.
#[derive(Clone, Debug, Serialize)]
pub struct DuelOnTask {
    /// The task.
    pub task: String,
    /// The mean over seeds of ln(rival's loss / loss); `None` where a run was stopped.
    pub gain: Option<Estimate>,
    /// How often chance gives differences at least as large, by the exact signed-rank test over
    /// seeds, corrected after Holm for the number of tasks.
    pub p: Option<f64>,
    /// Which of the two has lower losses.
    pub verdict: Verdict,
    /// Steps to the rival's final loss by the steps that the rival takes to it.
    pub steps: Option<f64>,
}

/// Which of two programs has lower losses on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// The program.
    Win,
    /// Chance explains the difference.
    Tie,
    /// The rival.
    Loss,
}

impl Duel {
    /// The duel of a program with a rival on each of these tasks.
    pub(super) fn of(
        tasks: &[String],
        own: &[Study],
        rivals: &[&Study],
        bootstrap: &Bootstrap,
    ) -> Duel {
        let pairs: Vec<(&Study, &Study)> = own.iter().zip(rivals.iter().copied()).collect();
        let differences: Vec<Option<Vec<f64>>> =
            pairs.iter().map(|(own, rival)| own.gains_over(rival)).collect();
        let trained: Vec<&Vec<f64>> = differences.iter().flatten().collect();
        let mut corrected =
            holm(&trained.iter().map(|it| wilcoxon(it)).collect::<Vec<_>>()).into_iter();
        let on_tasks: Vec<DuelOnTask> = tasks
            .iter()
            .zip(pairs.iter().zip(&differences))
            .map(|(task, (&(own, rival), differences))| {
                let p = differences.as_ref().and_then(|_| corrected.next());
                let gain = differences.as_ref().and_then(|it| bootstrap.mean(it));
                let verdict = verdict(differences.as_deref(), p, own);
                let steps = ratio(own, rival, &every_seed(own));
                DuelOnTask { task: task.clone(), gain, p, verdict, steps }
            })
            .collect();
        let count = |verdict| on_tasks.iter().filter(|it| it.verdict == verdict).count();
        Duel {
            gain: mean_gain(&differences, bootstrap),
            steps: mean_steps(&pairs, bootstrap),
            reached: on_tasks.iter().filter(|it| it.steps.is_some()).count(),
            wins: count(Verdict::Win),
            ties: count(Verdict::Tie),
            losses: count(Verdict::Loss),
            tasks: on_tasks,
        }
    }
}

fn verdict(differences: Option<&[f64]>, p: Option<f64>, own: &Study) -> Verdict {
    let (Some(differences), Some(p)) = (differences, p) else {
        // Of two that cannot train nobody wins.
        return if own.loss().is_some() { Verdict::Win } else { Verdict::Loss };
    };
    match differences.iter().sum::<f64>() {
        _ if p > SIGNIFICANCE => Verdict::Tie,
        sum if sum > 0.0 => Verdict::Win,
        _ => Verdict::Loss,
    }
}

fn mean_gain(differences: &[Option<Vec<f64>>], bootstrap: &Bootstrap) -> Option<Estimate> {
    let differences: Option<Vec<&Vec<f64>>> = differences.iter().map(Option::as_ref).collect();
    bootstrap.mean_of_groups(&differences?)
}

fn mean_steps(pairs: &[(&Study, &Study)], bootstrap: &Bootstrap) -> Option<Estimate> {
    if pairs.iter().any(|(own, rival)| own.loss().and(rival.loss()).is_none()) {
        return None;
    }
    let sizes: Vec<usize> = pairs.iter().map(|(own, _)| own.runs.len()).collect();
    bootstrap.of_groups(&sizes, |seeds| {
        let of_task = |(&(own, rival), seeds): (&(&Study, &Study), &Vec<usize>)| {
            ratio(own, rival, seeds).map_or(f64::INFINITY, libm::log)
        };
        libm::exp(pairs.iter().zip(seeds).map(of_task).sum::<f64>() / pairs.len() as f64)
    })
}

/// Steps to the rival's final loss by the steps that the rival takes to it, over these seeds of
/// both.
fn ratio(own: &Study, rival: &Study, seeds: &[usize]) -> Option<f64> {
    let course = rival.mean_course(seeds);
    let &(_, target) = course.last()?;
    let (steps, _) = course.iter().find(|(_, loss)| *loss <= target)?;
    Some(own.steps_to(target, seeds)? as f64 / *steps as f64)
}
