//! Functions: an expression of one input between layers, with its derivative for the way back.
//!
//! Shapes: any; the function is applied to every number. Invariant: a value and a slope follow from
//! their number alone, through the executor, so they have the same bits in any batch, at any place
//! and on any thread. The slope is that of [`Program::derivative`], at a kink one of the two: of
//! the canonical form, since that has one order of arguments for all programs of one structure, and
//! `max(x, 0)` and `max(0, x)` must train alike. Nothing is kept between the passes but the numbers
//! themselves.

use std::sync::Arc;

use candle_core::{Result, Tensor};
use evo_dsl::{Executor, Interpreter, Layout, Program};

use super::Real;
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::storage::values;

/// Numbers evaluated at a time. What is left of a tensor is padded to as many, so few are wasted on
/// the small tensors here.
const BLOCK: usize = 256;

/// An expression and its derivative, ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Function {
    value: Compiled,
    slope: Compiled,
}

/// An expression of one input, compiled for blocks of numbers.
#[derive(Debug)]
pub(crate) struct Compiled {
    program: Program,
    executor: Executor,
}

impl Function {
    /// Compiles an expression of one input; `None` where its derivative would be longer than a
    /// program may be.
    ///
    /// # Panics
    /// If this is an optimizer.
    pub(crate) fn new(program: &Program) -> Option<Function> {
        let canonical = program.canonical();
        let slope = canonical.derivative(0)?;
        Some(Function { value: Compiled::new(canonical), slope: Compiled::new(slope) })
    }
}

impl Compiled {
    fn new(program: Program) -> Compiled {
        let executor = Executor::new(&program, &Layout::new([vec![BLOCK]]));
        Compiled { program, executor }
    }

    /// The values at these numbers.
    pub(super) fn values(&self, at: &[f32]) -> Vec<f32> {
        // A copy to write to costs less than a step of the smallest network by far.
        let mut executor = self.executor.clone();
        let mut values = vec![0.0; at.len()];
        let (blocks, rest) = at.as_chunks::<BLOCK>();
        let (whole, partial) = values.split_at_mut(blocks.len() * BLOCK);
        for (at, values) in blocks.iter().zip(whole.chunks_exact_mut(BLOCK)) {
            executor.evaluate(&[at], values);
        }
        if !rest.is_empty() {
            let (mut padded, mut found) = ([0.0; BLOCK], [0.0; BLOCK]);
            padded[..rest.len()].copy_from_slice(rest);
            executor.evaluate(&[&padded], &mut found);
            partial.copy_from_slice(&found[..rest.len()]);
        }
        values
    }

    /// The same in float64, for gradient checks.
    pub(super) fn exact_values(&self, at: &[f64]) -> Vec<f64> {
        let layout = Layout::new([vec![at.len()]]);
        Interpreter::<f64>::new(&self.program, &layout).evaluate(&[at])
    }
}

/// The values of a function at every number of `x`.
pub(super) fn evaluate<T: Real>(x: &Tensor, function: &Arc<Function>) -> Result<Tensor> {
    apply::<T, 1>(Evaluate(Arc::clone(function)), [x])
}

struct Evaluate(Arc<Function>);

impl<T: Real> Operation<T, 1> for Evaluate {
    type Kept = ();

    const NAME: &'static str = "evaluate";

    fn forward(&self, [x]: [Operand<'_, T>; 1]) -> Result<Results<T>> {
        Ok(Results::new(T::values(&self.0.value, x.numbers), x.shape))
    }

    fn backward(&self, pass: Pass<'_, T, (), 1>) -> Result<[Option<Tensor>; 1]> {
        let [x] = pass.operands;
        let mut dx = T::values(&self.0.slope, &values(x)?);
        dx.iter_mut().zip(pass.dy).for_each(|(dx, &dy)| *dx *= dy);
        Ok([gradient(x, dx)?])
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::super::gradient_check::check;
    use super::*;

    fn function(formula: &str) -> Arc<Function> {
        let program = Program::parse_formula(&["x"], formula).expect(formula);
        Arc::new(Function::new(&program).expect("its derivative is short"))
    }

    #[test]
    fn gradients_match_finite_differences() {
        for formula in [
            "x",
            "2.0 * 1.5",
            "max(x, 0.0)",
            "x / (1.0 + exp(-x))",
            "0.5 * x * (1.0 + tanh(0.7978845608 * (x + 0.044715 * x * x * x)))",
            "where(x, sin(x), square(x) * 0.3)",
            "min(max(x, -0.5), 0.25) * log(abs(x) + 1.5)",
        ] {
            let function = function(formula);
            check(&[&[5, 4]], |t| evaluate::<f64>(&t[0], &function));
            check(&[&[2, 3, 4]], |t| evaluate::<f64>(&t[0], &function));
        }
    }

    #[test]
    fn values_and_slopes_are_the_same_bits_in_any_company() {
        let function = function("x * tanh(log(1.0 + exp(x))) + sin(3.0 * x)");
        let numbers: Vec<f32> = (0..2 * BLOCK + 77).map(|i| (i as f32 - 300.0) / 50.0).collect();
        let both = |numbers: &[f32]| -> Vec<[u32; 2]> {
            let x = Var::from_slice(numbers, numbers.len(), &Device::Cpu).expect("sizes match");
            let y = evaluate::<f32>(x.as_tensor(), &function).expect("contiguous numbers");
            let gradients = y.backward().expect("there is a way back");
            let slopes = gradients.get(&x).expect("of the only operand");
            let pairs = y.to_vec1::<f32>().expect("a vector").into_iter();
            let slopes = slopes.to_vec1::<f32>().expect("a vector");
            pairs.zip(slopes).map(|(y, dy)| [y.to_bits(), dy.to_bits()]).collect()
        };
        let together = both(&numbers);
        for length in [1, 7, BLOCK - 1, BLOCK, BLOCK + 1] {
            let apart: Vec<_> = numbers.chunks(length).flat_map(both).collect();
            assert_eq!(apart, together, "{length} at a time");
        }
    }

    #[test]
    fn at_a_kink_the_slope_is_the_same_for_all_programs_of_one_structure() {
        let at_zero = |formula: &str| function(formula).slope.values(&[0.0])[0];
        assert_eq!((at_zero("max(x, 0.0)"), at_zero("max(0.0, x)")), (0.0, 0.0));
        assert_eq!(at_zero("max(x, -x)"), at_zero("max(-x, x)"));
        assert_eq!(at_zero("abs(x)"), 0.0);
    }
}
