//! The activations that a configuration can name, as expressions.
//!
//! Invariant: each computes what the built-in one does, to rounding, so that found ones are
//! compared with them by the very same means.

use evo_dsl::Program;

use crate::Activation;

/// Every named activation as an expression: gelu in its approximation by tanh, as built in.
pub fn known_activations() -> [(Activation, Program); 4] {
    let cube = "0.7978845608028654 * (x + 0.044715 * x * x * x)";
    [
        (Activation::Relu, "max(x, 0.0)".to_owned()),
        (Activation::Gelu, format!("0.5 * x * (1.0 + tanh({cube}))")),
        (Activation::Silu, "x / (1.0 + exp(-x))".to_owned()),
        (Activation::Tanh, "tanh(x)".to_owned()),
    ]
    .map(|(known, formula)| {
        (known, Program::parse_formula(&["x"], &formula).expect("a well-formed formula"))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candle_core::{Device, Tensor};

    use super::*;
    use crate::layers::{Function, activate};
    use crate::task::Between;

    #[test]
    fn each_has_the_values_of_the_built_in_one() {
        let numbers: Vec<f32> = (-80..=80).map(|step| step as f32 / 10.0).collect();
        let x = Tensor::new(numbers.as_slice(), &Device::Cpu).expect("numbers");
        let values = |activation: &Between| {
            let y = activate::<f32>(&x, activation).and_then(|y| y.to_vec1::<f32>());
            y.expect("a vector")
        };
        for (known, program) in known_activations() {
            let function = Function::new(&program).expect("its derivative is short");
            let found = values(&Between::Expression(Arc::new(function)));
            for (found, expected) in found.iter().zip(values(&Between::Known(known))) {
                assert!((found - expected).abs() < 1e-6, "{known:?}: {found}, not {expected}");
            }
        }
    }
}
