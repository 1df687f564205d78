//! Units: the weights that a program sees, and those of the network, where they are not the same.
//!
//! Invariant: with v = w / a and a network that reads a v, the gradient by v is a times that by w,
//! so a program trains the very same network in other units. Where nothing is in other units
//! nothing is copied.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::proxy_task::{ProxyTask, Run};

/// The units of a run.
#[derive(Debug)]
pub(super) struct Units {
    leaves: Vec<Range<usize>>,
    weights: Option<Arc<[f32]>>,
    gradients: Option<Arc<[f32]>>,
}

impl Units {
    /// Those of a run on a task.
    pub(super) fn of(task: &ProxyTask, run: &Run) -> Units {
        Units {
            leaves: task.layout.leaves().iter().map(|leaf| leaf.range()).collect(),
            weights: run.units.clone(),
            gradients: run.gradients.clone(),
        }
    }

    /// Weights of the network as a program sees them, in place.
    pub(super) fn express(&self, weights: &mut [f32]) {
        self.each(&self.weights, weights, |weight, factor| *weight /= factor);
    }

    /// Weights that a program sees as those of the network.
    pub(super) fn converted<'a>(&self, weights: &'a [f32]) -> Cow<'a, [f32]> {
        if self.weights.is_none() {
            return Cow::Borrowed(weights);
        }
        let mut converted = weights.to_vec();
        self.each(&self.weights, &mut converted, |weight, factor| *weight *= factor);
        Cow::Owned(converted)
    }

    /// The gradient by the network's weights as that by those a program sees, in place.
    pub(super) fn convert_gradient(&self, gradient: &mut [f32]) {
        for factors in [&self.weights, &self.gradients] {
            self.each(factors, gradient, |slope, factor| *slope *= factor);
        }
    }

    fn each(
        &self,
        factors: &Option<Arc<[f32]>>,
        numbers: &mut [f32],
        apply: impl Fn(&mut f32, f32),
    ) {
        let factors = factors.iter().flat_map(|factors| factors.iter());
        for (leaf, &factor) in self.leaves.iter().zip(factors) {
            numbers[leaf.clone()].iter_mut().for_each(|number| apply(number, factor));
        }
    }
}
