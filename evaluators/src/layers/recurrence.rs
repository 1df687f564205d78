//! A recurrent layer unrolled over a window, with its backward pass through time, as one operation.
//!
//! Shapes: p \[batch · context, blocks · width\] (the projected inputs), u \[width, blocks ·
//! width\]; the result is the states, \[batch · context, width\]. Invariant: every sequence starts
//! from a state of zeros, and a state depends on its own and earlier inputs only. As one node the
//! graph has as many nodes for any context; unrolled, candle's backward pass would recurse once a
//! step.

use candle_core::{Result, Shape, Tensor};

use super::matrix::{Matrix, MatrixMut, multiply, zeros};
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::storage::values;
use super::{Real, lanes};
use crate::Cell;

/// One recurrent layer.
pub(crate) struct Recurrence {
    cell: Cell,
    context: usize,
}

impl Recurrence {
    /// The states over each run of `context` rows of `p`.
    pub(crate) fn of<T: Real>(
        p: &Tensor,
        u: &Tensor,
        context: usize,
        cell: Cell,
    ) -> Result<Tensor> {
        if u.rank() == 3 {
            return lanes::recurrence(p, u, context, cell);
        }
        apply::<T, 2>(Self { cell, context }, [p, u])
    }
}

/// Row lengths of one call.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    context: usize,
    width: usize,
    /// Of p and q.
    projected: usize,
    kept: usize,
}

impl Sizes {
    fn of(p: &Shape, u: &Shape, cell: Cell, context: usize) -> Result<Self> {
        let ((rows, projected), (width, _)) = (p.dims2()?, u.dims2()?);
        if projected != cell.blocks() * width || rows % context != 0 {
            candle_core::bail!("{p:?} and {u:?} do not fit a context of {context}");
        }
        let kept = cell.kept() * width;
        Ok(Self { batch: rows / context, context, width, projected, kept })
    }

    /// The rows of all sequences at step `step`, of `rows` of `length` numbers.
    fn at<T>(self, rows: &[T], step: usize, length: usize) -> Matrix<'_, T> {
        Matrix::strided(&rows[step * length..], self.batch, length, self.context * length)
    }

    /// The states before each step: `states` moved by one row, zeros at the start of a sequence.
    fn states_before<T: Real>(self, states: &[T]) -> Vec<T> {
        let mut before = zeros(states.len());
        let sequence = self.context * self.width;
        for (before, states) in before.chunks_exact_mut(sequence).zip(states.chunks_exact(sequence))
        {
            before[self.width..].copy_from_slice(&states[..sequence - self.width]);
        }
        before
    }
}

/// Row `row` of rows of `length` numbers.
fn row<T>(rows: &[T], row: usize, length: usize) -> &[T] {
    &rows[row * length..][..length]
}

fn row_mut<T>(rows: &mut [T], row: usize, length: usize) -> &mut [T] {
    &mut rows[row * length..][..length]
}

impl<T: Real> Operation<T, 2> for Recurrence {
    /// What each step keeps, \[batch · context, kept · width\].
    type Kept = Vec<T>;

    const NAME: &'static str = "recurrence";

    fn forward(&self, [p, u]: [Operand<'_, T>; 2]) -> Result<Results<T, Vec<T>>> {
        let sizes = Sizes::of(p.shape, u.shape, self.cell, self.context)?;
        let Sizes { batch, context, width, projected, .. } = sizes;
        let mut states = zeros(batch * context * width);
        let mut kept = zeros(batch * context * sizes.kept);
        let (mut q, start) = (zeros(batch * projected), zeros(width));
        for step in 0..context {
            if step > 0 {
                multiply(
                    MatrixMut::new(&mut q, batch, projected),
                    sizes.at(&states, step - 1, width),
                    Matrix::new(u.numbers, width, projected),
                    T::ONE,
                );
            }
            for sequence in 0..batch {
                let index = sequence * context + step;
                let (earlier, states) = states.split_at_mut(index * width);
                let before = if step > 0 { row(earlier, index - 1, width) } else { &start };
                self.cell.step(
                    row(p.numbers, index, projected),
                    row(&q, sequence, projected),
                    before,
                    &mut states[..width],
                    row_mut(&mut kept, index, sizes.kept),
                );
            }
        }
        Ok(Results::new(states, (batch * context, width)).keeping(kept))
    }

    fn backward(&self, pass: Pass<'_, T, Vec<T>, 2>) -> Result<[Option<Tensor>; 2]> {
        let Pass { operands: [p, u], y, dy, kept, .. } = pass;
        let sizes = Sizes::of(p.shape(), u.shape(), self.cell, self.context)?;
        let Sizes { batch, context, width, projected, .. } = sizes;
        let (u_values, states) = (values::<T>(u)?, values::<T>(y)?);
        let before = sizes.states_before(&states);
        let mut dp = zeros(batch * context * projected);
        let mut dq = zeros(batch * context * projected);
        // The gradient of the states before the step, from the step and all later ones.
        let (mut dbefore, mut through) = (zeros::<T>(batch * width), zeros::<T>(batch * width));
        let mut dafter = zeros::<T>(width);
        for step in (0..context).rev() {
            for sequence in 0..batch {
                let index = sequence * context + step;
                let dbefore = row_mut(&mut dbefore, sequence, width);
                let both = dbefore.iter().zip(row(dy, index, width));
                for (dafter, (&later, &own)) in dafter.iter_mut().zip(both) {
                    *dafter = later + own;
                }
                self.cell.step_backward(
                    (row(&before, index, width), row(&states, index, width)),
                    row(kept, index, sizes.kept),
                    &dafter,
                    (row_mut(&mut dp, index, projected), row_mut(&mut dq, index, projected)),
                    dbefore,
                );
            }
            let u = Matrix::new(&u_values, width, projected).transposed();
            let through_step = MatrixMut::new(&mut through, batch, width);
            multiply(through_step, sizes.at(&dq, step, projected), u, T::ONE);
            for (dbefore, &through) in dbefore.iter_mut().zip(&through) {
                *dbefore += through;
            }
        }
        let mut du = zeros(width * projected);
        multiply(
            MatrixMut::new(&mut du, width, projected),
            Matrix::new(&before, batch * context, width).transposed(),
            Matrix::new(&dq, batch * context, projected),
            T::ONE,
        );
        Ok([gradient(p, dp)?, gradient(u, du)?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;
    use candle_core::Device;

    #[test]
    fn gradients_match_finite_differences() {
        for (cell, blocks) in [(Cell::Elman, 1), (Cell::Gated, 3)] {
            check(&[&[8, 3 * blocks], &[3, 3 * blocks]], |t| {
                Recurrence::of::<f64>(&t[0], &t[1], 4, cell)
            });
        }
    }

    #[test]
    fn later_inputs_and_other_sequences_do_not_matter() {
        let u: Vec<f32> = (0..27).map(|i| (i * 5 % 11) as f32 / 11.0 - 0.4).collect();
        let u = Tensor::from_vec(u, (3, 9), &Device::Cpu).expect("sizes");
        let states = |inputs: &[f32]| {
            let p = Tensor::from_slice(inputs, (6, 9), &Device::Cpu).expect("sizes");
            let y = Recurrence::of::<f32>(&p, &u, 3, Cell::Gated).expect("valid");
            y.to_vec2::<f32>().expect("two dimensions")
        };
        let inputs: Vec<f32> = (0..54).map(|i| (i * 7 % 13) as f32 / 13.0).collect();
        let mut changed = inputs.clone();
        changed[9..18].fill(0.5); // the second row of the first sequence
        let (before, after) = (states(&inputs), states(&changed));
        assert_eq!(before[0], after[0]);
        assert!(before[1] != after[1] && before[2] != after[2]);
        assert_eq!(before[3..], after[3..]);
    }
}
