//! MNIST-1D: ten digits as curves of twelve points, moved about in noise (arXiv 2011.14439).
//!
//! A digit's curve is stretched, scaled and shifted around a circle; where it is not, there is
//! smooth noise of its own size. Everything is tilted, and 40 numbers are read off. Invariant: the
//! classes take turns, and what tells them apart may stand at any place, so that a network which
//! looks for it everywhere needs fewer examples than a dense one. Curves and random numbers are as
//! published, and all heights six times that, which makes the variance of the numbers about 1; the
//! examples are draws of our own, with smooth noise that goes on behind both ends where the
//! published one is mirrored.

use evo_hashes::{Seed, StreamRng};
use rand::RngExt;
use rand_distr::StandardNormal;

use super::Features;
use super::rows::{ImageShape, LabelledRows, Rows};

/// Points of a digit.
const POINTS: usize = 12;

/// The digits from 0 to 9, on a scale of their own.
const DIGITS: [[f64; POINTS]; 10] = [
    [5.0, 6.0, 6.5, 6.75, 7.0, 7.0, 7.0, 7.0, 6.75, 6.5, 6.0, 5.0],
    [5.0, 3.0, 3.0, 3.4, 3.8, 4.2, 4.6, 5.0, 5.4, 5.8, 5.0, 5.0],
    [5.0, 6.0, 6.5, 6.5, 6.0, 5.25, 4.75, 4.0, 3.5, 3.5, 4.0, 5.0],
    [5.0, 6.0, 6.5, 6.5, 6.0, 5.0, 5.0, 6.0, 6.5, 6.5, 6.0, 5.0],
    [5.0, 4.4, 3.8, 3.2, 2.6, 2.6, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0],
    [5.0, 3.0, 3.0, 3.0, 3.0, 5.0, 6.0, 6.5, 6.5, 6.0, 4.5, 5.0],
    [5.0, 4.0, 3.5, 3.25, 3.0, 3.0, 3.0, 3.0, 3.25, 3.5, 4.0, 5.0],
    [5.0, 7.0, 7.0, 6.6, 6.2, 5.8, 5.4, 5.0, 4.6, 4.2, 5.0, 5.0],
    [5.0, 4.0, 3.5, 3.5, 4.0, 5.0, 5.0, 4.0, 3.5, 3.5, 4.0, 5.0],
    [5.0, 4.0, 3.5, 3.5, 4.0, 5.0, 5.0, 5.0, 5.0, 4.7, 4.3, 5.0],
];

/// The fewest and the most points that are not the digit's.
const OTHERS: [usize; 2] = [36, 60];

/// Points of the circle that a digit and the others are stretched to.
const LENGTH: usize = POINTS + OTHERS[1];

/// Places a digit may begin at.
const SHIFTS: usize = 48;

/// How far a digit's scale may be from 1.
const SCALE: f64 = 0.2;

/// Standard deviation of the noise before it is smoothed, and of its bell in points.
const SMOOTH_NOISE: f64 = 1.5;
const BELL: f64 = 2.0;

/// Points on each side that smooth noise takes in.
const REACH: usize = 8;

/// Standard deviation of the noise that every point has besides.
const NOISE: f64 = 0.12;

/// How far either end is tilted at most, up or down.
const TILT: f64 = 1.125;

/// Numbers of an example.
const WIDTH: usize = 40;

/// `count` examples, the digits in turn.
pub(super) fn rows(count: usize, seed: Seed) -> LabelledRows {
    let mut rng = seed.stream("examples", 0);
    let digits = DIGITS.map(standardised);
    let bell = bell();
    let (mut features, mut labels) = (Vec::with_capacity(count * WIDTH), Vec::new());
    for index in 0..count {
        let digit = index % digits.len();
        let points = curve(&digits[digit], &bell, &mut rng);
        features.extend((0..WIDTH).map(|number| {
            let at = number as f64 * (LENGTH - 1) as f64 / (WIDTH - 1) as f64;
            interpolated(&points, at) as f32
        }));
        labels.push(digit as u32);
    }
    LabelledRows {
        rows: Rows { features: Features::Numbers(features), width: WIDTH, labels },
        classes: digits.len(),
        image: Some(ImageShape { height: 1, width: WIDTH, channels: 1 }),
    }
}

/// The curve with a variance of 1, from 0 at its first point.
fn standardised(digit: [f64; POINTS]) -> [f64; POINTS] {
    let mean = |numbers: [f64; POINTS]| numbers.iter().sum::<f64>() / POINTS as f64;
    let centre = mean(digit);
    let variance = mean(digit.map(|height| (height - centre) * (height - centre)));
    digit.map(|height| (height - digit[0]) / variance.sqrt())
}

/// What smooth noise weighs its points by; the sum is 1.
fn bell() -> [f64; 2 * REACH + 1] {
    let weights: [f64; 2 * REACH + 1] = std::array::from_fn(|index| {
        let distance = (index as f64 - REACH as f64) / BELL;
        libm::exp(-0.5 * distance * distance)
    });
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// A digit among smooth noise, with noise and a tilt over all.
fn curve(digit: &[f64; POINTS], bell: &[f64], rng: &mut StreamRng) -> Vec<f64> {
    let others = rng.random_range(OTHERS[0]..=OTHERS[1]);
    // Points of the digit for each one of the circle.
    let step = (POINTS + others - 1) as f64 / (LENGTH - 1) as f64;
    let scale = rng.random_range(1.0 - SCALE..1.0 + SCALE);
    let shift = rng.random_range(0..SHIFTS);
    let tilt = rng.random_range(-TILT..TILT);
    let mut normals = |count: usize, deviation: f64| -> Vec<f64> {
        (0..count).map(|_| deviation * rng.sample::<f64, _>(StandardNormal)).collect()
    };
    let rough = normals(LENGTH + 2 * REACH, SMOOTH_NOISE);
    let noise = normals(LENGTH, NOISE);
    let smooth = |point: usize| -> f64 {
        rough[point..].iter().zip(bell).map(|(height, weight)| height * weight).sum()
    };
    let height = |point: usize| {
        let at = ((point + LENGTH - shift) % LENGTH) as f64 * step;
        let height =
            if at < POINTS as f64 { scale * interpolated(digit, at) } else { smooth(point) };
        let right = 2.0 * point as f64 / (LENGTH - 1) as f64 - 1.0;
        height + noise[point] - tilt * right
    };
    (0..LENGTH).map(height).collect()
}

/// The height at a place between two points, or of the last one behind it.
fn interpolated(points: &[f64], at: f64) -> f64 {
    let before = at as usize;
    let height = |point: usize| points[point.min(points.len() - 1)];
    let share = at - before as f64;
    height(before) * (1.0 - share) + height(before + 1) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_have_40_numbers_of_variance_1_and_digits_take_turns() {
        let data = rows(5000, Seed(1));
        assert_eq!(data.image, Some(ImageShape { height: 1, width: 40, channels: 1 }));
        assert_eq!((data.rows.width, data.classes), (40, 10));
        assert!(data.rows.labels.iter().enumerate().all(|(i, &label)| label as usize == i % 10));
        let Features::Numbers(numbers) = data.rows.features else { panic!("they are numbers") };
        assert_eq!(numbers.len(), 5000 * 40);
        let moment = |power: fn(f32) -> f32| {
            numbers.iter().copied().map(power).sum::<f32>() / numbers.len() as f32
        };
        let (mean, square) = (moment(|x| x), moment(|x| x * x));
        assert!(mean.abs() < 0.1, "{mean}");
        assert!((0.7..1.1).contains(&square), "{square}");
        assert!(numbers.iter().all(|number| number.abs() < 7.0));
    }

    #[test]
    fn digits_begin_and_end_at_0_so_that_they_can_stand_anywhere() {
        for digit in DIGITS.map(standardised) {
            assert_eq!([digit[0], digit[POINTS - 1]], [0.0, 0.0]);
            let mean = digit.iter().sum::<f64>() / 12.0;
            let variance =
                digit.iter().map(|height| (height - mean) * (height - mean)).sum::<f64>();
            assert!((variance / 12.0 - 1.0).abs() < 1e-12);
        }
        let flat = curve(&[100.0; POINTS], &bell(), &mut Seed(3).stream("examples", 0));
        let of_digit: Vec<usize> = (0..LENGTH).filter(|&point| flat[point] > 50.0).collect();
        assert!((12..=19).contains(&of_digit.len()), "{of_digit:?}");
    }

    #[test]
    fn examples_are_seeded() {
        assert_eq!(rows(20, Seed(1)).rows, rows(20, Seed(1)).rows);
        assert_ne!(rows(20, Seed(1)).rows, rows(20, Seed(2)).rows);
        let Features::Numbers(numbers) = rows(20, Seed(1)).rows.features else {
            panic!("they are numbers")
        };
        let Features::Numbers(more) = rows(30, Seed(1)).rows.features else {
            panic!("they are numbers")
        };
        assert_eq!(numbers, more[..800], "more examples are more of the same");
    }
}
