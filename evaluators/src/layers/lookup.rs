//! Token embedding without positions: y\[i\] = table\[token i\].
//!
//! Shapes: table \[vocabulary, width\], tokens \[n\]; the result is \[n, width\]. Invariant: a
//! token used twice in a batch gets the sum of both gradients, added in batch order.

use std::marker::PhantomData;
use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::matrix::zeros;
use super::storage::{operand, tensor, values};
use super::{Real, lanes};

/// The rows of `table` that `tokens` name, each below the vocabulary size.
pub(crate) fn lookup<T: Real>(table: &Tensor, tokens: &Arc<[u32]>) -> Result<Tensor> {
    if table.rank() == 3 {
        return lanes::lookup(table, tokens, T::DTYPE);
    }
    table.apply_op1(Lookup::<T> { tokens: Arc::clone(tokens), number: PhantomData })
}

struct Lookup<T> {
    tokens: Arc<[u32]>,
    number: PhantomData<T>,
}

impl<T: Real> CustomOp1 for Lookup<T> {
    fn name(&self) -> &'static str {
        "lookup"
    }

    fn cpu_fwd(&self, table: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = layout.shape().dims2()?;
        let table = operand::<T>(table, layout)?;
        let mut y = Vec::with_capacity(self.tokens.len() * width);
        for &token in self.tokens.iter() {
            y.extend_from_slice(&table[token as usize * width..][..width]);
        }
        Ok((T::to_cpu_storage_owned(y), (self.tokens.len(), width).into()))
    }

    fn bwd(&self, table: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let (_, width) = table.dims2()?;
        let dy = values::<T>(dy)?;
        let mut dtable = zeros::<T>(table.elem_count());
        for (row, &token) in dy.chunks_exact(width).zip(self.tokens.iter()) {
            let sum = &mut dtable[token as usize * width..][..width];
            for (sum, &value) in sum.iter_mut().zip(row) {
                *sum += value;
            }
        }
        Ok(Some(tensor(dtable, table.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        let tokens: Arc<[u32]> = [1, 0, 4, 4, 1].into();
        check(&[&[5, 3]], |t| lookup::<f64>(&t[0], &tokens));
    }
}
