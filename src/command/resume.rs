//! `evo resume`: goes on with a run where it was when it ended, however it ended.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use evo::{Config, Program, Store};
use serde_json::Value;

use super::place::Place;
use super::run_directory::RunDirectory;
use super::session::Session;
use crate::args::ResumeArgs;

pub(crate) fn run(args: &ResumeArgs) -> anyhow::Result<ExitCode> {
    let directory = RunDirectory::open(&args.run_directory)?;
    for set in &args.overrides {
        let key = set.split('=').next().unwrap_or_default().trim();
        if key != "stopping" && !key.starts_with("stopping.") {
            bail!("--set {set}: `{key}` is part of what the run is; only `stopping` may change");
        }
    }
    let path = directory.path().join("config.ron");
    let config = Config::load_with_baselines(&path, &args.overrides)?;
    let place = Place::open(&args.run.device)?;
    let mut store = Store::open(&directory.store())?;
    let mut written = unchanged(&store, &path)?;
    check_place(&mut store, &place, args.accept_cpu)?;
    let start = store.property("start")?.context("run.db: it does not name its start program")?;
    let start = Program::parse(&start).context("run.db: its start program")?;
    let evaluator = place.evaluator(&config)?;
    let search = config.search_from(start)?.with_store(store)?;
    written.stopping = config.stopping;
    directory.write("config.ron", written.to_ron().as_bytes())?;
    let threads = place.threads(args.run.threads);
    let births = search.counters().births;
    let session = Session {
        config: &config,
        evaluator: &evaluator,
        directory: &directory,
        place: &place,
        args: &args.run,
    };
    session.say(&format!(
        "resuming {} near candidate {births} on {threads} threads",
        directory.path().display()
    ));
    session.run(search)
}

/// Refuses a configuration that is not the one the run began with, limits aside; gives it as it is
/// written.
fn unchanged(store: &Store, path: &Path) -> anyhow::Result<Config> {
    let original = store.property("config")?.context("run.db: it holds no configuration")?;
    let read = |text: &str| -> anyhow::Result<(Config, Value)> {
        let config: Config = ron::from_str(text)?;
        let value = serde_json::to_value(&config)?;
        Ok((config, value))
    };
    let (_, original) = read(&original).context("run.db: its configuration")?;
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let (config, now) = read(&text).with_context(|| path.display().to_string())?;
    if let Some((key, before, now)) = difference("", &original, &now) {
        bail!(
            "{}: `{key}` was {before} when the run began and is {now}; only `stopping` may change",
            path.display()
        );
    }
    Ok(config)
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

fn check_place(store: &mut Store, place: &Place, accept: bool) -> anyhow::Result<()> {
    let (here, before) = (place.description(), store.property("cpu")?.unwrap_or_default());
    if here == before {
        return Ok(());
    }
    if !accept {
        bail!(
            "the run began on another kind of CPU or device ({before}) than this one ({here}), which may \
             round differently: the end may not be that of an uninterrupted run. \
             --accept-cpu goes on all the same"
        );
    }
    store.set_property("cpu", &here)?;
    Ok(store.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
