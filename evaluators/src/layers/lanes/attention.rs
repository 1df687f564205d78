//! Multi-head attention with lanes, over packed queries, keys and values.
//!
//! Shapes: qkv \[lanes, batch · context, 3 · width\]; the result is \[lanes, batch · context,
//! width\]. Invariant: heads of all sequences and lanes are one batch of products, \[lanes · batch
//! · heads, context, width / heads\], split off and put back by one transposed copy each. The
//! products of attention have no weights and stay in the type of the activations.

use candle_core::{Device, Result, Tensor};

use super::super::Mask;
use super::node::node;
use super::softmax::{softmax, softmax_gradient};

/// Sizes one call works with.
#[derive(Clone, Copy)]
struct Sizes {
    lanes: usize,
    rows: usize,
    width: usize,
    context: usize,
    heads: usize,
}

/// Attends within each run of `context` rows of every lane.
pub(in super::super) fn attention(
    qkv: &Tensor,
    context: usize,
    heads: usize,
    mask: Mask,
) -> Result<Tensor> {
    let (lanes, rows, packed) = qkv.dims3()?;
    let sizes = Sizes { lanes, rows, width: packed / 3, context, heads };
    let scale = 1.0 / (sizes.head_width() as f64).sqrt();
    let [query, key, value] = sizes.split(&qkv.detach())?;
    let query = query.affine(scale, 0.0)?;
    let scores = masked(query.matmul(&key.t()?)?, mask)?;
    let weights = softmax(&scores)?.weights;
    let y = sizes.join(&weights.matmul(&value)?)?;
    node([qkv], y, move |_, dy| {
        let dy = sizes.split_results(dy)?;
        let dvalue = weights.t()?.matmul(&dy)?;
        let dscores = softmax_gradient(&weights, &dy.matmul(&value.t()?)?)?;
        let dquery = dscores.matmul(&key)?.affine(scale, 0.0)?;
        let dkey = dscores.t()?.matmul(&query)?;
        Ok([Some(sizes.pack(&[dquery, dkey, dvalue])?)])
    })
}

/// `scores` with −∞ where a mask hides the key from the query.
fn masked(scores: Tensor, mask: Mask) -> Result<Tensor> {
    match mask {
        Mask::None => Ok(scores),
        Mask::Causal => {
            let (_, context, _) = scores.dims3()?;
            let seen = seen(context, scores.device())?.broadcast_as(scores.shape())?;
            let hidden = Tensor::full(f32::NEG_INFINITY, (), scores.device())?;
            let hidden = hidden.to_dtype(scores.dtype())?.broadcast_as(scores.shape())?;
            seen.where_cond(&scores, &hidden)
        }
    }
}

/// \[context, context\]: 1 where the column is not after the row.
fn seen(context: usize, device: &Device) -> Result<Tensor> {
    let rows = (0..context).flat_map(|row| (0..context).map(move |column| u8::from(column <= row)));
    Tensor::from_vec(rows.collect(), (context, context), device)
}

impl Sizes {
    fn head_width(self) -> usize {
        self.width / self.heads
    }

    fn sequences(self) -> usize {
        self.lanes * self.rows / self.context
    }

    /// Query, key and value of every head.
    fn split(self, qkv: &Tensor) -> Result<[Tensor; 3]> {
        let shape = [self.sequences(), self.context, 3, self.heads, self.head_width()];
        let parts = qkv.reshape(&shape[..])?.permute([2, 0, 3, 1, 4])?.contiguous()?;
        let batch = (self.sequences() * self.heads, self.context, self.head_width());
        let part = |index| parts.narrow(0, index, 1)?.reshape(batch);
        Ok([part(0)?, part(1)?, part(2)?])
    }

    /// The reverse of [`Sizes::split`].
    fn pack(self, parts: &[Tensor; 3]) -> Result<Tensor> {
        let shape = [3, self.sequences(), self.heads, self.context, self.head_width()];
        let parts = Tensor::cat(parts, 0)?.reshape(&shape[..])?;
        let packed = parts.permute([1, 3, 0, 2, 4])?.contiguous()?;
        packed.reshape((self.lanes, self.rows, 3 * self.width))
    }

    /// Rows of all heads side by side, from those of every head.
    fn join(self, heads: &Tensor) -> Result<Tensor> {
        let shape = (self.sequences(), self.heads, self.context, self.head_width());
        let joined = heads.reshape(shape)?.transpose(1, 2)?.contiguous()?;
        joined.reshape((self.lanes, self.rows, self.width))
    }

    /// The reverse of [`Sizes::join`].
    fn split_results(self, y: &Tensor) -> Result<Tensor> {
        let shape = (self.sequences(), self.context, self.heads, self.head_width());
        let heads = y.reshape(shape)?.transpose(1, 2)?.contiguous()?;
        heads.reshape((self.sequences() * self.heads, self.context, self.head_width()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;

    #[test]
    fn splitting_and_packing_are_each_others_reverse() {
        let sizes = Sizes { lanes: 2, rows: 6, width: 4, context: 3, heads: 2 };
        let qkv = Tensor::arange(0_u32, 144, &Device::Cpu).and_then(|x| x.reshape((2, 6, 12)));
        let qkv = qkv.and_then(|x| x.to_dtype(DType::F32)).expect("sizes match");
        let parts = sizes.split(&qkv).expect("sizes match");
        // Row 1 of sequence 0 in lane 0, head 1: columns 2 and 3 of the query, at 12.
        let query = parts[0].to_vec3::<f32>().expect("three dimensions");
        assert_eq!(query[1][1], [14.0, 15.0]);
        let back = sizes.pack(&parts).and_then(|x| x.to_vec3::<f32>()).expect("sizes match");
        assert_eq!(back, qkv.to_vec3::<f32>().expect("three dimensions"));
    }
}
