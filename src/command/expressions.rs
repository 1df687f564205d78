//! Searches of expressions: begun, gone on with, and what their winner comes to.

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::bail;
use evo::{
    CacheKey, Evaluator, Evaluators, ExpressionScorer, ExpressionSearch, Expressions,
    HeldOutConfig, Program, Search, Store,
};
use serde::Serialize;

use super::activations::Activations;
use super::cache::Attached;
use super::conclusion::{self, Verdict};
use super::dry_run;
use super::fits::Fits;
use super::place::{Place, cores};
use super::resume::{self, Again};
use super::run_directory::{CONFIG, FINGERPRINTS, RunDirectory};
use super::session::{Session, hinted, interruptible_while_replaying};
use crate::args::{EvaluateArgs, ResumeArgs, SearchArgs};
use crate::exit_code::ExitCode;
use crate::output;

/// What expressions come to, by what they are scored by.
#[derive(Serialize)]
#[serde(untagged)]
enum Judged {
    Data(Fits),
    Networks(Activations),
}

impl Judged {
    fn of(
        programs: &[(String, Program)],
        scorer: &ExpressionScorer,
        threads: NonZeroUsize,
    ) -> anyhow::Result<Judged> {
        Ok(match scorer {
            ExpressionScorer::Data(evaluator) => Judged::Data(Fits::of(programs, evaluator)?),
            ExpressionScorer::Networks(judges) => {
                Judged::Networks(Activations::of(programs, judges, threads)?)
            }
        })
    }
}

impl Verdict for Judged {
    fn table(&self) -> String {
        match self {
            Judged::Data(fits) => fits.table(),
            Judged::Networks(activations) => activations.table(),
        }
    }
}

/// `evo search`.
pub(crate) fn search(args: &SearchArgs, overrides: &[String]) -> anyhow::Result<ExitCode> {
    let config = ExpressionSearch::load(&args.config.config, overrides)?;
    let place = Place::cpu(&args.run.device, "expressions")?;
    let directory = RunDirectory::plan(args.out.as_deref(), &args.config.config, config.seed)?;
    let scorer = config.scorer()?;
    let starts = config.start_programs(&scorer)?;
    let threads = place.threads(args.run.threads);
    measure(&config, &scorer)?;
    if args.dry_run {
        dry_run::print_expressions(
            &starts,
            scorer.evaluator(),
            &config.settings.stopping,
            threads,
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let key = || Ok(key(&config, &scorer, &place));
    let cache = Attached::open(&args.run.cache, config.settings.deduplication, key)?;
    let search = Attached::to(cache.as_ref(), config.search(&scorer)?);
    let base = args.config.config.parent().unwrap_or("".as_ref());
    let search = search.with_store(create(&directory, &config, base, &scorer, &starts, &place)?)?;
    let session = Session::new(&config, &directory, &place, &args.run, cache);
    session.say(&format!(
        "searching {} with seed {} on {threads} threads, into {}",
        scorer.task(),
        config.seed,
        directory.path().display()
    ));
    conclude(&session, &scorer, search)
}

/// Creates the run directory, with the configuration as resolved and the store.
pub(crate) fn create(
    directory: &RunDirectory,
    config: &ExpressionSearch,
    base: &Path,
    scorer: &ExpressionScorer,
    starts: &[Program],
    place: &Place,
) -> anyhow::Result<Store> {
    directory.make()?;
    let text = config.with_texts_of(starts).placed_in(directory.path(), base).to_ron();
    directory.write(CONFIG, text.as_bytes())?;
    let cpu = place.description(&config.settings.held_out);
    let fingerprint = scorer.fingerprint();
    let properties = [("config", text.as_str()), (FINGERPRINTS, &fingerprint), ("cpu", &cpu)];
    directory.begin(&properties, starts)
}

/// Opens a run directory to go on, when all that decides its outcomes is as it was.
pub(crate) fn reopen(
    again: &Again<'_>,
    place: &Place,
) -> anyhow::Result<(ExpressionSearch, ExpressionScorer, Store)> {
    let directory = again.directory;
    let text = directory.config_text()?;
    let config = ExpressionSearch::load_text(&text, again.overrides, again.scored_by)?;
    let scorer = config.scorer()?;
    let domain = config.domain(&scorer)?;
    let mut store = again.open(&domain)?;
    let data = (&*scorer.task(), &*scorer.fingerprint());
    resume::refuse_another(&store, directory.path(), &config, data, |config| {
        config.paths_mut().into_iter().for_each(|(_, path)| path.clear());
    })?;
    if scorer.trains() {
        again.check_place(&mut store, &place.description(&config.settings.held_out))?;
    }
    Ok((config, scorer, store))
}

/// `evo resume`.
pub(crate) fn resume(
    args: &ResumeArgs,
    directory: &RunDirectory,
    command: &str,
) -> anyhow::Result<ExitCode> {
    let place = Place::cpu(&args.run.device, "expressions")?;
    interruptible_while_replaying(command)?;
    let (config, scorer, store) = reopen(&Again::of(args, directory, command), &place)?;
    measure(&config, &scorer)?;
    let key = || Ok(key(&config, &scorer, &place));
    let cache = Attached::open(&args.run.cache, config.settings.deduplication, key)?;
    let search = Attached::to(cache.as_ref(), config.search(&scorer)?).with_store(store);
    let search = search.map_err(|error| hinted(error, command))?;
    directory.write_text(&config.placed_in(directory.path(), directory.path()))?;
    let session = Session::new(&config, directory, &place, &args.run, cache);
    session.say_resuming(search.counters().births);
    conclude(&session, &scorer, search)
}

/// `evo evaluate`.
pub(crate) fn evaluate(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let config = ExpressionSearch::load(&args.config, &args.overrides)?;
    let scorer = config.scorer()?;
    let mut programs = Vec::new();
    for source in &args.programs {
        let program = evo::load_any_program(source, "".as_ref())?;
        if !program.signature().is_expression() {
            bail!("{source}: is an optimizer, and an expression is needed");
        }
        programs.push((source.clone(), program));
    }
    let judged = Judged::of(&programs, &scorer, cores(args.judging.threads))?;
    output::print(&match args.judging.json {
        true => serde_json::to_string_pretty(&judged)? + "\n",
        false => judged.table(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Whose outcomes a cache may serve.
fn key(config: &ExpressionSearch, scorer: &ExpressionScorer, place: &Place) -> CacheKey {
    config.cache_key(scorer, &place.description(&HeldOutConfig::default()))
}

/// Measures what the run compares with, so that errors come before it begins.
pub(crate) fn measure(config: &ExpressionSearch, scorer: &ExpressionScorer) -> anyhow::Result<()> {
    scorer.measure()?;
    match scorer.held_out().filter(|_| config.settings.held_out.every.is_some()) {
        Some(held_out) => Ok(held_out.measure()?),
        None => Ok(()),
    }
}

fn conclude(
    session: &Session<'_>,
    scorer: &ExpressionScorer,
    mut search: Search<Expressions>,
) -> anyhow::Result<ExitCode> {
    let held_out = scorer.held_out();
    let held_out = held_out.as_ref().map(|it| it as &dyn Evaluator<Program>);
    let evaluators = Evaluators { search: scorer.evaluator(), held_out };
    let finish = match session.run(&mut search, evaluators)? {
        Ok(finish) => finish,
        Err(code) => return Ok(code),
    };
    let Some(best) = search.best() else {
        let why = finish.nothing_tried(&search);
        eprintln!(
            "{}",
            why.unwrap_or_else(|| format!("no expression could be scored: {}", scorer.task()))
        );
        return Ok(ExitCode::from(1));
    };
    let threads = session.place.threads(session.args.threads);
    let judged = verdict(scorer, &best.individual.program, threads)?;
    conclusion::conclude(session, &search, &finish, judged)
}

/// What a winner comes to.
pub(crate) fn verdict(
    scorer: &ExpressionScorer,
    winner: &Program,
    threads: NonZeroUsize,
) -> anyhow::Result<impl Verdict + use<>> {
    Judged::of(&[("winner".to_owned(), winner.clone())], scorer, threads)
}
