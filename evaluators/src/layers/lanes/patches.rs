//! Patches with lanes: the 3×3 neighbourhoods a convolution multiplies, gathered into rows.
//!
//! Shapes: images \[batch, height, width, channels\], shared by all lanes, or with the lanes in
//! front; patches \[batch · out height · out width, 9 · channels\] likewise. Invariant: the
//! backward pass gathers too, from every patch a pixel is in. Adding patches back at indices would
//! take a fixed order of summation from a GPU, or all but a few of its threads.

use candle_core::{D, Device, Result, Tensor};

use super::super::patches::{KERNEL, Patches};
use super::node::node;

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
    node([images], gathered.reshape(shape)?, move |_, dpatches| {
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
        let rows = users_along(self.height, self.out_height(), self.stride);
        let columns = users_along(self.width, self.out_width(), self.stride);
        let most = |users: &[Vec<(usize, usize)>]| users.iter().map(Vec::len).max().unwrap_or(0);
        let (most_rows, most_columns) = (most(&rows), most(&columns));
        let mut ids = Vec::with_capacity(rows.len() * columns.len() * most_rows * most_columns);
        for rows in &rows {
            for columns in &columns {
                for row in 0..most_rows {
                    for column in 0..most_columns {
                        ids.push(match (rows.get(row), columns.get(column)) {
                            (Some((row, down)), Some((column, across))) => {
                                let patch = row * self.out_width() + column;
                                ((patch * KERNEL + down) * KERNEL + across) as u32
                            }
                            _ => NOWHERE,
                        });
                    }
                }
            }
        }
        let length = ids.len();
        Ok((Tensor::from_vec(ids, length, device)?, most_rows * most_columns))
    }
}

/// In one direction, for each of `length` pixels the patches it is in, of `count`, each with the
/// place it has there.
fn users_along(length: usize, count: usize, stride: usize) -> Vec<Vec<(usize, usize)>> {
    let user = |pixel: usize, place: usize| {
        // Place 1 of patch p is pixel p · stride.
        let start = (pixel + 1).checked_sub(place)?;
        let patch = start / stride;
        (start.is_multiple_of(stride) && patch < count).then_some((patch, place))
    };
    let users = |pixel| (0..KERNEL).filter_map(|place| user(pixel, place)).collect();
    (0..length).map(users).collect()
}
