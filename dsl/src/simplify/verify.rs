//! Verification: two programs run side by side on a fixed probe; expressions take its gradients as
//! inputs.
//!
//! Invariant: the probe never changes, so whether a simplified program is returned is a function of
//! the two programs. Rules that allow rounding are sound over the real numbers, and a program can
//! make a large difference of a small one (it may divide two nearly equal numbers by each other);
//! running it is the only test of that.

use std::sync::LazyLock;

use crate::{Dataflow, Interpreter, Layout, LeafRole, Program};

use super::saturate::Partition;

/// The difference of two weights that counts as none, as a part of the larger of the weight and the
/// largest weight of its tensor.
pub(super) const TOLERANCE: f64 = 1e-5;

/// Steps of each run.
const STEPS: usize = 20;

/// Learning rate of each run, and what its gradients are multiplied by.
const RUNS: [(f64, f32); 3] = [(1.0, 1.0), (0.1, 3.0), (0.01, 0.1)];

struct Probe {
    layout: Layout,
    weights: Vec<f32>,
    /// One for each step.
    gradients: Vec<Vec<f32>>,
}

static PROBE: LazyLock<Probe> = LazyLock::new(|| {
    // Every role is one's.
    let layout = Layout::with_roles([
        (vec![], LeafRole::Output),
        (vec![7], LeafRole::Vector),
        (vec![5, 3], LeafRole::Embedding),
        (vec![4, 3, 2, 2], LeafRole::Hidden),
    ]);
    let mut counter = 0;
    let mut draw = |scale: f32| -> Vec<f32> {
        let numbers = (0..layout.len()).map(|_| {
            counter += 1;
            normal(counter) * scale
        });
        numbers.collect()
    };
    let weights = draw(0.5);
    let gradients = (0..STEPS).map(|_| draw(1.0)).collect();
    Probe { weights, gradients, layout }
});

/// Nearly normal numbers: the sum of four uniform ones from a mixed counter.
fn normal(counter: u64) -> f32 {
    let uniform = |part: u64| {
        // The finaliser of splitmix64.
        let mut mixed = (4 * counter + part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u32 << 24) as f32
    };
    ((0..4).map(uniform).sum::<f32>() - 2.0) * 1.732_050_8
}

/// Whether the weights of two programs, and those to validate with, agree at every step of every run of the probe.
pub(super) fn agree(original: &Program, simplified: &Program) -> bool {
    RUNS.iter().all(|run| agree_in(original, simplified, *run))
}

fn agree_in(original: &Program, simplified: &Program, (lr, scale): (f64, f32)) -> bool {
    if original.signature().is_expression() {
        return values_agree(original, simplified, scale);
    }
    let Probe { layout, weights, gradients } = &*PROBE;
    let mut programs = [original, simplified]
        .map(|program| (Interpreter::<f32>::new(program, layout), weights.clone()));
    gradients.iter().all(|gradient| {
        let gradient: Vec<f32> = gradient.iter().map(|g| g * scale).collect();
        let before = programs.each_ref().map(|(_, weights)| weights.clone());
        for (interpreter, weights) in &mut programs {
            interpreter.step(weights, &gradient, lr);
        }
        let read = [0, 1].map(|at| read_out(&programs[at].0, &before[at], &programs[at].1));
        let [(_, expected), (_, found)] = &programs;
        let agree = |expected: &[f32], found: &[f32]| {
            layout.leaves().iter().all(|leaf| close(&expected[leaf.range()], &found[leaf.range()]))
        };
        agree(expected, found) && agree(&read[0], &read[1])
    })
}

/// The weights to validate with behind a step from `before` to `after`.
fn read_out(interpreter: &Interpreter<f32>, before: &[f32], after: &[f32]) -> Vec<f32> {
    match interpreter.readout() {
        Some(readout) => before.iter().zip(readout).map(|(w, offset)| w - offset).collect(),
        None => after.to_vec(),
    }
}

/// Whether two expressions agree where their inputs are this multiple of normal numbers.
fn values_agree(original: &Program, simplified: &Program, scale: f32) -> bool {
    let Probe { layout, gradients, .. } = &*PROBE;
    let inputs = gradients[..original.signature().inputs()].iter();
    let inputs: Vec<Vec<f32>> =
        inputs.map(|input| input.iter().map(|x| x * scale).collect()).collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let [expected, found] = [original, simplified]
        .map(|program| Interpreter::<f32>::new(program, layout).evaluate(&inputs));
    layout.leaves().iter().all(|leaf| close(&expected[leaf.range()], &found[leaf.range()]))
}

/// Whether the numbers of a tensor agree: finite in the same places, and equal there up to the
/// tolerance.
fn close(expected: &[f32], found: &[f32]) -> bool {
    let finite = expected.iter().filter(|weight| weight.is_finite());
    let largest = finite.fold(0.0, |largest: f32, weight| largest.max(weight.abs()));
    expected.iter().zip(found).all(|(expected, found)| {
        if !expected.is_finite() || !found.is_finite() {
            return expected.is_finite() == found.is_finite();
        }
        let difference = (f64::from(*expected) - f64::from(*found)).abs();
        difference <= TOLERANCE * f64::from(largest)
    })
}

/// The state slots that may be equal at every step: those that look alike in the first steps of the
/// probe. Dead slots are in sets of their own.
pub(super) fn slots_alike(program: &Program, flow: &Dataflow) -> Partition {
    let live: Vec<bool> = flow.outputs().iter().skip(1).map(Option::is_some).collect();
    let mut partition: Partition = [0, 1, 2, 3];
    if live.iter().filter(|live| **live).count() < 2 {
        return partition;
    }
    let Probe { layout, weights, gradients } = &*PROBE;
    let mut interpreter = Interpreter::<f32>::new(program, layout);
    let mut weights = weights.clone();
    let mut alike = vec![vec![true; live.len()]; live.len()];
    for gradient in &gradients[..3] {
        interpreter.step(&mut weights, gradient, 0.5);
        let states = interpreter.states();
        for (a, of_a) in alike.iter_mut().enumerate() {
            for (b, alike) in of_a.iter_mut().enumerate() {
                *alike &= live[a] && live[b] && nearly(&states[a], &states[b]);
            }
        }
    }
    for slot in 0..live.len() {
        let first = (0..slot).find(|&other| alike[other][slot]);
        partition[slot] = first.map_or(slot, |first| partition[first]);
    }
    partition
}

/// Whether states are alike enough for a rule to find them equal.
fn nearly(a: &[f32], b: &[f32]) -> bool {
    a.iter().zip(b).all(|(a, b)| {
        let far = (a - b).abs() > 1e-3 * a.abs().max(b.abs());
        !far || a.is_nan() || b.is_nan()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(body: &str) -> Program {
        Program::parse(&format!("def train(w, g, lr):\n  {body}\n  return u\n"))
            .expect("the test's text parses")
    }

    #[test]
    fn the_probe_is_nearly_normal() {
        let all: Vec<f32> = PROBE.gradients.iter().flatten().copied().collect();
        let mean = all.iter().sum::<f32>() / all.len() as f32;
        let square = all.iter().map(|g| g * g).sum::<f32>() / all.len() as f32;
        assert!(mean.abs() < 0.05 && (square - 1.0).abs() < 0.1, "{mean} {square}");
    }

    #[test]
    fn what_differs_by_more_than_the_tolerance_is_found() {
        assert!(agree(&program("u = g * 0.3"), &program("u = 0.3 * g")));
        assert!(agree(&program("u = g * 0.3"), &program("u = g * 0.30000001")));
        assert!(!agree(&program("u = g * 0.3"), &program("u = g * 0.3001")));
        assert!(!agree(&program("u = g / 0.0"), &program("u = reciprocal(w - w)")));
    }
}
