//! Patches: the 3×3 neighbourhoods a convolution multiplies, gathered into rows and added back.
//!
//! Shapes: images \[batch, height, width, channels\]; patches \[batch · out height · out width,
//! 9 · channels\]. Invariant: scattering is the exact transpose of gathering, and pixels outside
//! the image are 0. Images are framed by a border of zeros first: every patch row is then one copy
//! of a fixed length, without a test for the edge.

use super::Real;
use super::matrix::zeros;
use super::vector_unit::vectorised;

/// Rows and columns of the kernel.
pub(super) const KERNEL: usize = 3;

/// The sizes patches are gathered with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patches {
    pub(super) batch: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    /// Pixels from one patch to the next, in both directions.
    pub(super) stride: usize,
}

impl Patches {
    pub(super) fn out_height(self) -> usize {
        self.height.div_ceil(self.stride)
    }

    pub(super) fn out_width(self) -> usize {
        self.width.div_ceil(self.stride)
    }

    /// Patches of the whole batch.
    pub(super) fn count(self) -> usize {
        self.batch * self.out_height() * self.out_width()
    }

    /// Numbers in a patch.
    pub(super) fn length(self) -> usize {
        KERNEL * self.stretch()
    }

    /// Numbers in one row of a patch.
    fn stretch(self) -> usize {
        KERNEL * self.channels
    }

    /// Numbers in a row of a framed image.
    fn framed_row(self) -> usize {
        (self.width + 2) * self.channels
    }

    fn framed_image(self) -> usize {
        (self.height + 2) * self.framed_row()
    }

    /// The patches of `images`.
    pub(super) fn gather<T: Real>(self, images: &[T]) -> Vec<T> {
        match self.stretch() {
            3 => self.gather_fixed::<T, 3>(images),
            6 => self.gather_fixed::<T, 6>(images),
            9 => self.gather_fixed::<T, 9>(images),
            12 => self.gather_fixed::<T, 12>(images),
            24 => self.gather_fixed::<T, 24>(images),
            48 => self.gather_fixed::<T, 48>(images),
            stretch => self.gather_with(images, |to, from| to.extend_from_slice(&from[..stretch])),
        }
    }

    /// [`Self::gather`] with a stretch known to the compiler, which makes a copy a few moves.
    fn gather_fixed<T: Real, const STRETCH: usize>(self, images: &[T]) -> Vec<T> {
        self.gather_with(images, |to, from| to.extend_from_slice(&from[..STRETCH]))
    }

    fn gather_with<T: Real>(self, images: &[T], copy: impl Fn(&mut Vec<T>, &[T])) -> Vec<T> {
        let mut patches = Vec::with_capacity(self.count() * self.length());
        let mut framed = zeros(self.framed_image());
        let row = self.width * self.channels;
        for image in images.chunks_exact(self.height * row) {
            for (index, pixels) in image.chunks_exact(row).enumerate() {
                let start = (index + 1) * self.framed_row() + self.channels;
                framed[start..start + row].copy_from_slice(pixels);
            }
            for start in self.starts() {
                for kernel_row in 0..KERNEL {
                    copy(&mut patches, &framed[start + kernel_row * self.framed_row()..]);
                }
            }
        }
        patches
    }

    /// Adds every number of `patches` to the pixel it was gathered from.
    pub(super) fn scatter<T: Real>(self, patches: &[T]) -> Vec<T> {
        scattered(self, patches)
    }

    #[inline(always)]
    fn scatter_here<T: Real>(self, patches: &[T]) -> Vec<T> {
        let row = self.width * self.channels;
        let mut images = zeros(self.batch * self.height * row);
        let mut framed = zeros::<T>(self.framed_image());
        let image_patches = patches.len() / self.batch;
        let all_images = images.chunks_exact_mut(self.height * row);
        for (image, patches) in all_images.zip(patches.chunks_exact(image_patches)) {
            framed.fill(T::ZERO);
            for (start, patch) in self.starts().zip(patches.chunks_exact(self.length())) {
                for (kernel_row, stretch) in patch.chunks_exact(self.stretch()).enumerate() {
                    let start = start + kernel_row * self.framed_row();
                    let pixels = &mut framed[start..start + self.stretch()];
                    for (pixel, &value) in pixels.iter_mut().zip(stretch) {
                        *pixel += value;
                    }
                }
            }
            for (index, pixels) in image.chunks_exact_mut(row).enumerate() {
                let start = (index + 1) * self.framed_row() + self.channels;
                pixels.copy_from_slice(&framed[start..start + row]);
            }
        }
        images
    }

    /// Where each patch of an image starts in the framed image.
    #[inline(always)]
    fn starts(self) -> impl Iterator<Item = usize> {
        (0..self.out_height()).flat_map(move |row| {
            (0..self.out_width())
                .map(move |column| self.stride * (row * self.framed_row() + column * self.channels))
        })
    }
}

vectorised! {
    /// [`Patches::scatter`].
    fn scattered<T>(sizes: Patches, patches: &[T]) -> Vec<T> = scatter_body;
}

#[inline(always)]
fn scatter_body<T: Real>(sizes: Patches, patches: &[T]) -> Vec<T> {
    sizes.scatter_here(patches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corner_and_centre_patches_are_the_neighbourhoods() {
        let sizes = Patches { batch: 2, height: 3, width: 3, channels: 1, stride: 1 };
        let images: Vec<f32> = (1..=18_u8).map(f32::from).collect();
        let patches = sizes.gather(&images);
        assert_eq!(patches[..9], [0., 0., 0., 0., 1., 2., 0., 4., 5.]);
        assert_eq!(patches[4 * 9..5 * 9], images[..9]);
        assert_eq!(patches[(9 + 4) * 9..][..9], images[9..]);
    }

    #[test]
    fn scattering_is_the_transpose_of_gathering() {
        for (channels, stride) in [(1, 1), (4, 2), (5, 2)] {
            let sizes = Patches { batch: 2, height: 5, width: 4, channels, stride };
            let x: Vec<f64> = (0..40 * channels).map(|i| (i * 7 % 11) as f64).collect();
            let patches = sizes.gather(&x);
            let p: Vec<f64> = (0..patches.len()).map(|i| (i * 5 % 13) as f64).collect();
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            assert_eq!(dot(&patches, &p), dot(&x, &sizes.scatter(&p)));
        }
    }
}
