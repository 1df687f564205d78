//! The run directory: what a search leaves behind.
//!
//! Invariant: a file in it is always whole; an interruption leaves the previous version. Its
//! configuration names files relative to it where the configuration searched with did, so that it
//! can be moved with them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use evo::{
    Config, ConfigError, ConfigText, DependsOn, Domain, Program, RunConfig, Search, Starts, Store,
    shell_path,
};
use serde::Serialize;

use super::whole_file;

/// The name of the store in a run directory.
pub(crate) const STORE: &str = "run.db";

/// The name of the configuration in a run directory.
pub(crate) const CONFIG: &str = "config.ron";

/// The name of a start program that was not of the zoo: by its birth, where there are several.
fn start_file(birth: usize, starts: usize) -> String {
    if starts == 1 { "start.py".to_owned() } else { format!("start-{birth}.py") }
}

/// The property of the store that holds the start program of this birth.
pub(crate) fn start_property(birth: usize) -> String {
    if birth == 0 { "start".to_owned() } else { format!("start-{birth}") }
}

/// The property of the store that holds the fingerprints of the run's tasks, in order, those held
/// out behind the others.
pub(crate) const FINGERPRINTS: &str = "fingerprints";

/// The property of the store that names an evaluator that is not ours.
const OBJECTIVE: &str = "objective";

/// The property of the store that says what its outcomes depend on.
const DEPENDS_ON: &str = "depends_on";

/// The directory of one run.
#[derive(Clone, Debug)]
pub(crate) struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Where a run will be, without creating it: `out`, which must be new or empty, or the next
    /// free `runs/NAME-seedN`.
    pub(crate) fn plan(
        out: Option<&Path>,
        config: &Path,
        seed: u64,
    ) -> anyhow::Result<RunDirectory> {
        if let Some(out) = out {
            if out.exists() && !is_empty_directory(out) {
                bail!("--out {}: already exists and is not an empty directory", out.display());
            }
            return Ok(RunDirectory { path: out.to_owned() });
        }
        let stem = config.file_stem().unwrap_or_default().to_string_lossy();
        let base = Path::new("runs").join(format!("{stem}-seed{seed}"));
        let numbered =
            (2..).map(|number| base.with_file_name(format!("{stem}-seed{seed}-{number}")));
        let mut free = std::iter::once(base.clone()).chain(numbered).filter(|path| !path.exists());
        let path = free.next().expect("there are more numbers than directories");
        Ok(RunDirectory { path })
    }

    /// The directory of a run that has begun.
    pub(crate) fn open(path: &Path) -> anyhow::Result<RunDirectory> {
        for name in [STORE, CONFIG] {
            if !path.join(name).is_file() {
                bail!("{}: no run to resume: there is no {name} in it", path.display());
            }
        }
        Ok(RunDirectory { path: path.to_owned() })
    }

    /// The same, wherever the process goes meanwhile.
    pub(crate) fn absolute(&self) -> anyhow::Result<RunDirectory> {
        let path = std::path::absolute(&self.path);
        Ok(RunDirectory { path: path.with_context(|| self.path.display().to_string())? })
    }

    /// The text of its configuration.
    pub(crate) fn config_text(&self) -> Result<ConfigText, ConfigError> {
        ConfigText::read(&self.path.join(CONFIG))
    }

    /// Says that the run is evaluated by whoever tells outcomes, an evaluator of this name, whose
    /// outcomes depend on this.
    pub(crate) fn note_objective(
        store: &mut Store,
        name: &str,
        depends_on: DependsOn,
    ) -> anyhow::Result<()> {
        store.set_property(OBJECTIVE, name)?;
        store.set_property(DEPENDS_ON, &format!("{depends_on:?}"))?;
        Ok(store.commit()?)
    }

    /// The name of the evaluator that is not ours, and what its outcomes depend on; `None` of a run
    /// that is evaluated as its configuration says.
    pub(crate) fn objective(&self) -> anyhow::Result<Option<(String, DependsOn)>> {
        let store = Store::read(&self.store())?;
        let Some(name) = store.property(OBJECTIVE)? else { return Ok(None) };
        let depends_on = match store.property(DEPENDS_ON)?.as_deref() {
            Some("Behaviour") => DependsOn::Behaviour,
            Some("Structure") => DependsOn::Structure,
            _ => DependsOn::Text,
        };
        Ok(Some((name, depends_on)))
    }

    /// Refuses to go on with a run that is evaluated by whoever tells outcomes.
    pub(crate) fn refuse_objective(&self) -> anyhow::Result<()> {
        let instead = "go on from Python, with evo_search.Search.resume";
        refuse_objective(&Store::read(&self.store())?, &self.path, instead)
    }

    /// Creates the directory with the configuration as resolved, the start programs that were
    /// files, and the store, which knows the place that networks are trained at. `base` is the
    /// folder of the file the configuration was read from.
    pub(crate) fn create(
        &self,
        config: &Config,
        base: &Path,
        starts: &[Program],
        place: &str,
    ) -> anyhow::Result<Store> {
        self.make()?;
        for (birth, (source, program)) in config.start.iter().zip(starts).enumerate() {
            if Starts::is_path(source) {
                self.write(&start_file(birth, starts.len()), program.to_string().as_bytes())?;
            }
        }
        let start = config.start.map(|birth, source| match Starts::is_path(source) {
            true => start_file(birth, starts.len()),
            false => source.to_owned(),
        });
        let text = self.write_config(&Config { start, ..config.clone() }, base)?;
        let fingerprints = fingerprints(config)?.join(" ");
        let properties = [("config", &*text), ("cpu", place), (FINGERPRINTS, &fingerprints)];
        self.begin(&properties, starts)
    }

    /// Creates the folder, if it is not there.
    pub(crate) fn make(&self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.path).with_context(|| self.path.display().to_string())
    }

    /// Creates the store, with properties that describe the run, its start programs among them.
    pub(crate) fn begin<P: ToString>(
        &self,
        properties: &[(&str, &str)],
        starts: &[P],
    ) -> anyhow::Result<Store> {
        let property = |(birth, it): (usize, &P)| (start_property(birth), it.to_string());
        let starts: Vec<(String, String)> = starts.iter().enumerate().map(property).collect();
        let mut all = vec![("evo", env!("CARGO_PKG_VERSION"))];
        all.extend(properties);
        all.extend(starts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        Ok(Store::create(&self.store(), &all)?)
    }

    /// Writes a configuration, read from a file in `base`; gives the text.
    pub(crate) fn write_config(&self, config: &Config, base: &Path) -> anyhow::Result<String> {
        let text = config.placed_in(&self.path, base).to_ron();
        self.write(CONFIG, text.as_bytes())?;
        Ok(text)
    }

    /// Writes a configuration whose paths are for it.
    pub(crate) fn write_text<S, M, E>(&self, config: &RunConfig<S, M, E>) -> anyhow::Result<()>
    where
        RunConfig<S, M, E>: Serialize,
    {
        self.write(CONFIG, config.to_ron().as_bytes())
    }

    /// The file of its store.
    pub(crate) fn store(&self) -> PathBuf {
        self.path.join(STORE)
    }

    /// Writes what has been found so far.
    pub(crate) fn save<D: Domain>(&self, search: &Search<D>) -> anyhow::Result<()> {
        let mut table = Vec::new();
        search.hall_of_fame().write_csv(search.domain(), &mut table)?;
        self.write("hall_of_fame.csv", &table)?;
        if let Some(best) = search.best() {
            let text = search.domain().live_text(&best.individual.program);
            self.write("best.py", text.as_bytes())?;
        }
        Ok(())
    }

    /// Writes a file of the run, whole or not at all.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        whole_file::write(&self.path.join(name), content)
    }

    /// The command that goes on with the run.
    pub(crate) fn resume_command(&self) -> String {
        format!("evo resume {}", shell_path(&self.path))
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Refuses to evaluate programs of a run whose outcomes are told by someone else; says what to do
/// instead.
pub(crate) fn refuse_objective(store: &Store, run: &Path, instead: &str) -> anyhow::Result<()> {
    let Some(name) = store.property(OBJECTIVE)? else { return Ok(()) };
    bail!(
        "{}: its programs are scored by the objective `{name}`, which is no part of evo; {instead}",
        run.display()
    )
}

/// The fingerprint of every task of a configuration, those held out behind the others.
pub(crate) fn fingerprints(config: &Config) -> anyhow::Result<Vec<String>> {
    let evaluation = &config.evaluation;
    let tasks = evaluation.tasks.iter().chain(&evaluation.held_out);
    tasks.map(|task| Ok(evaluation.fingerprint(task, "".as_ref())?.to_string())).collect()
}

fn is_empty_directory(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}
