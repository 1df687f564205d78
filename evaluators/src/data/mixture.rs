//! Mixture data: normal clusters of variance 1 around random centres, several to a class.
//!
//! Invariant: centres lie on a sphere of radius `separation` around the origin, so that how far the
//! clusters overlap does not depend on the number of features. Clusters follow one another in turn,
//! so every class has the same share of the examples; where clusters overlap, no network reaches a
//! loss of 0.

use evo_hashes::{Seed, StreamRng};
use rand::RngExt;
use rand_distr::StandardNormal;

use super::Features;
use super::rows::{LabelledRows, Rows};

/// The centres of all clusters; cluster `i` belongs to class `i % classes`.
pub(super) struct Mixture {
    centres: Vec<Vec<f32>>,
    classes: usize,
}

impl Mixture {
    pub(super) fn new(
        inputs: usize,
        classes: usize,
        clusters: usize,
        separation: f64,
        seed: Seed,
    ) -> Self {
        let mut rng = seed.stream("centres", 0);
        let centres = (0..classes * clusters).map(|_| centre(inputs, separation, &mut rng));
        Self { centres: centres.collect(), classes }
    }

    /// `count` examples.
    pub(super) fn rows(&self, count: usize, seed: Seed) -> LabelledRows {
        let mut rng = seed.stream("examples", 0);
        let width = self.centres[0].len();
        let mut features = Vec::with_capacity(count * width);
        let mut labels = Vec::with_capacity(count);
        for cluster in (0..self.centres.len()).cycle().take(count) {
            let place = |&centre| centre + rng.sample::<f32, _>(StandardNormal);
            features.extend(self.centres[cluster].iter().map(place));
            labels.push((cluster % self.classes) as u32);
        }
        let rows = Rows { features: Features::Numbers(features), width, labels };
        LabelledRows { rows, classes: self.classes, image: None }
    }
}

/// A point at distance `radius` from the origin, in a random direction.
fn centre(inputs: usize, radius: f64, rng: &mut StreamRng) -> Vec<f32> {
    let direction: Vec<f64> = (0..inputs).map(|_| rng.sample(StandardNormal)).collect();
    let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
    direction.iter().map(|x| (radius * x / length) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centres_have_their_distance_and_examples_lie_around_them() {
        let mixture = Mixture::new(20, 3, 2, 5.0, Seed(1));
        assert_eq!(mixture.centres.len(), 6);
        for centre in &mixture.centres {
            let length = centre.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!((length - 5.0).abs() < 1e-5, "{length}");
        }
        let LabelledRows { rows, .. } = mixture.rows(600, Seed(1));
        let mut squares = 0.0;
        for (index, &label) in rows.labels.iter().enumerate() {
            assert_eq!(label as usize, index % 6 % 3);
            let pairs = rows.row(index).into_iter().zip(&mixture.centres[index % 6]);
            squares += pairs.map(|(x, centre)| (x - centre) * (x - centre)).sum::<f32>();
        }
        let variance = squares / 12_000.0;
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn examples_are_seeded() {
        let draw = |seed| Mixture::new(4, 2, 1, 2.0, Seed(seed)).rows(50, Seed(seed)).rows;
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
