//! The probe of expressions: points at which their values are observed.
//!
//! Invariant: the points are a function of the ranges of the inputs. Those within the ranges are
//! what an evaluation looks at, and lie on a coarse binary grid: there sums and products of low
//! degree are exact, so `x * x + x` and `x * (x + 1)` have equal bits and equal hashes. Beyond them
//! are points of other scales and signs: `x` and `abs(x)` are two expressions whatever the range.
//! Of an expression that is differentiated the slope counts as well: at a kink it does not follow
//! from the values.

use evo_hashes::Observations;

use crate::{Dataflow, Executor, Layout, Probe, Program, Signature};

/// Points within the ranges, spread evenly.
const WITHIN: usize = 48;

/// The range of an input that has none of its own.
const RANGE: (f64, f64) = (-1.0, 1.0);

/// What points within the ranges are multiplied by to get others.
const SCALES: [f64; 8] = [0.0, 1.0 / 1024.0, -1.0 / 1024.0, -1.0, 4.0, -4.0, 64.0, -64.0];

/// Irrational steps, one for each input: the square roots of primes.
const PRIMES: [f64; Signature::MAX_INPUTS] =
    [2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0, 23.0, 29.0];

/// The probe of expressions: values at points within the ranges of the inputs, observed closely,
/// and at some beyond.
#[derive(Clone, Debug)]
pub struct ExpressionProbe {
    name: String,
    within: Points,
    beyond: Points,
    /// Whether the slopes by the only input are observed too.
    slopes: bool,
}

/// For every input its values at some points.
#[derive(Clone, Debug)]
struct Points(Vec<Vec<f32>>);

impl ExpressionProbe {
    /// The probe for data whose inputs have these ranges, first to last; inputs beyond those given
    /// are taken from -1 to 1.
    pub fn new(ranges: &[(f64, f64)]) -> ExpressionProbe {
        let range = |input: usize| ranges.get(input).copied().unwrap_or(RANGE);
        let within = Points::new(|input| within(range(input), input).collect());
        let beyond = Points::new(|input| beyond(range(input), range(0), input).collect());
        let name = format!("expression, 1, over {ranges:?}");
        ExpressionProbe { name, within, beyond, slopes: false }
    }

    /// The same probe for expressions of one input whose derivative has an effect, as that of an
    /// activation has: its values, those of the canonical form, are observed as closely.
    #[must_use]
    pub fn with_slopes(self) -> ExpressionProbe {
        ExpressionProbe { name: self.name + ", with slopes", slopes: true, ..self }
    }

    /// Notes the values at all points; false where too few of them are finite.
    fn see(&self, flow: &Dataflow, seen: &mut Observations) -> bool {
        let values = self.within.values(flow);
        if 2 * values.iter().filter(|value| value.is_finite()).count() < values.len() {
            return false;
        }
        // Closely: the logarithm of a small error tells apart what differs in the fifth digit.
        seen.fine_values(&values);
        seen.values(&self.beyond.values(flow));
        true
    }
}

impl Default for ExpressionProbe {
    /// With all inputs from -1 to 1.
    fn default() -> ExpressionProbe {
        ExpressionProbe::new(&[])
    }
}

impl Probe for ExpressionProbe {
    fn name(&self) -> &str {
        &self.name
    }

    /// False where less than half of the values within the ranges are finite. No data set scores
    /// such an expression, and what little is left to see of it would join it with others like it.
    /// A pole at a point or two tells expressions apart as any value does.
    fn observe(&self, flow: &Dataflow, seen: &mut Observations) -> bool {
        if !self.slopes {
            return self.see(flow, seen);
        }
        let signature = Signature::expression(1).expect("one input is not too many");
        let slope = Program::from_dataflow(&signature, flow).canonical().derivative(0);
        self.see(flow, seen) && slope.is_some_and(|slope| self.see(&Dataflow::of(&slope), seen))
    }
}

impl Points {
    fn new(input: impl Fn(usize) -> Vec<f64>) -> Points {
        let inputs = (0..Signature::MAX_INPUTS).map(input);
        Points(inputs.map(|points| points.into_iter().map(|x| x as f32).collect()).collect())
    }

    fn values(&self, flow: &Dataflow) -> Vec<f32> {
        let inputs: Vec<&[f32]> = self.0.iter().map(Vec::as_slice).collect();
        let mut values = vec![0.0; inputs[0].len()];
        Executor::of(flow, &Layout::new([vec![values.len()]])).evaluate(&inputs, &mut values);
        values
    }
}

/// Points of an input within its range: both ends, combined with the same and with the other ends
/// of its neighbours, and evenly spread ones.
fn within(range: (f64, f64), input: usize) -> impl Iterator<Item = f64> {
    let ends = [range.0, range.1];
    let corners = [ends[0], ends[1], ends[input % 2], ends[1 - input % 2]];
    corners.into_iter().chain((0..WITHIN).map(move |point| spread(range, input, point)))
}

/// An evenly spread point of an input, by a sequence that differs for every input.
fn spread(range: (f64, f64), input: usize, point: usize) -> f64 {
    let turns = (point + 1) as f64 * PRIMES[input].sqrt();
    on_grid(range, turns - turns.floor())
}

/// The point of a range at this share of it, rounded to a coarse binary grid.
fn on_grid((low, high): (f64, f64), share: f64) -> f64 {
    let width = high - low;
    if !(width.is_finite() && width > 0.0) {
        return low;
    }
    // A power of two near the width, by its exponent alone.
    let scale = f64::from_bits(width.to_bits() >> 52 << 52);
    let step = scale / 256.0;
    (((low + share * width) / step).round() * step).clamp(low, high)
}

/// Points out of the ranges: ties of all inputs, and points of other scales and signs.
fn beyond(range: (f64, f64), first: (f64, f64), input: usize) -> impl Iterator<Item = f64> {
    let ties = [0.25, 0.75].into_iter().map(move |share| on_grid(first, share));
    let scaled = SCALES.iter().enumerate().flat_map(move |(index, scale)| {
        // Two points of each scale: all inputs of this sign, and every other of the opposite.
        let turned = if input % 2 == 1 { -scale } else { *scale };
        let signs = [*scale, turned].into_iter().enumerate();
        signs.map(move |(sign, scale)| scale * spread(range, input, 2 * index + sign))
    });
    ties.chain(scaled)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::FunctionalHasher;

    #[test]
    fn points_are_within_the_ranges_and_on_a_grid() {
        for range in [(-1.0, 1.0), (0.0, 1.0), (1.0, 1.001), (-50.0, 3.0), (2.0, 2.0)] {
            for input in 0..Signature::MAX_INPUTS {
                let points: Vec<f64> = within(range, input).collect();
                assert_eq!(points.len(), WITHIN + 4);
                assert!(points.iter().all(|x| (range.0..=range.1).contains(x)), "{points:?}");
                let mut distinct = points;
                distinct.sort_by(f64::total_cmp);
                distinct.dedup();
                let expected = if range.0 == range.1 { 1 } else { 40 };
                assert!(distinct.len() >= expected, "{range:?}: {distinct:?}");
            }
        }
        let short = |x: &f64| (x * 128.0).fract() == 0.0;
        assert!(within((-1.0, 1.0), 3).all(|x| short(&x)));
    }

    #[test]
    fn slopes_tell_apart_what_values_do_not() {
        let hasher = |probe: ExpressionProbe| {
            FunctionalHasher::with_probe(8, Arc::new(probe)).expect("8 is between 1 and 23")
        };
        let plain = hasher(ExpressionProbe::new(&[(-4.0, 4.0)]));
        let slopes = hasher(ExpressionProbe::new(&[(-4.0, 4.0)]).with_slopes());
        let same = |hasher: &FunctionalHasher, formulas: [&str; 2]| {
            let hash = |formula: &str| {
                let program = Program::parse_formula(&["x"], formula).expect(formula);
                hasher.hash(&program).expect("it is finite")
            };
            hash(formulas[0]) == hash(formulas[1])
        };
        // At the kink, 0, the slope of the first is 0.
        let kinks = ["abs(x)", "max(x, -x)"];
        assert!(same(&plain, kinks) && !same(&slopes, kinks));
        for equal in [["max(x, 0.0)", "where(x, x, 0.0)"], ["x * x + x", "x * (x + 1.0)"]] {
            assert!(same(&plain, equal) && same(&slopes, equal), "{equal:?}");
        }
    }
}
