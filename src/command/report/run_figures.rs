//! The figures of runs: fitness over evaluations, held-out fitness, the front, mutations.
//!
//! Invariant: what is left out, being one of very many or far below the others, is counted in the
//! caption.

use super::axis::Axis;
use super::chart::{Bars, Chart, Mark, Series};
use super::figure::Figure;
use super::run::Run;
use evo::KnownBirths;

/// The most points of a run that are drawn one by one: more are a blot, and a file of megabytes.
const MOST_POINTS: usize = 1_500;

/// The share of fitness values that the lower end of an axis is drawn for.
const SHOWN: f64 = 0.95;

/// Along every axis of evaluations.
const EVALUATIONS: &str = "evaluations";

/// Fitness by number of evaluations: of one run every evaluation and the best so far, of several
/// the best so far.
pub(super) fn fitness(name: &str, runs: &[&Run]) -> Option<Figure> {
    let bests: Vec<Vec<(f64, f64)>> = runs.iter().map(|run| best_so_far(run)).collect();
    let values: Vec<f64> = match runs {
        [run] => run.fitness_by_evaluation().map(|(_, fitness)| fitness).collect(),
        _ => bests.iter().flatten().map(|(_, fitness)| *fitness).collect(),
    };
    let y = Axis::linear(axis_title(runs), near_the_best(&values, &bests));
    let most = runs.iter().map(|run| run.evaluated.len()).max().unwrap_or(0);
    let x = Axis::between(EVALUATIONS, 0.0, most as f64).of_counts();
    let mut caption = "The best fitness among the evaluations so far.".to_owned();
    let series = if let [run] = runs {
        let below = values.iter().filter(|value| !y.holds(**value)).count();
        let points: Vec<(f64, f64)> = run.fitness_by_evaluation().collect();
        let every = points.len().div_ceil(MOST_POINTS).max(1);
        caption += &match every {
            1 => " Each dot is an evaluation with a score".to_owned(),
            every => format!(" Each dot is one of {every} evaluations with a score"),
        };
        caption += &match below {
            0 => ".".to_owned(),
            below => format!("; {below} lie below the lower end."),
        };
        let points = points.into_iter().step_by(every).collect();
        let best = bests.into_iter().next().unwrap_or_default();
        vec![
            Series::new("an evaluation", 1, Mark::Cloud, points),
            Series::new("best so far", 0, Mark::Steps, best),
        ]
    } else {
        let labelled = runs.iter().zip(bests).enumerate();
        let line = |(place, (run, best)): (usize, (&&Run, _))| {
            Series::new(&run.label(), place, Mark::Steps, best)
        };
        labelled.map(line).collect()
    };
    Figure::of_chart(name, "Fitness over evaluations", &caption, &Chart { x, y, series })
}

/// Fitness of the fittest at a time on the tasks of the search and on those held out.
pub(super) fn held_out(name: &str, run: &Run) -> Option<Figure> {
    let rows = &run.held_out;
    let seen = rows.iter().map(|row| (row.evaluations as f64, row.fitness));
    let unseen = rows.iter().filter_map(|row| {
        Some((row.evaluations as f64, row.held_out_fitness.filter(|it| it.is_finite())?))
    });
    let seen: Vec<(f64, f64)> = seen.collect();
    let unseen: Vec<(f64, f64)> = unseen.collect();
    let values: Vec<f64> = seen.iter().chain(&unseen).map(|(_, it)| *it).collect();
    let y = Axis::linear(axis_title(&[run]), values);
    let last = run.evaluated.len() as f64;
    let x = Axis::between(EVALUATIONS, 0.0, last).of_counts();
    let to_the_end = |mut points: Vec<(f64, f64)>| {
        points.extend(points.last().filter(|(at, _)| *at < last).map(|(_, it)| (last, *it)));
        points
    };
    let series = vec![
        Series::new("on the tasks of the search", 0, Mark::Steps, to_the_end(seen)),
        Series::new("on tasks held out", 1, Mark::Steps, to_the_end(unseen)),
    ];
    let caption = "The fittest program at that time, on the tasks that it was selected by and on \
                   those held out. Lines that part are a search that fits its own tasks alone.";
    let chart = Chart { x, y, series };
    Figure::of_chart(name, "Fitness on tasks held out", caption, &chart)
}

/// The fittest of every live length, and those that no shorter one is as fit as.
pub(super) fn front(name: &str, run: &Run) -> Option<Figure> {
    let points: Vec<(f64, f64)> =
        run.champions.iter().map(|it| (it.length as f64, it.fitness)).collect();
    let values: Vec<f64> = points.iter().map(|(_, fitness)| *fitness).collect();
    let y = Axis::linear(axis_title(&[run]), above(&values));
    let lengths = points.iter().map(|(length, _)| *length);
    let x = Axis::linear("live statements", lengths).of_counts();
    let below = values.iter().filter(|value| !y.holds(**value)).count();
    let mut front: Vec<(f64, f64)> = Vec::new();
    for &(length, fitness) in points.iter().filter(|(_, fitness)| y.holds(*fitness)) {
        if front.last().is_none_or(|(_, best)| fitness > *best) {
            front.push((length, fitness));
        }
    }
    let longest = points.last().map(|(length, _)| *length);
    front.extend(front.last().zip(longest).map(|((_, best), length)| (length, *best)));
    let series = vec![
        Series::new("fittest of its length", 1, Mark::Points, points),
        Series::new("fittest up to a length", 0, Mark::Steps, front),
    ];
    let mut caption = "The hall of fame: the fittest program of each live length.".to_owned();
    if below > 0 {
        caption += &format!(" {below} lie below the lower end.");
    }
    Figure::of_chart(name, "Fitness against length", &caption, &Chart { x, y, series })
}

/// How every kind of mutation fared.
pub(super) fn mutations(name: &str, run: &Run) -> Option<Figure> {
    let tried = run.mutations.iter().filter(|(_, tally)| tally.tried > 0);
    let bars = tried.map(|(kind, tally)| {
        let other = tally.tried.saturating_sub(tally.improved + tally.neutral);
        let parts = [tally.improved, tally.neutral, other].map(|count| count as f64);
        (kind.replace('_', " "), parts.to_vec())
    });
    let bars = Bars {
        title: "children".to_owned(),
        parts: [("improved", 0), ("neutral", 1), ("neither", 6)]
            .map(|(part, place)| (part.to_owned(), place))
            .to_vec(),
        bars: bars.collect(),
    };
    let caption = "Children of each kind of mutation: fitter than their parent, behaving like it, \
                   and all others.";
    Figure::of_bars(name, "Mutations", caption, &bars)
}

/// How births were known, and how much of their programs has no effect.
pub(super) fn duplicates(name: &str, run: &Run) -> Option<Figure> {
    let ends = run.known.iter().scan(0, |end, known| {
        *end += known.births;
        Some(*end as f64)
    });
    let ends: Vec<f64> = ends.collect();
    let line = |share: fn(&KnownBirths) -> (u64, u64)| {
        let share = |known: &KnownBirths| {
            let (part, all) = share(known);
            100.0 * part as f64 / all.max(1) as f64
        };
        ends.iter().copied().zip(run.known.iter().map(share)).collect::<Vec<(f64, f64)>>()
    };
    let hits = |it: &KnownBirths| (it.text + it.structural + it.functional, it.births);
    let series = vec![
        Series::new("duplicates", 0, Mark::Steps, line(hits)),
        Series::new("by text", 1, Mark::Steps, line(|it| (it.text, it.births))),
        Series::new("by structure", 2, Mark::Steps, line(|it| (it.structural, it.births))),
        Series::new("by behaviour", 3, Mark::Steps, line(|it| (it.functional, it.births))),
        Series::new("dead statements", 4, Mark::Steps, line(|it| (it.dead, it.statements))),
    ];
    let x = Axis::between("births", 0.0, *ends.last()?).of_counts();
    let y = Axis::between("percent", 0.0, 100.0);
    let caption = "Births that equal an earlier one, each by the first level that tells: text, \
                   structure, behaviour. Statements without an effect are a share of all.";
    Figure::of_chart(name, "Duplicates over births", caption, &Chart { x, y, series })
}

/// The best fitness behind an evaluation, where it rises and at the end.
fn best_so_far(run: &Run) -> Vec<(f64, f64)> {
    let mut best: Vec<(f64, f64)> = Vec::new();
    for (number, fitness) in run.fitness_by_evaluation() {
        if best.last().is_none_or(|(_, best)| fitness > *best) {
            best.push((number, fitness));
        }
    }
    let last = run.evaluated.len() as f64;
    best.extend(best.last().filter(|(at, _)| *at < last).map(|(_, it)| (last, *it)));
    best
}

fn axis_title(runs: &[&Run]) -> &'static str {
    let titles = runs.iter().map(|run| run.configured.as_ref().map(|it| it.fitness));
    let titles: Vec<Option<&'static str>> = titles.collect();
    match titles[..] {
        [Some(first), ..] if titles.iter().all(|it| *it == Some(first)) => first,
        _ => "fitness",
    }
}

/// The values that an axis of the best so far is drawn for: those that are not below where it
/// begins by more than twice what it rises. A search tries much that is far worse than what it
/// began with, and drawn for all of that the rise would be a flat line.
fn near_the_best(values: &[f64], bests: &[Vec<(f64, f64)>]) -> Vec<f64> {
    let mut shown = above(values);
    let firsts = bests.iter().filter_map(|best| best.first()).map(|(_, fitness)| *fitness);
    let lasts = bests.iter().filter_map(|best| best.last()).map(|(_, fitness)| *fitness);
    let (first, last) = (firsts.fold(f64::INFINITY, f64::min), lasts.fold(f64::MIN, f64::max));
    if last > first {
        shown.retain(|value| *value >= first - 2.0 * (last - first));
    }
    shown
}

/// The values that an axis is drawn for: all but those far below the others.
fn above(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|it| it.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(&lowest), Some(&highest)) = (sorted.first(), sorted.last()) else { return sorted };
    let low = sorted[((1.0 - SHOWN) * sorted.len() as f64) as usize];
    // A few that are a little lower are worth the room.
    let low = if highest - lowest <= 1.5 * (highest - low) { lowest } else { low };
    sorted.retain(|value| *value >= low);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_drawn_for_all_values_but_those_far_below_the_others() {
        let near: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(above(&near), near);
        let mut far = near;
        far[3] = -1e300;
        far[7] = f64::NEG_INFINITY;
        let shown = above(&far);
        assert!(shown.len() > 90 && shown[0] >= 0.0, "{shown:?}");
        assert_eq!(above(&[]), Vec::<f64>::new());
        assert_eq!(above(&[-3.0]), [-3.0]);
    }

    #[test]
    fn a_small_rise_among_much_that_is_worse_is_still_seen() {
        let values: Vec<f64> = (0..100).map(|it| f64::from(-it)).collect();
        let rise = vec![(1.0, -2.0), (5.0, 0.0)];
        assert_eq!(near_the_best(&values, std::slice::from_ref(&rise)).first(), Some(&-6.0));
        let level = vec![(1.0, 0.0), (5.0, 0.0)];
        assert_eq!(near_the_best(&values, &[level]).len(), 100);
        assert_eq!(near_the_best(&[], &[rise]), Vec::<f64>::new());
    }
}
