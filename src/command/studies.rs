//! Studies of programs on tasks: those that a folder has not got yet, made and kept.

mod store;

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use evo::{Program, StudiedTask, Study, StudyConfig, parallel_map, structural_hash, zoo};

pub(crate) use self::store::{FILE, StudyKey, StudyStore};
use crate::args::StudyArgs;

/// A program and where it comes from.
pub(crate) type Named = (String, Program);

/// AdamW, which gains are measured from.
pub(crate) fn adamw() -> Named {
    let adamw = zoo::get("adamw").expect("AdamW is in the zoo");
    (format!("zoo:{}", adamw.name), adamw.program())
}

/// The folder of studies: as asked, or by what it is for and the name of the configuration, so that
/// an audit finds those of a comparison on the same tasks.
pub(crate) fn folder(purpose: &str, args: &StudyArgs, config: &Path) -> PathBuf {
    let stem = || config.file_stem().unwrap_or_default().to_string_lossy();
    let own = || Path::new("runs").join(format!("{purpose}-{}", stem()));
    args.out.clone().unwrap_or_else(own)
}

/// The programs without those that have the structure of an earlier one.
pub(crate) fn distinct(mut programs: Vec<Named>) -> Vec<Named> {
    let mut seen = HashSet::new();
    programs.retain(|(_, program)| seen.insert(structural_hash(program)));
    programs
}

/// The study of each program on each task, in the order of both. Those that `folder` has not got
/// are made several at a time and kept there as they are done.
pub(crate) fn of(
    folder: &Path,
    (config, tasks): (&StudyConfig, &[StudiedTask]),
    programs: &[Named],
    threads: NonZeroUsize,
    quiet: bool,
) -> anyhow::Result<Vec<Vec<Study>>> {
    let store = StudyStore::open(folder)?;
    let mut units = Vec::new();
    for (task, studied) in config.tasks.iter().zip(tasks) {
        let fingerprint = config.fingerprint(task, "".as_ref())?;
        for (name, program) in programs {
            units.push((StudyKey::of(program, fingerprint), &task.name, name, program, studied));
        }
    }
    let missing: Vec<_> = units.iter().filter(|(key, ..)| store.get(key).is_none()).collect();
    if !quiet && missing.len() < units.len() {
        let known = units.len() - missing.len();
        eprintln!("{known} of {} studies are in {}", units.len(), store.path().display());
    }
    let done = AtomicUsize::new(0);
    let made = parallel_map(threads, &missing, |(key, task, name, program, studied)| {
        let study = store.get_or_make(*key, name, task, || studied.study(program))?;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if !quiet {
            let loss = study.loss().map_or("does not train".to_owned(), |it| format!("{it:.4}"));
            eprintln!("{done}/{} {name} on {task}: {loss}", missing.len());
        }
        anyhow::Ok(())
    });
    made.into_iter().collect::<anyhow::Result<()>>()?;
    let of_program = |program: usize| {
        let units = units.iter().skip(program).step_by(programs.len());
        units.map(|(key, ..)| store.get(key).expect("what was missing was made")).collect()
    };
    Ok((0..programs.len()).map(of_program).collect())
}
