//! The convolutional network: 3×3 convolutions with relu, then one dense layer over all pixels.
//!
//! Invariant: leaves are weight \[3, 3, in, out\], bias \[out\] for each convolution, then the dense
//! layer's weight and bias. The second and later convolutions have stride 2 in place of pooling:
//! that is a quarter of the work, and candle's pooling has a backward pass for some sizes only.

use std::num::NonZeroUsize;
use std::sync::Arc;

use candle_core::{Result, Tensor, Var};

use super::Leaf;
use crate::data::ImageShape;
use crate::layers::{Activation, Convolution, CrossEntropy, Real, dense};

/// A convolutional network for images.
#[derive(Clone, Debug)]
pub(crate) struct ConvNet {
    image: ImageShape,
    channels: Vec<usize>,
    classes: usize,
}

impl ConvNet {
    pub(crate) fn new(image: ImageShape, channels: &[NonZeroUsize], classes: usize) -> Self {
        Self { image, channels: channels.iter().map(|count| count.get()).collect(), classes }
    }

    fn stride(layer: usize) -> usize {
        if layer == 0 { 1 } else { 2 }
    }

    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        let ImageShape { mut height, mut width, channels: mut inputs } = self.image;
        for (layer, &outputs) in self.channels.iter().enumerate() {
            let deviation = Leaf::relu_deviation(9 * inputs);
            leaves.push(Leaf::normal([3, 3, inputs, outputs], deviation));
            leaves.push(Leaf::zeros([outputs]));
            height = height.div_ceil(Self::stride(layer));
            width = width.div_ceil(Self::stride(layer));
            inputs = outputs;
        }
        let features = height * width * inputs;
        let deviation = 0.1 * Leaf::linear_deviation(features);
        leaves.push(Leaf::normal([features, self.classes], deviation));
        leaves.push(Leaf::zeros([self.classes]));
        leaves
    }

    /// `features` is \[batch, height · width · channels\].
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Var],
        features: &Tensor,
        labels: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let batch = features.dim(0)?;
        let ImageShape { height, width, channels } = self.image;
        let mut x = features.reshape((batch, height, width, channels))?;
        let (layers, _) = weights.as_chunks::<2>();
        let (last, convolutions) = layers.split_last().expect("the dense layer is always there");
        for (layer, [w, bias]) in convolutions.iter().enumerate() {
            x = Convolution::<T>::of(&x, w, bias, Self::stride(layer))?;
        }
        let x = x.reshape((batch, x.elem_count() / batch))?;
        let [w, bias] = last;
        let logits = dense::<T>(&x, w, bias, Activation::Identity)?;
        CrossEntropy::<T>::of(&logits, labels)
    }
}
