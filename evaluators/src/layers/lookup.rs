//! Token embedding without positions: y\[i\] = table\[token i\].
//!
//! Shapes: table \[vocabulary, width\], tokens \[n\]; the result is \[n, width\]. Invariant: a
//! token used twice in a batch gets the sum of both gradients, added in batch order.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::matrix::zeros;
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::{Real, lanes};

/// The rows of `table` that `tokens` name, each below the vocabulary size.
pub(crate) fn lookup<T: Real>(table: &Tensor, tokens: &Arc<[u32]>) -> Result<Tensor> {
    if table.rank() == 3 {
        return lanes::lookup(table, tokens, T::DTYPE);
    }
    apply::<T, 1>(Lookup { tokens: Arc::clone(tokens) }, [table])
}

struct Lookup {
    tokens: Arc<[u32]>,
}

impl<T: Real> Operation<T, 1> for Lookup {
    type Kept = ();

    const NAME: &'static str = "lookup";

    fn forward(&self, [table]: [Operand<'_, T>; 1]) -> Result<Results<T>> {
        let (_, width) = table.shape.dims2()?;
        let mut y = Vec::with_capacity(self.tokens.len() * width);
        for &token in self.tokens.iter() {
            y.extend_from_slice(&table.numbers[token as usize * width..][..width]);
        }
        Ok(Results::new(y, (self.tokens.len(), width)))
    }

    fn backward(&self, pass: Pass<'_, T, (), 1>) -> Result<[Option<Tensor>; 1]> {
        let [table] = pass.operands;
        let (_, width) = table.dims2()?;
        let mut dtable = zeros::<T>(table.elem_count());
        for (row, &token) in pass.dy.chunks_exact(width).zip(self.tokens.iter()) {
            let sum = &mut dtable[token as usize * width..][..width];
            for (sum, &value) in sum.iter_mut().zip(row) {
                *sum += value;
            }
        }
        Ok([gradient(table, dtable)?])
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
