//! The candidates of a funnel: of a run its hall of fame and the best that behave differently, and
//! any other program for itself.

use std::path::Path;

use anyhow::bail;
use evo::Store;

use crate::command::run_directory;
use crate::command::studies::{self, Named};

/// The candidates of all sources, `most` of each run besides its hall of fame; of those that are
/// the same the first.
pub(super) fn of(sources: &[String], most: usize) -> anyhow::Result<Vec<Named>> {
    let mut candidates: Vec<Named> = Vec::new();
    for source in sources {
        let path = Path::new(source);
        if !path.is_dir() {
            candidates.push((source.clone(), evo::load_program(source, "".as_ref())?));
            continue;
        }
        let store = Store::read(&path.join(run_directory::STORE))?;
        let best = store.ranked()?.into_iter().take(most).map(|(birth, _)| birth);
        let mut births: Vec<u64> = best.chain(store.champions()?).collect();
        births.sort_unstable();
        births.dedup();
        for birth in births {
            let source = format!("{source}:{birth}");
            let program = evo::load_program(&source, "".as_ref())?;
            candidates.push((source, program));
        }
    }
    let candidates = studies::distinct(candidates);
    if candidates.is_empty() {
        bail!("there are no candidates: no program of these runs has a score");
    }
    Ok(candidates)
}
