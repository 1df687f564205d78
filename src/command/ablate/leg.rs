//! A leg of an ablation: one run of one arm with one seed, as far as it is told.
//!
//! Invariant: a [`Leg`] is a function of configuration and seed, unless that limits seconds;
//! whatever a clock said is in [`Times`], in the same order. So the two go to files of their own,
//! and the first are the same however often a run was begun, killed and made again.

use serde::{Deserialize, Serialize};

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Leg {
    /// How far the run was at some of its births, the last among them.
    pub(super) curve: Vec<Point>,
    /// Every birth that was fitter than all before.
    pub(super) bests: Vec<Best>,
    pub(super) rechecked: u64,
    pub(super) disagreed: u64,
    /// Different structures among the births, and different behaviours.
    pub(super) structures: u64,
    pub(super) behaviours: u64,
    /// Whether it ended before its limits: its best was good enough, or nothing new was left.
    pub(super) early: bool,
}

/// How far a run was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Point {
    /// Births absorbed.
    pub(super) births: u64,
    /// Those of them that were evaluated.
    pub(super) evaluations: u64,
    /// Those that share the evaluation of an earlier birth of their structure.
    pub(super) structural: u64,
    /// And of one that only behaves alike.
    pub(super) functional: u64,
}

/// A birth that was fitter than all before, and how far the run was then, itself included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    pub(super) births: u64,
    pub(super) evaluations: u64,
    pub(super) fitness: f64,
}

/// When a run was how far, in seconds from its beginning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Times {
    pub(super) curve: Vec<Moment>,
    pub(super) bests: Vec<Moment>,
    /// What telling programs apart took of the CPU, as far as a sample of births says.
    pub(super) hashing: f64,
}

/// What both clocks said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Moment {
    pub(super) cpu: f64,
    pub(super) wall: f64,
}

/// Which clock costs are told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Cpu,
    Wall,
}

impl Clock {
    pub(super) fn of(self, moment: &Moment) -> f64 {
        match self {
            Clock::Cpu => moment.cpu,
            Clock::Wall => moment.wall,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Clock::Cpu => "CPU seconds",
            Clock::Wall => "seconds",
        }
    }
}

/// A finished run and its times.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finished {
    pub(super) leg: Leg,
    pub(super) times: Times,
}

impl Finished {
    /// Where it ended.
    pub(super) fn end(&self) -> Point {
        self.leg.curve.last().copied().unwrap_or_default()
    }

    /// When it ended.
    pub(super) fn seconds(&self, clock: Clock) -> f64 {
        self.times.curve.last().map_or(0.0, |moment| clock.of(moment))
    }

    /// The best fitness of all; minus infinity where nothing was scored.
    pub(super) fn best(&self) -> f64 {
        self.leg.bests.last().map_or(f64::NEG_INFINITY, |best| best.fitness)
    }

    /// The best fitness among the first so many births.
    pub(super) fn best_after(&self, births: u64) -> f64 {
        let found = self.leg.bests.iter().take_while(|best| best.births <= births).last();
        found.map_or(f64::NEG_INFINITY, |best| best.fitness)
    }

    /// The best fitness among the first so many evaluations.
    pub(super) fn best_within(&self, evaluations: f64) -> f64 {
        let within = |best: &&Best| best.evaluations as f64 <= evaluations;
        let found = self.leg.bests.iter().take_while(within).last();
        found.map_or(f64::NEG_INFINITY, |best| best.fitness)
    }

    /// The best fitness that was known after so many seconds.
    pub(super) fn best_by(&self, seconds: f64, clock: Clock) -> f64 {
        let moments = self.leg.bests.iter().zip(&self.times.bests);
        let by = |it: &(&Best, &Moment)| clock.of(it.1) <= seconds;
        moments.take_while(by).last().map_or(f64::NEG_INFINITY, |(best, _)| best.fitness)
    }

    /// What it took until there was a fitness as high: births, evaluations and seconds; infinite
    /// where there never was.
    pub(super) fn until(&self, target: f64, clock: Clock) -> [f64; 3] {
        let moments = self.leg.bests.iter().zip(&self.times.bests);
        let mut reached = moments.skip_while(|(best, _)| best.fitness < target);
        reached.next().map_or([f64::INFINITY; 3], |(best, moment)| {
            [best.births as f64, best.evaluations as f64, clock.of(moment)]
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run whose bests rise one after another, a second and ten evaluations each.
    pub(in crate::command::ablate) fn finished(bests: &[f64], births: u64) -> Finished {
        let moment = |place: usize| Moment { cpu: place as f64, wall: 2.0 * place as f64 };
        let at = |place: usize| 10 * place as u64;
        let best = |(place, fitness): (usize, &f64)| Best {
            births: at(place) + 1,
            evaluations: at(place) + 1,
            fitness: *fitness,
        };
        let end = Point { births, evaluations: 50, structural: births - 50, functional: 0 };
        let leg = Leg {
            curve: vec![Point { births: 1, evaluations: 1, ..Point::default() }, end],
            bests: bests.iter().enumerate().map(best).collect(),
            rechecked: 0,
            disagreed: 0,
            structures: 50,
            behaviours: 50,
            early: false,
        };
        let times = Times {
            curve: vec![moment(0), moment(bests.len())],
            bests: (0..bests.len()).map(moment).collect(),
            hashing: 0.25,
        };
        Finished { leg, times }
    }

    #[test]
    fn the_best_of_a_run_is_told_at_any_cost() {
        let run = finished(&[0.0, 0.5, 2.0], 100);
        assert_eq!(
            [0.0, 1.0, 10.0, 11.0, 99.0].map(|it| run.best_within(it)),
            [f64::NEG_INFINITY, 0.0, 0.0, 0.5, 2.0]
        );
        assert_eq!((run.best_by(1.5, Clock::Cpu), run.best_by(1.5, Clock::Wall)), (0.5, 0.0));
        assert_eq!(run.until(0.4, Clock::Wall), [11.0, 11.0, 2.0]);
        assert_eq!(run.until(3.0, Clock::Cpu), [f64::INFINITY; 3]);
        assert_eq!((run.best(), run.end().births, run.seconds(Clock::Wall)), (2.0, 100, 6.0));
    }
}
