//! Token embedding plus a learned position: y\[b·context + s\] = table\[token\] + positions\[s\].
//!
//! Shapes: table \[vocabulary, width\], positions \[context, width\], tokens \[batch · context\];
//! the result is \[batch · context, width\]. Invariant: a token used twice in a batch gets the sum
//! of both gradients, added in batch order.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::matrix::zeros;
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::{Real, lanes};

/// The first layer of the transformer.
pub(crate) struct Embedding {
    tokens: Arc<[u32]>,
}

impl Embedding {
    /// Embeds `tokens`, each below the vocabulary size; their number is a multiple of the context.
    pub(crate) fn of<T: Real>(
        table: &Tensor,
        positions: &Tensor,
        tokens: &Arc<[u32]>,
    ) -> Result<Tensor> {
        if table.rank() == 3 {
            let rows = lanes::lookup(table, tokens, T::DTYPE)?;
            return lanes::add_positions(&rows, positions);
        }
        apply::<T, 2>(Self { tokens: Arc::clone(tokens) }, [table, positions])
    }
}

fn add<T: Real>(sum: &mut [T], row: &[T]) {
    for (sum, &value) in sum.iter_mut().zip(row) {
        *sum += value;
    }
}

impl<T: Real> Operation<T, 2> for Embedding {
    type Kept = ();

    const NAME: &'static str = "embedding";

    fn forward(&self, [table, positions]: [Operand<'_, T>; 2]) -> Result<Results<T>> {
        let (_, width) = table.shape.dims2()?;
        let positions = positions.numbers.chunks_exact(width).cycle();
        let mut y = Vec::with_capacity(self.tokens.len() * width);
        for (&token, position) in self.tokens.iter().zip(positions) {
            let row = &table.numbers[token as usize * width..][..width];
            y.extend(row.iter().zip(position).map(|(&a, &b)| a + b));
        }
        Ok(Results::new(y, (self.tokens.len(), width)))
    }

    fn backward(&self, pass: Pass<'_, T, (), 2>) -> Result<[Option<Tensor>; 2]> {
        let [table, positions] = pass.operands;
        let (context, width) = positions.dims2()?;
        let mut dtable = zeros::<T>(table.elem_count());
        let mut dpositions = zeros::<T>(positions.elem_count());
        let rows = pass.dy.chunks_exact(width).zip(self.tokens.iter());
        for (index, (row, &token)) in rows.enumerate() {
            add(&mut dtable[token as usize * width..][..width], row);
            add(&mut dpositions[index % context * width..][..width], row);
        }
        Ok([gradient(table, dtable)?, gradient(positions, dpositions)?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        let tokens: Arc<[u32]> = [1, 0, 4, 4, 2, 1].into();
        check(&[&[5, 3], &[3, 3]], |t| Embedding::of::<f64>(&t[0], &t[1], &tokens));
    }
}
