//! Images in other shapes: pixel by pixel, or as one row each.
//!
//! Shapes: images \[batch, height, width, channels\], with lanes in front where they have them.
//! Invariant: no number moves.

use candle_core::{Result, Tensor};

use super::way_back::reshaped;

/// The pixels of all images as rows, \[batch · height · width, channels\].
pub(crate) fn pixel_rows(images: &Tensor) -> Result<Tensor> {
    match *images.dims() {
        [_, _, _, channels] => reshaped(images, (images.elem_count() / channels, channels)),
        [lanes, _, _, _, channels] => images.reshape((lanes, (), channels)),
        _ => candle_core::bail!("images have four dimensions, and lanes one more"),
    }
}

/// Each image as one row, \[batch, height · width · channels\].
pub(crate) fn flat_images(images: &Tensor) -> Result<Tensor> {
    match *images.dims() {
        [batch, _, _, _] => reshaped(images, (batch, images.elem_count() / batch)),
        [lanes, batch, _, _, _] => {
            images.reshape((lanes, batch, images.elem_count() / (lanes * batch)))
        }
        _ => candle_core::bail!("images have four dimensions, and lanes one more"),
    }
}
