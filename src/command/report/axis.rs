//! Axes: what is measured along one, between which ends, and on which scale.
//!
//! Invariant: the ends are finite and apart, whatever the numbers are, and above zero on a
//! logarithmic scale. A scale is logarithmic only where the numbers span most of a decade: on less
//! there would be no tick to read it by.

/// How places on an axis follow from numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) enum Scale {
    Linear,
    Logarithmic,
}

/// An axis of a chart.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::command) struct Axis {
    /// What is measured, with its unit.
    pub title: String,
    pub scale: Scale,
    pub low: f64,
    pub high: f64,
    /// Whether it counts something, and there is nothing between whole numbers.
    pub whole: bool,
}

/// The least ratio of the largest number to the smallest for a logarithmic scale.
const DECADE: f64 = 8.0;

/// The most ticks of whole numbers, about.
const TICKS: f64 = 6.0;

/// What is left free at each end, of the length of the axis.
const ROOM: f64 = 0.04;

impl Axis {
    /// A linear axis that all numbers lie on.
    pub(in crate::command) fn linear(title: &str, numbers: impl IntoIterator<Item = f64>) -> Axis {
        let (low, high) = ends(numbers).unwrap_or((0.0, 1.0));
        let room = match high - low {
            0.0 => 0.5 * low.abs().max(1e-3),
            length => ROOM * length,
        };
        let (low, high) = ((low - room).max(f64::MIN / 4.0), (high + room).min(f64::MAX / 4.0));
        Axis { title: title.to_owned(), scale: Scale::Linear, low, high, whole: false }
    }

    /// An axis that all numbers lie on, logarithmic where they are positive and far apart.
    pub(in crate::command) fn fitting(title: &str, numbers: impl IntoIterator<Item = f64>) -> Axis {
        let numbers: Vec<f64> = numbers.into_iter().collect();
        match ends(numbers.iter().copied()) {
            Some((low, high)) if low > 0.0 && high / low >= DECADE => {
                let room = libm::exp(ROOM * libm::log(high / low));
                let (low, high) = ((low / room).max(f64::MIN_POSITIVE), high * room);
                let high = high.min(f64::MAX / 4.0);
                Axis { title: title.to_owned(), scale: Scale::Logarithmic, low, high, whole: false }
            }
            _ => Axis::linear(title, numbers),
        }
    }

    /// A linear axis between two ends.
    pub(in crate::command) fn between(title: &str, low: f64, high: f64) -> Axis {
        let high = if high > low { high } else { low + 1.0 };
        Axis { title: title.to_owned(), scale: Scale::Linear, low, high, whole: false }
    }

    /// The same axis of whole numbers.
    pub(in crate::command) fn of_counts(self) -> Axis {
        Axis { whole: true, ..self }
    }

    /// From a tick to the next, where that is not left to whoever draws.
    pub(in crate::command) fn step(&self) -> Option<f64> {
        let least = (self.high - self.low) / TICKS;
        let mut steps = std::iter::successors(Some(1.0), |step| Some(step * 10.0));
        let step =
            steps.find_map(|it| [it, 2.0 * it, 5.0 * it].into_iter().find(|it| *it >= least));
        step.filter(|_| self.whole)
    }

    /// Whether a number has a place on it.
    pub(in crate::command) fn holds(&self, number: f64) -> bool {
        (self.low..=self.high).contains(&number)
    }

    /// The number, or the end that is nearest to it.
    pub(in crate::command) fn clamped(&self, number: f64) -> f64 {
        number.clamp(self.low, self.high)
    }
}

/// The smallest and the largest of all that are finite.
fn ends(numbers: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = numbers.into_iter().filter(|number| number.is_finite());
    finite.fold(None, |ends, number| match ends {
        None => Some((number, number)),
        Some((low, high)) => Some((low.min(number), high.max(number))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_of_numbers_has_an_axis_with_room_at_both_ends() {
        let extremes = [f64::MIN, f64::MAX, f64::INFINITY, f64::NAN];
        for numbers in [&[][..], &[0.0], &[-3.0], &[1e-300, 1e300], &extremes, &[1.0, 1.0 + 1e-15]]
        {
            for axis in [
                Axis::linear("x", numbers.iter().copied()),
                Axis::fitting("x", numbers.iter().copied()),
            ] {
                assert!(axis.low < axis.high, "{axis:?} of {numbers:?}");
                assert!((axis.high - axis.low).is_finite(), "{axis:?} of {numbers:?}");
            }
        }
        let axis = Axis::linear("x", [1.0, 2.0]);
        assert!(axis.holds(1.0) && axis.holds(2.0) && axis.low > 0.9 && axis.high < 2.1);
        assert_eq!(axis.clamped(7.0), axis.high);
    }

    #[test]
    fn counts_have_ticks_at_whole_numbers() {
        let step = |low, high| Axis::between("births", low, high).of_counts().step();
        let steps = [step(0.5, 3.5), step(1.0, 15.0), step(0.0, 1_500.0), step(0.0, 1e6)];
        assert_eq!(steps, [Some(1.0), Some(5.0), Some(500.0), Some(200_000.0)]);
        assert_eq!(Axis::between("fitness", 0.0, 3.0).step(), None);
    }

    #[test]
    fn a_scale_is_logarithmic_where_numbers_are_positive_and_far_apart() {
        let scale = |numbers: &[f64]| Axis::fitting("x", numbers.iter().copied()).scale;
        assert_eq!(scale(&[0.01, 1.0]), Scale::Logarithmic);
        assert_eq!(scale(&[1.0, 7.0]), Scale::Linear);
        assert_eq!(scale(&[0.0, 100.0]), Scale::Linear);
        assert_eq!(scale(&[-1.0, 100.0]), Scale::Linear);
    }
}
