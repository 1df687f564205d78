//! Paths: how the files a configuration names are found from wherever it is read or written.
//!
//! Invariant: a path that was given relative goes on being relative when the configuration is
//! written elsewhere, so that a project can be moved as a whole; an absolute one stays as it was
//! given.

use std::path::{Component, Path, PathBuf};

use evo_evaluators::TaskConfig;

use super::Config;

impl Config {
    /// Makes paths independent of where the configuration stands: those that its file states
    /// (`file`, as it is without overrides) start at its folder, those of overrides at the working
    /// directory.
    pub(super) fn anchor(&mut self, base: &Path, file: &Config) {
        self.start = self.start.anchored(base, &file.start);
        anchored(base, self.data_paths_mut(), &file.clone().data_paths_mut());
    }

    /// The same configuration for a file in `folder`, which is there; `base` is the folder of the
    /// file it was read from. Paths that were relative are so from there, unless nothing but the
    /// root of the file system holds both; all others are absolute.
    #[must_use]
    pub fn placed_in(&self, folder: &Path, base: &Path) -> Config {
        let mut placed = self.clone();
        placed.data_paths_mut().into_iter().for_each(|(_, path)| self::placed(path, folder, base));
        placed
    }

    /// The tasks, then those held out, with their keys.
    pub fn tasks_mut(&mut self) -> impl Iterator<Item = (String, &mut TaskConfig)> {
        let evaluation = &mut self.evaluation;
        let lists = [("tasks", &mut evaluation.tasks), ("held_out", &mut evaluation.held_out)];
        lists.into_iter().flat_map(|(list, tasks)| {
            let key = move |index: usize| format!("evaluation.{list}[{index}]");
            tasks.iter_mut().enumerate().map(move |(index, task)| (key(index), task))
        })
    }

    /// Every path of a data file, by its task's key and its number among the task's.
    fn data_paths_mut(&mut self) -> Vec<((String, usize), &mut PathBuf)> {
        let mut found = Vec::new();
        for (key, task) in self.tasks_mut() {
            let paths = task.data.paths_mut().into_iter().enumerate();
            found.extend(paths.map(|(index, path)| ((key.clone(), index), path)));
        }
        found
    }
}

/// Lets paths that a file states start at `base`, its folder; all others stay.
pub(super) fn anchored<K: PartialEq>(
    base: &Path,
    paths: Vec<(K, &mut PathBuf)>,
    stated: &[(K, &mut PathBuf)],
) {
    for (key, path) in paths {
        if stated.iter().any(|(other, stated)| *other == key && *stated == path) {
            *path = base.join(&*path);
        }
    }
}

/// Makes a path one for a file in `folder`; `base` is the folder of the file it was read from.
pub(super) fn placed(path: &mut PathBuf, folder: &Path, base: &Path) {
    let was_relative = path.is_relative() || (base.is_absolute() && path.starts_with(base));
    let relative = was_relative.then(|| relative(folder, path)).flatten();
    let absolute = || std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
    *path = relative.unwrap_or_else(absolute);
}

/// The way from a folder to a file, as the system follows it; `None` if that leads through the
/// root, or one of the two is not there.
fn relative(folder: &Path, file: &Path) -> Option<PathBuf> {
    let parent = file.parent().filter(|parent| *parent != Path::new(""));
    let folder = folder.canonicalize().ok()?;
    // The file itself may be a link, which is to be followed when it is read.
    let target = parent.unwrap_or(Path::new(".")).canonicalize().ok()?.join(file.file_name()?);
    let same = folder.components().zip(target.components()).take_while(|(a, b)| a == b).count();
    if !folder.components().take(same).any(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let up = folder.components().skip(same).map(|_| Component::ParentDir);
    Some(up.chain(target.components().skip(same)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_between_two_places_is_relative_unless_it_leads_through_the_root() {
        let scratch = tempfile::TempDir::new().expect("there is room");
        let at = |name: &str| scratch.path().join(name);
        for folder in ["runs/one", "data"] {
            std::fs::create_dir_all(at(folder)).expect("there is room");
        }
        let way = |from: &str, to: &str| relative(&at(from), &at(to));
        assert_eq!(way("runs/one", "data/x"), Some("../../data/x".into()));
        assert_eq!(way("runs/one", "runs/../data/x"), Some("../../data/x".into()));
        assert_eq!(way("runs", "runs/x"), Some("x".into()));
        assert_eq!(way("runs", "nowhere/x"), None);
        assert_eq!(relative(&at("runs"), Path::new("/x")), None);
    }
}
