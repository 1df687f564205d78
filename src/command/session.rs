//! A session: one process's part of a run, from the search at hand to the report.

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use evo::{
    Config, Judges, MutationTally, Optimizers, Program, RecheckRate, RunOptions, Search,
    SearchError, StopReason, shell_path, structural_hash, zoo,
};
use serde::Serialize;

use super::comparison::Comparison;
use super::events::Events;
use super::place::Place;
use super::progress::Progress;
use super::run_directory::{self, RunDirectory};
use crate::args::RunArgs;
use crate::output;

/// Exit code of a run that was interrupted and can be resumed.
const INTERRUPTED: u8 = 130;

/// Set by the first interrupt.
static CANCEL: AtomicBool = AtomicBool::new(false);

/// How to go on after an interrupt.
static RESUME: OnceLock<String> = OnceLock::new();

/// What a run comes to, as `--json` prints it.
#[derive(Serialize)]
struct Report {
    run_directory: String,
    stop_reason: StopReason,
    seed: u64,
    /// Wall time of the run, resumptions included.
    seconds: f64,
    counters: evo::Counters,
    rechecks: Rechecks,
    mutations: Vec<MutationRow>,
    restarts: usize,
    /// Equal runs have equal digests.
    digest: String,
    comparison: Comparison,
    program: String,
}

/// How often functional identity was wrong, where it was rechecked.
#[derive(Serialize)]
struct Rechecks {
    rechecked: u64,
    disagreed: u64,
    /// Of the rate, with 95% confidence.
    interval: (f64, f64),
}

#[derive(Serialize)]
struct MutationRow {
    kind: &'static str,
    #[serde(flatten)]
    tally: MutationTally,
}

/// What a session works with.
pub(crate) struct Session<'a> {
    pub config: &'a Config,
    pub judges: &'a Judges,
    pub directory: &'a RunDirectory,
    pub place: &'a Place,
    pub args: &'a RunArgs,
}

impl Session<'_> {
    /// Tells the user something, unless quiet.
    pub(crate) fn say(&self, text: &str) {
        if !self.args.quiet {
            eprintln!("{text}");
        }
    }

    /// Searches to the end, or to an interrupt, and reports.
    pub(crate) fn run(&self, mut search: Search<Optimizers>) -> anyhow::Result<ExitCode> {
        let resume = format!("{}{}", self.directory.resume_command(), self.device());
        RESUME.set(resume.clone()).ok();
        interruptible()?;
        let events = Events::open(&self.directory.path().join("events.jsonl"))?;
        let progress = Progress::new(self.directory, self.args.quiet);
        let (threads, cohort) = (self.place.threads(self.args.threads), self.place.cohort());
        if self.config.window < cohort.get() as u64 {
            self.say(&format!(
                "`window` is {}: cohorts of {cohort} will not be full",
                self.config.window
            ));
        }
        let options = RunOptions { threads, cohort, cancel: Some(&CANCEL) };
        let mut observers = (progress, events);
        let births = search.counters().births;
        let reason = evo::run(&mut search, &self.judges.search, &mut observers, &options)
            .map_err(|error| hinted(error, &resume))?;
        let (progress, events) = observers;
        if let Some(error) = progress.save_error.or(events.error) {
            bail!("the results could not be saved: {error:#}; go on with: {resume}");
        }
        if reason == StopReason::Cancelled {
            self.say(&format!(
                "interrupted after {} candidates; saved in {}; go on with: {resume}",
                search.counters().births,
                self.directory.path().display()
            ));
            return Ok(ExitCode::from(INTERRUPTED));
        }
        let raised = raised(reason).map(|set| format!("{resume} --set {set}"));
        if births > 0 && search.counters().births == births {
            let how = raised.as_ref().map(|it| format!("; a higher limit goes on: {it}"));
            self.say(&format!("nothing is left to breed: {reason}{}", how.unwrap_or_default()));
        }
        self.conclude(&search, reason, raised)
    }

    /// What a command needs to train on the same device.
    fn device(&self) -> String {
        self.place.arguments(&self.args.device)
    }

    /// Reports and gives the exit code; `raised` is the command that goes on with a higher limit.
    fn conclude(
        &self,
        search: &Search<Optimizers>,
        reason: StopReason,
        raised: Option<String>,
    ) -> anyhow::Result<ExitCode> {
        let Some(best) = search.best() else {
            let config = self.directory.path().join(run_directory::CONFIG);
            eprintln!(
                "no program could train the tasks; what becomes of the first: evo evaluate {} \
                 --config {}{}",
                shell_path(self.config.start.as_ref()),
                shell_path(&config),
                self.device()
            );
            return Ok(ExitCode::from(1));
        };
        self.report(search)?;
        if matches!(reason, StopReason::Failures(_)) {
            eprintln!(
                "ended because {reason}: they are told in {}; to go on all the same: {}",
                self.directory.path().join("events.jsonl").display(),
                raised.unwrap_or_default()
            );
            return Ok(ExitCode::from(1));
        }
        let fitness = best.individual.fitness;
        let missed = self.config.stopping.fitness.is_some_and(|target| fitness < target);
        Ok(if missed { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }

    fn report(&self, search: &Search<Optimizers>) -> anyhow::Result<()> {
        let best = search.best().context("a search with a result has a best")?;
        let winner = best.individual.program.live();
        let programs = self.compared(&winner)?;
        let threads = self.place.threads(self.args.threads);
        let mutations = search.mutation_statistics().iter();
        let report = Report {
            run_directory: self.directory.path().display().to_string(),
            stop_reason: search.stop_reason().context("the search has ended")?,
            seed: self.config.seed,
            seconds: search.store().context("every run has a store")?.seconds()?,
            counters: *search.counters(),
            rechecks: Rechecks::of(&RecheckRate::of(search.counters())),
            mutations: mutations.map(|(kind, tally)| MutationRow { kind, tally }).collect(),
            restarts: search.restarts().len(),
            digest: search.digest().to_string(),
            comparison: Comparison::of(self.config, self.judges, &programs, threads)?,
            program: winner.to_string(),
        };
        let json = serde_json::to_string_pretty(&report)? + "\n";
        self.directory.write("report.json", json.as_bytes())?;
        self.warn_of_rechecks(search);
        output::print(&if self.args.json { json } else { report.text() })
    }

    fn warn_of_rechecks(&self, search: &Search<Optimizers>) {
        let rate = RecheckRate::of(search.counters());
        if rate.is_alarming() {
            eprintln!(
                "warning: of {} duplicates by behaviour that were evaluated all the same, {} did \
                 not score as they were taken to: search with `--set \
                 deduplication.level=Structural`",
                rate.rechecked, rate.disagreed
            );
        }
    }

    /// The programs of the table, the winner last.
    fn compared(&self, winner: &Program) -> anyhow::Result<Vec<(String, Program)>> {
        let known = |label: &str, name: &str| {
            let entry = zoo::get(name).context("the zoo has the programs of the table")?;
            anyhow::Ok((label.to_owned(), entry.program()))
        };
        let mut programs = vec![known("AdamW", "adamw")?, known("Lion", "lion")?];
        let start = self.config.start_program()?;
        let same =
            |(_, other): &(String, Program)| structural_hash(other) == structural_hash(&start);
        if !programs.iter().any(same) {
            programs.push(("start".to_owned(), start));
        }
        programs.push(("winner".to_owned(), winner.clone()));
        Ok(programs)
    }
}

impl Rechecks {
    fn of(rate: &RecheckRate) -> Rechecks {
        let RecheckRate { rechecked, disagreed } = *rate;
        Rechecks { rechecked, disagreed, interval: rate.interval() }
    }

    fn text(&self) -> String {
        let (low, high) = self.interval;
        match self.rechecked {
            0 => "no duplicate was rechecked".to_owned(),
            rechecked => format!(
                "{} of {rechecked} rechecked duplicates were wrong ({:.1} to {:.1}%)",
                self.disagreed,
                100.0 * low,
                100.0 * high
            ),
        }
    }
}

impl Report {
    fn text(&self) -> String {
        let headings = ["mutation", "tried", "neutral", "improved"].map(str::to_owned).to_vec();
        let row = |row: &MutationRow| {
            let MutationTally { tried, neutral, improved } = row.tally;
            vec![row.kind.to_owned(), tried.to_string(), neutral.to_string(), improved.to_string()]
        };
        let tried = self.mutations.iter().filter(|row| row.tally.tried > 0);
        let mutations: Vec<_> = std::iter::once(headings).chain(tried.map(row)).collect();
        let counters = &self.counters;
        let ended = match counters.ended {
            0 => String::new(),
            ended => format!(" ({ended} ended from outside)"),
        };
        format!(
            "\n{}\n{}\n{}\nEnded because {}. {} candidates, {} evaluated{ended}, {} restarts, \
             {:.0} s; {}.\n\
             Saved in {}: best.py, hall_of_fame.csv, report.json, run.db, events.jsonl, \
             config.ron\n\
             Digest {}\n",
            self.comparison.table(),
            self.program,
            output::table(&mutations),
            self.stop_reason,
            counters.births,
            counters.evaluations,
            self.restarts,
            self.seconds,
            self.rechecks.text(),
            self.run_directory,
            self.digest,
        )
    }
}

/// An override with which a run that ended for this reason goes on.
fn raised(reason: StopReason) -> Option<String> {
    match reason {
        StopReason::Candidates(count) => Some(format!("stopping.candidates={}", 2 * count)),
        StopReason::Evaluations(count) => Some(format!("stopping.evaluations={}", 2 * count)),
        StopReason::Failures(count) => Some(format!("stopping.failures={}", 2 * count)),
        StopReason::Seconds(seconds) => Some(format!("stopping.seconds={:?}", 2.0 * seconds)),
        _ => None,
    }
}

/// The error of a run with how to go on, where something outside it was in the way.
pub(crate) fn hinted(error: SearchError, resume: &str) -> anyhow::Error {
    let outside = matches!(error, SearchError::StoreFull { .. } | SearchError::StoreBusy { .. });
    let error = anyhow::Error::new(error);
    if outside { anyhow::anyhow!("{error:#}; go on with: {resume}") } else { error }
}

/// The first interrupt ends the run in good order, the second at once.
fn interruptible() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if CANCEL.swap(true, Ordering::Relaxed) {
            let resume = RESUME.get().map(String::as_str).unwrap_or_default();
            eprintln!("quit; go on with: {resume}");
            std::process::exit(i32::from(INTERRUPTED));
        }
        eprintln!("finishing what is being evaluated; interrupt again to quit at once");
    })
    .context("the handler for interrupts could not be set")
}
