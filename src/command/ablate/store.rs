//! The store of an ablation: a line of JSON for each leg, and one for its times.
//!
//! Invariant: the line of a leg is written last, so that one that is there has its times, and a
//! line that was cut off is as if it had never been written. A leg is known by all that it depends
//! on, so one folder can hold those of several configurations, and what is there is not run again.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use evo::Hash;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::leg::{Finished, Leg, Times};
use crate::command::whole_file;

/// The names of the files in their folder.
const LEGS: &str = "legs.jsonl";
const TIMES: &str = "times.jsonl";

/// The legs of a folder.
pub(super) struct LegStore {
    known: HashMap<String, Finished>,
    legs: Lines,
    times: Lines,
}

/// A file that lines are added to.
struct Lines {
    path: PathBuf,
    file: File,
}

/// A line of either file.
#[derive(Serialize, Deserialize)]
struct Line<T> {
    key: String,
    arm: String,
    seed: u64,
    #[serde(flatten)]
    content: T,
}

impl Lines {
    /// Opens a file and gives what is in it; an unfinished last line is dropped.
    fn open<T: DeserializeOwned>(path: PathBuf) -> anyhow::Result<(Lines, Vec<Line<T>>)> {
        let whole = whole_file::whole_lines(&path)?;
        let read = |(index, line): (usize, &str)| {
            let place = || format!("{}:{}: no run of an ablation", path.display(), index + 1);
            serde_json::from_str(line).with_context(place)
        };
        let lines = whole.lines().enumerate().map(read).collect::<anyhow::Result<_>>()?;
        let file = File::options().create(true).append(true).open(&path);
        let file = file.with_context(|| path.display().to_string())?;
        Ok((Lines { path, file }, lines))
    }

    fn add<T: Serialize>(&mut self, line: &Line<T>) -> anyhow::Result<()> {
        let text = serde_json::to_string(line)? + "\n";
        // In one call: a line is whole, or the last of the file.
        self.file.write_all(text.as_bytes()).with_context(|| self.path.display().to_string())
    }
}

impl LegStore {
    /// Opens the store of a folder, which is made where there is none.
    pub(super) fn open(folder: &Path) -> anyhow::Result<LegStore> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let (legs, known) = Lines::open::<Leg>(folder.join(LEGS))?;
        let (times, of_times) = Lines::open::<Times>(folder.join(TIMES))?;
        // The latest of a key: an earlier one lost its leg.
        let mut by_key: HashMap<String, Times> =
            of_times.into_iter().map(|line| (line.key, line.content)).collect();
        let finished = known.into_iter().filter_map(|line| {
            let times = by_key.remove(&line.key)?;
            Some((line.key, Finished { leg: line.content, times }))
        });
        Ok(LegStore { known: finished.collect(), legs, times })
    }

    /// A leg that is known.
    pub(super) fn get(&self, key: Hash) -> Option<&Finished> {
        self.known.get(&key.to_string())
    }

    /// Takes in a leg, on disk first.
    pub(super) fn keep(
        &mut self,
        key: Hash,
        (arm, seed): (&str, u64),
        finished: Finished,
    ) -> anyhow::Result<()> {
        let (key, arm) = (key.to_string(), arm.to_owned());
        let Finished { leg, times } = finished.clone();
        self.times.add(&Line { key: key.clone(), arm: arm.clone(), seed, content: times })?;
        self.legs.add(&Line { key: key.clone(), arm, seed, content: leg })?;
        self.known.insert(key, finished);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::leg::tests::finished;
    use super::*;

    #[test]
    fn what_was_kept_is_there_to_the_bit_and_a_leg_cut_off_is_not() {
        let scratch = tempfile::TempDir::new().expect("there is room");
        let folder = scratch.path().join("new");
        let key = |name: &str| Hash::of(name.as_bytes());
        let (a, b) = (finished(&[0.1 + 0.2, 1.0 / 3.0], 100), finished(&[-1e-300], 70));
        let mut store = LegStore::open(&folder).expect("there is room");
        store.keep(key("a"), ("off", 1), a.clone()).expect("there is room");
        store.keep(key("b"), ("off", 2), b.clone()).expect("there is room");
        drop(store);
        let path = folder.join(LEGS);
        let text = std::fs::read_to_string(&path).expect("it is there");
        std::fs::write(&path, &text[..text.len() - 9]).expect("there is room");
        let mut store = LegStore::open(&folder).expect("it is mended");
        assert_eq!((store.get(key("a")), store.get(key("b"))), (Some(&a), None));
        store.keep(key("b"), ("off", 2), b.clone()).expect("there is room");
        drop(store);
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        let store = LegStore::open(&folder).expect("it is sound");
        assert_eq!(store.get(key("b")), Some(&b));
        std::fs::write(&path, format!("{text}{{}}\n")).expect("there is room");
        let error = LegStore::open(&folder).err().expect("it is damaged").to_string();
        assert!(error.contains("legs.jsonl:3"), "{error}");
    }
}
