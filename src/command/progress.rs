//! Progress on standard error: a bar on a terminal, otherwise a plain line now and then.
//!
//! Invariant: a read-only observer; it also keeps the run directory up to date when there is
//! something new, so that a run that is cut short leaves its best.
#![expect(clippy::disallowed_methods, reason = "a clock paces what is shown and reaches no result")]

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use evo::{Candidate, Champion, Counters, Observer, Outcome, Search, StopReason};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::memory::{mebibytes, resident};
use super::run_directory::RunDirectory;

/// Time between plain lines.
const INTERVAL: Duration = Duration::from_secs(10);

/// Time between writes of the run directory.
const SAVE_INTERVAL: Duration = Duration::from_secs(2);

/// Shows a run.
pub(crate) struct Progress<'a> {
    directory: &'a RunDirectory,
    bar: Option<ProgressBar>,
    quiet: bool,
    started: Instant,
    /// Candidates and evaluations when this process began.
    earlier: (u64, u64),
    last_line: Instant,
    last_save: Option<Instant>,
    /// The first thing that went wrong with saving; the run goes on and it is reported at the end.
    pub save_error: Option<anyhow::Error>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(directory: &'a RunDirectory, quiet: bool) -> Progress<'a> {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
            let style = "{elapsed_precise} {bar:30} {pos}/{len} {msg}";
            let style =
                ProgressStyle::with_template(style).expect("a fixed template is well formed");
            bar.with_style(style)
        });
        let now = Instant::now();
        Progress {
            directory,
            bar,
            quiet,
            started: now,
            earlier: (0, 0),
            last_line: now,
            last_save: None,
            save_error: None,
        }
    }

    fn save(&mut self, search: &Search) {
        self.last_save = Some(Instant::now());
        if let Err(error) = self.directory.save(search) {
            self.save_error.get_or_insert(error);
        }
    }

    fn show(&mut self, search: &Search) {
        let (done, total) = position(search);
        if let Some(bar) = &self.bar {
            match total {
                Some(total) => bar.set_length(total),
                None => bar.unset_length(),
            }
            bar.set_position(done);
            bar.set_message(self.status(search));
        } else if !self.quiet && self.last_line.elapsed() >= INTERVAL {
            self.last_line = Instant::now();
            self.line(search);
        }
    }

    fn line(&self, search: &Search) {
        let (done, total) = position(search);
        let total = total.map(|total| format!("/{total}")).unwrap_or_default();
        eprintln!(
            "{:>6.1}s  {done}{total}  {}",
            self.started.elapsed().as_secs_f64(),
            self.status(search)
        );
    }

    fn status(&self, search: &Search) -> String {
        let counters = search.counters();
        let seconds = self.started.elapsed().as_secs_f64().max(1e-3);
        let best = search
            .best()
            .map_or("none yet".to_owned(), |best| format!("{:+.4}", best.individual.fitness));
        let hits = counters.structural_hits + counters.functional_hits;
        let (births, evaluations) = self.earlier;
        let finished =
            counters.evaluations.saturating_sub(search.in_flight() as u64 + evaluations) as f64;
        let (done, total) = position(search);
        let made = done.saturating_sub(if total == search.stopping().candidates {
            births
        } else {
            evaluations
        });
        let left = total.filter(|_| made > 0).map(|total| {
            let left = seconds / made as f64 * total.saturating_sub(done) as f64;
            format!("  {left:.0} s left")
        });
        let stopped = counters.stopped as f64 / finished_in_all(counters);
        let hurdles = match counters.stopped {
            0 => String::new(),
            _ => format!("  {:.0}% stopped at hurdles", 100.0 * stopped),
        };
        let memory = resident().map(|bytes| format!("  {}", mebibytes(bytes)));
        format!(
            "best {best}  {:.1} candidates/s  {:.1} evaluations/s  {:.0}% seen before  {} invalid{hurdles}{}{}",
            (counters.births - births) as f64 / seconds,
            finished / seconds,
            100.0 * hits as f64 / (counters.births as f64).max(1.0),
            counters.invalid,
            memory.unwrap_or_default(),
            left.unwrap_or_default(),
        )
    }
}

/// Evaluations absorbed, at least 1.
fn finished_in_all(counters: &Counters) -> f64 {
    let Counters { scored, invalid, stopped, failed, .. } = counters;
    ((scored + invalid + stopped + failed) as f64).max(1.0)
}

/// How far a search is, in the unit of its limit.
fn position(search: &Search) -> (u64, Option<u64>) {
    let (counters, stopping) = (search.counters(), search.stopping());
    match (stopping.candidates, stopping.evaluations) {
        (None, Some(limit)) => (counters.evaluations, Some(limit)),
        (limit, _) => (counters.births, limit),
    }
}

impl Observer for Progress<'_> {
    fn on_start(&mut self, search: &Search) {
        self.earlier = (search.counters().births, search.counters().evaluations);
    }

    fn on_outcome(&mut self, search: &Search, _: &Candidate, _: &Outcome) {
        self.show(search);
    }

    fn on_new_best(&mut self, search: &Search, _: &Champion) {
        if self.last_save.is_none_or(|last| last.elapsed() >= SAVE_INTERVAL) {
            self.save(search);
        }
    }

    fn on_finish(&mut self, search: &Search, _: StopReason) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if !self.quiet {
            self.line(search);
        }
        self.save(search);
    }
}
