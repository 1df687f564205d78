//! The configuration of graph evaluation: the images, the network around the cell, its training.
//!
//! Invariant: the configuration and the files it names decide every image, initial weight and
//! batch. Sizes that no memory could hold are refused at their key, for the largest cell there can
//! be: a search is not to end at the first graph that does not fit.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use evo_graphs::MOST_LAYERS;
use serde::{Deserialize, Serialize};

use crate::data::ImageShape;
use crate::task::{MOST_STEPS, refuse_large_batch, refuse_large_network};
use crate::{DataConfig, EvaluatorError, Schedule};

/// How compute graphs are scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphConfig {
    /// The images: `Digits`, `Fashion`, `Textures`, `Mnist1d`, or those of files (`Idx`, `Cifar`).
    pub data: DataConfig,
    /// What the cell is stacked into.
    #[serde(default)]
    pub network: GraphNetwork,
    /// Images a training step.
    pub batch_size: NonZeroUsize,
    /// Training steps.
    pub steps: NonZeroU64,
    /// The learning rate of AdamW, in units of 0.001.
    pub learning_rate: f64,
    /// How it changes over the steps. Default: half a cosine.
    #[serde(default)]
    pub schedule: Schedule,
    /// Trainings that a fitness is the mean of, each with initial weights and batches of its own.
    /// Default: 1.
    #[serde(default = "one")]
    pub repeats: NonZeroU32,
    /// The number of the first of them. Default: 0.
    #[serde(default)]
    pub first_repeat: u32,
    /// Trainings with initial weights and batches that the search has none of, by which graphs are
    /// judged. Default: 4.
    #[serde(default = "default_fresh_repeats")]
    pub fresh_repeats: NonZeroU32,
    /// The share of the training images that is set aside for judging, above 0 and below 1.
    /// Default: 0.2.
    #[serde(default = "default_held_out_share")]
    pub held_out_share: f64,
    /// Seed of the split of the data, of initial weights and batches. Default: 0.
    #[serde(default)]
    pub data_seed: u64,
    /// A training whose loss stays above this factor times its first loss is stopped. Default: 4.
    #[serde(default = "crate::optimizer::config::default_divergence")]
    pub divergence: f64,
}

/// The network that a cell is stacked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphNetwork {
    /// Channels of the first stack; every further one has twice as many, and half of the height
    /// and width. Default: 8.
    pub width: NonZeroUsize,
    /// Stacks. Default: 2.
    pub stacks: NonZeroUsize,
    /// Cells of a stack. Default: 1.
    pub cells: NonZeroUsize,
    /// Pixels of the image for each of the first stack, in both directions. Default: 1.
    pub stem_stride: NonZeroUsize,
}

impl Default for GraphNetwork {
    fn default() -> Self {
        let size = |size| NonZeroUsize::new(size).expect("not zero");
        Self { width: size(8), stacks: size(2), cells: size(1), stem_stride: size(1) }
    }
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn default_fresh_repeats() -> NonZeroU32 {
    NonZeroU32::new(4).expect("not zero")
}

fn default_held_out_share() -> f64 {
    0.2
}

/// The most trainings of one kind.
const MOST_REPEATS: u32 = 1_000;

/// The most stacks: each halves the image, and 16 halvings are more than any has pixels for.
const MOST_STACKS: usize = 16;

/// The most cells of a stack: differentiation recurses through them.
const MOST_CELLS: usize = 50;

/// The largest stride of the stem.
const MOST_STRIDE: usize = 8;

/// Layers of a network that a cell counts for, its output being one.
const CELL_LAYERS: f64 = MOST_LAYERS as f64 + 1.0;

impl GraphNetwork {
    /// Channels of a stack, counted from 0.
    pub(crate) fn channels(&self, stack: usize) -> usize {
        self.width.get() << stack
    }

    /// The stride of the convolution in front of a stack.
    pub(crate) fn stride(&self, stack: usize) -> usize {
        if stack == 0 { self.stem_stride.get() } else { 2 }
    }

    fn check(&self) -> Result<(), EvaluatorError> {
        for (key, value, most) in [
            ("network.stacks", self.stacks, MOST_STACKS),
            ("network.cells", self.cells, MOST_CELLS),
            ("network.stem_stride", self.stem_stride, MOST_STRIDE),
        ] {
            if value.get() > most {
                return Err(EvaluatorError::config(key, format!("must be 1 to {most}")));
            }
        }
        Ok(())
    }

    /// Weights of the network around the largest cell, and the numbers that an image becomes on its
    /// way through; in floating point, which cannot overflow.
    fn numbers(&self, image: ImageShape, classes: usize) -> (f64, f64) {
        let mut inputs = image.channels as f64;
        let mut pixels = (image.height * image.width) as f64;
        let (mut weights, mut activations) = (0.0, pixels * inputs);
        for stack in 0..self.stacks.get() {
            let channels = self.width.get() as f64 * (1_u64 << stack) as f64;
            let (cells, stride) = (self.cells.get() as f64, self.stride(stack) as f64);
            pixels = (pixels / (stride * stride)).max(1.0);
            weights += 9.0 * inputs * channels + cells * CELL_LAYERS * 9.0 * channels * channels;
            // The patches of a convolution, its sums, what is normalised and what is passed on.
            activations += pixels * (9.0 * inputs + 3.0 * channels);
            activations += cells * CELL_LAYERS * pixels * 12.0 * channels;
            inputs = channels;
        }
        (weights + inputs * classes as f64, activations)
    }
}

impl GraphConfig {
    /// Checks everything that can be checked without reading data.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] at the key that is wrong.
    pub fn check(&self) -> Result<(), EvaluatorError> {
        let refuse = |key: &str, message: String| Err(EvaluatorError::config(key, message));
        self.network.check()?;
        self.data.check()?;
        if self.steps.get() > MOST_STEPS {
            return refuse("steps", format!("must be at most {MOST_STEPS}"));
        }
        for (key, value) in [("learning_rate", self.learning_rate), ("divergence", self.divergence)]
        {
            if !(value.is_finite() && value > 0.0) {
                return refuse(key, "must be a positive number".to_owned());
            }
        }
        if !(self.held_out_share > 0.0 && self.held_out_share < 1.0) {
            return refuse("held_out_share", "must be above 0 and below 1".to_owned());
        }
        for (key, value) in [("repeats", self.repeats), ("fresh_repeats", self.fresh_repeats)] {
            if value.get() > MOST_REPEATS {
                return refuse(key, format!("must be at most {MOST_REPEATS}"));
            }
        }
        if self.first_repeat > u32::MAX - 2 * MOST_REPEATS {
            return refuse("first_repeat", format!("must be at most {}", u32::MAX / 2));
        }
        self.schedule.check(self.steps.get())
    }

    /// Refuses a network and batches too large for these images.
    pub(super) fn check_size(
        &self,
        image: ImageShape,
        classes: usize,
    ) -> Result<(), EvaluatorError> {
        let (weights, activations) = self.network.numbers(image, classes);
        refuse_large_network("network", weights, activations)?;
        refuse_large_batch(activations, self.batch_size.get())
    }

    /// Images of a validation batch, whose activations fit as those of a training batch do.
    pub(super) fn validation_batch(&self, image: ImageShape, classes: usize) -> usize {
        crate::task::validation_batch(self.network.numbers(image, classes).1)
    }

    /// The repeats of the search, and those that it does not see.
    pub(super) fn repeats(&self) -> [std::ops::Range<u32>; 2] {
        let fresh = self.first_repeat + self.repeats.get();
        [self.first_repeat..fresh, fresh..fresh + self.fresh_repeats.get()]
    }

    /// What is searched for, in words.
    pub fn name(&self) -> String {
        format!("cells on {}", self.data.name())
    }

    /// Every path of a data file, with its number among them.
    pub fn paths_mut(&mut self) -> Vec<(usize, &mut PathBuf)> {
        self.data.paths_mut().into_iter().enumerate().collect()
    }
}
