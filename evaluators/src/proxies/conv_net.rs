//! The convolutional network: 3×3 convolutions, then one dense layer over all pixels.
//!
//! Invariant: leaves are weight \[3, 3, in, out\], bias \[out\] and those of the normalisation for
//! each convolution, then the dense layer's weight and bias. The second and later convolutions have
//! stride 2 in place of pooling: that is a quarter of the work, and candle's pooling has a backward
//! pass for some sizes only.

use std::num::NonZeroUsize;
use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::Leaf;
use crate::data::ImageShape;
use crate::layers::{Activation, Convolution, Real, classify, pixel_rows, reshaped};
use crate::task::Style;

/// A convolutional network for images.
#[derive(Clone, Debug)]
pub(crate) struct ConvNet {
    image: ImageShape,
    channels: Vec<usize>,
    classes: usize,
    pub(super) style: Style,
}

impl ConvNet {
    pub(crate) fn new(
        image: ImageShape,
        channels: &[NonZeroUsize],
        classes: usize,
        style: Style,
    ) -> Self {
        Self { image, channels: channels.iter().map(|count| count.get()).collect(), classes, style }
    }

    fn stride(layer: usize) -> usize {
        if layer == 0 { 1 } else { 2 }
    }

    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        let ImageShape { mut height, mut width, channels: mut inputs } = self.image;
        for (layer, &outputs) in self.channels.iter().enumerate() {
            leaves.extend(self.style.leaves([3, 3, inputs, outputs], 9 * inputs, outputs));
            height = height.div_ceil(Self::stride(layer));
            width = width.div_ceil(Self::stride(layer));
            inputs = outputs;
        }
        leaves.extend(self.style.last_leaves(height * width * inputs, self.classes));
        leaves
    }

    /// `features` is \[batch, height · width · channels\].
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Tensor],
        features: &Tensor,
        labels: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let batch = features.dim(0)?;
        let ImageShape { height, width, channels } = self.image;
        let mut x = features.reshape((batch, height, width, channels))?;
        let [convolutions @ .., w, bias] = weights else {
            candle_core::bail!("a dense layer is always there");
        };
        for (layer, leaves) in convolutions.chunks_exact(self.style.count()).enumerate() {
            x = self.convolve::<T>(&x, leaves, Self::stride(layer))?;
        }
        classify::<T>(&x, w, bias, labels)
    }

    fn convolve<T: Real>(&self, x: &Tensor, leaves: &[Tensor], stride: usize) -> Result<Tensor> {
        let [w, bias, normalisation @ ..] = leaves else {
            candle_core::bail!("a convolution has a weight and a bias");
        };
        let sums = Convolution::of::<T>(x, w, bias, stride, self.style.fused())?;
        if self.style.fused() == Activation::Relu {
            return Ok(sums);
        }
        let shape = sums.shape().clone();
        reshaped(&self.style.finish::<T>(pixel_rows(&sums)?, normalisation)?, shape)
    }
}
