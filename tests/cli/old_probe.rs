//! The probe that functional hashes had at first, kept to show what is wrong with it: gradients
//! drawn beforehand that no weight changes, six steps, learning rates of 0.1 to 2, 18 values.

use evo::{Dataflow, Executor, Layout, Observations, Probe};
use rand_distr::{Distribution, StandardNormal};

/// Scale of the gradient and learning rate of each step.
const STEPS: [(f32, f64); 6] =
    [(1.0, 1.0), (0.01, 0.5), (30.0, 2.0), (0.3, 0.1), (1e-4, 1.5), (3.0, 0.7)];

#[derive(Debug)]
pub(crate) struct SixSteps {
    layout: Layout,
    weights: Vec<f32>,
    gradients: Vec<Vec<f32>>,
}

impl SixSteps {
    pub(crate) fn new() -> SixSteps {
        let layout = Layout::new([vec![4, 3], vec![5], vec![]]);
        let draw = |purpose: &str, index: usize, scale: f32| {
            let mut rng = evo::Seed(0).stream(purpose, index as u64);
            let normal = (0..layout.len()).map(|_| StandardNormal.sample(&mut rng));
            normal.map(|value: f32| value * scale).collect::<Vec<f32>>()
        };
        let weights = draw("probe weights", 0, 0.5);
        let scales = STEPS.iter().enumerate();
        let gradients =
            scales.map(|(step, (scale, _))| draw("probe gradient", step, *scale)).collect();
        SixSteps { layout, weights, gradients }
    }
}

impl Probe for SixSteps {
    fn name(&self) -> &str {
        "optimizer, six steps, 1"
    }

    fn observe(&self, flow: &Dataflow, seen: &mut Observations) -> bool {
        let mut executor = Executor::of(flow, &self.layout);
        let mut weights = self.weights.clone();
        let mut update = vec![0.0; self.layout.len()];
        for (gradient, (_, rate)) in self.gradients.iter().zip(STEPS) {
            executor.update(&weights, gradient, rate, &mut update);
            weights.iter_mut().zip(&update).for_each(|(weight, update)| *weight -= update);
            seen.values(&update);
        }
        true
    }
}
