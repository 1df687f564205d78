//! The figures of a run under way, on one line.
//!
//! Invariant: a line has no more columns than it is given. What matters most comes first, and what
//! has no room is left out whole.

use evo::{Counters, RecheckRate};

use super::memory::mebibytes;

/// How a run is doing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Of this process.
    pub seconds: f64,
    /// How far the search is, in the unit of its limit, and that limit.
    pub done: u64,
    pub total: Option<u64>,
    /// How much of that this process has made.
    pub made: u64,
    /// The best fitness.
    pub best: Option<f64>,
    /// The held-out fitness of the latest incumbent, where it was evaluated and has one.
    pub held_out: Option<f64>,
    pub counters: Counters,
    /// How many of the fittest hurdles inside of tasks have stopped, where there are some.
    pub lost: Option<RecheckRate>,
    /// Bytes, where they are known.
    pub memory: Option<u64>,
}

impl Figures {
    /// The line.
    pub(crate) fn line(&self, columns: usize) -> String {
        let mut line = span(self.seconds);
        for part in self.parts().into_iter().flatten() {
            if line.chars().count() + 2 + part.chars().count() <= columns {
                line.push_str("  ");
                line.push_str(&part);
            }
        }
        line
    }

    /// What there is to say, the most important first.
    fn parts(&self) -> [Option<String>; 13] {
        let counters = &self.counters;
        let share = |count: u64, all: u64| 100.0 * count as f64 / (all as f64).max(1.0);
        let percent = |count: u64, all: u64, what: &str| {
            (count > 0).then(|| format!("{:.0}% {what}", share(count, all)))
        };
        let Counters { scored, invalid, stopped, ended, failed, births, .. } = *counters;
        let evaluated = scored + invalid + stopped + ended + failed;
        let fitness = |fitness: f64| match fitness.abs() < 1e5 {
            true => format!("{fitness:+.4}"),
            false => format!("{fitness:+.1e}"),
        };
        let best = self.best.map_or("none".to_owned(), fitness);
        let rate = self.made as f64 / self.seconds;
        let left = self.total.filter(|&total| self.made > 0 && total > self.done);
        let left = left.map(|total| format!("{} left", span((total - self.done) as f64 / rate)));
        let total = self.total.map(|total| format!("/{}", abbreviated(total)));
        [
            Some(format!("{}{}", self.done, total.unwrap_or_default())),
            Some(format!("best {best}")),
            left,
            self.held_out.map(|held_out| format!("held out {}", fitness(held_out))),
            Some(if rate < 10.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") }),
            percent(counters.structural_hits + counters.functional_hits, births, "seen"),
            percent(counters.cached, counters.evaluations, "cached"),
            percent(invalid, evaluated, "invalid"),
            percent(stopped, evaluated, "stopped"),
            percent(ended, evaluated, "ended"),
            rate_of("wrong", &RecheckRate::of(counters)),
            self.lost.as_ref().and_then(|lost| rate_of("lost", lost)),
            self.memory.map(mebibytes),
        ]
    }
}

/// How many of those looked at were found wrong, or lost, with the interval of the rate.
fn rate_of(what: &str, rate: &RecheckRate) -> Option<String> {
    let (low, high) = rate.interval();
    let RecheckRate { rechecked, disagreed } = *rate;
    let interval = format!("{:.0}-{:.0}%", 100.0 * low, 100.0 * high);
    (rechecked > 0).then(|| format!("{disagreed}/{rechecked} {what} ({interval})"))
}

/// A length of time in at most seven characters.
fn span(seconds: f64) -> String {
    let whole = seconds as u64;
    let (minutes, hours, days) = (whole / 60, whole / 3_600, whole / 86_400);
    match whole {
        0..10 => format!("{seconds:.1}s"),
        10..60 => format!("{whole}s"),
        60..3_600 => format!("{minutes}m{:02}s", whole % 60),
        3_600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        86_400..86_400_000 => format!("{days}d{:02}h", hours % 24),
        _ => ">1000d".to_owned(),
    }
}

/// A round number of millions or more in its unit, any other as it is.
fn abbreviated(number: u64) -> String {
    const UNITS: [(u64, &str); 2] = [(1_000_000_000, "G"), (1_000_000, "M")];
    let unit = UNITS.iter().find(|(size, _)| number >= *size && number.is_multiple_of(*size));
    unit.map_or(number.to_string(), |(size, name)| format!("{}{name}", number / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(scale: u64) -> Figures {
        Figures {
            seconds: 12.0 * scale as f64,
            done: 1_234 * scale,
            total: Some(3_000 * scale),
            made: 1_234 * scale,
            best: Some(0.30781),
            held_out: None,
            counters: Counters {
                births: 1_234 * scale,
                structural_hits: 400 * scale,
                functional_hits: 134 * scale,
                scored: 630 * scale,
                invalid: 60 * scale,
                stopped: 10 * scale,
                rechecked: 12 * scale,
                disagreed: scale / 2,
                ..Counters::default()
            },
            lost: None,
            memory: Some(312 << 20),
        }
    }

    #[test]
    fn a_line_says_what_matters_and_then_the_rest() {
        let expected = "12s  1234/3000  best +0.3078  17s left  103/s  43% seen  9% invalid";
        assert_eq!(figures(1).line(68), expected);
        let longer = format!("{expected}  1% stopped");
        assert_eq!(figures(1).line(79), longer);
        assert_eq!(figures(1).line(120), format!("{longer}  0/12 wrong (0-24%)  312 MiB"));
        let lost = Some(RecheckRate { rechecked: 40, disagreed: 1 });
        let lost = Figures { lost, ..figures(1) }.line(130);
        assert_eq!(lost, format!("{longer}  0/12 wrong (0-24%)  1/40 lost (0-13%)  312 MiB"));
        assert_eq!(figures(1).line(24), "12s  1234/3000  17s left");
        let held_out = Figures { held_out: Some(-0.05), ..figures(1) };
        let expected = "12s  1234/3000  best +0.3078  17s left  held out -0.0500  103/s";
        assert_eq!(held_out.line(68), expected);
        let mut cached = figures(1);
        cached.counters.evaluations = 700;
        cached.counters.cached = 350;
        let expected = "12s  1234/3000  best +0.3078  17s left  103/s  43% seen  50% cached";
        assert_eq!(cached.line(68), expected);
        let begun = Figures {
            seconds: 0.001,
            done: 0,
            total: None,
            made: 0,
            best: None,
            held_out: None,
            counters: Counters::default(),
            lost: None,
            memory: None,
        };
        assert_eq!(begun.line(79), "0.0s  0  best none  0.0/s");
    }

    #[test]
    fn the_largest_figures_fit_the_columns_with_the_best_and_the_time_left() {
        let most = u64::MAX / 4_000;
        for (scale, columns) in [(1, 68), (1_000, 68), (1_000_000_000, 68), (most, 79)] {
            for best in [0.30781, -12_345.678, -f64::MAX] {
                let figures = Figures { best: Some(best), held_out: Some(best), ..figures(scale) };
                let line = figures.line(columns);
                assert!(line.len() <= columns, "{line}");
                assert!(line.contains("best ") && line.contains(" left"), "{line}");
            }
        }
    }

    #[test]
    fn lengths_of_time_are_short() {
        let spans = [0.04, 9.99, 59.9, 75.0, 3_599.0, 3_600.0, 90_061.0, 8.6e7, 1e30].map(span);
        let expected =
            ["0.0s", "10.0s", "59s", "1m15s", "59m59s", "1h00m", "1d01h", "995d08h", ">1000d"];
        assert_eq!(spans, expected);
    }
}
