//! Student's interval of a mean: right for few numbers that are normal, of which the bootstrap's is
//! too narrow.

use serde::Serialize;

/// A mean and half of its interval of 95%.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// How far the interval reaches to either side: Student's t times the standard error.
    pub half_width: f64,
}

impl Interval {
    /// The interval of a mean of independent numbers; `None` for fewer than two.
    pub fn of(numbers: &[f64]) -> Option<Interval> {
        let freedom = numbers.len().checked_sub(1).filter(|&freedom| freedom > 0)?;
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let squares: f64 = numbers.iter().map(|number| (number - mean) * (number - mean)).sum();
        let error = (squares / freedom as f64 / numbers.len() as f64).sqrt();
        Some(Interval { mean, half_width: student(freedom) * error })
    }
}

/// The 97.5% point of Student's t, by degrees of freedom from 1; rounded up behind 30.
fn student(freedom: usize) -> f64 {
    const POINTS: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
        2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
        2.052, 2.048, 2.045, 2.042,
    ];
    POINTS[freedom.min(POINTS.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_students() {
        assert_eq!(Interval::of(&[1.0]), None);
        let interval = Interval::of(&[1.0, 2.0, 3.0]).expect("more than one number");
        let expected = 4.303 / f64::sqrt(3.0);
        assert!((interval.half_width - expected).abs() < 1e-12 && interval.mean == 2.0);
    }
}
