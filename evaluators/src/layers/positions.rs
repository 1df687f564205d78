//! Learned positions: y\[b·length + s\] = x\[b·length + s\] + positions\[s\].
//!
//! Shapes: x and y \[batch · length, width\], positions \[length, width\]. Invariant: gradients of
//! a position are added in batch order. Candle's broadcast would sum them through a strided copy.

use candle_core::{Result, Tensor};

use super::matrix::{column_sums, zeros};
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};
use super::{Real, lanes};

/// Adds its position to every row of `x`.
pub(crate) fn add_positions<T: Real>(x: &Tensor, positions: &Tensor) -> Result<Tensor> {
    if positions.rank() == 3 {
        return lanes::add_positions(x, positions);
    }
    apply::<T, 2>(Positions, [x, positions])
}

struct Positions;

impl<T: Real> Operation<T, 2> for Positions {
    type Kept = ();

    const NAME: &'static str = "positions";

    fn forward(&self, [x, positions]: [Operand<'_, T>; 2]) -> Result<Results<T>> {
        let length = positions.numbers.len();
        let mut y = zeros(x.numbers.len());
        let sequences = x.numbers.chunks_exact(length);
        for (x, y) in sequences.zip(y.chunks_exact_mut(length)) {
            for ((y, &x), &position) in y.iter_mut().zip(x).zip(positions.numbers) {
                *y = x + position;
            }
        }
        Ok(Results::new(y, x.shape))
    }

    fn backward(&self, pass: Pass<'_, T, (), 2>) -> Result<[Option<Tensor>; 2]> {
        let [_, positions] = pass.operands;
        // A whole sequence is one row here.
        let dpositions = column_sums(pass.dy, positions.elem_count());
        Ok([pass.shared(), gradient(positions, dpositions)?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        check(&[&[6, 4], &[3, 4]], |t| add_positions::<f64>(&t[0], &t[1]));
    }
}
