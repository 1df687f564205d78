//! A run as its directory has it.
//!
//! Invariant: all of it is in the store, so that a run under way or killed has a report as well;
//! what only the end of a run tells (`report.json`) counts while no birth has come behind it.

use std::path::{Path, PathBuf};

use anyhow::bail;
use evo::{
    Ancestor, Counters, Evaluated, Expressions, Graphs, HeldOutPoint, KnownBirths, Learners,
    MutationTally, Optimizers, PolicyCounters, ProgramSourceError, Reprieves, StopReason, Store,
    StoredChampion, StoredRestart,
};
use serde::Deserialize;

use super::configured::Configured;
use super::read_json;
use crate::command::{lineage, run_directory};

/// A run and what it came to so far.
pub(super) struct Run {
    pub path: PathBuf,
    /// What tells it from the other runs.
    pub name: String,
    /// The configuration as the run holds it.
    pub config: String,
    pub configured: Option<Configured>,
    pub cpu: String,
    pub version: String,
    pub seconds: f64,
    pub births: u64,
    pub evaluated: Vec<Evaluated>,
    pub champions: Vec<StoredChampion>,
    pub counters: Option<Counters>,
    pub mutations: Vec<(String, MutationTally)>,
    pub restarts: Vec<StoredRestart>,
    pub held_out: Vec<HeldOutPoint>,
    /// How births were known, over the course of the run.
    pub known: Vec<KnownBirths>,
    /// What a policy beyond caching did.
    pub policies: Option<PolicyCounters>,
    pub reprieves: Option<Reprieves>,
    /// From a start program to the best; empty where nothing has a fitness.
    pub lineage: Vec<Ancestor>,
    /// What its end told; `None` of a run that has not ended.
    pub end: Option<End>,
}

/// What `report.json` tells beyond the store.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct End {
    pub stop_reason: StopReason,
    pub digest: String,
    counters: Counters,
    /// Of optimizers: the winner beside known ones.
    #[serde(default)]
    pub comparison: Option<Judged>,
}

/// Programs as the judges of a run scored them.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Judged {
    pub tasks: Vec<String>,
    pub held_out: Vec<String>,
    pub programs: Vec<JudgedProgram>,
}

/// One of them.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct JudgedProgram {
    pub name: String,
    pub fitness: Option<f64>,
    pub fresh: Option<Spread>,
    pub fresh_gain: Option<Spread>,
    pub losses: Vec<Option<f64>>,
    pub held_out_losses: Vec<Option<f64>>,
}

/// A mean with what it may be off by.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Spread {
    pub mean: f64,
    pub half_width: f64,
}

/// Points of the figure of how births were known.
const STRETCHES: u64 = 40;

/// The most births whose texts are read for it: as many take a quarter of a minute.
const MOST_BIRTHS: u64 = 200_000;

/// How births were known; nothing of a run with too many of them.
fn known_births(store: &Store, births: u64) -> anyhow::Result<Vec<KnownBirths>> {
    if births > MOST_BIRTHS {
        return Ok(Vec::new());
    }
    let stretch = births.div_ceil(STRETCHES).max(1);
    Ok(match store.property("domain")?.as_deref() {
        Some("learners") => store.known_births(&Learners::default(), stretch)?,
        Some("graphs") => store.known_births(&Graphs::default(), stretch)?,
        Some("expressions") => store.known_births(&Expressions::default(), stretch)?,
        _ => store.known_births(&Optimizers::default(), stretch)?,
    })
}

impl Run {
    /// The runs of these directories, in order, each with a name of its own.
    pub(super) fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<Run>> {
        let mut runs = paths.iter().map(|path| Run::read(path)).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<String> = runs.iter().map(|run| run.name.clone()).collect();
        for run in &mut runs {
            if names.iter().filter(|name| **name == run.name).count() > 1 {
                run.name = run.path.display().to_string();
            }
        }
        Ok(runs)
    }

    fn read(path: &Path) -> anyhow::Result<Run> {
        if !path.is_dir() {
            bail!("{}: there is no such run directory", path.display());
        }
        let store = Store::read(&path.join(run_directory::STORE))?;
        if !evo::keeps_births(&store)? {
            let error = ProgramSourceError::NoBirths { run: path.to_owned() };
            bail!("{error}, so there is nothing to report on");
        }
        let property = |name| anyhow::Ok(store.property(name)?.unwrap_or_default());
        let config = property("config")?;
        let births = store.births()?;
        let lineage = match store.best()? {
            Some(best) => lineage::of(&store, best)?.unwrap_or_default(),
            None => Vec::new(),
        };
        Ok(Run {
            known: known_births(&store, births)?,
            policies: store.policy_counters()?,
            reprieves: store.reprieves()?,
            name: name(path),
            configured: Configured::of(&config),
            config,
            cpu: property("cpu")?,
            version: property("evo")?,
            seconds: store.seconds()?,
            births,
            evaluated: store.evaluated()?,
            champions: store.hall_of_fame()?,
            counters: store.counters()?,
            mutations: store.mutation_tallies()?,
            restarts: store.restarts()?,
            held_out: store.held_out_curve()?,
            lineage,
            end: End::read(path, births)?,
            path: path.to_owned(),
        })
    }

    /// The best so far, by birth, live length, fitness and program.
    pub(super) fn best(&self) -> Option<&StoredChampion> {
        let birth = self.lineage.last()?.birth;
        self.champions.iter().find(|champion| champion.birth == birth)
    }

    /// The fitness of the best.
    pub(super) fn fitness(&self) -> Option<f64> {
        let best = self.best().map(|champion| champion.fitness);
        best.or_else(|| self.lineage.last()?.fitness)
    }

    /// Its name and its strategy, for a legend.
    pub(super) fn label(&self) -> String {
        match &self.configured {
            Some(configured) => format!("{} ({})", self.name, configured.strategy),
            None => self.name.clone(),
        }
    }

    /// The number of each evaluation, from 1, and its fitness where it has one.
    pub(super) fn fitness_by_evaluation(&self) -> impl Iterator<Item = (f64, f64)> {
        let numbered = self.evaluated.iter().enumerate();
        numbered.filter_map(|(index, it)| Some(((index + 1) as f64, it.fitness?)))
    }
}

impl End {
    /// What the end of a run with so many births tells; `None` where it has gone on since.
    fn read(path: &Path, births: u64) -> anyhow::Result<Option<End>> {
        let path = path.join("report.json");
        if !path.is_file() {
            return Ok(None);
        }
        let end: End = read_json(&path)?;
        if let Some(judged) = &end.comparison {
            let fits = |it: &JudgedProgram| {
                let none = it.losses.is_empty() && it.held_out_losses.is_empty();
                let (tasks, held_out) = (judged.tasks.len(), judged.held_out.len());
                none || (it.losses.len() == tasks && it.held_out_losses.len() == held_out)
            };
            if !judged.programs.iter().all(fits) {
                bail!("{}: a program has not a loss for each task", path.display());
            }
        }
        Ok(Some(end).filter(|end| end.counters.births == births))
    }
}

/// The last part of a path, `.` and `..` resolved.
fn name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().or_else(|| whole.file_name()).map(|it| it.to_string_lossy());
    name.map_or_else(|| path.display().to_string(), |it| it.into_owned())
}

/// How long something took, in words.
pub(super) fn span(seconds: f64) -> String {
    let whole = seconds as u64;
    match whole {
        0..120 => format!("{seconds:.0} s"),
        120..7_200 => format!("{} min", whole / 60),
        _ => format!("{} h {} min", whole / 3_600, whole / 60 % 60),
    }
}
