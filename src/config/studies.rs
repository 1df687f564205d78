//! The configurations of comparisons and funnels: the tasks that programs are studied on, and the
//! budget.
//!
//! Invariant: as that of a search, one has been checked as a whole once it is loaded, data
//! included.

use std::path::{Path, PathBuf};

use evo_evaluators::{EvaluatorError, StudiedTask, StudyConfig};

use super::paths::anchored;
use super::source::Source;
use super::{Config, ConfigError};
use crate::funnel::FunnelConfig;

/// Whether a file is the configuration of a comparison, by the keys it has.
///
/// # Errors
/// A file that cannot be read.
pub fn states_studies(path: &Path) -> Result<bool, ConfigError> {
    Ok(Source::read(path)?.stated("tasks").is_some())
}

/// Whether a file is the configuration of a funnel, by the keys it has.
///
/// # Errors
/// A file that cannot be read.
pub fn states_funnel(path: &Path) -> Result<bool, ConfigError> {
    Ok(Source::read(path)?.stated("stages").is_some())
}

/// Loads the configuration of a comparison and applies overrides, in order; paths in it are
/// relative to it, paths in overrides to the working directory. Of the configuration of a search,
/// the tasks and those held out are taken, with the budget that is the default.
///
/// # Errors
/// The first thing that is wrong, with file, line, column and key.
pub fn load_studies(
    path: &Path,
    overrides: &[String],
) -> Result<(StudyConfig, Vec<StudiedTask>), ConfigError> {
    let mut source = Source::read(path)?;
    if source.stated("evaluation").is_some() {
        return of_search(&Config::load(path, overrides)?);
    }
    let (mut file, mut config): (StudyConfig, _) = source.with_overrides(overrides)?;
    let base = path.parent().unwrap_or(Path::new(""));
    anchored(base, paths_mut([&mut config]), &paths_mut([&mut file]));
    let loaded = load(&config).map_err(|error| source.locate(ConfigError::from_keys(error)))?;
    Ok((config, loaded))
}

/// Loads the configuration of a funnel and applies overrides, as [`load_studies`] does; with the
/// tasks of each stage.
///
/// # Errors
/// The first thing that is wrong, with file, line, column and key.
pub fn load_funnel(
    path: &Path,
    overrides: &[String],
) -> Result<(FunnelConfig, Vec<Vec<StudiedTask>>), ConfigError> {
    let mut source = Source::read(path)?;
    let (mut file, mut config): (FunnelConfig, _) = source.with_overrides(overrides)?;
    let base = path.parent().unwrap_or(Path::new(""));
    fn stages(config: &mut FunnelConfig) -> impl Iterator<Item = &mut StudyConfig> {
        config.stages.iter_mut().map(|stage| &mut stage.studies)
    }
    anchored(base, paths_mut(stages(&mut config)), &paths_mut(stages(&mut file)));
    let refused = |key: &str, message: &str| Err(source.locate(ConfigError::new(key, message)));
    if config.stages.is_empty() {
        return refused("stages", "needs at least one stage");
    }
    if !(config.error_rate > 0.0 && config.error_rate < 1.0) {
        return refused("error_rate", "must be above 0 and below 1");
    }
    let loaded = config.stages.iter().enumerate().map(|(index, stage)| {
        load(&stage.studies).map_err(|error| {
            let error = error.within(&format!("stages[{index}].studies"));
            source.locate(ConfigError::from_keys(error))
        })
    });
    let loaded = loaded.collect::<Result<_, _>>()?;
    Ok((config, loaded))
}

fn of_search(search: &Config) -> Result<(StudyConfig, Vec<StudiedTask>), ConfigError> {
    let evaluation = &search.evaluation;
    let tasks = evaluation.tasks.iter().chain(&evaluation.held_out).cloned().collect();
    let config = StudyConfig {
        data_seed: evaluation.data_seed,
        divergence: evaluation.divergence,
        ..StudyConfig::new(tasks)
    };
    let loaded = load(&config).map_err(ConfigError::from_evaluator)?;
    Ok((config, loaded))
}

fn load(config: &StudyConfig) -> Result<Vec<StudiedTask>, EvaluatorError> {
    config.check()?;
    let tasks = config.keyed_tasks().map(|(key, task)| {
        let task = StudiedTask::load(config, task, Path::new(""));
        task.map_err(|error| error.within(&key))
    });
    tasks.collect()
}

/// Every path of a data file, by the places of stage and task and its number among the task's.
fn paths_mut<'a>(
    stages: impl IntoIterator<Item = &'a mut StudyConfig>,
) -> Vec<((usize, usize, usize), &'a mut PathBuf)> {
    let mut found = Vec::new();
    for (stage, config) in stages.into_iter().enumerate() {
        for (task, it) in config.tasks.iter_mut().enumerate() {
            let paths = it.data.paths_mut().into_iter().enumerate();
            found.extend(paths.map(|(index, path)| ((stage, task, index), path)));
        }
    }
    found
}
