//! The vision transformer: patches as tokens, blocks, and a class from the mean of all tokens
//! (arXiv 2010.11929).
//!
//! x = patch·w + bias + position, then the blocks without a mask, then
//! logits = mean(norm(x))·head + bias.
//! Invariant: leaves are weight \[patch² · channels, width\], bias, positions, those of each block,
//! then those of the norm, head and bias. There is no class token: the mean trains faster at this
//! size.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::{Leaf, block};
use crate::data::ImageShape;
use crate::layers::{Activation, Heads, Mask, Real, add_positions, classify, dense, token_mean};
use crate::task::Style;

/// A transformer that classifies images.
#[derive(Clone, Debug)]
pub(crate) struct VisionTransformer {
    pub(crate) image: ImageShape,
    /// Pixels of a patch in each direction; divides the image's height and width.
    pub(crate) patch: usize,
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) classes: usize,
    pub(crate) style: Style,
}

/// Standard deviation of initial positions.
const POSITION_DEVIATION: f64 = 0.1;

impl VisionTransformer {
    /// Patches of an image.
    fn patches(&self) -> usize {
        (self.image.height / self.patch) * (self.image.width / self.patch)
    }

    /// Numbers in a patch.
    fn patch_length(&self) -> usize {
        self.patch * self.patch * self.image.channels
    }

    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let (width, length) = (self.width, self.patch_length());
        let scale = self.style.weight_scale;
        let mut leaves = vec![
            Leaf::normal([length, width], scale * Leaf::linear_deviation(length)),
            Leaf::zeros([width]),
            Leaf::normal([self.patches(), width], POSITION_DEVIATION).embedding(),
        ];
        leaves.extend(block::leaves(&self.style, width, self.layers));
        leaves.extend(self.style.normalisation_leaves(width));
        leaves.extend(self.style.last_leaves(width, self.classes));
        leaves
    }

    /// `features` is \[batch, height · width · channels\].
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Tensor],
        features: &Tensor,
        labels: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let [w, bias, positions, body @ .., head, head_bias] = weights else {
            candle_core::bail!("a vision transformer has at least five leaves");
        };
        let x = dense::<T>(&self.cut(features)?, w, bias, Activation::Identity)?;
        let mut x = add_positions::<T>(&x, positions)?;
        let style = &self.style;
        let (blocks, norm) = body.split_at(self.layers * block::count(style));
        let heads = Heads { context: self.patches(), heads: self.heads, mask: Mask::None };
        for layer in blocks.chunks_exact(block::count(style)) {
            x = block::apply::<T>(style, &x, layer, heads)?;
        }
        let x = style.normalise::<T>(x, norm)?;
        let mean = token_mean(&x, self.patches())?;
        classify::<T>(&mean, head, head_bias, labels)
    }

    /// The patches of all images, \[batch · patches, patch² · channels\].
    fn cut(&self, features: &Tensor) -> Result<Tensor> {
        let ImageShape { height, width, channels } = self.image;
        let (down, across) = (height / self.patch, width / self.patch);
        let batch = features.dim(0)?;
        features
            .reshape(&[batch, down, self.patch, across, self.patch * channels][..])?
            .permute([0, 1, 3, 2, 4])?
            .contiguous()?
            .reshape((batch * down * across, self.patch_length()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn patches_are_the_squares_of_an_image() {
        let network = VisionTransformer {
            image: ImageShape { height: 4, width: 6, channels: 2 },
            patch: 2,
            width: 4,
            layers: 1,
            heads: 1,
            classes: 2,
            style: Style::default(),
        };
        let pixels: Vec<f32> = (0..96_u8).map(f32::from).collect();
        let images = Tensor::from_vec(pixels, (2, 48), &Device::Cpu).expect("sizes match");
        let patches = network.cut(&images).and_then(|patches| patches.to_vec2::<f32>());
        let patches = patches.expect("the patch divides the image");
        assert_eq!(patches.len(), 12);
        assert_eq!(patches[1], [4.0, 5.0, 6.0, 7.0, 16.0, 17.0, 18.0, 19.0]);
        assert_eq!(patches[11], [80.0, 81.0, 82.0, 83.0, 92.0, 93.0, 94.0, 95.0]);
    }
}
