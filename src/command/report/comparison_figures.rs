//! The figures of a comparison: performance profile, courses and learning rates.
//!
//! Invariant: a program has one colour and stroke in all of them. Of very many programs the
//! reference and those that gain most are drawn: more lines than that nobody tells apart.

use std::collections::BTreeMap;

use evo::Profile;

use super::axis::Axis;
use super::chart::{Chart, Mark, Series};
use super::comparison::{Comparison, Standing};
use super::figure::Figure;

/// The most programs that are drawn.
const MOST: usize = 10;

/// Up to which ratio profiles are drawn, as far as they are scored.
const LARGEST_RATIO: f64 = Profile::LARGEST;

impl Comparison {
    /// All figures.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let drawn = self.drawn();
        let mut figures: Vec<Figure> = self.profile(&drawn).into_iter().collect();
        for (index, task) in self.tasks.iter().enumerate() {
            figures.extend(self.courses_on(index, task, &drawn));
        }
        for (index, task) in self.tasks.iter().enumerate() {
            figures.extend(self.rates(index, task, &drawn));
        }
        figures
    }

    /// The programs that are drawn, in their order.
    fn drawn(&self) -> Vec<&Standing> {
        let gain = |it: &Standing| it.reference.gain.and_then(|it| it.value);
        let gain = |it: &Standing| gain(it).unwrap_or(f64::NEG_INFINITY);
        let mut ranked: Vec<usize> = (1..self.programs.len()).collect();
        ranked.sort_by(|&a, &b| gain(&self.programs[b]).total_cmp(&gain(&self.programs[a])));
        ranked.truncate(MOST - 1);
        ranked.push(0);
        ranked.sort_unstable();
        ranked.into_iter().map(|place| &self.programs[place]).collect()
    }

    /// The share of tasks on which a program needs at most so many times the fewest steps to the
    /// reference's final loss.
    fn profile(&self, drawn: &[&Standing]) -> Option<Figure> {
        let times =
            |program: &Standing| program.reference.tasks.iter().map(|it| it.steps).collect();
        let times: Vec<Vec<Option<f64>>> = self.programs.iter().map(times).collect();
        let profile = Profile::of(&times).ok()?;
        let series = drawn.iter().enumerate().filter_map(|(place, program)| {
            let own = self.programs.iter().position(|it| std::ptr::eq(it, *program))?;
            let mut points = vec![(1.0, profile.share(own, 1.0))];
            let steps = profile.steps(own).into_iter().filter(|step| step.tau <= LARGEST_RATIO);
            points.extend(steps.map(|step| (step.tau, step.share)));
            points.push((LARGEST_RATIO, profile.share(own, LARGEST_RATIO)));
            Some(Series::new(&program.name, place, Mark::Steps, points))
        });
        let chart = Chart {
            x: Axis::between("steps / fewest steps", 1.0, LARGEST_RATIO),
            y: Axis::between("share of tasks", -0.02, 1.02),
            series: series.collect(),
        };
        let caption = "The share of tasks on which a program reaches the final loss of the \
                       reference in at most so many times the steps of the fastest program there. \
                       Higher and further to the left is better.";
        Figure::of_chart("performance-profile", "Performance profile", caption, &chart)
    }

    /// Losses on the way, the mean of all seeds and the range of them.
    fn courses_on(&self, index: usize, task: &str, drawn: &[&Standing]) -> Option<Figure> {
        let mut losses: BTreeMap<&str, BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
        for course in self.courses.iter().filter(|it| it.task == task && it.loss.is_finite()) {
            let steps = losses.entry(&course.program).or_default();
            steps.entry(course.step).or_default().push(course.loss);
        }
        let series = drawn.iter().enumerate().map(|(place, program)| {
            let steps = losses.get(program.name.as_str());
            let mut series = Series::new(&program.name, place, Mark::Line, Vec::new());
            for (step, losses) in steps.into_iter().flatten() {
                let mean = losses.iter().sum::<f64>() / losses.len() as f64;
                let low = losses.iter().copied().fold(f64::INFINITY, f64::min);
                let high = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                series.points.push((*step as f64, mean));
                series.band.push((low, high));
            }
            series
        });
        let series: Vec<Series> = series.collect();
        let points = || series.iter().flat_map(|it| &it.points);
        let bands = series.iter().flat_map(|it| &it.band).flat_map(|(low, high)| [*low, *high]);
        let y = Axis::fitting(self.loss_on(index), bands);
        let last = points().map(|(step, _)| *step).fold(0.0, f64::max);
        let chart = Chart { x: Axis::between("training steps", 0.0, last).of_counts(), y, series };
        let caption = "The mean over seeds, each program tuned on this task; the bands reach from \
                       the lowest to the highest seed.";
        let name = format!("course-{}-{task}", index + 1);
        Figure::of_chart(&name, &format!("Loss on {task}"), caption, &chart)
    }

    /// Losses of tuning by learning rate with all else as it is.
    fn rates(&self, index: usize, task: &str, drawn: &[&Standing]) -> Option<Figure> {
        let series: Vec<Series> = drawn
            .iter()
            .enumerate()
            .map(|(place, program)| {
                let rates = program.on_tasks[index].by_rate.iter();
                let points = rates.filter_map(|(rate, loss)| Some((*rate, (*loss)?)));
                Series::new(&program.name, place, Mark::Dotted, points.collect())
            })
            .collect();
        let points = || series.iter().flat_map(|it| &it.points);
        let x = Axis::fitting("learning rate (1: the usual)", points().map(|(rate, _)| *rate));
        let y = Axis::fitting(self.loss_on(index), points().map(|(_, loss)| *loss));
        let caption = "The loss of tuning at each learning rate that was tried with all else as \
                       it is; 1 is the rate that is usual for a rule. Rates at which a program \
                       does not train are left out.";
        let name = format!("learning-rate-{}-{task}", index + 1);
        Figure::of_chart(
            &name,
            &format!("Learning rate on {task}"),
            caption,
            &Chart { x, y, series },
        )
    }
}
