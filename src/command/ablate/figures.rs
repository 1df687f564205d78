//! The figures of an ablation: fitness over evaluations and over time, hits over births.
//!
//! Invariant: a line is the mean over all seeds and its band the bootstrap interval of it, at
//! places that every run has come to; one figure alone has a clock on it.

use super::leg::{Finished, Point};
use super::summary::{Ablation, Mean, Runs};
use crate::command::report::axis::Axis;
use crate::command::report::chart::{Chart, Mark, Series};
use crate::command::report::figure::Figure;

/// What most of them show.
const BEST: &str = "best fitness";

/// Places along an axis.
const PLACES: usize = 80;

/// Resamples behind a band, of which there is one at every place.
const RESAMPLES: u32 = 400;

/// Windows of births, of each of which a hit rate is told.
const WINDOWS: usize = 24;

/// All figures that there is something to draw in.
pub(super) fn all(ablation: &Ablation) -> Vec<Figure> {
    let figures = [over_evaluations, regret, over_time, hits].map(|figure| figure(ablation));
    figures.into_iter().flatten().collect()
}

fn places(end: f64, count: usize) -> impl Iterator<Item = f64> {
    (1..=count).map(move |place| end * place as f64 / count as f64)
}

fn over_evaluations(ablation: &Ablation) -> Option<Figure> {
    let end = ablation.common(|run| run.end().evaluations as f64);
    let series = bests(ablation, end, Finished::best_within);
    let axis = Axis::between("evaluations", 0.0, end).of_counts();
    let caption = "The best fitness so far, the mean over the seeds with its 95% interval, at \
                   equal numbers of evaluations.";
    figure(("fitness-evaluations", "Fitness over evaluations"), caption, (axis, BEST, series))
}

/// How far the best is below what there is, where that is known.
fn regret(ablation: &Ablation) -> Option<Figure> {
    let optimum = ablation.optimum?;
    let end = ablation.common(|run| run.end().evaluations as f64);
    let series = bests(ablation, end, |run, at| optimum - run.best_within(at));
    let axis = Axis::between("evaluations", 0.0, end).of_counts();
    let caption = "The highest fitness there is less the best so far, the mean over the seeds with \
                   its 95% interval, at equal numbers of evaluations.";
    figure(("regret-evaluations", "Regret over evaluations"), caption, (axis, "regret", series))
}

fn over_time(ablation: &Ablation) -> Option<Figure> {
    let clock = ablation.clock;
    let end = ablation.common(|run| run.seconds(clock));
    let series = bests(ablation, end, |run, seconds| run.best_by(seconds, clock));
    let axis = Axis::between(clock.name(), 0.0, end);
    let caption = "The best fitness so far, the mean over the seeds with its 95% interval, at \
                   equal time; what telling programs apart takes is part of it.";
    figure(("fitness-seconds", "Fitness over time"), caption, (axis, BEST, series))
}

fn figure(
    (name, title): (&str, &str),
    caption: &str,
    (x, what, series): (Axis, &str, Vec<Series>),
) -> Option<Figure> {
    let numbers = series.iter().flat_map(|it| it.points.iter().map(|(_, fitness)| *fitness));
    let y = Axis::linear(what, numbers);
    Figure::of_chart(name, title, caption, &Chart { x, y, series })
}

/// The best fitness of every arm along an axis.
fn bests(ablation: &Ablation, end: f64, best: impl Fn(&Finished, f64) -> f64) -> Vec<Series> {
    let arms = ablation.arms.iter().enumerate();
    let series = arms.map(|(place, arm)| {
        let mut series = Series::new(&arm.arm, place, Mark::Steps, Vec::new());
        for at in places(end, PLACES) {
            let values: Vec<f64> = arm.runs.iter().map(|run| best(run, at)).collect();
            if let Some(mean) = Mean::of(&values, RESAMPLES) {
                series.points.push((at, mean.value));
                let ends = (mean.low.unwrap_or(mean.value), mean.high.unwrap_or(mean.value));
                series.band.push(ends);
            }
        }
        series
    });
    series.collect()
}

/// A level of hits by its name, and how many of them a run has had.
type Level = (&'static str, fn(&Point) -> u64);

/// Hits by level, of all births of a window.
fn hits(ablation: &Ablation) -> Option<Figure> {
    let end = ablation.common(|run| run.end().births as f64);
    let mut series = Vec::new();
    for arm in &ablation.arms {
        let by_structure: Level = ("structure", |it| it.structural);
        let by_behaviour: Level = ("behaviour", |it| it.functional);
        for (level, of) in [by_structure, by_behaviour] {
            let points = rates(arm, end, of);
            if points.iter().any(|(_, rate)| *rate > 0.0) {
                let label = format!("{}: by {level}", arm.arm);
                series.push(Series::new(&label, series.len(), Mark::Line, points));
            }
        }
    }
    let x = Axis::between("births", 0.0, end).of_counts();
    let rates = series.iter().flat_map(|it| it.points.iter().map(|(_, rate)| *rate));
    let y = Axis::linear("hits, % of births", rates.chain([0.0]));
    let caption = "Births that shared the evaluation of an earlier one, of the births around them: \
                   those of its structure, and those that only behave alike.";
    let chart = Chart { x, y, series };
    Figure::of_chart("hits", "Hits over births", caption, &chart)
}

/// The share of hits of each window of births, of all runs together, in percent.
fn rates(arm: &Runs, end: f64, of: impl Fn(&Point) -> u64) -> Vec<(f64, f64)> {
    let until = |births: f64| {
        let counts = arm.runs.iter().map(|run| {
            let before = run.leg.curve.iter().take_while(|it| it.births as f64 <= births).last();
            before.map_or((0, 0), |point| (point.births, of(point)))
        });
        counts.fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1))
    };
    let mut before = (0, 0);
    let mut rates = Vec::new();
    for at in places(end, WINDOWS) {
        let now = until(at);
        if now.0 > before.0 {
            rates.push((at, 100.0 * (now.1 - before.1) as f64 / (now.0 - before.0) as f64));
        }
        before = now;
    }
    rates
}
