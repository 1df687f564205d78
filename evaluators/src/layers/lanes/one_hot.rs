//! One-hot rows: what turns sums by class into a product or a difference.
//!
//! Invariant: made on the device from the classes alone. Adding at indices instead leaves a GPU
//! with one thread for a whole lane, or with an order of summation that is not fixed.

use candle_core::{DType, Device, Result, Tensor};

/// \[rows, classes\]: 1 where the column is the row's class, else 0.
pub(super) fn one_hot(
    classes_of_rows: &[u32],
    classes: usize,
    number: DType,
    device: &Device,
) -> Result<Tensor> {
    let rows = Tensor::from_slice(classes_of_rows, (classes_of_rows.len(), 1), device)?;
    let columns = Tensor::arange(0, classes as u32, device)?.unsqueeze(0)?;
    rows.broadcast_eq(&columns)?.to_dtype(number)
}
