//! What a step of each program costs beside a step of the reference.
//!
//! Invariant: clocks are looked at behind all studies, one thread at a time, and nothing but these
//! figures depends on them.

use std::time::Duration;

use evo::{StudyConfig, Workload};

use crate::command::measure;
use crate::command::studies::Named;

/// How long each program is measured on each task.
const BUDGET: Duration = Duration::from_millis(60);

/// Seconds of a step of each program, by task.
pub(super) fn steps(config: &StudyConfig, programs: &[Named]) -> anyhow::Result<Vec<Vec<f64>>> {
    let evaluation = config.evaluation();
    let mut seconds = vec![Vec::with_capacity(config.tasks.len()); programs.len()];
    for task in &config.tasks {
        let workload = Workload::load(&evaluation, task, "".as_ref())?;
        for ((_, program), seconds) in programs.iter().zip(&mut seconds) {
            seconds.push(measure::cost(&workload, program, BUDGET)?.step());
        }
    }
    Ok(seconds)
}

/// The geometric mean over tasks of the seconds of a step by those of the reference.
pub(in crate::command) fn relative(own: &[f64], reference: &[f64]) -> f64 {
    let logarithms = own.iter().zip(reference).map(|(own, other)| libm::log(own / other));
    libm::exp(logarithms.sum::<f64>() / own.len() as f64)
}
