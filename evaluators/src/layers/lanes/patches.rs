//! Patches with lanes: the 3×3 neighbourhoods a convolution multiplies, gathered into rows.
//!
//! Shapes: images \[batch, height, width, channels\], shared by all lanes, or with the lanes in front;
//! patches \[batch · out height · out width, 9 · channels\] likewise. Invariant: the backward pass
//! gathers too, from every patch a pixel is in. Adding patches back at indices would take a fixed
//! order of summation from a GPU, or all but a few of its threads.

use candle_core::{D, Device, Result, Tensor};

use super::super::patches::{KERNEL, Patches};
use super::node::node1;

/// An index that selects zeros.
const NOWHERE: u32 = u32::MAX;

/// The patches of `images`, one for every `stride` pixels in each direction.
pub(super) fn patches(images: &Tensor, stride: usize) -> Result<Tensor> {
    let (all, [height, width, channels]) = match *images.dims() {
        [batch, height, width, channels] => (vec![batch], [height, width, channels]),
        [lanes, batch, height, width, channels] => (vec![lanes, batch], [height, width, channels]),
        _ => candle_core::bail!("images have four dimensions, and lanes one more"),
    };
    let geometry = Patches { batch: 1, height, width, channels, stride };
    let count: usize = all.iter().product();
    let pixels = images.detach().reshape((count, height * width, channels))?;
    let gathered = pixels.index_select(&geometry.sources(images.device())?, 1)?;
    let mut shape = all;
    if let Some(batch) = shape.last_mut() {
        *batch *= geometry.count();
    }
    shape.push(geometry.length());
    let original = images.shape().clone();
    node1(images, gathered.reshape(shape)?, move |_, dpatches| {
        let places = geometry.count() * KERNEL * KERNEL;
        let dpatches = dpatches.reshape((count, places, channels))?;
        let (ids, most) = geometry.users(dpatches.device())?;
        let parts = dpatches.index_select(&ids, 1)?;
        let parts = parts.reshape((count, height * width, most, channels))?;
        Ok([Some(parts.sum(D::Minus2)?.reshape(&original)?)])
    })
}

impl Patches {
    /// For each place in the patches of an image the pixel it is read from.
    fn sources(self, device: &Device) -> Result<Tensor> {
        let mut ids = Vec::with_capacity(self.count() * KERNEL * KERNEL);
        for row in 0..self.out_height() {
            for column in 0..self.out_width() {
                for place in 0..KERNEL * KERNEL {
                    let y = (row * self.stride + place / KERNEL).checked_sub(1);
                    let x = (column * self.stride + place % KERNEL).checked_sub(1);
                    ids.push(match (y, x) {
                        (Some(y), Some(x)) if y < self.height && x < self.width => {
                            (y * self.width + x) as u32
                        }
                        _ => NOWHERE,
                    });
                }
            }
        }
        let length = ids.len();
        Tensor::from_vec(ids, length, device)
    }

    /// For each pixel the places it is read by, and how many each pixel has, nowhere included.
    fn users(self, device: &Device) -> Result<(Tensor, usize)> {
        let along = |position: usize, step: usize, count: usize| {
            // The patch whose place `step` lies at `position`, in one direction.
            let start = (position + 1).checked_sub(step)?;
            let patch = start / self.stride;
            (start.is_multiple_of(self.stride) && patch < count).then_some(patch)
        };
        let mut all = Vec::with_capacity(self.height * self.width);
        for y in 0..self.height {
            for x in 0..self.width {
                let users = (0..KERNEL * KERNEL).filter_map(|place| {
                    let row = along(y, place / KERNEL, self.out_height())?;
                    let column = along(x, place % KERNEL, self.out_width())?;
                    let patch = row * self.out_width() + column;
                    Some((patch * KERNEL * KERNEL + place) as u32)
                });
                all.push(users.collect::<Vec<u32>>());
            }
        }
        let most = all.iter().map(Vec::len).max().unwrap_or(0);
        let ids = all.iter_mut().flat_map(|users| {
            users.resize(most, NOWHERE);
            users.drain(..)
        });
        let ids: Vec<u32> = ids.collect();
        let length = ids.len();
        Ok((Tensor::from_vec(ids, length, device)?, most))
    }
}
