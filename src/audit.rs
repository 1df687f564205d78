//! Audits: how far a way to score programs tells which are better on the tasks that count.
//!
//! Invariant: a way is judged by ranks over one panel of programs, each with a figure on the target
//! tasks that was found without it. What cannot be trained stands behind everything else and is not
//! left out: a proxy that trains what the targets cannot, or the other way round, is wrong.

use evo_hashes::Seed;
use evo_statistics::{Bootstrap, Estimate, kendall_interval, top_k_regret};
use serde::Serialize;

/// How many of the best by the proxy are looked at.
pub const TOP: [usize; 3] = [1, 3, 10];

/// What each program of a panel adds to a fitness on a task, and what that cost.
#[derive(Clone, Debug)]
pub struct TaskGains {
    /// The task.
    pub task: String,
    /// ln(baseline loss / loss) by program; minus infinity for one that cannot train it.
    pub gains: Vec<f64>,
    /// Seconds of an evaluation on a thread of its own, the mean over the programs.
    pub seconds: f64,
}

/// How far ranks by some tasks can be trusted.
#[derive(Clone, Debug, Serialize)]
pub struct Trust {
    /// Programs that it has a fitness for.
    pub trained: usize,
    /// Kendall's tau-b between fitness and the figures on the targets, with an interval over the
    /// programs; `None` where all tie.
    pub tau: Option<Estimate>,
    /// By how much the best program is better on the targets than the best of the first [`TOP`] by
    /// fitness.
    pub regret: [Option<f64>; 3],
    /// By how much the fittest program is ahead of the median; `None` where half of them are not
    /// trained. The mean of tasks goes by the one of the longest lead.
    pub lead: Option<f64>,
    /// Seconds of an evaluation on one thread.
    pub seconds: f64,
}

/// How far a way to score can be trusted, as a whole and by its parts.
#[derive(Clone, Debug, Serialize)]
pub struct AuditedWay {
    /// What differs from the configuration.
    pub way: String,
    /// With all tasks.
    pub whole: Trust,
    /// With each task alone.
    pub alone: Vec<(String, Trust)>,
    /// With all but each task; empty where there is one only.
    pub without: Vec<(String, Trust)>,
}

impl AuditedWay {
    /// The audit of a way by what the panel comes to on its tasks, and on the targets.
    ///
    /// # Panics
    /// When there is no task, or not a figure for each program.
    pub fn of(way: &str, tasks: &[TaskGains], targets: &[f64]) -> AuditedWay {
        let trust = |kept: &[&TaskGains]| Trust::of(kept, targets);
        let all: Vec<&TaskGains> = tasks.iter().collect();
        let without = |left: usize| {
            let kept: Vec<&TaskGains> =
                (0..tasks.len()).filter(|&it| it != left).map(|it| &tasks[it]).collect();
            (tasks[left].task.clone(), trust(&kept))
        };
        let several = if tasks.len() > 1 { tasks.len() } else { 0 };
        AuditedWay {
            way: way.to_owned(),
            whole: trust(&all),
            alone: tasks.iter().map(|it| (it.task.clone(), trust(&[it]))).collect(),
            without: (0..several).map(without).collect(),
        }
    }
}

impl Trust {
    fn of(tasks: &[&TaskGains], targets: &[f64]) -> Trust {
        let fitness: Vec<f64> = (0..targets.len())
            .map(|program| {
                tasks.iter().map(|it| it.gains[program]).sum::<f64>() / tasks.len() as f64
            })
            .collect();
        let bootstrap = Bootstrap::new(Seed(0).derive("audit"));
        // Regrets are finite: what cannot be trained is as bad as what is worst.
        let worst = targets.iter().copied().filter(|it| it.is_finite()).fold(f64::NAN, f64::min);
        let bounded: Vec<f64> = targets.iter().map(|it| it.max(worst)).collect();
        Trust {
            trained: fitness.iter().filter(|it| it.is_finite()).count(),
            tau: kendall_interval(&fitness, targets, &bootstrap),
            regret: TOP.map(|k| top_k_regret(&fitness, &bounded, k)),
            lead: lead(&fitness),
            seconds: tasks.iter().map(|it| it.seconds).sum(),
        }
    }
}

fn lead(fitness: &[f64]) -> Option<f64> {
    let mut sorted = fitness.to_vec();
    sorted.sort_by(f64::total_cmp);
    let lead = sorted.last()? - sorted[sorted.len() / 2];
    lead.is_finite().then_some(lead)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gains(task: &str, gains: [f64; 4]) -> TaskGains {
        TaskGains { task: task.to_owned(), gains: gains.to_vec(), seconds: 0.5 }
    }

    #[test]
    fn a_way_is_audited_as_a_whole_by_task_and_without_each() {
        let never = f64::NEG_INFINITY;
        let targets = [0.3, 0.2, 0.1, never];
        let tasks = [gains("right", [3.0, 2.0, 1.0, never]), gains("wrong", [0.0, 1.0, 3.0, 4.0])];
        let audited = AuditedWay::of("as configured", &tasks, &targets);
        let tau = |trust: &Trust| trust.tau.expect("not all tie").value;
        assert_eq!(tau(&audited.alone[0].1), 1.0);
        assert_eq!(tau(&audited.alone[1].1), -1.0);
        assert_eq!(audited.alone[1].1.regret, [Some(0.3 - 0.1), Some(0.3 - 0.2), Some(0.0)]);
        assert_eq!((audited.whole.trained, audited.whole.seconds), (3, 1.0));
        assert_eq!(audited.alone[0].1.lead, Some(3.0 - 2.0));
        assert_eq!(audited.alone[1].1.lead, Some(4.0 - 3.0));
        assert_eq!(audited.without[0].0, "right");
        assert_eq!(tau(&audited.without[0].1), -1.0, "without it the wrong one is left");
        let one = AuditedWay::of("one", &tasks[..1], &targets);
        assert!(one.without.is_empty());
    }
}
