//! Runs and evaluators from a configuration: begun, gone on with, or made.
//!
//! Invariant: as the commands `search` and `resume` do it, by the same functions; what they refuse
//! is refused here in the same words. Where outcomes are told by an objective, its name takes the
//! place of the evaluator, in the store as well: a run goes on under the same name only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use evo_domain::DependsOn;
use evo_dsl::Optimizers;
use evo_search::{Keep, Search, Store};

use super::judge::{Evaluating, Judge, OptimizerJudge};
use super::program::Hostable;
use super::run::Owned;
use super::{About, HostError, HostedEvaluator, HostedRun};
use crate::args::DeviceArgs;
use crate::command::place::Place;
use crate::command::resume::{self, Again};
use crate::command::run_directory::RunDirectory;
use crate::command::{enumerate, expressions, graphs, learners};
use crate::{
    Config, ConfigText, DomainName, ExpressionSearch, GraphSearch, LearnerSearch, RunConfig,
    ScoredBy,
};

/// Where a run is kept.
#[derive(Clone, Debug, Default)]
pub enum Out {
    /// Nowhere.
    #[default]
    Nothing,
    /// In the next free `runs/NAME-seedN`, as `evo search` has it.
    Named,
    /// In this folder, new or empty.
    At(PathBuf),
}

/// How a run is begun.
#[derive(Clone, Debug, Default)]
pub struct BeginOptions {
    /// As `--set` has them.
    pub overrides: Vec<String>,
    /// The run directory.
    pub out: Out,
    /// The name of an evaluator that is not ours, and what its outcomes depend on.
    pub objective: Option<(String, DependsOn)>,
}

/// How a run is gone on with.
#[derive(Clone, Debug, Default)]
pub struct ResumeOptions {
    /// As `--set` has them; limits, and the places of data files.
    pub overrides: Vec<String>,
    /// Whether another kind of CPU will do.
    pub accept_cpu: bool,
    /// The name of the objective, if it is to be checked.
    pub objective: Option<String>,
}

type Objective = Option<(String, DependsOn)>;

fn scored_by(objective: &Objective) -> ScoredBy {
    objective.as_ref().map_or(ScoredBy::Evaluation, |_| ScoredBy::Objective)
}

/// What is opened, before it runs.
struct Opened<D: Hostable> {
    search: Search<D>,
    /// Who scores its programs; nobody where an objective does.
    judge: Option<Box<dyn Judge<D>>>,
    directory: Option<RunDirectory>,
    objective: Objective,
}

/// Begins a run.
///
/// # Errors
/// What is wrong with the configuration, or a directory that cannot be.
pub fn begin(text: &ConfigText, options: &BeginOptions) -> Result<Box<dyn HostedRun>, HostError> {
    let begun = match text.domain() {
        DomainName::Optimizers => begin_optimizers(text, options),
        DomainName::Expressions => begin_expressions(text, options),
        DomainName::Learners => begin_learners(text, options),
        DomainName::Graphs => begin_graphs(text, options),
        DomainName::Enumerated => Err(enumerate::no_search("search")),
    };
    begun.map_err(|error| HostError::from(error).of_run())
}

/// Goes on with a run.
///
/// # Errors
/// When it is not the run that was begun, or cannot be gone on with here.
pub fn resume(path: &Path, options: &ResumeOptions) -> Result<Box<dyn HostedRun>, HostError> {
    reopen(path, options).map_err(|error| HostError::from(error).of_run())
}

/// The evaluator of a configuration.
///
/// # Errors
/// What is wrong with the configuration, or data that is missing.
pub fn evaluator(
    text: &ConfigText,
    overrides: &[String],
) -> Result<Box<dyn HostedEvaluator>, HostError> {
    Ok(match text.domain() {
        DomainName::Optimizers => {
            let config = Config::load_text_with_baselines(text, overrides)?.resolved()?;
            let fingerprint = config.cache_key("")?.fingerprint().to_string();
            let config_text = config.to_ron();
            let judge = Box::new(OptimizerJudge { judges: config.judges()?, config });
            let name = DomainName::Optimizers;
            Box::new(Evaluating { judge, fingerprint, config_text, name })
        }
        DomainName::Expressions => {
            let config = ExpressionSearch::load_text(text, overrides, ScoredBy::Evaluation)?;
            let scorer = config.scorer()?;
            expressions::measure(&config, &scorer)?;
            let fingerprint = config.cache_key(&scorer, "").fingerprint().to_string();
            let (config_text, name) = (config.to_ron(), DomainName::Expressions);
            Box::new(Evaluating { judge: Box::new(scorer), fingerprint, config_text, name })
        }
        DomainName::Learners => {
            let config = LearnerSearch::load_text(text, overrides, ScoredBy::Evaluation)?;
            let judges = config.judges()?;
            let fingerprint = config.cache_key(&judges).fingerprint().to_string();
            let (config_text, name) = (config.to_ron(), DomainName::Learners);
            Box::new(Evaluating { judge: Box::new(judges), fingerprint, config_text, name })
        }
        DomainName::Graphs => {
            let config = GraphSearch::load_text(text, overrides, ScoredBy::Evaluation)?;
            let judges = config.judges()?;
            let fingerprint = config.cache_key(&judges, "").fingerprint().to_string();
            let (config_text, name) = (config.to_ron(), DomainName::Graphs);
            Box::new(Evaluating { judge: Box::new(judges), fingerprint, config_text, name })
        }
        DomainName::Enumerated => return Err(enumerate::no_search("evaluate").into()),
    })
}

/// Where networks are trained for a host: on the CPU.
fn place() -> anyhow::Result<Place> {
    Place::open(&DeviceArgs { device: "cpu".to_owned(), cohort: None, bf16: false })
}

fn directory(
    text: &ConfigText,
    options: &BeginOptions,
    seed: u64,
) -> anyhow::Result<Option<RunDirectory>> {
    let out = match &options.out {
        Out::Nothing => return Ok(None),
        Out::Named => None,
        Out::At(out) => Some(out.as_path()),
    };
    // A text that is no file has no name to take.
    let name = if text.is_in_memory() { Path::new("search") } else { text.path() };
    // A host may change its working directory while the run goes on.
    RunDirectory::plan(out, name, seed)?.absolute().map(Some)
}

/// Gives the search its store, which knows the objective.
fn stored<D: Hostable>(
    search: Search<D>,
    store: Option<Store>,
    objective: &Objective,
) -> anyhow::Result<Search<D>> {
    let Some(mut store) = store else { return Ok(search) };
    if let Some((name, depends_on)) = objective {
        RunDirectory::note_objective(&mut store, name, *depends_on)?;
    }
    Ok(search.with_store(store)?)
}

/// The run of what is opened.
fn hosted<D: Hostable, S, M, E>(
    opened: Opened<D>,
    config: &RunConfig<S, M, E>,
) -> anyhow::Result<Box<dyn HostedRun>>
where
    RunConfig<S, M, E>: serde::Serialize,
{
    let Opened { search, judge, directory, objective } = opened;
    let (objective, depends_on) = match (objective, &judge) {
        (Some((name, depends_on)), _) => (Some(name), depends_on),
        (None, Some(judge)) => (None, judge.depends_on()),
        (None, None) => bail!("there is neither an evaluator nor an objective"),
    };
    let about = About {
        domain: config.domain,
        seed: config.seed,
        objective,
        depends_on,
        config_text: config.to_ron(),
        directory: directory.as_ref().map(|it| it.path().display().to_string()),
        cancel: Arc::default(),
        holds_out: search.holds_out(),
        keeps_births: config.settings.keep == Keep::Births,
    };
    Ok(Box::new(Owned::begin(search, judge, directory, about)?))
}

/// The judge, unless an objective takes its place.
fn unless<D: Hostable>(
    objective: &Objective,
    judge: impl Judge<D> + 'static,
) -> Option<Box<dyn Judge<D>>> {
    objective.is_none().then(|| Box::new(judge) as Box<dyn Judge<D>>)
}

fn begin_optimizers(
    text: &ConfigText,
    options: &BeginOptions,
) -> anyhow::Result<Box<dyn HostedRun>> {
    let objective = options.objective.clone();
    let config = match &objective {
        None => Config::load_text_with_baselines(text, &options.overrides)?.resolved()?,
        Some(_) => Config::load_for_objective(text, &options.overrides)?,
    };
    let directory = directory(text, options, config.seed)?;
    let judge = optimizer_judge(&config, &objective)?;
    let starts = config.start_programs()?;
    let here = place()?.description(&config.settings.held_out);
    let create = |it: &RunDirectory| it.create(&config, text.base(), &starts, &here);
    let store = directory.as_ref().map(create).transpose()?;
    let search = stored(config.search_from(starts)?, store, &objective)?;
    hosted(Opened { search, judge, directory, objective }, &config)
}

fn optimizer_judge(
    config: &Config,
    objective: &Objective,
) -> anyhow::Result<Option<Box<dyn Judge<Optimizers>>>> {
    if objective.is_some() {
        return Ok(None);
    }
    let judges = config.judges()?;
    Ok(Some(Box::new(OptimizerJudge { config: config.clone(), judges })))
}

fn begin_expressions(
    text: &ConfigText,
    options: &BeginOptions,
) -> anyhow::Result<Box<dyn HostedRun>> {
    let (objective, base) = (options.objective.clone(), text.base());
    let config = ExpressionSearch::load_text(text, &options.overrides, scored_by(&objective))?;
    let directory = directory(text, options, config.seed)?;
    let scorer = config.scorer()?;
    if objective.is_none() {
        expressions::measure(&config, &scorer)?;
    }
    let (starts, place) = (config.start_programs(&scorer)?, place()?);
    let create = |it| expressions::create(it, &config, base, &scorer, &starts, &place);
    let store = directory.as_ref().map(create).transpose()?;
    let search = stored(config.search(&scorer)?, store, &objective)?;
    let judge = unless(&objective, scorer);
    hosted(Opened { search, judge, directory, objective }, &config)
}

fn begin_learners(text: &ConfigText, options: &BeginOptions) -> anyhow::Result<Box<dyn HostedRun>> {
    let objective = options.objective.clone();
    let config = LearnerSearch::load_text(text, &options.overrides, scored_by(&objective))?;
    let directory = directory(text, options, config.seed)?;
    let judges = config.judges()?;
    let starts = config.start_programs(&config.domain(&judges)?)?;
    let create = |it| learners::create(it, &config, text.base(), &judges, &starts);
    let store = directory.as_ref().map(create).transpose()?;
    let search = stored(config.search(&judges)?, store, &objective)?;
    let judge = unless(&objective, judges);
    hosted(Opened { search, judge, directory, objective }, &config)
}

fn begin_graphs(text: &ConfigText, options: &BeginOptions) -> anyhow::Result<Box<dyn HostedRun>> {
    let (objective, base) = (options.objective.clone(), text.base());
    let config = GraphSearch::load_text(text, &options.overrides, scored_by(&objective))?;
    let directory = directory(text, options, config.seed)?;
    let judges = config.judges()?;
    let (starts, place) = (config.start_programs(&config.domain(&judges)?)?, place()?);
    let create = |it| graphs::create(it, &config, base, &judges, &starts, &place);
    let store = directory.as_ref().map(create).transpose()?;
    let search = stored(config.search(&judges)?, store, &objective)?;
    let judge = unless(&objective, judges);
    hosted(Opened { search, judge, directory, objective }, &config)
}

/// Refuses to go on under another objective than the run began with.
fn check_objective(directory: &RunDirectory, asked: Option<&str>) -> anyhow::Result<Objective> {
    let objective = directory.objective()?;
    let path = directory.path().display();
    match (objective.as_ref().map(|(name, _)| name.as_str()), asked) {
        (Some(began), Some(asked)) if began != asked => bail!(
            "{path}: the run began with the objective `{began}`, and outcomes of `{asked}` cannot \
             stand beside its"
        ),
        (None, Some(asked)) => bail!(
            "{path}: the run is scored as its configuration says, and not by the objective \
             `{asked}`"
        ),
        _ => Ok(objective),
    }
}

fn reopen(path: &Path, options: &ResumeOptions) -> anyhow::Result<Box<dyn HostedRun>> {
    let directory = RunDirectory::open(path)?.absolute()?;
    resume::check_overrides(&options.overrides)?;
    let objective = check_objective(&directory, options.objective.as_deref())?;
    let (place, command) = (place()?, directory.resume_command());
    let again = Again {
        directory: &directory,
        overrides: &options.overrides,
        scored_by: scored_by(&objective),
        accept_cpu: options.accept_cpu,
        command: &command,
    };
    let text = directory.config_text()?;
    match text.domain() {
        DomainName::Optimizers => reopen_optimizers(&again, &text, &place, objective),
        DomainName::Expressions => {
            let (config, scorer, store) = expressions::reopen(&again, &place)?;
            if objective.is_none() {
                expressions::measure(&config, &scorer)?;
            }
            let search = config.search(&scorer)?.with_store(store)?;
            let judge = unless(&objective, scorer);
            directory.write_text(&config.placed_in(directory.path(), directory.path()))?;
            hosted(Opened { search, judge, directory: Some(directory), objective }, &config)
        }
        DomainName::Learners => {
            let (config, judges, store) = learners::reopen(&again)?;
            let search = config.search(&judges)?.with_store(store)?;
            let judge = unless(&objective, judges);
            directory.write_text(&config.placed_in(directory.path(), directory.path()))?;
            hosted(Opened { search, judge, directory: Some(directory), objective }, &config)
        }
        DomainName::Graphs => {
            let (config, judges, store) = graphs::reopen(&again, &place)?;
            let search = config.search(&judges)?.with_store(store)?;
            let judge = unless(&objective, judges);
            directory.write_text(&config.placed_in(directory.path(), directory.path()))?;
            hosted(Opened { search, judge, directory: Some(directory), objective }, &config)
        }
        DomainName::Enumerated => Err(enumerate::no_search("resume")),
    }
}

fn reopen_optimizers(
    again: &Again<'_>,
    text: &ConfigText,
    place: &Place,
    objective: Objective,
) -> anyhow::Result<Box<dyn HostedRun>> {
    let config = match &objective {
        None => Config::load_text_with_baselines(text, again.overrides)?,
        Some(_) => Config::load_for_objective(text, again.overrides)?,
    };
    let (original, starts, store) = resume::reopen(again, &config, place)?;
    let judge = optimizer_judge(&config, &objective)?;
    let search = config.search_from(starts)?.with_store(store)?;
    let written = Config { start: original.start, ..config.clone() };
    again.directory.write_config(&written, again.directory.path())?;
    let directory = Some(again.directory.clone());
    hosted(Opened { search, judge, directory, objective }, &config)
}
