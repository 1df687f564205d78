//! A session: one process's part of a run, from the search at hand to its end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use evo::{Domain, Evaluators, Keep, RunConfig, RunOptions, Search, SearchError, StopReason};

use super::cache::Attached;
use super::events::Events;
use super::place::Place;
use super::progress::Progress;
use super::run_directory::RunDirectory;
use crate::args::RunArgs;
use crate::exit_code::ExitCode;

/// Exit code of a run that was interrupted and can be resumed.
pub(crate) const INTERRUPTED: u8 = 130;

/// Evaluations in a second beyond which a cache costs more than it saves: to keep an outcome takes
/// some 20 microseconds, and to find one 13 (`docs/records/2026-11-30-cache-on-disk.md`).
const QUICK: f64 = 5_000.0;

/// Set by the first interrupt.
static CANCEL: AtomicBool = AtomicBool::new(false);

/// How to go on after an interrupt.
static RESUME: OnceLock<String> = OnceLock::new();

/// Whether stored births are bred again, before anything new.
static REPLAYING: AtomicBool = AtomicBool::new(false);

/// What a session works with.
pub(crate) struct Session<'a> {
    pub directory: &'a RunDirectory,
    pub place: &'a Place,
    pub args: &'a RunArgs,
    pub cache: Option<Attached>,
    pub seed: u64,
    /// Births that may be under way.
    pub window: u64,
    /// Whether births can be shown behind the run.
    pub keeps_births: bool,
}

/// How the search of a session came to its end.
pub(crate) struct Finish {
    pub reason: StopReason,
    /// The command that goes on with a higher limit.
    pub raised: Option<String>,
}

impl<'a> Session<'a> {
    pub(crate) fn new<S, M, E>(
        config: &RunConfig<S, M, E>,
        directory: &'a RunDirectory,
        place: &'a Place,
        args: &'a RunArgs,
        cache: Option<Attached>,
    ) -> Session<'a> {
        let window = config.settings.window;
        let keeps_births = config.settings.keep == Keep::Births;
        Session { directory, place, args, cache, seed: config.seed, window, keeps_births }
    }

    /// Says that the run goes on, and from where.
    pub(crate) fn say_resuming(&self, births: u64) {
        let (path, threads) = (self.directory.path(), self.place.threads(self.args.threads));
        let path = path.display();
        self.say(&format!("resuming {path} behind {births} candidates on {threads} threads"));
    }

    /// Tells the user something, unless quiet.
    pub(crate) fn say(&self, text: &str) {
        if !self.args.quiet {
            eprintln!("{text}");
        }
    }

    /// Searches to the end; to an interrupt, there is an exit code instead.
    pub(crate) fn run<D: Domain>(
        &self,
        search: &mut Search<D>,
        evaluators: Evaluators<'_, D::Program>,
    ) -> anyhow::Result<Result<Finish, ExitCode>> {
        let cache = Attached::arguments(&self.args.cache);
        let resume = format!("{}{}{cache}", self.directory.resume_command(), self.device());
        RESUME.set(resume.clone()).ok();
        REPLAYING.store(false, Ordering::Relaxed);
        interruptible()?;
        let events = Events::open(&self.directory.path().join("events.jsonl"))?;
        let progress = Progress::new(self.directory, self.args.quiet);
        let (threads, cohort) = (self.place.threads(self.args.threads), self.place.cohort());
        if self.window < cohort.get() as u64 {
            let window = self.window;
            self.say(&format!("`window` is {window}: cohorts of {cohort} will not be full"));
        }
        let options = RunOptions { threads, cohort, cancel: Some(&CANCEL) };
        let mut observers = (progress, events);
        let births = search.counters().births;
        let reason = evo::run_with(search, evaluators, &mut observers, &options)
            .map_err(|error| hinted(error, &resume))?;
        self.tell_of_cache(search)?;
        let (progress, events) = observers;
        if let Some(error) = progress.save_error.or(events.error) {
            bail!("the results could not be saved: {error:#}; go on with: {resume}");
        }
        if reason == StopReason::Cancelled {
            let (births, kept) = (search.counters().births, search.births_kept());
            let again = match births - kept {
                0 => String::new(),
                again => format!(", the last {again} to be made again"),
            };
            self.say(&format!(
                "interrupted after {births} candidates; saved in {}{again}; go on with: {resume}",
                self.directory.path().display()
            ));
            return Ok(Err(ExitCode::from(INTERRUPTED)));
        }
        let raised = raised(reason).map(|set| format!("{resume} --set {set}"));
        if births > 0 && search.counters().births == births {
            let how = raised.as_ref().map(|it| format!("; a higher limit goes on: {it}"));
            self.say(&format!("nothing is left to breed: {reason}{}", how.unwrap_or_default()));
        }
        Ok(Ok(Finish { reason, raised }))
    }

    /// Has the cache written, and says what has come of it.
    fn tell_of_cache<D: Domain>(&self, search: &Search<D>) -> anyhow::Result<()> {
        let Some(cache) = &self.cache else { return Ok(()) };
        let (told, warning) = cache.conclude();
        self.say(&told);
        if let Some(warning) = warning {
            eprintln!("warning: {warning}");
        }
        let seconds = search.store().map_or(Ok(0.0), |store| store.seconds())?;
        if search.counters().evaluations as f64 > QUICK * seconds.max(1.0) {
            self.say("evaluations are so short here that the search is faster without a cache");
        }
        Ok(())
    }

    /// What a command needs to train on the same device.
    pub(crate) fn device(&self) -> String {
        self.place.arguments(&self.args.device)
    }
}

impl Finish {
    /// Why a run has found nothing, where that is not the fault of what it tried.
    pub(crate) fn nothing_tried<D: Domain>(&self, search: &Search<D>) -> Option<String> {
        let counters = search.counters();
        let goes_on = self.raised.as_ref().map(|it| format!("; go on with: {it}"));
        let goes_on = goes_on.unwrap_or_default();
        match counters.absorbed {
            0 => Some(format!("nothing was tried: {}{goes_on}", self.reason)),
            absorbed if counters.failed == absorbed => Some(format!(
                "every evaluation failed, through no fault of what was evaluated{goes_on}"
            )),
            _ => None,
        }
    }
}

/// An override with which a run that ended for this reason goes on.
fn raised(reason: StopReason) -> Option<String> {
    match reason {
        StopReason::Candidates(count) => Some(format!("stopping.candidates={}", 2 * count)),
        StopReason::Evaluations(count) => Some(format!("stopping.evaluations={}", 2 * count)),
        StopReason::Failures(count) => Some(format!("stopping.failures={}", 2 * count)),
        StopReason::HeldOut(points) => Some(format!("stopping.held_out={}", 2 * points)),
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

/// Lets an interrupt end a resumption at once while what is stored is bred again, which changes
/// nothing; `command` resumes it.
pub(crate) fn interruptible_while_replaying(command: &str) -> anyhow::Result<()> {
    RESUME.set(command.to_owned()).ok();
    REPLAYING.store(true, Ordering::Relaxed);
    interruptible()
}

/// Lets the first interrupt set what is given, to be looked at between one step and the next;
/// `again` says how to go on.
pub(crate) fn interruptible_by(again: &str) -> anyhow::Result<&'static AtomicBool> {
    RESUME.set(again.to_owned()).ok();
    interruptible()?;
    Ok(&CANCEL)
}

/// The first interrupt ends the run in good order, the second at once.
fn interruptible() -> anyhow::Result<()> {
    static SET: OnceLock<()> = OnceLock::new();
    if SET.set(()).is_err() {
        return Ok(());
    }
    ctrlc::set_handler(|| {
        if REPLAYING.load(Ordering::Relaxed) {
            let resume = RESUME.get().map(String::as_str).unwrap_or_default();
            eprintln!("interrupted before anything new was bred; go on with: {resume}");
            std::process::exit(i32::from(INTERRUPTED));
        }
        if CANCEL.swap(true, Ordering::Relaxed) {
            let resume = RESUME.get().map(String::as_str).unwrap_or_default();
            eprintln!("quit; go on with: {resume}");
            std::process::exit(i32::from(INTERRUPTED));
        }
        eprintln!("finishing what is being evaluated; interrupt again to quit at once");
    })
    .context("the handler for interrupts could not be set")
}
