//! The probe of compute graphs: what a network with the cell puts out while it takes a few steps
//! of gradient descent (Unified Functional Hashing, arXiv 2302.05433).
//!
//! Invariant: the network has the images' size and the stacks and cells of the one that graphs are
//! scored by, so what is equal in one is equal in the other: a max-pool of a max-pool is one where
//! no image has more than two pixels a side, and not elsewhere. Its weights are known by the same
//! roles, which decides what can be found equal: graphs that compute the same function of weights
//! that correspond. Others, whose weights begin elsewhere, train otherwise as well.
//!
//! It runs in float64, while scoring does in float32: sums in another order differ in the
//! sixteenth digit then, far from where observations are cut off. Matrix libraries choose the order
//! by the CPU, and that reaches a hash where a number lies within that of a boundary: once in some
//! millions of graphs. Descent is plain, since what AdamW makes of a gradient that is all rounding
//! is a step like any other.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor};
use evo_graphs::{Graph, GraphProbe};
use evo_hashes::{Hash, Observations, Seed};
use rand::RngExt;

use super::GraphNetwork;
use crate::data::ImageShape;
use crate::layers::values;
use crate::proxies::{CellNet, Parameters, initial_weights};

/// Images that the network is given, as many as functional hashing was published with.
const EXAMPLES: usize = 10;

/// Steps of gradient descent.
const STEPS: usize = 3;

/// How far a step goes.
const RATE: f64 = 0.2;

/// Channels of the first stack, whatever it has in scoring. Of four, relu silences all together in
/// one network of sixteen, and what lies in front of them is not seen any more: two of thirty
/// graphs that met were none.
const WIDTH: usize = 16;

/// The share of the numbers of an image that are exactly 0, as the margins of real ones are.
const BLANK: f64 = 0.3;

/// Sees what compute graphs compute.
#[derive(Debug)]
pub struct CellProbe {
    name: String,
    sizes: GraphNetwork,
    image: ImageShape,
    classes: usize,
    mantissa_bits: u32,
    features: Tensor,
    labels: Arc<[u32]>,
}

impl CellProbe {
    pub(super) fn new(
        sizes: GraphNetwork,
        image: ImageShape,
        classes: usize,
        mantissa_bits: u32,
    ) -> Option<CellProbe> {
        let width = WIDTH.try_into().expect("it is not zero");
        let sizes = GraphNetwork { width, ..sizes };
        let ImageShape { height, width, channels } = image;
        let name = format!(
            "graph, 2: {EXAMPLES} images of {height}x{width}x{channels} in {classes} classes, \
             {STEPS} steps, {sizes:?}, {mantissa_bits} bits"
        );
        Observations::new(&name, mantissa_bits)?;
        let rng = &mut Seed(0).stream("graph probe", 0);
        let mut number = || match rng.random::<f64>() {
            blank if blank < BLANK => 0.0,
            _ => rng.random::<f64>(),
        };
        let features: Vec<f64> =
            (0..EXAMPLES * height * width * channels).map(|_| number()).collect();
        let shape = (EXAMPLES, height * width * channels);
        let features = Tensor::from_vec(features, shape, &Device::Cpu).expect("sizes match");
        let labels = (0..EXAMPLES).map(|_| rng.random_range(0..classes as u32)).collect();
        Some(CellProbe { name, sizes, image, classes, mantissa_bits, features, labels })
    }

    /// What is seen of a graph; `None` where that is not finite, or the same of every image.
    fn observe(&self, graph: &Graph) -> Result<Option<Hash>> {
        let network = CellNet::new(graph.wiring(), self.sizes, self.image, self.classes);
        let leaves = network.leaves();
        let initial = initial_weights(&leaves, &mut Seed(0).stream("graph probe weights", 0));
        let mut weights: Vec<f64> = initial.into_iter().map(f64::from).collect();
        let mut gradient = vec![0.0; weights.len()];
        let parameters = Parameters::<f64>::new(&leaves)?;
        let seen = Observations::new(&self.name, self.mantissa_bits);
        let mut seen = seen.expect("a probe has a number of bits that there is");
        for step in 0..=STEPS {
            parameters.load(&weights)?;
            let (leaves, images) = (parameters.variables(), &self.features);
            let (loss, logits) = if step == STEPS {
                (None, network.logits::<f64>(leaves, images)?)
            } else {
                let (loss, logits) =
                    network.loss_and_logits::<f64>(leaves, images, &self.labels)?;
                (Some(loss), logits)
            };
            let logits: Vec<f32> = values::<f64>(&logits)?.iter().map(|it| *it as f32).collect();
            if !logits.iter().all(|it| it.is_finite()) || are_one(&logits, self.classes) {
                return Ok(None);
            }
            let Some(loss) = loss else {
                seen.fine_values(&logits);
                break;
            };
            seen.values(&logits);
            parameters.differentiate(&loss, &mut gradient)?;
            for (weight, slope) in weights.iter_mut().zip(&gradient) {
                *weight -= RATE * slope;
            }
        }
        Ok(Some(seen.hash()))
    }
}

/// Whether all images are told alike, so that nothing is seen of what tells them.
fn are_one(logits: &[f32], classes: usize) -> bool {
    logits.chunks_exact(classes).all(|row| row == &logits[..classes])
}

impl GraphProbe for CellProbe {
    fn name(&self) -> &str {
        &self.name
    }

    fn behaviour(&self, graph: &Graph) -> Option<Hash> {
        // An operation that candle refuses is told by the evaluation, which runs the same ones.
        self.observe(graph).ok().flatten()
    }
}
