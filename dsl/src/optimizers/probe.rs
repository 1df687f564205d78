//! The probe of optimizers: what a functional hash runs them on, and what it looks at.
//!
//! Invariant: a probe is the same for every run and machine, and what it observes is a function of
//! the program's dataflow alone. The probe of optimizers is first of all a closed loop: a small
//! network whose gradients follow from the weights that the program has moved. On gradients drawn
//! beforehand nothing amplifies a difference, and one that training would show stays below the
//! truncation. Steps out of the ordinary follow, where nothing needs to be amplified; what has run
//! away is trained once more, gently.

mod network;

use std::f64::consts::PI;

use evo_hashes::Observations;

use crate::{Dataflow, Executor, Layout, LeafRole, Probe};
use network::Network;

/// The probe of optimizers: a short training of a small network, then steps out of the ordinary.
#[derive(Clone, Debug)]
pub struct OptimizerProbe {
    name: String,
    network: Network,
    /// The weights of the network as those of one with many leaves, some of them tiny and some
    /// long: what is summed over leaves is another number there, and so is what goes by rows and
    /// columns.
    leaves: Layout,
    pace: Pace,
    extremes: Vec<Vec<Given>>,
}

/// How far a training goes.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// What updates are multiplied by.
    multiple: f32,
    /// Where a program has run away.
    away: f32,
}

impl Pace {
    /// For what has run away at this one: tasks may be gentler than the probe, and the steps until
    /// then say little of what states come to.
    fn gentler(self) -> Pace {
        Pace { multiple: self.multiple / 4.0, away: AWAY }
    }
}

/// What a program is given in one step.
#[derive(Clone, Debug)]
struct Given {
    weights: Vec<f32>,
    gradient: Vec<f32>,
    rate: f64,
}

/// A step whose weights and gradient are not what training left: updates are observed, and their
/// NaN and infinities tell programs apart too.
struct Extreme {
    /// What the initial weights are multiplied by; the gradient is taken there.
    weights: f32,
    /// What the gradient is multiplied by.
    gradient: f32,
    /// The incoming learning rate.
    rate: f64,
}

const fn extreme(weights: f32, gradient: f32, rate: f64) -> Extreme {
    Extreme { weights, gradient, rate }
}

impl Extreme {
    /// What a program is given there, in step number `index` of its list.
    fn given(&self, index: usize, network: &Network) -> Given {
        let weights = network.weights(self.weights);
        let mut gradient = vec![0.0; weights.len()];
        network.gradient(index, &weights, &mut gradient);
        gradient.iter_mut().for_each(|slope| *slope *= self.gradient);
        Given { weights, gradient, rate: self.rate }
    }
}

/// Steps one behind the other, each list from states of 0: what one gradient has left in a state
/// hides what the next, a thousand times smaller, would have done alone.
const EXTREMES: [&[Extreme]; 4] = [
    &[
        extreme(-1.0, 1.0, 1.0),
        extreme(-1.0, -30.0, BEYOND),
        // Confident and wrong: gradients of whole numbers.
        extreme(100.0, 4.0, 1.0),
        extreme(-1.0, 1e-5, 0.5),
        extreme(1.0, 0.0, 1.0),
        extreme(1.0, -100.0, 1.0),
        // The learning rate as a bound, on what the steps before have left in the state; then
        // what such a bound has left there.
        extreme(-1.0, 3.0, LOWEST),
        extreme(1.0, -0.3, 0.3),
    ],
    // As small as gradients of wide networks are.
    &[
        extreme(1.0, 0.03, 1.0),
        extreme(1.0, 0.03, 0.5),
        extreme(1.0, 0.01, 0.02),
        extreme(1.0, 0.01, 0.002),
    ],
    // As large as where a rule has thrown the weights.
    &[extreme(1.0, -30.0, 1.0), extreme(1.0, -30.0, 0.02), extreme(1.0, -30.0, LOWEST)],
    &[extreme(4.0, 4.0, 1.0), extreme(4.0, 4.0, 0.001)],
];

/// Steps of training in a row from the first one, along half a cosine.
const STEPS: u64 = 72;

/// Steps behind them, by number and learning rate: rules may count far, and schedules end low, half
/// a cosine of 50 steps at 0.001: a bound on the learning rate shows only where that passes it.
const LATE: [(u64, f64); 5] = [(80, 0.1), (81, 0.08), (150, 0.06), (400, 0.04), (401, LOWEST)];

/// The lowest learning rate.
const LOWEST: f64 = 0.0005;

/// The steps whose updates are observed, counted from 0. The weights are observed at the end, and
/// every step has left its trace in them; the first two because a program may put all weights to
/// 0, where the network stays.
const OBSERVED: [usize; 6] = {
    let behind = STEPS as usize;
    [0, 1, 15, behind - 1, behind + 3, behind + 4]
};

/// A weight beyond this, and the training ends: chance would tell the program from others that run
/// away alike. It is known by how it came there, by the extremes, which go on from no trained
/// state, and by a gentler training.
const AWAY: f32 = 100.0;

/// The same where evaluations give up on what diverges.
const AWAY_AT_ONCE: f32 = 8.0;

/// A learning rate above those of the training, which users may pass.
const BEYOND: f64 = 2.5;

/// How a training ended.
enum End {
    AtTheLastStep,
    Away,
    NotFinite,
}

impl OptimizerProbe {
    /// The probe for programs that are scored by training networks; `rate` is the lowest learning
    /// rate of the tasks, above 0.
    ///
    /// As in an evaluation, the program is given a schedule of at most 1 and the rate multiplies
    /// its update.
    pub fn new(rate: f64) -> OptimizerProbe {
        let network = Network::new();
        let given = |steps: &[Extreme]| {
            let steps = steps.iter().enumerate();
            steps.map(|(index, extreme)| extreme.given(index, &network)).collect()
        };
        OptimizerProbe {
            name: format!("optimizer, 6, training at {rate:?}"),
            extremes: EXTREMES.iter().map(|steps| given(steps)).collect(),
            network,
            leaves: Layout::with_roles(leaves()),
            pace: Pace { multiple: 1.5 * rate as f32, away: AWAY },
        }
    }

    /// The same for evaluations that are long enough to give up on a program that diverges: there
    /// programs that run away are alike as soon as they do.
    pub fn that_gives_up(self) -> OptimizerProbe {
        let pace = Pace { away: AWAY_AT_ONCE, ..self.pace };
        OptimizerProbe { name: self.name + ", giving up", pace, ..self }
    }

    fn train(&self, pace: Pace, flow: &Dataflow, seen: &mut Observations) -> End {
        let layout = &self.network.layout;
        let mut executor = Executor::of(flow, layout);
        let mut weights = self.network.weights(1.0);
        let (mut gradient, mut update) = (vec![0.0; layout.len()], vec![0.0; layout.len()]);
        for (index, (step, rate)) in schedule().enumerate() {
            self.network.gradient(index, &weights, &mut gradient);
            executor.skip_to(step);
            executor.update(&weights, &gradient, rate, &mut update);
            let moves = weights.iter_mut().zip(&update);
            moves.for_each(|(weight, update)| *weight -= pace.multiple * update);
            // Not finite, or away.
            let left = |weight: &f32| (weight.abs() > pace.away) | weight.is_nan();
            let left = weights.iter().fold(false, |any, weight| any | left(weight));
            if left && !weights.iter().all(|weight| weight.is_finite()) {
                return End::NotFinite;
            }
            if left || OBSERVED.contains(&index) {
                seen.values(&update);
            }
            if left {
                seen.values(&weights);
                return End::Away;
            }
        }
        seen.fine_values(&weights);
        if let Some(readout) = executor.readout() {
            let read = read_out(pace, &weights, &update, readout);
            if !read.iter().all(|weight| weight.is_finite()) {
                return End::NotFinite;
            }
            seen.fine_values(&read);
        }
        End::AtTheLastStep
    }

    fn go_to_extremes(&self, flow: &Dataflow, seen: &mut Observations) {
        let layout = &self.leaves;
        let compiled = Executor::of(flow, layout);
        let mut update = vec![0.0; layout.len()];
        for steps in &self.extremes {
            let mut executor = compiled.clone();
            for Given { weights, gradient, rate } in steps {
                executor.update(weights, gradient, *rate, &mut update);
                seen.values(&update);
                executor.readout().into_iter().for_each(|readout| seen.values(readout));
            }
        }
    }
}

/// The weights to validate with, from those behind the last step and what it gave.
fn read_out(pace: Pace, weights: &[f32], update: &[f32], readout: &[f32]) -> Vec<f32> {
    let offsets = update.iter().zip(readout).map(|(update, readout)| update - readout);
    let both = weights.iter().zip(offsets);
    both.map(|(weight, offset)| weight + pace.multiple * offset).collect()
}

/// The shapes of the leaves at the extremes: rows by columns from 1/96 to 96, beyond the 3 by 96 of
/// a small convolution. A bound on that ratio shows only where a leaf passes it. Every role occurs.
fn leaves() -> Vec<(Vec<usize>, LeafRole)> {
    let tiny = [vec![2], vec![1]].into_iter().cycle().take(14);
    let mut leaves = vec![
        (vec![1, 96], LeafRole::Output),
        (vec![96], LeafRole::Vector),
        (vec![6, 2], LeafRole::Embedding),
        (vec![3, 3], LeafRole::Hidden),
        (vec![1, 2], LeafRole::Hidden),
    ];
    leaves.extend(tiny.map(|shape| (shape, LeafRole::Vector)));
    leaves
}

/// Step numbers and learning rates of the training.
fn schedule() -> impl Iterator<Item = (u64, f64)> {
    let length = STEPS as f64 + LATE.len() as f64;
    let factor = move |step| 0.5 * (1.0 + libm::cos(PI * (step - 1) as f64 / length));
    (1..=STEPS).map(move |step| (step, factor(step))).chain(LATE)
}

impl Default for OptimizerProbe {
    /// The probe for any evaluator: at rates around 1, the usual setting of every rule.
    fn default() -> OptimizerProbe {
        OptimizerProbe::new(1.0)
    }
}

impl Probe for OptimizerProbe {
    fn name(&self) -> &str {
        &self.name
    }

    fn observe(&self, flow: &Dataflow, seen: &mut Observations) -> bool {
        let end = self.train(self.pace, flow, seen);
        if let End::NotFinite = end {
            return false;
        }
        self.go_to_extremes(flow, seen);
        if let End::Away = end {
            // However that ends.
            self.train(self.pace.gentler(), flow, seen);
        }
        true
    }
}
