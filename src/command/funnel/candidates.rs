//! The candidates of a funnel: of a run its hall of fame and the best that behave differently, and
//! any other program for itself.

use std::path::Path;

use anyhow::bail;
use evo::{ProgramSourceError, Store};

use crate::command::run_directory;
use crate::command::studies::{self, Named};

/// Fitness closer than this to that of a candidate before it is most likely its program again, with
/// something that no task shows.
const APART: f64 = 1e-4;

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
        if evo::holds_learners(&store)? {
            bail!("{source}: is a run of learners, and a funnel is for optimizers");
        }
        if evo::holds_graphs(&store)? {
            bail!("{source}: is a run of compute graphs, and a funnel is for optimizers");
        }
        if !evo::keeps_births(&store)? {
            return Err(ProgramSourceError::NoBirths { run: path.to_owned() }.into());
        }
        let mut births = best(store.ranked()?, most);
        births.extend(store.hall_of_fame()?.into_iter().map(|champion| champion.birth));
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

/// The fittest births, each of another fitness than the one before.
fn best(ranked: Vec<(u64, f64)>, most: usize) -> Vec<u64> {
    let mut before = f64::INFINITY;
    let apart = ranked.into_iter().filter(|(_, fitness)| {
        let apart = before - fitness > APART;
        if apart {
            before = *fitness;
        }
        apart
    });
    apart.take(most).map(|(birth, _)| birth).collect()
}

#[cfg(test)]
mod tests {
    use super::best;

    #[test]
    fn of_births_with_one_fitness_the_first_is_taken() {
        let ranked = vec![(7, 0.5), (3, 0.49995), (9, 0.49985), (2, 0.4), (5, 0.4), (1, 0.1)];
        assert_eq!(best(ranked.clone(), 3), [7, 9, 2]);
        assert_eq!(best(ranked, 10), [7, 9, 2, 1]);
        assert!(best(Vec::new(), 3).is_empty());
    }
}
