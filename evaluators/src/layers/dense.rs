//! Dense layers: x·w with bias and relu, or added to a residual, each as one operation.
//!
//! Shapes: x \[n, in\], w \[in, out\], bias \[out\], residual \[n, out\]; the result is \[n, out\].
//! Invariant: relu keeps NaN (`z < 0 ? 0 : z`), so that a broken weight always reaches the loss; its
//! derivative at 0 is 0. Candle's relu has derivative 1 there, and its bias gradient (a sum over
//! rows) alone costs more than the products.

use std::marker::PhantomData;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::matrix::{Matrix, MatrixMut, column_sums, multiply, zeros};
use super::storage::{operand, tensor, values};
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
            for z in sums {
                *z = if *z < T::ZERO { T::ZERO } else { *z };
            }
        }
    }

    /// The gradient of the sums, from the results and their gradient.
    pub(super) fn backward<T: Real>(self, results: &[T], gradient: &[T]) -> Vec<T> {
        match self {
            Self::Identity => gradient.to_vec(),
            Self::Relu => results
                .iter()
                .zip(gradient)
                .map(|(&y, &dy)| if y > T::ZERO { dy } else { T::ZERO })
                .collect(),
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
    x.apply_op3(w, bias, Dense::<T>(activation, PhantomData))
}

/// activation(x·w).
pub(crate) fn project<T: Real>(x: &Tensor, w: &Tensor, activation: Activation) -> Result<Tensor> {
    if w.rank() == 3 {
        return lanes::project(x, w, activation);
    }
    x.apply_op2(w, Project::<T>(activation, PhantomData))
}

/// residual + x·w.
pub(crate) fn project_onto<T: Real>(residual: &Tensor, x: &Tensor, w: &Tensor) -> Result<Tensor> {
    if w.rank() == 3 {
        return lanes::project_onto(residual, x, w);
    }
    x.apply_op3(w, residual, ProjectOnto::<T>(PhantomData))
}

struct Dense<T>(Activation, PhantomData<T>);

struct Project<T>(Activation, PhantomData<T>);

struct ProjectOnto<T>(PhantomData<T>);

/// Rows, inputs and outputs of a layer.
#[derive(Clone, Copy)]
struct Sizes {
    rows: usize,
    inputs: usize,
    outputs: usize,
}

impl Sizes {
    fn of(x: &Shape, w: &Shape) -> Result<Self> {
        let ((rows, inputs), (_, outputs)) = (x.dims2()?, w.dims2()?);
        Ok(Self { rows, inputs, outputs })
    }
}

impl<T: Real> CustomOp3 for Dense<T> {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::of(x_layout.shape(), w_layout.shape())?;
        let mut y = product(operand::<T>(x, x_layout)?, operand(w, w_layout)?, sizes);
        add_bias(&mut y, operand(bias, bias_layout)?);
        self.0.apply(&mut y);
        Ok((T::to_cpu_storage_owned(y), (sizes.rows, sizes.outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let dz = self.0.backward(&values::<T>(y)?, &values::<T>(dy)?);
        let db = tensor(column_sums(&dz, y.dim(1)?), bias.shape())?;
        let (dx, dw) = product_gradients::<T>(x, w, &dz)?;
        Ok((dx, Some(dw), Some(db)))
    }
}

impl<T: Real> CustomOp2 for Project<T> {
    fn name(&self) -> &'static str {
        "project"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::of(x_layout.shape(), w_layout.shape())?;
        let mut y = product(operand::<T>(x, x_layout)?, operand(w, w_layout)?, sizes);
        self.0.apply(&mut y);
        Ok((T::to_cpu_storage_owned(y), (sizes.rows, sizes.outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dy = values::<T>(dy)?;
        let (dx, dw) = match self.0 {
            Activation::Identity => product_gradients::<T>(x, w, &dy)?,
            Activation::Relu => {
                product_gradients::<T>(x, w, &self.0.backward(&values::<T>(y)?, &dy))?
            }
        };
        Ok((dx, Some(dw)))
    }
}

impl<T: Real> CustomOp3 for ProjectOnto<T> {
    fn name(&self) -> &'static str {
        "project_onto"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::of(x_layout.shape(), w_layout.shape())?;
        let mut y = product(operand::<T>(x, x_layout)?, operand(w, w_layout)?, sizes);
        for (y, &residual) in y.iter_mut().zip(operand::<T>(residual, residual_layout)?) {
            *y += residual;
        }
        Ok((T::to_cpu_storage_owned(y), (sizes.rows, sizes.outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _residual: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = product_gradients::<T>(x, w, &values::<T>(dy)?)?;
        Ok((dx, Some(dw), Some(dy.clone())))
    }
}

fn product<T: Real>(x: &[T], w: &[T], sizes: Sizes) -> Vec<T> {
    let mut y = zeros(sizes.rows * sizes.outputs);
    multiply(
        MatrixMut::new(&mut y, sizes.rows, sizes.outputs),
        Matrix::new(x, sizes.rows, sizes.inputs),
        Matrix::new(w, sizes.inputs, sizes.outputs),
        T::ONE,
    );
    y
}

/// Adds `bias` to every row of `rows`.
pub(super) fn add_bias<T: Real>(rows: &mut [T], bias: &[T]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        for (value, &bias) in row.iter_mut().zip(bias) {
            *value += bias;
        }
    }
}

/// The gradients of x (where anything trainable lies behind it) and w in z = x·w.
fn product_gradients<T: Real>(
    x: &Tensor,
    w: &Tensor,
    dz: &[T],
) -> Result<(Option<Tensor>, Tensor)> {
    let sizes = Sizes::of(x.shape(), w.shape())?;
    let dz = Matrix::new(dz, sizes.rows, sizes.outputs);
    let x_values = values::<T>(x)?;
    let mut dw = zeros(sizes.inputs * sizes.outputs);
    multiply(
        MatrixMut::new(&mut dw, sizes.inputs, sizes.outputs),
        Matrix::new(&x_values, sizes.rows, sizes.inputs).transposed(),
        dz,
        T::ONE,
    );
    let dw = tensor(dw, w.shape())?;
    if !x.track_op() {
        return Ok((None, dw));
    }
    let mut dx = zeros(sizes.rows * sizes.inputs);
    multiply(
        MatrixMut::new(&mut dx, sizes.rows, sizes.inputs),
        dz,
        Matrix::new(&values::<T>(w)?, sizes.inputs, sizes.outputs).transposed(),
        T::ONE,
    );
    Ok((Some(tensor(dx, x.shape())?), dw))
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
        assert_eq!(gradient, [0.0, 0.0, 1.0]);
    }
}
