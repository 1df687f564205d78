//! The folder of a simplification by evidence.
//!
//! Invariant: what it holds is of one program and one configuration. A folder that holds anything
//! else is refused before anything is evaluated; one that holds the same, whole or interrupted, is
//! gone on with.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use evo::Hash;
use serde::Serialize;
use serde_json::Value;

use crate::args::SimplifyArgs;
use crate::command::{studies, whole_file};

/// The file of the program.
const PROGRAM: &str = "simplified.py";

/// The key of what a simplification is of.
const OF: &str = "of";

/// A folder, and what it is of.
pub(super) struct Folder {
    path: PathBuf,
    /// The file of the steps.
    name: &'static str,
    /// Of the program as it came, and the configuration.
    of: Hash,
}

impl Folder {
    /// Opens the folder that was asked for, with the steps in a file of this name; it is made where
    /// there is none.
    pub(super) fn open(
        args: &SimplifyArgs,
        name: &'static str,
        program: &str,
        config: &impl Serialize,
    ) -> anyhow::Result<Folder> {
        let path = args.out.clone().unwrap_or_else(|| Path::new("runs").join("simplify"));
        let of = Hash::of(format!("{program}\n{}", serde_json::to_string(config)?).as_bytes());
        let folder = Folder { path, name, of };
        if folder.path.exists() {
            folder.check()?;
        }
        let made = std::fs::create_dir_all(&folder.path);
        made.with_context(|| format!("--out {}", folder.path.display()))?;
        Ok(folder)
    }

    /// Refuses a folder that holds something else.
    fn check(&self) -> anyhow::Result<()> {
        let place = self.path.display();
        if !self.path.is_dir() {
            bail!("--out {place}: is no directory");
        }
        let entries = std::fs::read_dir(&self.path).with_context(|| place.to_string())?;
        for entry in entries {
            let name = entry.with_context(|| place.to_string())?.file_name();
            let name = name.to_string_lossy();
            // A file that is being written lies beside its place.
            let own = [self.name, PROGRAM, studies::FILE].into_iter();
            let own = own.flat_map(|own| [own.to_owned(), whole_file::beside(own)]);
            if !own.into_iter().any(|own| own == name) {
                bail!("--out {place}: holds `{name}`, which is of no simplification");
            }
        }
        let steps = self.path.join(self.name);
        if steps.exists() {
            let text = std::fs::read_to_string(&steps);
            let text = text.with_context(|| steps.display().to_string())?;
            let earlier: Value = serde_json::from_str(&text).unwrap_or_default();
            if earlier[OF] != self.of.to_string() {
                bail!(
                    "--out {place}: holds the simplification of another program, or by another \
                     configuration; give another folder"
                );
            }
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the steps, an object, and the program.
    pub(super) fn write(&self, mut steps: Value, program: &str) -> anyhow::Result<()> {
        steps[OF] = self.of.to_string().into();
        let json = serde_json::to_string_pretty(&steps)? + "\n";
        whole_file::write(&self.path.join(self.name), json.as_bytes())?;
        whole_file::write(&self.path.join(PROGRAM), program.as_bytes())
    }
}
