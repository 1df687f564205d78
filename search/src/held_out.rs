//! Held-out evaluation: what the fittest so far is worth where no fitness is computed.
//!
//! Invariant: when a point falls due and whose it is follow from the births absorbed; what follows
//! from a point follows from the points before it. So the curve is the same for any timing, and a
//! run that goes on from stored points goes on with the same decisions. Settings that end or
//! restart a run by the curve stand where all of their kind do, in `stopping` and `restarts`: the
//! one may change when a run is resumed, and the other is part of what the run is.

use serde::{Deserialize, Serialize};

use crate::SearchError;

/// How often the incumbent is evaluated on what is held out of the search; never, unless `every` is
/// set.
///
/// The incumbent is the fittest of the births absorbed, of those bred since the last restart and
/// what that refilled the population with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeldOutConfig {
    /// Births absorbed from one point of the curve to the next. An incumbent that was evaluated
    /// before costs nothing.
    pub every: Option<u64>,
}

impl HeldOutConfig {
    /// `patience` are the limits that count points, by their keys; `fitness` says whether one looks
    /// at their fitness.
    pub(crate) fn validate(
        &self,
        patience: [(&str, Option<u64>); 2],
        fitness: bool,
    ) -> Result<(), SearchError> {
        if self.every == Some(0) {
            return Err(SearchError::config("held_out.every", "must be 1 or more"));
        }
        if fitness && self.every.is_none() {
            let message = "looks at held-out points, and there are none without `held_out.every`";
            return Err(SearchError::config("stopping.held_out_fitness", message));
        }
        for (key, limit) in patience {
            if limit == Some(0) {
                return Err(SearchError::config(key, "must be 1 or more"));
            }
            if limit.is_some() && self.every.is_none() {
                let message = "counts held-out points, and there are none without `held_out.every`";
                return Err(SearchError::config(key, message));
            }
        }
        Ok(())
    }
}

/// The incumbent behind a number of births, and what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOutPoint {
    /// Births absorbed.
    pub absorbed: u64,
    /// Births among them that were evaluated.
    pub evaluations: u64,
    /// The incumbent's birth.
    pub birth: u64,
    /// Its fitness in the search.
    pub fitness: f64,
    /// Its fitness on what is held out; none where it does not train there.
    pub held_out_fitness: Option<f64>,
    /// Whether the engine failed at the evaluation, which says nothing of the incumbent: the point
    /// counts for nothing, and the next one evaluates it again.
    pub failed: bool,
}

/// The points of a run, in order.
#[derive(Clone, Debug, Default)]
pub struct HeldOutCurve {
    points: Vec<HeldOutPoint>,
    whole: Plateau,
    since_restart: Plateau,
    /// The number of points before the last restart.
    before_restart: usize,
}

/// How long there has been no new best.
#[derive(Clone, Copy, Debug, Default)]
struct Plateau {
    best: Option<f64>,
    /// Points in a row.
    stale: u64,
    /// The most that there ever were.
    longest: u64,
}

impl Plateau {
    fn note(&mut self, point: &HeldOutPoint) {
        if point.failed {
            return;
        }
        // Every number is above none.
        if point.held_out_fitness > self.best {
            (self.best, self.stale) = (point.held_out_fitness, 0);
        } else {
            self.stale += 1;
            self.longest = self.longest.max(self.stale);
        }
    }
}

impl HeldOutCurve {
    /// The points, in order.
    pub fn points(&self) -> &[HeldOutPoint] {
        &self.points
    }

    /// The point of the best held-out fitness, among equals the first.
    pub fn best(&self) -> Option<&HeldOutPoint> {
        let scored = self.points.iter().filter(|point| point.held_out_fitness.is_some());
        scored.reduce(|a, b| if b.held_out_fitness > a.held_out_fitness { b } else { a })
    }

    /// The curve with these points, so many of them from before the last restart.
    pub(crate) fn of(points: Vec<HeldOutPoint>, before_restart: usize) -> HeldOutCurve {
        let mut curve = HeldOutCurve::default();
        for (index, point) in points.into_iter().enumerate() {
            if index == before_restart {
                curve.restart();
            }
            curve.note(point);
        }
        if curve.points.len() == before_restart {
            curve.restart();
        }
        curve
    }

    /// The number of points before the last restart.
    pub(crate) fn before_restart(&self) -> usize {
        self.before_restart
    }

    pub(crate) fn note(&mut self, point: HeldOutPoint) {
        self.whole.note(&point);
        self.since_restart.note(&point);
        self.points.push(point);
    }

    /// Begins to count anew for restarts.
    pub(crate) fn restart(&mut self) {
        self.since_restart = Plateau::default();
        self.before_restart = self.points.len();
    }

    /// The latest points in a row without a new best.
    pub(crate) fn stale(&self) -> u64 {
        self.whole.stale
    }

    /// The same of those since the last restart.
    pub(crate) fn stale_since_restart(&self) -> u64 {
        self.since_restart.stale
    }

    /// The most points in a row without a new best that there ever were.
    pub(crate) fn longest(&self) -> u64 {
        self.whole.longest
    }

    /// What a birth came to when it was evaluated before, if it was.
    pub(crate) fn known(&self, birth: u64) -> Option<Option<f64>> {
        let of_birth = |point: &&HeldOutPoint| point.birth == birth && !point.failed;
        self.points.iter().rev().find(of_birth).map(|point| point.held_out_fitness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(birth: u64, held_out_fitness: Option<f64>) -> HeldOutPoint {
        let (absorbed, evaluations, fitness) = (10 * birth, birth, 0.5);
        HeldOutPoint { absorbed, evaluations, birth, fitness, held_out_fitness, failed: false }
    }

    #[test]
    fn points_without_a_new_best_are_counted_over_the_run_and_since_a_restart() {
        let mut curve = HeldOutCurve::default();
        let values = [None, Some(-1.0), Some(0.5), Some(0.5), None, Some(0.4), Some(0.6)];
        let mut stale = Vec::new();
        for (birth, value) in (0..).zip(values) {
            curve.note(point(birth, value));
            stale.push(curve.stale());
        }
        assert_eq!(stale, [1, 0, 0, 1, 2, 3, 0]);
        assert_eq!((curve.longest(), curve.best().map(|it| it.birth)), (3, Some(6)));
        curve.restart();
        curve.note(point(7, Some(0.1)));
        curve.note(point(8, Some(0.1)));
        assert_eq!((curve.stale(), curve.stale_since_restart(), curve.longest()), (2, 1, 3));
        assert_eq!(curve.best().map(|it| it.birth), Some(6));
        let again = HeldOutCurve::of(curve.points().to_vec(), curve.before_restart());
        assert_eq!(again.stale_since_restart(), curve.stale_since_restart());
        assert_eq!((again.stale(), again.longest()), (curve.stale(), curve.longest()));
    }

    #[test]
    fn a_failure_counts_for_nothing_and_is_not_known() {
        let mut curve = HeldOutCurve::default();
        curve.note(point(0, Some(0.1)));
        curve.note(HeldOutPoint { failed: true, ..point(1, None) });
        assert_eq!((curve.stale(), curve.known(1), curve.known(0)), (0, None, Some(Some(0.1))));
        curve.note(point(1, None));
        assert_eq!((curve.stale(), curve.known(1)), (1, Some(None)));
    }
}
