//! Reading the numbers of contiguous candle tensors in place.
//!
//! Invariant: nothing is copied; a tensor that is not contiguous, not on the CPU or of another type
//! is an error rather than a wrong answer. `Tensor::to_vec1` would allocate at every step.

use std::marker::PhantomData;
use std::ops::{Deref, Range};

use candle_core::{CpuStorage, Layout, Result, Storage, StorageRef, Tensor, bail};

use super::Real;

/// The numbers of an operand of a custom operation.
pub(super) fn operand<'a, T: Real>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    Ok(&T::cpu_storage_as_slice(storage)?[range(layout)?])
}

fn range(layout: &Layout) -> Result<Range<usize>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(start..end),
        None => bail!("a layer needs contiguous operands, not {layout:?}"),
    }
}

/// The numbers of a CPU tensor, readable for as long as the value lives.
pub(crate) struct Values<'a, T> {
    storage: StorageRef<'a>,
    range: Range<usize>,
    number: PhantomData<T>,
}

/// The numbers of `tensor`, row by row.
///
/// # Errors
/// The tensor is not contiguous, not on the CPU, or not of type `T`.
pub(crate) fn values<T: Real>(tensor: &Tensor) -> Result<Values<'_, T>> {
    let (storage, layout) = tensor.storage_and_layout();
    let range = range(layout)?;
    match &*storage {
        Storage::Cpu(cpu) => T::cpu_storage_as_slice(cpu)?,
        _ => bail!("a layer needs CPU tensors"),
    };
    Ok(Values { storage, range, number: PhantomData })
}

impl<T: Real> Deref for Values<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        let Storage::Cpu(cpu) = &*self.storage else {
            unreachable!("`values` refused other devices");
        };
        let all = T::cpu_storage_as_slice(cpu).expect("`values` refused other types");
        &all[self.range.clone()]
    }
}
