//! Token embedding without positions, in every lane: y\[i\] = table\[token i\].
//!
//! Shapes: table \[lanes, vocabulary, width\], tokens \[n\], the same in all lanes; the result is
//! \[lanes, n, width\]. Invariant: the gradient of the table is a product with one-hot tokens, its
//! order of summation that of any product.

use std::sync::Arc;

use candle_core::{DType, Result, Tensor};

use super::node::node;
use super::one_hot::one_hot;
use super::product::matmul;

/// The rows of each lane's `table` that `tokens` name, as numbers of type `number`.
pub(in super::super) fn lookup(
    table: &Tensor,
    tokens: &Arc<[u32]>,
    number: DType,
) -> Result<Tensor> {
    let (lanes, vocabulary, _) = table.dims3()?;
    let ids = Tensor::from_slice(tokens, tokens.len(), table.device())?;
    let y = table.detach().index_select(&ids, 1)?.to_dtype(number)?;
    let (tokens, kept) = (Arc::clone(tokens), table.dtype());
    node([table], y, move |_, dy| {
        let places = one_hot(&tokens, vocabulary, kept, dy.device())?;
        let places = places.unsqueeze(0)?.expand((lanes, tokens.len(), vocabulary))?;
        Ok([Some(matmul(&places.t()?, &dy.to_dtype(kept)?)?)])
    })
}
