//! Dense layers: x·w with bias and relu, or added to a residual, each as one operation.
//!
//! Shapes: x \[n, in\], w \[in, out\], bias \[out\], residual \[n, out\]; the result is \[n, out\].
//! Of x any shape will do that is `in` numbers after `in` numbers: reshaping it first would be one
//! more operation, and one more gradient made of zeros. Invariant: relu keeps NaN (`z < 0 ? 0 :
//! z`), so that a broken weight always reaches the loss; its derivative at 0 is 0. Candle's relu
//! has derivative 1 there, and its bias gradient (a sum over rows) alone costs more than the
//! products.

use std::borrow::Cow;

use candle_core::{Result, Shape, Tensor};

use super::matrix::{AT_A_TIME, Matrix, column_sums, multiplied};
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::storage::values;
use super::vector_unit::vectorised;
use super::{Real, lanes};

/// What is applied to the sums of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// Nothing.
    Identity,
    /// max(0, z).
    Relu,
}

impl Activation {
    /// Applies the activation in place.
    pub(super) fn apply<T: Real>(self, sums: &mut [T]) {
        if self == Self::Relu {
            relu(sums);
        }
    }

    /// Adds the bias to every row of sums, and applies the activation, in one pass.
    pub(super) fn apply_with_bias<T: Real>(self, sums: &mut [T], bias: &[T]) {
        let long = AT_A_TIME / bias.len();
        // Of short rows several are taken as one: short loops are mostly beginning and end.
        let bias = if long > 1 { &bias.repeat(long) } else { bias };
        match self {
            Self::Identity => add_bias(sums, bias),
            Self::Relu => add_bias_relu(sums, bias),
        }
    }

    /// The gradient of the sums, from the results and their gradient.
    pub(super) fn backward<'a, T: Real>(self, results: &[T], gradient: &'a [T]) -> Cow<'a, [T]> {
        match self {
            Self::Identity => Cow::Borrowed(gradient),
            Self::Relu => {
                let mut passed = Vec::with_capacity(gradient.len());
                pass_positive(results, gradient, &mut passed);
                Cow::Owned(passed)
            }
        }
    }
}

vectorised! {
    /// Replaces negative numbers by 0.
    pub(super) fn relu<T>(sums: &mut [T]) = relu_body;
    /// Replaces the numbers of `gradient` whose results are not positive by 0.
    pub(super) fn stop_inactive<T>(gradient: &mut [T], results: &[T]) = stop_inactive_body;
    /// Appends the numbers of `gradient` whose results are positive, and 0 for the others.
    fn pass_positive<T>(results: &[T], gradient: &[T], passed: &mut Vec<T>) = pass_positive_body;
    /// Adds `other` to `numbers`.
    pub(super) fn add<T>(numbers: &mut [T], other: &[T]) = add_body;
    /// Adds `bias` to every row of `rows`.
    fn add_bias<T>(rows: &mut [T], bias: &[T]) = add_bias_body;
    /// Adds `bias` to every row of `rows`, and replaces negative numbers by 0.
    fn add_bias_relu<T>(rows: &mut [T], bias: &[T]) = add_bias_relu_body;
}

#[inline(always)]
fn relu_body<T: Real>(sums: &mut [T]) {
    for z in sums {
        *z = if *z < T::ZERO { T::ZERO } else { *z };
    }
}

#[inline(always)]
fn stop_inactive_body<T: Real>(gradient: &mut [T], results: &[T]) {
    for (dy, &y) in gradient.iter_mut().zip(results) {
        *dy = if y > T::ZERO { *dy } else { T::ZERO };
    }
}

#[inline(always)]
fn pass_positive_body<T: Real>(results: &[T], gradient: &[T], passed: &mut Vec<T>) {
    let both = results.iter().zip(gradient);
    passed.extend(both.map(|(&y, &dy)| if y > T::ZERO { dy } else { T::ZERO }));
}

#[inline(always)]
fn add_body<T: Real>(numbers: &mut [T], other: &[T]) {
    for (number, &other) in numbers.iter_mut().zip(other) {
        *number += other;
    }
}

#[inline(always)]
fn add_bias_body<T: Real>(rows: &mut [T], bias: &[T]) {
    for row in rows.chunks_mut(bias.len()) {
        add_body(row, bias);
    }
}

#[inline(always)]
fn add_bias_relu_body<T: Real>(rows: &mut [T], bias: &[T]) {
    for row in rows.chunks_mut(bias.len()) {
        for (number, &bias) in row.iter_mut().zip(bias) {
            let sum = *number + bias;
            *number = if sum < T::ZERO { T::ZERO } else { sum };
        }
    }
}

/// activation(x·w + bias).
pub(crate) fn dense<T: Real>(
    x: &Tensor,
    w: &Tensor,
    bias: &Tensor,
    activation: Activation,
) -> Result<Tensor> {
    if w.rank() == 3 {
        return lanes::dense(x, w, bias, activation);
    }
    apply::<T, 3>(Dense(activation), [x, w, bias])
}

/// activation(x·w).
pub(crate) fn project<T: Real>(x: &Tensor, w: &Tensor, activation: Activation) -> Result<Tensor> {
    if w.rank() == 3 {
        return lanes::project(x, w, activation);
    }
    apply::<T, 2>(Project(activation), [x, w])
}

/// residual + x·w.
pub(crate) fn project_onto<T: Real>(residual: &Tensor, x: &Tensor, w: &Tensor) -> Result<Tensor> {
    if w.rank() == 3 {
        return lanes::project_onto(residual, x, w);
    }
    apply::<T, 3>(ProjectOnto, [x, w, residual])
}

struct Dense(Activation);

struct Project(Activation);

struct ProjectOnto;

/// Rows, inputs and outputs of a layer.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    rows: usize,
    inputs: usize,
    pub(super) outputs: usize,
}

impl Sizes {
    pub(super) fn of(x: &Shape, w: &Shape) -> Result<Self> {
        let (inputs, outputs) = w.dims2()?;
        if !x.elem_count().is_multiple_of(inputs) {
            candle_core::bail!("{x:?} is not made of rows of {inputs} numbers");
        }
        Ok(Self { rows: x.elem_count() / inputs, inputs, outputs })
    }
}

impl<T: Real> Operation<T, 3> for Dense {
    type Kept = ();

    const NAME: &'static str = "dense";

    fn forward(&self, [x, w, bias]: [Operand<'_, T>; 3]) -> Result<Results<T>> {
        let sizes = Sizes::of(x.shape, w.shape)?;
        let mut y = product(x.numbers, w.numbers, sizes);
        self.0.apply_with_bias(&mut y, bias.numbers);
        Ok(Results::new(y, (sizes.rows, sizes.outputs)))
    }

    fn backward(&self, pass: Pass<'_, T, (), 3>) -> Result<[Option<Tensor>; 3]> {
        let [x, w, bias] = pass.operands;
        let y = values(pass.y)?;
        let dz = self.0.backward(&y, pass.dy);
        let dbias = gradient(bias, column_sums(&dz, pass.y.dim(1)?))?;
        let [dx, dw] = product_gradients(x, w, &dz)?;
        Ok([dx, dw, dbias])
    }
}

impl<T: Real> Operation<T, 2> for Project {
    type Kept = ();

    const NAME: &'static str = "project";

    fn forward(&self, [x, w]: [Operand<'_, T>; 2]) -> Result<Results<T>> {
        let sizes = Sizes::of(x.shape, w.shape)?;
        let mut y = product(x.numbers, w.numbers, sizes);
        self.0.apply(&mut y);
        Ok(Results::new(y, (sizes.rows, sizes.outputs)))
    }

    fn backward(&self, pass: Pass<'_, T, (), 2>) -> Result<[Option<Tensor>; 2]> {
        let [x, w] = pass.operands;
        product_gradients(x, w, &self.0.backward(&values(pass.y)?, pass.dy))
    }
}

impl<T: Real> Operation<T, 3> for ProjectOnto {
    type Kept = ();

    const NAME: &'static str = "project_onto";

    fn forward(&self, [x, w, residual]: [Operand<'_, T>; 3]) -> Result<Results<T>> {
        let sizes = Sizes::of(x.shape, w.shape)?;
        let mut y = product(x.numbers, w.numbers, sizes);
        add(&mut y, residual.numbers);
        Ok(Results::new(y, (sizes.rows, sizes.outputs)))
    }

    fn backward(&self, pass: Pass<'_, T, (), 3>) -> Result<[Option<Tensor>; 3]> {
        let [x, w, _] = pass.operands;
        let [dx, dw] = product_gradients(x, w, pass.dy)?;
        Ok([dx, dw, pass.shared()])
    }
}

/// x·w.
pub(super) fn product<T: Real>(x: &[T], w: &[T], sizes: Sizes) -> Vec<T> {
    multiplied(
        Matrix::new(x, sizes.rows, sizes.inputs),
        Matrix::new(w, sizes.inputs, sizes.outputs),
    )
}

/// The gradients of x (where anything trainable lies behind it) and w in z = x·w.
pub(super) fn product_gradients<T: Real>(
    x: &Tensor,
    w: &Tensor,
    dz: &[T],
) -> Result<[Option<Tensor>; 2]> {
    let sizes = Sizes::of(x.shape(), w.shape())?;
    let dz = Matrix::new(dz, sizes.rows, sizes.outputs);
    let inputs = &values(x)?;
    let dw = multiplied(Matrix::new(inputs, sizes.rows, sizes.inputs).transposed(), dz);
    let dw = gradient(w, dw)?;
    if !x.track_op() {
        return Ok([None, dw]);
    }
    let w = &values(w)?;
    let dx = multiplied(dz, Matrix::new(w, sizes.inputs, sizes.outputs).transposed());
    Ok([gradient(x, dx)?, dw])
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn dense_gradients_match_finite_differences() {
        for activation in [Activation::Identity, Activation::Relu] {
            check(&[&[5, 4], &[4, 3], &[3]], |t| dense::<f64>(&t[0], &t[1], &t[2], activation));
        }
    }

    #[test]
    fn inputs_of_any_shape_are_rows() {
        check(&[&[5, 2, 1, 2], &[4, 3], &[3]], |t| {
            let y = dense::<f64>(&t[0], &t[1], &t[2], Activation::Relu)?;
            assert_eq!(y.dims2()?, (5, 3));
            Ok(y)
        });
    }

    #[test]
    fn project_gradients_match_finite_differences() {
        for activation in [Activation::Identity, Activation::Relu] {
            check(&[&[5, 4], &[4, 3]], |t| project::<f64>(&t[0], &t[1], activation));
        }
    }

    #[test]
    fn project_onto_gradients_match_finite_differences() {
        check(&[&[5, 3], &[5, 4], &[4, 3]], |t| project_onto::<f64>(&t[0], &t[1], &t[2]));
    }

    #[test]
    fn relu_keeps_nan_and_stops_the_gradient_at_zero() {
        let mut sums = [-1.0_f32, 0.0, 2.0, f32::NAN];
        Activation::Relu.apply(&mut sums);
        assert_eq!(sums[..3], [0.0, 0.0, 2.0]);
        assert!(sums[3].is_nan());
        let gradient = Activation::Relu.backward(&sums[..3], &[1.0; 3]);
        assert_eq!(*gradient, [0.0, 0.0, 1.0]);
    }
}
