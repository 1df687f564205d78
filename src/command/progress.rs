//! Progress on standard error: a bar on a terminal, otherwise a plain line now and then.
//!
//! Invariant: a read-only observer; it also keeps the run directory up to date when there is
//! something new, so that a run that is cut short leaves its best.
#![expect(clippy::disallowed_methods, reason = "a clock paces what is shown and reaches no result")]

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use evo::{Candidate, Champion, Domain, Observer, Outcome, Search, StopReason};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::figures::Figures;
use super::memory::resident;
use super::run_directory::RunDirectory;

/// Time between plain lines.
const INTERVAL: Duration = Duration::from_secs(10);

/// Time between writes of the run directory.
const SAVE_INTERVAL: Duration = Duration::from_secs(2);

/// Columns of a line: a terminal of 80 wraps at the last one.
const COLUMNS: usize = 79;

/// Columns of the bar.
const BAR: usize = 10;

/// Shows a run.
pub(crate) struct Progress {
    directory: RunDirectory,
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

impl Progress {
    pub(crate) fn new(directory: &RunDirectory, quiet: bool) -> Progress {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
            let style = format!("{{bar:{BAR}}} {{wide_msg}}");
            let style =
                ProgressStyle::with_template(&style).expect("a fixed template is well formed");
            bar.with_style(style)
        });
        let now = Instant::now();
        Progress {
            directory: directory.clone(),
            bar,
            quiet,
            started: now,
            earlier: (0, 0),
            last_line: now,
            last_save: None,
            save_error: None,
        }
    }

    fn save<D: Domain>(&mut self, search: &Search<D>) {
        self.last_save = Some(Instant::now());
        if let Err(error) = self.directory.save(search) {
            self.save_error.get_or_insert(error);
        }
    }

    fn show<D: Domain>(&mut self, search: &Search<D>) {
        if let Some(bar) = &self.bar {
            let (done, total) = position(search);
            match total {
                Some(total) => bar.set_length(total),
                None => bar.unset_length(),
            }
            bar.set_position(done);
            bar.set_message(self.figures(search).line(COLUMNS - BAR - 1));
        } else if !self.quiet && self.last_line.elapsed() >= INTERVAL {
            self.last_line = Instant::now();
            self.line(search);
        }
    }

    fn line<D: Domain>(&self, search: &Search<D>) {
        eprintln!("{}", self.figures(search).line(COLUMNS));
    }

    fn figures<D: Domain>(&self, search: &Search<D>) -> Figures {
        let (done, total) = position(search);
        Figures {
            seconds: self.started.elapsed().as_secs_f64().max(1e-3),
            done,
            total,
            made: done.saturating_sub(match total == search.stopping().candidates {
                true => self.earlier.0,
                false => self.earlier.1,
            }),
            best: search.best().map(|best| best.individual.fitness),
            held_out: search.held_out().points().last().and_then(|point| point.held_out_fitness),
            counters: *search.counters(),
            lost: search.reprieves().map(|it| it.rate()),
            memory: resident(),
        }
    }
}

/// How far a search is, in the unit of its limit.
fn position<D: Domain>(search: &Search<D>) -> (u64, Option<u64>) {
    let (counters, stopping) = (search.counters(), search.stopping());
    match (stopping.candidates, stopping.evaluations) {
        (None, Some(limit)) => (counters.evaluations, Some(limit)),
        (limit, _) => (counters.births, limit),
    }
}

impl<D: Domain> Observer<D> for Progress {
    fn on_start(&mut self, search: &Search<D>) {
        self.earlier = (search.counters().births, search.counters().evaluations);
    }

    fn on_outcome(&mut self, search: &Search<D>, _: &Candidate<D::Program>, _: &Outcome) {
        self.show(search);
    }

    fn on_new_best(&mut self, search: &Search<D>, _: &Champion<D::Program>) {
        if self.last_save.is_none_or(|last| last.elapsed() >= SAVE_INTERVAL) {
            self.save(search);
        }
    }

    fn on_finish(&mut self, search: &Search<D>, _: StopReason) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if !self.quiet {
            self.line(search);
        }
        self.save(search);
    }
}
