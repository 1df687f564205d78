//! The network of a compute graph: its cell, stacked.
//!
//! Invariant: it is built from the wiring of the graph alone, and every leaf is known by its role,
//! so isomorphic graphs have one network, to the bit.
//!
//! A 3×3 convolution (the stem) comes first; then stacks of cells, between two stacks a 3×3
//! convolution of stride 2 and twice as many channels; then the mean of all pixels and a dense
//! layer. A convolution is followed by root-mean-square normalisation of each pixel and relu:
//! normalisation by batch needs statistics of its own for validation. All vertices of a cell have
//! the channels of its stack. The output concatenates what it reads and projects it to these
//! channels, so a cell is linear behind its layers; NAS-Bench-101 divides the channels among the
//! branches instead, where what a vertex is would depend on how many others there are.

use std::sync::Arc;

use candle_core::{Result, Tensor};
use evo_graphs::{GraphOp, WiredVertex, Wiring};
use evo_hashes::Hash;

use super::Leaf;
use crate::data::ImageShape;
use crate::graph::GraphNetwork;
use crate::layers::{
    Activation, Convolution, Noted, Real, RmsNorm, activate, classify, dense, max_pool, pixel_rows,
    project, project_onto, reshaped, sum, token_mean,
};
use crate::task::Between;

/// A stacked cell for images.
#[derive(Clone, Debug)]
pub(crate) struct CellNet {
    wiring: Arc<Wiring>,
    sizes: GraphNetwork,
    image: ImageShape,
    classes: usize,
}

/// Leaves of a convolution: weight, bias and gain.
const CONVOLUTION: usize = 3;

impl CellNet {
    pub(crate) fn new(
        wiring: Wiring,
        sizes: GraphNetwork,
        image: ImageShape,
        classes: usize,
    ) -> Self {
        Self { wiring: Arc::new(wiring), sizes, image, classes }
    }

    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let sizes = &self.sizes;
        let mut leaves = Vec::new();
        let mut inputs = self.image.channels;
        for stack in 0..sizes.stacks.get() {
            let channels = sizes.channels(stack);
            leaves.extend(convolution(&format!("stack {stack}"), 3, inputs, channels));
            for cell in 0..sizes.cells.get() {
                leaves.extend(self.cell_leaves(&format!("cell {stack} {cell}"), channels));
            }
            inputs = channels;
        }
        let deviation = 0.1 * Leaf::linear_deviation(inputs);
        let last = Leaf::normal([inputs, self.classes], deviation).output();
        leaves.extend([last.known_by(Hash::of(b"classes")), Leaf::zeros([self.classes])]);
        leaves
    }

    /// The leaves of one cell: those of its convolutions, then the projections of its output.
    fn cell_leaves(&self, name: &str, channels: usize) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        for WiredVertex { op, role, .. } in &self.wiring.vertices {
            let name = format!("{name} {role}");
            match op {
                GraphOp::Conv3x3 => leaves.extend(convolution(&name, 3, channels, channels)),
                GraphOp::Conv1x1 => leaves.extend(convolution(&name, 1, channels, channels)),
                GraphOp::MaxPool3x3 => {}
            }
        }
        let wires = &self.wiring.output;
        let deviation = Leaf::linear_deviation(channels * wires.len());
        leaves.extend(wires.iter().map(|wire| {
            let name = format!("{name} {}", wire.role);
            Leaf::normal([channels, channels], deviation).known_by(Hash::of(name.as_bytes()))
        }));
        leaves
    }

    /// `features` is \[batch, height · width · channels\].
    pub(crate) fn loss<T: Real>(
        &self,
        weights: &[Tensor],
        features: &Tensor,
        labels: &Arc<[u32]>,
    ) -> Result<Tensor> {
        let (x, [w, bias]) = self.pooled::<T>(weights, features)?;
        classify::<T>(&x, w, bias, labels)
    }

    /// The logits of the classes, \[batch, classes\].
    pub(crate) fn logits<T: Real>(&self, weights: &[Tensor], features: &Tensor) -> Result<Tensor> {
        let (x, [w, bias]) = self.pooled::<T>(weights, features)?;
        dense::<T>(&x, w, bias, Activation::Identity)
    }

    /// The loss, with the way back from it, and the logits it is made of.
    pub(crate) fn loss_and_logits<T: Real>(
        &self,
        weights: &[Tensor],
        features: &Tensor,
        labels: &Arc<[u32]>,
    ) -> Result<(Noted, Tensor)> {
        let mut means = None;
        let loss = Noted::of(|| {
            let (x, [w, bias]) = self.pooled::<T>(weights, features)?;
            let loss = classify::<T>(&x, w, bias, labels)?;
            means = Some((x.detach(), w.detach(), bias.detach()));
            Ok(loss)
        })?;
        let (x, w, bias) = means.expect("the loss has been computed");
        Ok((loss, dense::<T>(&x, &w, &bias, Activation::Identity)?))
    }

    /// The mean of all pixels, \[batch, channels\], and the leaves of the dense layer behind it.
    fn pooled<'a, T: Real>(
        &self,
        weights: &'a [Tensor],
        features: &Tensor,
    ) -> Result<(Tensor, [&'a Tensor; 2])> {
        let ImageShape { height, width, channels } = self.image;
        let mut x = features.reshape((features.dim(0)?, height, width, channels))?;
        let mut leaves = weights.iter();
        for stack in 0..self.sizes.stacks.get() {
            x = convolve::<T>(&x, 3, self.sizes.stride(stack), &mut leaves)?;
            for _ in 0..self.sizes.cells.get() {
                x = self.cell::<T>(x, &mut leaves)?;
            }
        }
        let (_, height, width, _) = x.dims4()?;
        let x = token_mean(&pixel_rows(&x)?, height * width)?;
        match (leaves.next(), leaves.next()) {
            (Some(w), Some(bias)) => Ok((x, [w, bias])),
            _ => candle_core::bail!("a dense layer is always there"),
        }
    }

    /// One cell; `x` and the result are \[batch, height, width, channels\].
    fn cell<'a, T: Real>(
        &self,
        x: Tensor,
        leaves: &mut impl Iterator<Item = &'a Tensor>,
    ) -> Result<Tensor> {
        let mut values = vec![x];
        for WiredVertex { op, inputs, .. } in &self.wiring.vertices {
            let [first, rest @ ..] = &inputs[..] else {
                candle_core::bail!("a live vertex reads something");
            };
            let mut all = values[*first].clone();
            for &other in rest {
                all = sum(&all, &values[other])?;
            }
            values.push(match op {
                GraphOp::Conv3x3 => convolve::<T>(&all, 3, 1, leaves)?,
                GraphOp::Conv1x1 => convolve::<T>(&all, 1, 1, leaves)?,
                GraphOp::MaxPool3x3 => max_pool::<T>(&all)?,
            });
        }
        let mut output: Option<Tensor> = None;
        for wire in &self.wiring.output {
            let rows = pixel_rows(&values[wire.from])?;
            let Some(w) = leaves.next() else { candle_core::bail!("every wire has weights") };
            output = Some(match output {
                None => project::<T>(&rows, w, Activation::Identity)?,
                Some(sum) => project_onto::<T>(&sum, &rows, w)?,
            });
        }
        match output {
            Some(output) => reshaped(&output, values[0].shape()),
            None => candle_core::bail!("the output reads something"),
        }
    }
}

/// The leaves of a convolution with a square kernel, normalised.
fn convolution(name: &str, side: usize, inputs: usize, outputs: usize) -> [Leaf; CONVOLUTION] {
    let deviation = Leaf::relu_deviation(side * side * inputs);
    let weight = match side {
        1 => Leaf::normal([inputs, outputs], deviation),
        _ => Leaf::normal([side, side, inputs, outputs], deviation),
    };
    let name = Hash::of(name.as_bytes());
    [weight.known_by(name), Leaf::zeros([outputs]), Leaf::ones([outputs])]
}

/// relu(normalised(x ∗ w + bias)), the leaves being the next ones.
fn convolve<'a, T: Real>(
    x: &Tensor,
    side: usize,
    stride: usize,
    leaves: &mut impl Iterator<Item = &'a Tensor>,
) -> Result<Tensor> {
    let (Some(w), Some(bias), Some(gain)) = (leaves.next(), leaves.next(), leaves.next()) else {
        candle_core::bail!("a convolution has three leaves");
    };
    let sums = match side {
        1 => {
            let (batch, height, width, _) = x.dims4()?;
            let rows = dense::<T>(&pixel_rows(x)?, w, bias, Activation::Identity)?;
            reshaped(&rows, (batch, height, width, bias.dims1()?))?
        }
        _ => Convolution::of::<T>(x, w, bias, stride, Activation::Identity)?,
    };
    let rows = RmsNorm::of::<T>(&pixel_rows(&sums)?, gain)?;
    let rows = activate::<T>(&rows, &Between::Known(crate::Activation::Relu))?;
    reshaped(&rows, sums.shape())
}
