//! What looks on at the run of a leg, birth by birth.
//!
//! Invariant: it is shown births in their order, so all that it notes but the clocks is a function
//! of configuration and seed. It takes a look at the clocks only where it keeps a point, and what
//! it does is counted as part of the run.

use std::collections::HashSet;
use std::sync::Arc;

use evo::{AbsorbedBirth, Hash};

use super::leg::{Best, Leg, Moment, Point, Times};
use super::thinned::Thinned;
use crate::command::clock;

/// The most points of a curve.
const POINTS: usize = 256;

/// The most programs kept to measure by what telling them apart costs.
const SAMPLED: usize = 128;

/// Births whose hashes are told apart: more would take memory that the search has better use for.
const COUNTED: u64 = 2_000_000;

/// What has been seen of a run.
pub(super) struct Watch<P> {
    began: Moment,
    at: Point,
    curve: Thinned<(Point, Moment)>,
    bests: Vec<(Best, Moment)>,
    structures: HashSet<Hash>,
    behaviours: HashSet<Hash>,
    /// Some of all programs, and some of those of new structures.
    programs: Thinned<Arc<P>>,
    new: Thinned<Arc<P>>,
}

/// The programs by which the cost of hashes is measured.
pub(super) struct Sample<P> {
    /// Some of all births.
    pub(super) births: Vec<Arc<P>>,
    /// Some of those whose structure was new.
    pub(super) new: Vec<Arc<P>>,
}

fn now() -> Moment {
    Moment { cpu: clock::process_seconds(), wall: clock::wall_seconds() }
}

fn since(began: Moment) -> Moment {
    let now = now();
    Moment { cpu: now.cpu - began.cpu, wall: now.wall - began.wall }
}

impl<P> Watch<P> {
    /// Begins: seconds are counted from here.
    pub(super) fn new() -> Watch<P> {
        Watch {
            began: now(),
            at: Point::default(),
            curve: Thinned::new(POINTS),
            bests: Vec::new(),
            structures: HashSet::new(),
            behaviours: HashSet::new(),
            programs: Thinned::new(SAMPLED),
            new: Thinned::new(SAMPLED),
        }
    }

    /// Takes in the next birth.
    pub(super) fn note(&mut self, birth: &AbsorbedBirth<'_, P>) {
        let own = birth.evaluation == birth.birth;
        self.at.births += 1;
        self.at.evaluations += u64::from(own);
        self.at.structural += u64::from(!own && birth.same_structure);
        self.at.functional += u64::from(!own && !birth.same_structure);
        self.programs_of(birth);
        let (at, began) = (self.at, self.began);
        self.curve.offer(|| (at, since(began)));
        let best = self.bests.last().map_or(f64::NEG_INFINITY, |(best, _)| best.fitness);
        if birth.fitness > best {
            let Point { births, evaluations, .. } = at;
            let best = Best { births, evaluations, fitness: birth.fitness };
            self.bests.push((best, since(began)));
        }
    }

    fn programs_of(&mut self, birth: &AbsorbedBirth<'_, P>) {
        self.programs.offer(|| Arc::clone(birth.program));
        if self.at.births > COUNTED {
            return;
        }
        self.behaviours.insert(birth.behaviour);
        if self.structures.insert(birth.structure) {
            self.new.offer(|| Arc::clone(birth.program));
        }
    }

    /// What there is to tell of a run that has ended, and the programs to measure hashes by.
    pub(super) fn finish(
        &self,
        (rechecked, disagreed): (u64, u64),
        early: bool,
    ) -> (Leg, Times, Sample<P>) {
        let mut curve = self.curve.kept().to_vec();
        if curve.last().is_some_and(|(last, _)| *last != self.at) {
            curve.push((self.at, since(self.began)));
        }
        let (points, moments) = curve.into_iter().unzip();
        let (bests, best_moments) = self.bests.iter().copied().unzip();
        let leg = Leg {
            curve: points,
            bests,
            rechecked,
            disagreed,
            structures: self.structures.len() as u64,
            behaviours: self.behaviours.len() as u64,
            early,
        };
        let times = Times { curve: moments, bests: best_moments, hashing: 0.0 };
        let sample =
            Sample { births: self.programs.kept().to_vec(), new: self.new.kept().to_vec() };
        (leg, times, sample)
    }
}
