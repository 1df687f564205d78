//! A gain and the weights behind it as one operand.
//!
//! Shapes: gain \[in\], w \[in, out\]; the result is \[in + in · out\], the gain first. Invariant:
//! joining and parting copy numbers and change none. candle's custom operations take three
//! operands; half a transformer block has four, and is one operation for the sake of the gradients
//! between its parts, which candle would make of zeros and add to.

use candle_core::{Result, Tensor};

use super::Real;
use super::operation::{Operand, Operation, Pass, Results, apply, gradient};

/// `gain` and `w` side by side.
pub(super) fn join<T: Real>(gain: &Tensor, w: &Tensor) -> Result<Tensor> {
    apply::<T, 2>(Join, [gain, w])
}

/// The gain and the weights in what [`join`] made of weights with `inputs` inputs.
pub(super) fn part<T>(joined: &[T], inputs: usize) -> (&[T], &[T]) {
    joined.split_at(inputs)
}

struct Join;

impl<T: Real> Operation<T, 2> for Join {
    type Kept = ();

    const NAME: &'static str = "join";

    fn forward(&self, [gain, w]: [Operand<'_, T>; 2]) -> Result<Results<T>> {
        let joined = [gain.numbers, w.numbers].concat();
        let length = joined.len();
        Ok(Results::new(joined, length))
    }

    fn backward(&self, pass: Pass<'_, T, (), 2>) -> Result<[Option<Tensor>; 2]> {
        let [gain, w] = pass.operands;
        let (dgain, dw) = part(pass.dy, gain.elem_count());
        Ok([gradient(gain, dgain.to_vec())?, gradient(w, dw.to_vec())?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::check;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        check(&[&[4], &[4, 3]], |t| join::<f64>(&t[0], &t[1]));
    }
}
