//! Products of activations and weights, forward and back, in every lane.
//!
//! Shapes: x \[rows, in\], shared by all lanes, or \[lanes, rows, in\]; w \[lanes, in, out\]; z
//! \[lanes, rows, out\]. Invariant: a product is made in the type of its weight, and its results
//! have the type of the activations; a weight of bf16 is how mixed precision is asked for. Shared
//! data and transposed operands are read by stride.

use candle_core::{DType, Result, Tensor};

/// The inputs of a product, kept for the backward pass in the type it was made in.
pub(super) struct Inputs {
    /// In the type of the weight, for every lane.
    x: Tensor,
    w: Tensor,
    /// Whether anything trainable lies behind the inputs.
    trained: bool,
    number: DType,
}

impl Inputs {
    /// Of x·w.
    pub(super) fn new(x: &Tensor, w: &Tensor) -> Result<Self> {
        let lanes = w.dim(0)?;
        let (trained, number) = (x.track_op(), x.dtype());
        // Before it is repeated: a cast of repeated numbers would write all of them.
        let x = x.detach().to_dtype(w.dtype())?;
        let x = if x.rank() == 2 {
            let (rows, columns) = x.dims2()?;
            x.unsqueeze(0)?.expand((lanes, rows, columns))?
        } else {
            x
        };
        Ok(Self { x, w: w.detach(), trained, number })
    }

    /// x·w.
    pub(super) fn multiply(&self) -> Result<Tensor> {
        matmul(&self.x, &self.w)?.to_dtype(self.number)
    }

    /// The gradients of x, where it is trained, and w from that of x·w.
    pub(super) fn gradients(&self, dz: &Tensor) -> Result<(Option<Tensor>, Tensor)> {
        let dz = dz.to_dtype(self.w.dtype())?;
        let dw = matmul(&self.x.t()?, &dz)?;
        let dx = if self.trained {
            Some(matmul(&dz, &self.w.t()?)?.to_dtype(self.number)?)
        } else {
            None
        };
        Ok((dx, dw))
    }
}

/// The product of every lane. On a CPU, where candle multiplies no bf16, bf16 operands are
/// multiplied in f32, as tensor cores do, and the results rounded.
pub(super) fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.dtype() == DType::BF16 && a.device().is_cpu() {
        let product = a.to_dtype(DType::F32)?.matmul(&b.to_dtype(DType::F32)?)?;
        return product.to_dtype(DType::BF16);
    }
    a.matmul(b)
}
