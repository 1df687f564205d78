//! Parameters: candle variables fed from, and differentiated into, flat vectors.
//!
//! Invariant: the variables are made once a run and only their numbers change, and gradients are
//! copied out before the graph is dropped. Keeping gradient tensors would keep every step's graph
//! alive, a leak candle does not report.

use std::marker::PhantomData;

use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Result, Tensor, Var, bail};

use super::Leaf;
use crate::layers::{Noted, Real, values};

/// The leaves of one network as candle variables.
pub(crate) struct Parameters<T> {
    /// Variables, seen as the tensors a network reads.
    leaves: Vec<Tensor>,
    number: PhantomData<T>,
}

impl<T: Real> Parameters<T> {
    /// Variables of the shapes of `leaves`, all zero.
    pub(crate) fn new(leaves: &[Leaf]) -> Result<Self> {
        let zeros = |leaf: &Leaf| {
            let variable = Var::zeros(leaf.shape.as_slice(), T::DTYPE, &Device::Cpu)?;
            Ok(variable.as_tensor().clone())
        };
        Ok(Self { leaves: leaves.iter().map(zeros).collect::<Result<_>>()?, number: PhantomData })
    }

    /// The variables in leaf order.
    pub(crate) fn variables(&self) -> &[Tensor] {
        &self.leaves
    }

    /// Sets every variable from the flat vector.
    pub(crate) fn load(&self, flat: &[T]) -> Result<()> {
        let mut rest = flat;
        for leaf in &self.leaves {
            let (head, tail) = rest.split_at(leaf.elem_count());
            leaf.inplace_op1(&Load(head))?;
            rest = tail;
        }
        Ok(())
    }

    /// Writes the gradient of `loss` with respect to every leaf into the flat vector.
    ///
    /// # Errors
    /// A leaf got no gradient, which would otherwise pass for a gradient of zero.
    pub(crate) fn differentiate(&self, loss: &Noted, flat: &mut [T]) -> Result<()> {
        let gradients = loss.gradients()?;
        let mut rest = flat;
        for (index, leaf) in self.leaves.iter().enumerate() {
            let (head, tail) = rest.split_at_mut(leaf.elem_count());
            match gradients.get(leaf) {
                Some(gradient) => head.copy_from_slice(&values::<T>(gradient)?),
                None => bail!("leaf {index} got no gradient"),
            }
            rest = tail;
        }
        Ok(())
    }
}

/// Overwrites a variable.
struct Load<'a, T>(&'a [T]);

impl<T: Real> InplaceOp1 for Load<'_, T> {
    fn name(&self) -> &'static str {
        "load"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, _layout: &Layout) -> Result<()> {
        T::numbers_mut(storage)?.copy_from_slice(self.0);
        Ok(())
    }
}
