//! The store of studies: a line of JSON for each, written as soon as it is done.
//!
//! Invariant: a study is known by all that its figures depend on, the program, the task, the budget
//! and the kind of CPU, so a folder can hold those of any number of comparisons, and one that was
//! interrupted goes on where it was. A line that was cut off is as if it had never been written.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use evo::{EvaluatorError, Hash, Program, Setting, Study};
use serde::{Deserialize, Serialize};

use crate::command::{cpu, whole_file};

/// The name of the file in its folder.
pub(crate) const FILE: &str = "studies.jsonl";

/// What a study is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StudyKey(Hash);

/// The studies of a folder.
pub(crate) struct StudyStore {
    path: PathBuf,
    known: Mutex<HashMap<String, Study>>,
    file: Mutex<File>,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    program: String,
    task: String,
    study: Study,
}

impl StudyKey {
    /// The key of a program's study, the fingerprint being that of task and budget.
    pub(crate) fn of(program: &Program, fingerprint: Hash) -> StudyKey {
        let text = format!("{fingerprint}\n{}\n{}", cpu::description(), program.live());
        StudyKey(Hash::of(text.as_bytes()))
    }

    /// The key of a study near a setting.
    pub(crate) fn near(program: &Program, fingerprint: Hash, setting: &Setting) -> StudyKey {
        let StudyKey(own) = StudyKey::of(program, fingerprint);
        StudyKey(Hash::of(format!("{own} near {setting:?}").as_bytes()))
    }
}

impl StudyStore {
    /// Opens the store of a folder, which is made where there is none.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<StudyStore> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let path = folder.join(FILE);
        let whole = whole_file::whole_lines(&path)?;
        let mut known = HashMap::new();
        for (index, line) in whole.lines().enumerate() {
            let place = || format!("{}:{}: no study", path.display(), index + 1);
            let line: Line = serde_json::from_str(line).with_context(place)?;
            known.insert(line.key, line.study);
        }
        let file = File::options().create(true).append(true).open(&path);
        let file = file.with_context(|| path.display().to_string())?;
        Ok(StudyStore { path, known: Mutex::new(known), file: Mutex::new(file) })
    }

    /// Where the studies are.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A study that is known.
    pub(super) fn get(&self, key: &StudyKey) -> Option<Study> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&key.0.to_string()).cloned()
    }

    /// A study that is known, or made now and kept.
    pub(crate) fn get_or_make(
        &self,
        key: StudyKey,
        program: &str,
        task: &str,
        make: impl FnOnce() -> Result<Study, EvaluatorError>,
    ) -> anyhow::Result<Study> {
        if let Some(study) = self.get(&key) {
            return Ok(study);
        }
        let study = make()?;
        self.keep(key, program, task, &study)?;
        Ok(study)
    }

    /// Takes in a study, on disk first.
    fn keep(&self, key: StudyKey, program: &str, task: &str, study: &Study) -> anyhow::Result<()> {
        let (key, study) = (key.0.to_string(), study.clone());
        let line = Line { key, program: program.to_owned(), task: task.to_owned(), study };
        let text = serde_json::to_string(&line)? + "\n";
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // In one call: a line is whole, or the last of the file.
        file.write_all(text.as_bytes()).with_context(|| self.path.display().to_string())?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(line.key, line.study);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use evo::{StudyRun, Tried};

    use super::*;

    fn study(loss: f64) -> Study {
        let setting =
            Setting { learning_rate: 0.1 + 0.2, weight_decay: None, hyperparameters: vec![1e-300] };
        Study {
            tried: vec![Tried { setting, loss: Some(loss) }],
            best: 0,
            at_edge: true,
            runs: vec![StudyRun { seed: 0, loss: None, course: vec![(3, loss)] }],
        }
    }

    #[test]
    fn what_was_kept_is_there_to_the_bit_and_a_line_cut_off_is_not() {
        let scratch = tempfile::TempDir::new().expect("there is room");
        let folder = scratch.path().join("new");
        let key = |name: &str| StudyKey(Hash::of(name.as_bytes()));
        let store = StudyStore::open(&folder).expect("there is room");
        for (name, loss) in [("a", 0.1), ("b", 1.0 / 3.0)] {
            store.keep(key(name), name, "task", &study(loss)).expect("there is room");
        }
        drop(store);
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).expect("it is there");
        std::fs::write(&path, &text[..text.len() - 9]).expect("there is room");
        let store = StudyStore::open(&folder).expect("it is mended");
        assert_eq!(store.get(&key("a")), Some(study(0.1)));
        assert_eq!(store.get(&key("b")), None);
        store.keep(key("b"), "b", "task", &study(1.0 / 3.0)).expect("there is room");
        drop(store);
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        std::fs::write(&path, format!("{text}{{}}\n")).expect("there is room");
        let error = StudyStore::open(&folder).err().expect("it is damaged").to_string();
        assert!(error.contains("studies.jsonl:3"), "{error}");
    }
}
