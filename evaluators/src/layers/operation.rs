//! Operations: layers as functions of slices on the CPU, each one node of candle's graph.
//!
//! Invariant: nothing is copied on the way. Operands are read in place, results and gradients are
//! moved into their tensors, and the gradient of a term of the results is shared with them. An
//! operand that is not contiguous or not of type `T` is an error rather than a wrong answer; what
//! the forward pass keeps belongs to one node.
//!
//! Calls are resolved at compile time, for each operation and type, so that a layer costs what it
//! would with candle's traits implemented by hand. For the same reason it is the operations that
//! read operands on the way back and make tensors of gradients: read all at once, or handed to the
//! adapter as an array of numbers, they would cost the smallest networks something.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, Device, Layout, Result, Shape, Tensor};

use super::graph::{Node, Operands};
use super::storage::{operand, values};
use super::{Real, way_back};

/// A function of `N` tensors of type `T`, with its derivative.
pub(super) trait Operation<T: Real, const N: usize>: Send + Sync + 'static {
    /// What the forward pass keeps for the backward one.
    type Kept: Send + Sync + 'static;

    /// What candle's errors call it.
    const NAME: &'static str;

    /// The results.
    fn forward(&self, operands: [Operand<'_, T>; N]) -> Result<Results<T, Self::Kept>>;

    /// The gradients of the operands, `None` of one that nothing trainable depends on.
    fn backward(&self, pass: Pass<'_, T, Self::Kept, N>) -> Result<[Option<Tensor>; N]>;
}

/// An operand in the forward pass.
pub(super) struct Operand<'a, T> {
    /// Its numbers, row by row.
    pub(super) numbers: &'a [T],
    pub(super) shape: &'a Shape,
}

/// What a forward pass makes.
pub(super) struct Results<T, K = ()> {
    numbers: Vec<T>,
    shape: Shape,
    kept: K,
}

/// What a backward pass starts from. Not every operation needs the numbers of its operands and
/// results, so they are not read before it asks.
pub(super) struct Pass<'a, T, K, const N: usize> {
    pub(super) operands: [&'a Tensor; N],
    /// The results.
    pub(super) y: &'a Tensor,
    /// The gradient of the results, row by row.
    pub(super) dy: &'a [T],
    pub(super) kept: &'a K,
    gradient: &'a Tensor,
}

impl<T> Results<T> {
    /// `numbers`, with nothing kept.
    pub(super) fn new(numbers: Vec<T>, shape: impl Into<Shape>) -> Self {
        Self { numbers, shape: shape.into(), kept: () }
    }

    /// The same with something kept for the backward pass.
    pub(super) fn keeping<K>(self, kept: K) -> Results<T, K> {
        Results { numbers: self.numbers, shape: self.shape, kept }
    }
}

impl<T, K, const N: usize> Pass<'_, T, K, N> {
    /// The gradient of the results as that of an operand that is a term of them.
    pub(super) fn shared(&self) -> Option<Tensor> {
        Some(self.gradient.clone())
    }
}

/// `numbers` as the gradient of `operand`, whose shape they have.
pub(super) fn gradient<T: Real>(operand: &Tensor, numbers: Vec<T>) -> Result<Option<Tensor>> {
    Tensor::from_vec(numbers, operand.shape(), &Device::Cpu).map(Some)
}

/// The results of `operation`, which becomes a node of candle's graph.
///
/// # Errors
/// Those of the operation; an operand that is not contiguous, not on the CPU or not of type `T`.
pub(super) fn apply<'a, T: Real, const N: usize>(
    operation: impl Operation<T, N>,
    operands: [&'a Tensor; N],
) -> Result<Tensor>
where
    [&'a Tensor; N]: Operands<N>,
{
    let node = Arc::new(Adapter { operation, kept: OnceLock::new() });
    let results = operands.through(Arc::clone(&node))?;
    way_back::note(&results, operands, &node);
    Ok(results)
}

/// An operation as a node.
struct Adapter<T: Real, O: Operation<T, N>, const N: usize> {
    operation: O,
    kept: OnceLock<O::Kept>,
}

impl<T: Real, O: Operation<T, N>, const N: usize> Node<N> for Adapter<T, O, N> {
    const NAME: &'static str = O::NAME;

    fn on_cpu(&self, operands: [(&CpuStorage, &Layout); N]) -> Result<(CpuStorage, Shape)> {
        let mut all = operands.map(|(_, layout)| Operand { numbers: &[], shape: layout.shape() });
        for (read, (storage, layout)) in all.iter_mut().zip(&operands) {
            read.numbers = operand(storage, layout)?;
        }
        let Results { numbers, shape, kept } = self.operation.forward(all)?;
        // It is empty: `apply` makes a node for each forward pass.
        let _ = self.kept.set(kept);
        Ok((T::to_cpu_storage_owned(numbers), shape))
    }

    fn gradients(
        &self,
        operands: [&Tensor; N],
        results: &Tensor,
        gradient: &Tensor,
    ) -> Result<[Option<Tensor>; N]> {
        let kept = self.kept.get().expect("the forward pass has been made");
        let dy = &values(gradient)?;
        self.operation.backward(Pass { operands, y: results, dy, kept, gradient })
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    /// Σ (i + 1) · xᵢ², number by number, over the operands xᵢ.
    struct Squares;

    impl<T: Real, const N: usize> Operation<T, N> for Squares {
        /// The slope of each term at 1.
        type Kept = [T; N];

        const NAME: &'static str = "squares";

        fn forward(&self, operands: [Operand<'_, T>; N]) -> Result<Results<T, [T; N]>> {
            let mut y = vec![T::ZERO; operands[0].numbers.len()];
            for (index, operand) in operands.iter().enumerate() {
                for (y, &x) in y.iter_mut().zip(operand.numbers) {
                    *y += T::of(index + 1) * x * x;
                }
            }
            let slopes = std::array::from_fn(|index| T::of(2 * (index + 1)));
            Ok(Results::new(y, operands[0].shape).keeping(slopes))
        }

        fn backward(&self, pass: Pass<'_, T, [T; N], N>) -> Result<[Option<Tensor>; N]> {
            let mut gradients = [const { None }; N];
            for (index, operand) in pass.operands.into_iter().enumerate() {
                let x = values::<T>(operand)?;
                let dx = x.iter().zip(pass.dy).map(|(&x, &dy)| pass.kept[index] * x * dy);
                gradients[index] = gradient(operand, dx.collect())?;
            }
            Ok(gradients)
        }
    }

    /// The squares of as many operands as there are.
    fn squares(operands: &[&Tensor]) -> Result<Tensor> {
        match *operands {
            [a] => apply::<f64, 1>(Squares, [a]),
            [a, b] => apply::<f64, 2>(Squares, [a, b]),
            [a, b, c] => apply::<f64, 3>(Squares, [a, b, c]),
            _ => unreachable!("one to three"),
        }
    }

    #[test]
    fn every_operand_gets_its_own_gradient() {
        for count in 1..=3 {
            check(&vec![&[2, 3][..]; count], |t| squares(&t.iter().collect::<Vec<_>>()));
        }
    }

    #[test]
    fn operands_are_read_where_they_lie_or_not_at_all() {
        let all = Tensor::arange(0.0, 24.0, &Device::Cpu).and_then(|all| all.reshape((6, 4)));
        let all = all.expect("sizes match");
        let part = all.narrow(0, 2, 4).expect("rows of it");
        let copy = part.copy().expect("a copy");
        let turned = part.t().expect("a square matrix");
        let narrow = copy.to_dtype(candle_core::DType::F32).expect("a narrower type");
        for count in 1..=3 {
            for place in 0..count {
                let with = |operand| {
                    let mut operands = vec![&copy; count];
                    operands[place] = operand;
                    squares(&operands).and_then(|y| y.to_vec2::<f64>())
                };
                assert_eq!(with(&part).expect("contiguous"), with(&copy).expect("contiguous"));
                let error = with(&turned).expect_err("not contiguous").to_string();
                assert!(error.contains("contiguous operands"), "{error}");
                assert!(with(&narrow).is_err(), "an operand of another type");
            }
        }
    }
}
