//! The report of a run that came to its end.

use anyhow::Context;
use evo::{Domain, HeldOutPoint, MutationTally, RecheckRate, Search, StopReason, shell_word};
use serde::Serialize;

use super::duplicates::Duplicates;
use super::reprieved::Reprieved;
use super::run_directory::RunDirectory;
use super::session::{Finish, Session};
use crate::exit_code::ExitCode;
use crate::output;

/// The file of the report in a run directory.
pub(super) const REPORT: &str = "report.json";

/// What a domain tells of the winner.
pub(crate) trait Verdict: Serialize {
    /// For people, above the program.
    fn table(&self) -> String;

    /// A file in the run directory that only this domain has.
    fn file(&self) -> Option<&'static str> {
        None
    }
}

/// What a run comes to, as `--json` prints it.
#[derive(Serialize)]
pub(crate) struct Report<V> {
    run_directory: String,
    stop_reason: StopReason,
    seed: u64,
    /// Wall time of the run, resumptions included.
    seconds: f64,
    counters: evo::Counters,
    rechecks: Rechecks,
    /// Of a run with partial hurdles.
    #[serde(skip_serializing_if = "Option::is_none")]
    reprieves: Option<Reprieved>,
    duplicates: Duplicates,
    mutations: Vec<MutationRow>,
    restarts: usize,
    /// Equal runs have equal digests.
    digest: String,
    /// The start program that the winner descends from, by its birth.
    start: u64,
    #[serde(skip)]
    starts: usize,
    /// Whether there are births to report.
    #[serde(skip)]
    keeps_births: bool,
    /// Where incumbents were evaluated on what is held out.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_out: Option<HeldOut>,
    #[serde(flatten)]
    verdict: V,
    program: String,
}

/// What incumbents were worth where the search does not look.
#[derive(Serialize)]
struct HeldOut {
    /// The first of the best held-out fitness, which need not be the winner.
    best: Option<HeldOutPoint>,
    points: Vec<HeldOutPoint>,
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

/// Reports, and gives the exit code of a run whose best there is a verdict on.
pub(crate) fn conclude<D: Domain>(
    session: &Session<'_>,
    search: &Search<D>,
    finish: &Finish,
    verdict: impl Verdict,
) -> anyhow::Result<ExitCode> {
    let best = search.best().context("a search with a result has a best")?;
    let report =
        Report::of(session.directory, session.seed, session.keeps_births, search, verdict)?;
    let json = report.write(session.directory)?;
    warn_of_rechecks(search);
    report.reprieves.iter().for_each(Reprieved::warn);
    output::print(&if session.args.json { json } else { report.text() })?;
    let Finish { reason, raised } = finish;
    if matches!(reason, StopReason::Failures(_)) {
        eprintln!(
            "ended because {reason}: they are told in {}; to go on all the same: {}",
            session.directory.path().join("events.jsonl").display(),
            raised.as_deref().unwrap_or_default()
        );
        return Ok(ExitCode::from(1));
    }
    let fitness = best.individual.fitness;
    let missed = search.stopping().fitness.is_some_and(|target| fitness < target);
    Ok(if missed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

impl<V: Serialize> Report<V> {
    /// The report of a search that has a best.
    pub(crate) fn of<D: Domain>(
        directory: &RunDirectory,
        seed: u64,
        keeps_births: bool,
        search: &Search<D>,
        verdict: V,
    ) -> anyhow::Result<Report<V>> {
        let best = search.best().context("a search with a result has a best")?;
        let mutations = search.mutation_statistics().iter();
        Ok(Report {
            run_directory: directory.path().display().to_string(),
            stop_reason: search.stop_reason().context("the search has ended")?,
            seed,
            seconds: search.store().context("every run has a store")?.seconds()?,
            counters: *search.counters(),
            rechecks: Rechecks::of(&RecheckRate::of(search.counters())),
            reprieves: Reprieved::of(search),
            duplicates: Duplicates::of(search),
            mutations: mutations.map(|(kind, tally)| MutationRow { kind, tally }).collect(),
            restarts: search.restarts().len(),
            digest: search.digest().to_string(),
            start: best.individual.start,
            starts: search.starts().len(),
            keeps_births,
            held_out: HeldOut::of(search),
            verdict,
            program: search.domain().live_text(&best.individual.program),
        })
    }

    /// Writes it into the run directory; gives the text.
    pub(crate) fn write(&self, directory: &RunDirectory) -> anyhow::Result<String> {
        let json = serde_json::to_string_pretty(self)? + "\n";
        directory.write(REPORT, json.as_bytes())?;
        Ok(json)
    }
}

fn warn_of_rechecks<D: Domain>(search: &Search<D>) {
    let rate = RecheckRate::of(search.counters());
    if rate.is_alarming() {
        eprintln!(
            "warning: of {} duplicates by behaviour that were evaluated all the same, {} did not \
             score as they were taken to: search with `--set deduplication.level=Structural`",
            rate.rechecked, rate.disagreed
        );
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

impl HeldOut {
    /// None where nothing is held out of the search.
    fn of<D: Domain>(search: &Search<D>) -> Option<HeldOut> {
        let curve = search.held_out();
        let (best, points) = (curve.best().copied(), curve.points().to_vec());
        search.holds_out().then_some(HeldOut { best, points })
    }

    fn text(&self, run: &str) -> String {
        let points = match self.points.len() {
            1 => "1 held-out point".to_owned(),
            count => format!("{count} held-out points"),
        };
        let Some(best) = self.best else { return format!("{points}, none with a fitness.\n") };
        let named = |point: &HeldOutPoint| {
            let held_out = point.held_out_fitness;
            let held_out = held_out.map_or("-".to_owned(), |fitness| format!("{fitness:+.4}"));
            let program = shell_word(&format!("{run}:{}", point.birth));
            format!("{held_out} of {program} (fitness {:+.4})", point.fitness)
        };
        let last = self.points.last().map(&named).unwrap_or_default();
        format!("{points}: the best {}, the last {last}.\n", named(&best))
    }
}

impl<V: Verdict> Report<V> {
    fn text(&self) -> String {
        let headings = ["mutation", "tried", "neutral", "improved"].map(str::to_owned).to_vec();
        let row = |row: &MutationRow| {
            let MutationTally { tried, neutral, improved } = row.tally;
            vec![row.kind.to_owned(), tried.to_string(), neutral.to_string(), improved.to_string()]
        };
        let tried = self.mutations.iter().filter(|row| row.tally.tried > 0);
        let mutations: Vec<_> = std::iter::once(headings).chain(tried.map(row)).collect();
        let counters = &self.counters;
        let start = match self.starts {
            1 => String::new(),
            several => format!("The winner descends from start {} of {several}.\n", self.start),
        };
        let held_out = self.held_out.as_ref().map(|it| it.text(&self.run_directory));
        let held_out = held_out.unwrap_or_default();
        let reprieves = self.reprieves.as_ref().map(Reprieved::text).unwrap_or_default();
        let notes =
            [(counters.cached, "answered by the cache"), (counters.ended, "ended from outside")];
        let notes = notes.into_iter().filter(|(count, _)| *count > 0);
        let notes: Vec<String> = notes.map(|(count, what)| format!("{count} {what}")).collect();
        let notes = match notes.is_empty() {
            true => String::new(),
            false => format!(" ({})", notes.join(", ")),
        };
        let own = self.verdict.file().map(|name| format!("{name}, ")).unwrap_or_default();
        let run = evo::shell_path(self.run_directory.as_ref());
        let reported = match self.keeps_births {
            true => format!("With figures, in one file: evo report {run}\n"),
            false => String::new(),
        };
        format!(
            "\n{}\n{}{start}{held_out}{reprieves}\n{}\n\
             Ended because {}. {} candidates, {} evaluated{notes}, {} restarts, {:.0} s; {}.\n{}\
             Saved in {}: {own}best.py, hall_of_fame.csv, report.json, run.db, events.jsonl, \
             config.ron\n\
             {reported}Digest {}\n",
            self.verdict.table(),
            self.program,
            output::table(&mutations),
            self.stop_reason,
            counters.births,
            counters.evaluations,
            self.restarts,
            self.seconds,
            self.rechecks.text(),
            self.duplicates.text(),
            self.run_directory,
            self.digest,
        )
    }
}
