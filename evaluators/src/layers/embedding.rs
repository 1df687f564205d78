//! Token embedding plus a learned position: y\[b·context + s\] = table\[token\] + positions\[s\].
//!
//! Shapes: table \[vocabulary, width\], positions \[context, width\], tokens \[batch · context\];
//! the result is \[batch · context, width\]. Invariant: a token used twice in a batch gets the sum
//! of both gradients, added in batch order.

use std::marker::PhantomData;
use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::matrix::zeros;
use super::storage::{operand, tensor, values};
use super::{Real, lanes};

/// The first layer of the transformer.
pub(crate) struct Embedding<T> {
    tokens: Arc<[u32]>,
    number: PhantomData<T>,
}

impl<T: Real> Embedding<T> {
    /// Embeds `tokens`, each below the vocabulary size; their number is a multiple of the context.
    pub(crate) fn of(table: &Tensor, positions: &Tensor, tokens: &Arc<[u32]>) -> Result<Tensor> {
        if table.rank() == 3 {
            let rows = lanes::lookup(table, tokens, T::DTYPE)?;
            return lanes::add_positions(&rows, positions);
        }
        table.apply_op2(positions, Self { tokens: Arc::clone(tokens), number: PhantomData })
    }
}

fn add<T: Real>(sum: &mut [T], row: &[T]) {
    for (sum, &value) in sum.iter_mut().zip(row) {
        *sum += value;
    }
}

impl<T: Real> CustomOp2 for Embedding<T> {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn cpu_fwd(
        &self,
        table: &CpuStorage,
        table_layout: &Layout,
        positions: &CpuStorage,
        positions_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, width) = table_layout.shape().dims2()?;
        let table = operand::<T>(table, table_layout)?;
        let positions = operand::<T>(positions, positions_layout)?;
        let mut y = Vec::with_capacity(self.tokens.len() * width);
        for (&token, position) in self.tokens.iter().zip(positions.chunks_exact(width).cycle()) {
            let row = &table[token as usize * width..][..width];
            y.extend(row.iter().zip(position).map(|(&a, &b)| a + b));
        }
        Ok((T::to_cpu_storage_owned(y), (self.tokens.len(), width).into()))
    }

    fn bwd(
        &self,
        table: &Tensor,
        positions: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (context, width) = positions.dims2()?;
        let dy = values::<T>(dy)?;
        let mut dtable = zeros::<T>(table.elem_count());
        let mut dpositions = zeros::<T>(positions.elem_count());
        for (index, (row, &token)) in dy.chunks_exact(width).zip(self.tokens.iter()).enumerate() {
            add(&mut dtable[token as usize * width..][..width], row);
            add(&mut dpositions[index % context * width..][..width], row);
        }
        Ok((Some(tensor(dtable, table.shape())?), Some(tensor(dpositions, positions.shape())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        let tokens: Arc<[u32]> = [1, 0, 4, 4, 2, 1].into();
        check(&[&[5, 3], &[3, 3]], |t| Embedding::<f64>::of(&t[0], &t[1], &tokens));
    }
}
