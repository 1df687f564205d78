//! Searches of expressions: begun, gone on with, and what their winner comes to.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use evo::{
    Evaluator, ExpressionEvaluator, ExpressionSearch, Expressions, Outcome, Program, Search, Store,
    Trial,
};
use serde::Serialize;

use super::place::Place;
use super::report::{self, Verdict};
use super::run_directory::{CONFIG, FINGERPRINTS, RunDirectory};
use super::session::{Session, hinted};
use crate::args::{EvaluateArgs, ResumeArgs, RunArgs, SearchArgs};
use crate::output;

/// How an expression fits the data of a task.
#[derive(Serialize)]
struct Fit {
    name: String,
    task: String,
    /// `None` for one that is not finite at a point.
    fitness: Option<f64>,
    loss: Option<f64>,
    /// On the points held out.
    test_loss: Option<f64>,
    /// The expression with its constants as they were fitted, where they are.
    fitted: Option<String>,
}

/// Expressions by how they fit.
#[derive(Serialize)]
struct Fits {
    fits: Vec<Fit>,
}

impl Fit {
    fn of(name: &str, program: &Program, evaluator: &ExpressionEvaluator) -> anyhow::Result<Fit> {
        let outcome = evaluator.evaluate(&[Trial::of(program)]).pop();
        let outcome = outcome.context("one outcome for one program")?;
        if let Outcome::Failed { message } = outcome {
            bail!("{name}: {message}");
        }
        let fitted = evaluator.fitted(program);
        Ok(Fit {
            name: name.to_owned(),
            task: evaluator.task().to_owned(),
            fitness: Some(outcome.fitness()).filter(|fitness| fitness.is_finite()),
            loss: evaluator.train_loss(program).ok(),
            test_loss: evaluator.test_loss(program).and_then(Result::ok),
            fitted: (fitted != *program).then(|| fitted.live().to_string()),
        })
    }
}

impl Verdict for Fits {
    fn table(&self) -> String {
        let number = |it: Option<f64>| it.map_or("-".to_owned(), |it| format!("{it:.3e}"));
        let row = |fit: &Fit| {
            let fitness = fit.fitness.map_or("-".to_owned(), |it| format!("{it:+.2}"));
            vec![fit.name.clone(), fitness, number(fit.loss), number(fit.test_loss)]
        };
        let task = self.fits.first().map_or("", |fit| fit.task.as_str());
        let headings = [task, "fitness", "loss", "loss held out"].map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(headings).chain(self.fits.iter().map(row)).collect();
        let fitted = self.fits.iter().filter_map(|fit| fit.fitted.as_ref().map(|it| (fit, it)));
        let fitted = fitted.map(|(fit, it)| format!("\n{} with fitted constants:\n{it}", fit.name));
        output::table(&rows) + &fitted.collect::<String>()
    }
}

/// `evo search`.
pub(crate) fn search(args: &SearchArgs, overrides: &[String]) -> anyhow::Result<ExitCode> {
    let config = ExpressionSearch::load(&args.config.config, overrides)?;
    let place = place(&args.run)?;
    let directory = RunDirectory::plan(args.out.as_deref(), &args.config.config, config.seed)?;
    let evaluator = config.evaluator()?;
    let start = config.start_program(&evaluator)?;
    if args.dry_run {
        let fit = Fit::of("start", &start, &evaluator)?;
        output::print(&format!("{start}{}", Fits { fits: vec![fit] }.table()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let search = config.search(&evaluator)?;
    directory.make()?;
    let base = args.config.config.parent().unwrap_or("".as_ref());
    let text = config.placed_in(directory.path(), base).to_ron();
    directory.write(CONFIG, text.as_bytes())?;
    let fingerprint = evaluator.fingerprint().to_string();
    let properties =
        [("config", text.as_str()), ("start", &start.to_string()), (FINGERPRINTS, &fingerprint)];
    let search = search.with_store(directory.begin(&properties)?)?;
    let session = session(&config, &directory, &place, &args.run);
    session.say(&format!(
        "searching {} with seed {} on {} threads, into {}",
        evaluator.task(),
        config.seed,
        place.threads(args.run.threads),
        directory.path().display()
    ));
    conclude(&session, &evaluator, search)
}

/// `evo resume`.
pub(crate) fn resume(
    args: &ResumeArgs,
    directory: &RunDirectory,
    command: &str,
) -> anyhow::Result<ExitCode> {
    let config = ExpressionSearch::load(&directory.path().join(CONFIG), &args.overrides)?;
    let place = place(&args.run)?;
    let evaluator = config.evaluator()?;
    let domain = config.domain(&evaluator)?;
    let store = Store::open(&directory.store(), &domain).map_err(|error| hinted(error, command))?;
    unchanged(&store, &config, &evaluator, directory.path())?;
    let search = config.search(&evaluator)?.with_store(store);
    let search = search.map_err(|error| hinted(error, command))?;
    let written = config.placed_in(directory.path(), directory.path()).to_ron();
    directory.write(CONFIG, written.as_bytes())?;
    let session = session(&config, directory, &place, &args.run);
    session.say(&format!(
        "resuming {} behind {} candidates on {} threads",
        directory.path().display(),
        search.counters().births,
        place.threads(args.run.threads),
    ));
    conclude(&session, &evaluator, search)
}

/// `evo evaluate`.
pub(crate) fn evaluate(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let config = ExpressionSearch::load(&args.config, &args.overrides)?;
    let evaluator = config.evaluator()?;
    let mut fits = Vec::new();
    for source in &args.programs {
        let program = evo::load_any_program(source, "".as_ref())?;
        fits.push(Fit::of(source, &program, &evaluator)?);
    }
    let fits = Fits { fits };
    output::print(&match args.judging.json {
        true => serde_json::to_string_pretty(&fits)? + "\n",
        false => fits.table(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Expressions need no device.
fn place(args: &RunArgs) -> anyhow::Result<Place> {
    let place = Place::open(&args.device)?;
    if !place.device().is_cpu() {
        bail!("--device {}: expressions are evaluated on the CPU", args.device.device);
    }
    Ok(place)
}

fn session<'a>(
    config: &ExpressionSearch,
    directory: &'a RunDirectory,
    place: &'a Place,
    args: &'a RunArgs,
) -> Session<'a> {
    Session { directory, place, args, seed: config.seed, window: config.window }
}

fn conclude(
    session: &Session<'_>,
    evaluator: &ExpressionEvaluator,
    mut search: Search<Expressions>,
) -> anyhow::Result<ExitCode> {
    let finish = match session.run(&mut search, evaluator)? {
        Ok(finish) => finish,
        Err(code) => return Ok(code),
    };
    let Some(best) = search.best() else {
        eprintln!("no expression is finite at all points of {}", evaluator.task());
        return Ok(ExitCode::from(1));
    };
    let fit = Fit::of("winner", &best.individual.program, evaluator)?;
    report::conclude(session, &search, &finish, Fits { fits: vec![fit] })
}

/// Refuses a configuration or data that are not those the run began with, limits and the places of
/// files aside.
fn unchanged(
    store: &Store,
    config: &ExpressionSearch,
    evaluator: &ExpressionEvaluator,
    directory: &Path,
) -> anyhow::Result<()> {
    let original = store.property("config")?.context("run.db: it holds no configuration")?;
    let original: ExpressionSearch =
        ron::from_str(&original).context("run.db: its configuration")?;
    super::resume::refuse_changes(
        &directory.join(CONFIG),
        &comparable(&original)?,
        &comparable(config)?,
    )?;
    let before = store.property(FINGERPRINTS)?.unwrap_or_default();
    let now = evaluator.fingerprint().to_string();
    if before != now {
        bail!(
            "{} holds other data than the run began with: the fingerprint was {before} and is \
             {now}",
            evaluator.task()
        );
    }
    Ok(())
}

fn comparable(config: &ExpressionSearch) -> anyhow::Result<serde_json::Value> {
    let mut config = config.clone();
    config.paths_mut().into_iter().for_each(|(_, path)| path.clear());
    Ok(serde_json::to_value(&config)?)
}
