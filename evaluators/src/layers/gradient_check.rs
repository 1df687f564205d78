//! Gradient checks: a layer's backward pass against central differences in f64.
//!
//! Invariant: the checked scalar is a fixed random weighting of the layer's results, so that errors
//! of opposite sign in different results cannot cancel.

use candle_core::{Device, Result, Tensor, Var};
use evo_hashes::Seed;
use rand::RngExt;

const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-6;

fn random(count: usize, index: u64) -> Vec<f64> {
    let mut rng = Seed(0).stream("gradient check", index);
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Checks the gradient of every operand of `layer`, operands being random of the given shapes.
pub(super) fn check(shapes: &[&[usize]], layer: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let numbers: Vec<Vec<f64>> = shapes
        .iter()
        .enumerate()
        .map(|(index, shape)| random(shape.iter().product(), index as u64))
        .collect();
    let variables = |numbers: &[Vec<f64>]| -> Vec<Var> {
        let make = |(numbers, shape): (&Vec<f64>, &&[usize])| {
            Var::from_slice(numbers, *shape, &Device::Cpu).expect("sizes match")
        };
        numbers.iter().zip(shapes).map(make).collect()
    };
    let scalar = |variables: &[Var]| -> Tensor {
        let operands: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
        let result = layer(&operands).expect("the layer accepts these shapes");
        let weights = random(result.elem_count(), 99);
        let weights = Tensor::from_vec(weights, result.shape(), &Device::Cpu).expect("sizes match");
        (result * weights).and_then(|weighted| weighted.sum_all()).expect("shapes match")
    };
    let at = variables(&numbers);
    let gradients = scalar(&at).backward().expect("the layer has a backward pass");
    for (operand, variable) in at.iter().enumerate() {
        let gradient = gradients.get(variable).expect("every operand gets a gradient");
        assert_eq!(gradient.shape(), variable.shape());
        let gradient = gradient.flatten_all().and_then(|g| g.to_vec1::<f64>());
        for (index, found) in gradient.expect("f64").into_iter().enumerate() {
            let shifted = |by: f64| {
                let mut numbers = numbers.clone();
                numbers[operand][index] += by;
                scalar(&variables(&numbers)).to_scalar::<f64>().expect("f64")
            };
            let expected = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
            assert!(
                (found - expected).abs() < TOLERANCE * expected.abs().max(1.0),
                "operand {operand}[{index}]: {found}, differences give {expected}"
            );
        }
    }
}
