//! `evo resume`: goes on with a run where it was when it ended, however it ended.
//!
//! Invariant: what decides the outcomes stays what it was when the run began. Limits may change,
//! and so may the place of data files, as long as the fingerprints of the tasks say that their
//! bytes do not.

use std::path::Path;

use anyhow::{Context, bail};
use evo::{
    Config, ConfigError, Domain, DomainName, HeldOutConfig, Program, ScoredBy, Starts, Store,
    shell_word,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::cache::Attached;
use super::place::Place;
use super::run_directory::{CONFIG, FINGERPRINTS, RunDirectory, fingerprints, start_property};
use super::session::{Session, hinted, interruptible_while_replaying};
use crate::args::ResumeArgs;
use crate::exit_code::ExitCode;

pub(crate) fn run(args: &ResumeArgs) -> anyhow::Result<ExitCode> {
    let directory = RunDirectory::open(&args.run_directory)?;
    check_overrides(&args.overrides)?;
    directory.refuse_objective()?;
    let path = directory.path().join(CONFIG);
    let place = Place::open(&args.run.device)?;
    let device = place.arguments(&args.run.device);
    let sets = args.overrides.iter().map(|set| format!(" --set {}", shell_word(set)));
    let cache = Attached::arguments(&args.run.cache);
    let command = directory.resume_command() + &device + &cache + &sets.collect::<String>();
    match DomainName::stated_in(&path)? {
        DomainName::Expressions => {
            return super::expressions::resume(args, &directory, &command);
        }
        DomainName::Learners => return super::learners::resume(args, &directory, &command),
        DomainName::Enumerated => return Err(super::enumerate::no_search("resume")),
        DomainName::Graphs => return super::graphs::resume(args, &directory, &command),
        DomainName::Optimizers => {}
    }
    interruptible_while_replaying(&command)?;
    let again = Again::of(args, &directory, &command);
    let config = Config::load_with_baselines(&path, &args.overrides)
        .map_err(|error| moved(error, &command))?;
    let (original, starts, store) = reopen(&again, &config, &place)?;
    let judges = place.judges(&config)?;
    let key = || config.cache_key(&place.description(&HeldOutConfig::default()));
    let cache = Attached::open(&args.run.cache, config.settings.deduplication, key)?;
    let search = Attached::to(cache.as_ref(), config.search_from(starts)?).with_store(store);
    let search = search.map_err(|error| hinted(error, &command))?;
    let written = Config { start: original.start, ..config.clone() };
    directory.write_config(&written, directory.path())?;
    let session = Session::new(&config, &directory, &place, &args.run, cache);
    session.say_resuming(search.counters().births);
    super::optimizers::run(&session, &config, &judges, search)
}

/// A run to go on with.
pub(crate) struct Again<'a> {
    pub directory: &'a RunDirectory,
    pub overrides: &'a [String],
    pub scored_by: ScoredBy,
    /// Whether another kind of CPU will do.
    pub accept_cpu: bool,
    /// The command that does the same.
    pub command: &'a str,
}

impl<'a> Again<'a> {
    pub(crate) fn of(
        args: &'a ResumeArgs,
        directory: &'a RunDirectory,
        command: &'a str,
    ) -> Again<'a> {
        let (overrides, accept_cpu) = (&args.overrides[..], args.accept_cpu);
        let scored_by = ScoredBy::Evaluation;
        Again { directory, overrides, scored_by, accept_cpu, command }
    }

    /// Opens the store.
    pub(crate) fn open<D: Domain>(&self, domain: &D) -> anyhow::Result<Store> {
        Store::open(&self.directory.store(), domain).map_err(|error| hinted(error, self.command))
    }

    /// Refuses another kind of CPU or device than the run began on, unless it is accepted.
    pub(crate) fn check_place(&self, store: &mut Store, here: &str) -> anyhow::Result<()> {
        check_place(store, here, self.accept_cpu, self.command)
    }
}

/// Opens a run directory of optimizers to go on, when all that decides its outcomes is as it was;
/// gives the configuration it began with and its start programs too.
pub(crate) fn reopen(
    again: &Again<'_>,
    config: &Config,
    place: &Place,
) -> anyhow::Result<(Config, Vec<Program>, Store)> {
    let mut store = again.open(&config.domain()?)?;
    let original = unchanged(&store, &again.directory.path().join(CONFIG), config)?;
    check_data(&store, config)?;
    again.check_place(&mut store, &place.description(&config.settings.held_out))?;
    let starts = start_programs(&store, original.start.iter().len())?;
    Ok((original, starts, store))
}

/// Refuses overrides of anything but limits and the places of data.
pub(crate) fn check_overrides(overrides: &[String]) -> anyhow::Result<()> {
    for set in overrides {
        let key = set.split('=').next().unwrap_or_default().trim();
        if key != "stopping" && !key.starts_with("stopping.") && !is_of_data(key) {
            bail!(
                "--set {set}: `{key}` is part of what the run is; only `stopping`, and where data \
                 files lie, may change"
            );
        }
    }
    Ok(())
}

/// The programs that a run began with, as its store has them.
fn start_programs(store: &Store, count: usize) -> anyhow::Result<Vec<Program>> {
    let read = |birth| {
        let text = store.property(&start_property(birth))?;
        let text = text.with_context(|| format!("run.db: start program {birth} is missing"))?;
        Program::parse(&text).with_context(|| format!("run.db: its start program {birth}"))
    };
    (0..count).map(read).collect()
}

/// Whether a key is a task's data, or part of it.
fn is_of_data(key: &str) -> bool {
    let of_domains = ["evaluation.problem.Classes.data", "evaluation.data"];
    if let Some(rest) = of_domains.iter().find_map(|data| key.strip_prefix(data)) {
        return rest.is_empty() || rest.starts_with(['.', '[']);
    }
    let lists = [
        "evaluation.tasks[",
        "evaluation.held_out[",
        "evaluation.activation.tasks[",
        "evaluation.activation.held_out[",
    ];
    let index = lists.iter().find_map(|list| key.strip_prefix(list));
    let inner = index.and_then(|rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("].data")
    });
    inner.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Data that cannot be read may lie elsewhere by now.
fn moved(error: ConfigError, command: &str) -> anyhow::Error {
    if !is_of_data(error.key()) {
        return error.into();
    }
    let set = shell_word(&format!("{}=FILE", error.key()));
    anyhow::anyhow!("{error}; if it is elsewhere now: {command} --set {set}")
}

/// Refuses a configuration that is not the one the run began with, limits and the places of data
/// files aside; gives the one it began with.
fn unchanged(store: &Store, path: &Path, config: &Config) -> anyhow::Result<Config> {
    let original = self::original::<Config>(store)?;
    let mut before = original.clone();
    before.start = before.start.map(|_, source| match Starts::is_path(source) {
        true => path.with_file_name(source).to_string_lossy().into_owned(),
        false => source.to_owned(),
    });
    let comparable = |config: &Config| {
        let mut config = config.clone();
        let tasks = config.tasks_mut();
        tasks.flat_map(|(_, task)| task.data.paths_mut()).for_each(|path| path.clear());
        serde_json::to_value(&config)
    };
    let (before, now) = (comparable(&before)?, comparable(config)?);
    refuse_changes(path, &before, &now)?;
    Ok(original)
}

/// Refuses a configuration or data that are not those the run began with, limits and the places of
/// files aside: `clear_places` takes these out. The data are what is scored by, in words, and their
/// fingerprint.
pub(super) fn refuse_another<C: Clone + Serialize + DeserializeOwned>(
    store: &Store,
    directory: &Path,
    config: &C,
    (what, fingerprint): (&str, &str),
    clear_places: impl Fn(&mut C),
) -> anyhow::Result<()> {
    let comparable = |config: &C| {
        let mut config = config.clone();
        clear_places(&mut config);
        serde_json::to_value(&config)
    };
    let (before, now) = (comparable(&original(store)?)?, comparable(config)?);
    refuse_changes(&directory.join(CONFIG), &before, &now)?;
    refuse_other_data(store, what, fingerprint)
}

/// The configuration that a run began with.
fn original<C: DeserializeOwned>(store: &Store) -> anyhow::Result<C> {
    let text = store.property("config")?.context("run.db: it holds no configuration")?;
    ron::from_str(&text).context("run.db: its configuration")
}

/// Refuses data of `what` that are not those the run began with.
pub(super) fn refuse_other_data(store: &Store, what: &str, now: &str) -> anyhow::Result<()> {
    let before = store.property(FINGERPRINTS)?.unwrap_or_default();
    if before != now {
        bail!(
            "{what} holds other data than the run began with: the fingerprint was {before} and is \
             {now}"
        );
    }
    Ok(())
}

/// Refuses a configuration with another value than before at any key but the limits.
fn refuse_changes(path: &Path, before: &Value, now: &Value) -> anyhow::Result<()> {
    match difference("", before, now) {
        None => Ok(()),
        Some((key, before, now)) => bail!(
            "{}: `{key}` was {before} when the run began and is {now}; only `stopping` may change",
            path.display()
        ),
    }
}

/// Refuses data whose bytes are not those that the run began with.
fn check_data(store: &Store, config: &Config) -> anyhow::Result<()> {
    // Runs of earlier versions do not know.
    let Some(before) = store.property(FINGERPRINTS)? else { return Ok(()) };
    let (mut config, now) = (config.clone(), fingerprints(config)?);
    for (((key, task), now), before) in config.tasks_mut().zip(now).zip(before.split(' ')) {
        if now != before {
            let paths = task.data.paths_mut().into_iter().map(|path| path.display().to_string());
            bail!(
                "`{key}.data`: {} holds other data than the run began with: the fingerprint of \
                 `{}` was {before} and is {now}",
                paths.collect::<Vec<_>>().join(", "),
                task.name,
            );
        }
    }
    Ok(())
}

/// The first key whose value differs, with both values; the limits do not count.
fn difference(key: &str, before: &Value, now: &Value) -> Option<(String, String, String)> {
    if key == "stopping" {
        return None;
    }
    match (before, now) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            let inner = |name: &String| match key {
                "" => name.clone(),
                _ => format!("{key}.{name}"),
            };
            a.iter().find_map(|(name, value)| difference(&inner(name), value, &b[name]))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(index, (a, b))| difference(&format!("{key}[{index}]"), a, b))
        }
        _ if before == now => None,
        _ => Some((key.to_owned(), before.to_string(), now.to_string())),
    }
}

fn check_place(store: &mut Store, here: &str, accept: bool, command: &str) -> anyhow::Result<()> {
    let before = store.property("cpu")?.unwrap_or_default();
    if here == before {
        return Ok(());
    }
    if !accept {
        bail!(
            "the run began on another kind of CPU or device ({before}) than this one ({here}), \
             which may round differently: the end may not be that of an uninterrupted run. To go \
             on all the same: {command} --accept-cpu"
        );
    }
    store.set_property("cpu", here)?;
    Ok(store.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_data_of_tasks_may_be_elsewhere_and_nothing_else_of_them() {
        for key in ["tasks[0].data", "held_out[12].data.images", "tasks[1].data.files[2]"] {
            assert!(is_of_data(&format!("evaluation.{key}")), "{key}");
        }
        for key in ["tasks[0].data_fraction", "tasks[0].steps", "tasks", "data_seed"] {
            assert!(!is_of_data(&format!("evaluation.{key}")), "{key}");
        }
    }

    #[test]
    fn the_first_difference_is_named_by_its_key_and_limits_do_not_count() {
        let before = json!({"seed": 1, "stopping": {"candidates": 5}, "tasks": [{"steps": 3}]});
        let mut now = before.clone();
        now["stopping"]["candidates"] = json!(7);
        assert_eq!(difference("", &before, &now), None);
        now["tasks"][0]["steps"] = json!(4);
        let expected = ("tasks[0].steps".to_owned(), "3".to_owned(), "4".to_owned());
        assert_eq!(difference("", &before, &now), Some(expected));
    }
}
