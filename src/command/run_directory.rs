//! The run directory: what a search leaves behind.
//!
//! Invariant: a file in it is always whole. It is written beside its place and then moved there,
//! so that an interruption leaves the previous version.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use evo::{Config, Search};

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

    /// Creates the directory and writes the configuration as resolved.
    pub(crate) fn create(&self, config: &Config) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.path).with_context(|| self.path.display().to_string())?;
        self.write("config.ron", config.to_ron().as_bytes())
    }

    /// Writes what has been found so far.
    pub(crate) fn save(&self, search: &Search) -> anyhow::Result<()> {
        let mut table = Vec::new();
        search.hall_of_fame().write_csv(&mut table)?;
        self.write("hall_of_fame.csv", &table)?;
        if let Some(best) = search.best() {
            self.write("best.py", best.individual.program.live().to_string().as_bytes())?;
        }
        Ok(())
    }

    /// Writes a file of the run, whole or not at all.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let (place, beside) = (self.path.join(name), self.path.join(format!(".{name}.new")));
        std::fs::write(&beside, content).with_context(|| beside.display().to_string())?;
        std::fs::rename(&beside, &place).with_context(|| place.display().to_string())
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn is_empty_directory(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}
