//! The probe: what a functional hash runs programs on, and what it looks at.
//!
//! Invariant: a probe is the same for every run and machine, and what it observes is a function of
//! the program's dataflow alone. The probe of optimizers is a closed loop: a small network whose
//! gradients follow from the weights that the program has moved. On gradients drawn beforehand
//! nothing amplifies a difference, and one that training would show stays below the truncation.

mod network;

use std::f64::consts::PI;
use std::fmt;

use evo_dsl::{Dataflow, Executor};

use crate::Observations;
use network::Network;

/// What a functional hash runs programs on.
pub trait Probe: fmt::Debug + Send + Sync {
    /// The name of what is observed, with a version that rises when any of it changes: part of
    /// every hash.
    fn name(&self) -> &str;

    /// Runs a program and notes what it does; false for one that is not finite there, whose
    /// behaviour says nothing.
    fn observe(&self, flow: &Dataflow, seen: &mut Observations) -> bool;
}

/// The probe of optimizers: two short courses of training of a small network.
#[derive(Clone, Debug)]
pub struct ClosedLoop {
    name: String,
    network: Network,
    courses: [Course; 2],
}

/// A course of training.
#[derive(Clone, Copy, Debug)]
struct Course {
    /// What the initial matrices are multiplied by.
    scale: f32,
    /// The first incoming learning rate.
    peak: f64,
    /// What updates are multiplied by.
    multiple: f32,
}

/// Steps in a row from the first one, along half a cosine.
const STEPS: u64 = 32;

/// Steps behind them, by number and factor of the peak: rules may count far, and schedules end at
/// rates next to nothing.
const LATE: [(u64, f64); 5] = [(60, 1e-2), (61, 3e-3), (150, 1e-3), (400, 1e-4), (401, 1e-5)];

/// The steps whose updates are observed, counted from 0. The weights are observed at the end, and
/// every step has left its trace in them; the first two because a program may put all weights to
/// 0, where the network stays.
const OBSERVED: [usize; 6] = [0, 1, 15, 31, 35, 36];

impl ClosedLoop {
    /// The probe for programs that are scored by training networks, at learning rates between
    /// those of the tasks, above 0.
    ///
    /// In the first course the program is given a schedule of at most 1 and the rate multiplies its
    /// update, as in training; in the second it is given the rate, as by users who pass one.
    pub fn new(lowest: f64, highest: f64) -> ClosedLoop {
        let first = Course { scale: 1.0, peak: 1.0, multiple: 0.5 * lowest as f32 };
        let second = Course { scale: 2.0, peak: highest, multiple: 1.0 };
        let name = format!("optimizer, closed loop, 2, training at {lowest:?} to {highest:?}");
        ClosedLoop { name, network: Network::new(), courses: [first, second] }
    }

    /// Whether the course ended with finite weights.
    fn run(&self, course: &Course, flow: &Dataflow, seen: &mut Observations) -> bool {
        let layout = &self.network.layout;
        let mut executor = Executor::of(flow, layout);
        let mut weights = self.network.weights(course.scale);
        let (mut gradient, mut update) = (vec![0.0; layout.len()], vec![0.0; layout.len()]);
        for (index, (step, factor)) in schedule().enumerate() {
            self.network.gradient(index, &weights, &mut gradient);
            executor.skip_to(step);
            executor.update(&weights, &gradient, course.peak * factor, &mut update);
            let moves = weights.iter_mut().zip(&update);
            moves.for_each(|(weight, update)| *weight -= course.multiple * update);
            if !weights.iter().all(|weight| weight.is_finite()) {
                return false;
            }
            if OBSERVED.contains(&index) {
                seen.values(&update);
            }
        }
        seen.values(&weights);
        true
    }
}

/// Step numbers and factors of the peak.
fn schedule() -> impl Iterator<Item = (u64, f64)> {
    let length = STEPS as f64 + LATE.len() as f64;
    let factor = move |step| 0.5 * (1.0 + libm::cos(PI * (step - 1) as f64 / length));
    (1..=STEPS).map(move |step| (step, factor(step))).chain(LATE)
}

impl Default for ClosedLoop {
    /// The probe for any evaluator: at rates around 1, the usual setting of every rule.
    fn default() -> ClosedLoop {
        ClosedLoop::new(1.0, 4.0)
    }
}

impl Probe for ClosedLoop {
    fn name(&self) -> &str {
        &self.name
    }

    fn observe(&self, flow: &Dataflow, seen: &mut Observations) -> bool {
        self.courses.iter().all(|course| self.run(course, flow, seen))
    }
}
