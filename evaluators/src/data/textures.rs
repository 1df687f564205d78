//! Texture data: images of gratings, a few to a class, under noise.
//!
//! A class is a set of plane waves, each with a direction, a length and a colour; an example adds
//! them up at random phases and strengths. Invariant: phases are uniform, so no single pixel says
//! anything about the class, and a network has to learn filters, as on photographs. Waves are three
//! to sixteen pixels long, so patches of the usual sizes hold some of each.

use evo_hashes::{Seed, StreamRng};
use rand::RngExt;
use rand_distr::StandardNormal;

use super::Features;
use super::rows::{ImageShape, LabelledRows, Rows};

/// Waves of a class.
const WAVES: usize = 3;

/// Standard deviation of the noise, beside waves of height 1.
const NOISE: f32 = 0.5;

/// One plane wave.
struct Wave {
    /// Radians from one pixel to the next, down and to the right.
    down: f64,
    right: f64,
    /// The height of the wave in each channel.
    colour: Vec<f32>,
}

/// The waves of all classes.
pub(super) struct Textures {
    shape: ImageShape,
    classes: Vec<[Wave; WAVES]>,
}

impl Textures {
    /// Classes of square images.
    pub(super) fn new(side: usize, channels: usize, classes: usize, seed: Seed) -> Self {
        let mut rng = seed.stream("waves", 0);
        let mut wave = |_| Wave::draw(channels, &mut rng);
        Self {
            shape: ImageShape { height: side, width: side, channels },
            classes: (0..classes).map(|_| std::array::from_fn(&mut wave)).collect(),
        }
    }

    /// `count` examples, the classes in turn.
    pub(super) fn rows(&self, count: usize, seed: Seed) -> LabelledRows {
        let mut rng = seed.stream("examples", 0);
        let ImageShape { height, width, channels } = self.shape;
        let features = height * width * channels;
        let (mut pixels, mut labels) = (vec![0.0; count * features], Vec::new());
        for (index, image) in pixels.chunks_exact_mut(features).enumerate() {
            let class = index % self.classes.len();
            for wave in &self.classes[class] {
                wave.add(image, width, &mut rng);
            }
            for pixel in image {
                *pixel += NOISE * rng.sample::<f32, _>(StandardNormal);
            }
            labels.push(class as u32);
        }
        let rows = Rows { features: Features::Numbers(pixels), width: features, labels };
        LabelledRows { rows, classes: self.classes.len(), image: Some(self.shape) }
    }
}

impl Wave {
    fn draw(channels: usize, rng: &mut StreamRng) -> Self {
        let turn = std::f64::consts::TAU;
        let (direction, length) = (turn * rng.random::<f64>(), rng.random_range(3.0..16.0));
        Self {
            down: turn / length * libm::sin(direction),
            right: turn / length * libm::cos(direction),
            colour: (0..channels).map(|_| rng.random_range(-1.0..1.0)).collect(),
        }
    }

    /// Adds the wave at a random phase and strength to an image of rows of `width` pixels.
    fn add(&self, image: &mut [f32], width: usize, rng: &mut StreamRng) {
        let phase = std::f64::consts::TAU * rng.random::<f64>();
        let strength: f64 = rng.random_range(0.5..1.5);
        // cos(a + b) by the parts of a and b: a table for each side instead of a cosine a pixel.
        let parts = |angle: f64| (libm::cos(angle) as f32, libm::sin(angle) as f32);
        let columns: Vec<_> = (0..width).map(|x| parts(self.right * x as f64)).collect();
        let channels = self.colour.len();
        for (y, row) in image.chunks_exact_mut(width * channels).enumerate() {
            let (cos, sin) = parts(self.down * y as f64 + phase);
            for (pixel, (column_cos, column_sin)) in row.chunks_exact_mut(channels).zip(&columns) {
                let height = strength as f32 * (cos * column_cos - sin * column_sin);
                for (value, colour) in pixel.iter_mut().zip(&self.colour) {
                    *value += height * colour;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_their_shape_and_pixels_say_nothing_of_the_class() {
        let data = Textures::new(12, 3, 4, Seed(1)).rows(4000, Seed(1));
        assert_eq!(data.image, Some(ImageShape { height: 12, width: 12, channels: 3 }));
        assert_eq!((data.rows.width, data.classes), (432, 4));
        // The mean of a pixel over a class is 0 up to 4 deviations of a mean of 1,000.
        for class in 0..4 {
            for feature in [0, 100, 431] {
                let of_class = (class..4000).step_by(4).map(|index| data.rows.row(index)[feature]);
                let mean = of_class.sum::<f32>() / 1000.0;
                assert!(mean.abs() < 0.2, "class {class}, feature {feature}: {mean}");
            }
        }
    }

    #[test]
    fn neighbouring_pixels_differ_by_class() {
        let data = Textures::new(8, 1, 2, Seed(3)).rows(4000, Seed(3));
        let correlation = |class: usize| {
            let of_class = (class..4000).step_by(2).map(|index| data.rows.row(index));
            of_class.map(|row| row[0] * row[1]).sum::<f32>() / 2000.0
        };
        assert!((correlation(0) - correlation(1)).abs() > 0.1);
    }

    #[test]
    fn examples_are_seeded() {
        let draw = |seed| Textures::new(4, 1, 2, Seed(seed)).rows(20, Seed(seed)).rows;
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
