//! The lineage of a birth in a run of learners that keeps no births: the run is made again, up to
//! that birth, as it is a function of its configuration.
//!
//! Invariant: what is told is the lineage of that very run. The tasks must have its fingerprint,
//! and every champion that its store knows must be born again, with the same program; otherwise
//! nothing is told. The run itself is only read: the run made again has a store of its own, in a
//! temporary folder, since what a search remembers is set back at every snapshot.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use evo::{Ancestor, Ancestors, Domain, Evaluators, LearnerSearch, RunOptions, Stopping, Store};

use crate::command::resume;
use crate::command::run_directory::{self, CONFIG};

/// The path from a start program to a birth; `None` where the run has not come to it.
pub(super) fn of(
    directory: &Path,
    store: &Store,
    birth: u64,
    threads: NonZeroUsize,
) -> anyhow::Result<Option<Vec<Ancestor>>> {
    let counted = store.counters()?.map_or(0, |counters| counters.births);
    if birth >= counted {
        return Ok(None);
    }
    let instead = "a search of it with `keep: Births` would tell where a birth came from";
    run_directory::refuse_objective(store, directory, instead)?;
    let mut config = LearnerSearch::load(&directory.join(CONFIG), &[])?;
    let judges = config.judges()?;
    resume::refuse_other_data(store, &judges.name, &judges.fingerprint().to_string())?;
    let births = birth + 1;
    config.settings.stopping =
        Stopping { candidates: Some(births), failures: None, ..Stopping::default() };
    eprintln!("no births are kept: making the first {births} again, on {threads} threads");
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let ancestors = Arc::new(Mutex::new(Ancestors::of(birth)));
    let watching = Arc::clone(&ancestors);
    let champions = store.hall_of_fame()?.into_iter().filter(|it| it.birth <= birth);
    let unseen: Vec<(u64, String)> = champions.map(|it| (it.birth, it.program)).collect();
    let unseen = Arc::new(Mutex::new(unseen));
    let (seen, domain) = (Arc::clone(&unseen), config.domain(&judges)?);
    let again = config.search(&judges)?.watched_by(Box::new(move |it| {
        watching.lock().unwrap_or_else(PoisonError::into_inner).note(it);
        let mut unseen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        unseen.retain(|(of, text)| *of != it.birth || *text != domain.live_text(it.program));
    }));
    let mut again = again.with_store(Store::create(&folder.path().join("again.db"), &[])?)?;
    let evaluators = Evaluators { search: &judges.search, held_out: Some(&judges.select) };
    let options = RunOptions { threads, ..RunOptions::default() };
    evo::run_with(&mut again, evaluators, &mut (), &options)?;
    if let Some((of, _)) = unseen.lock().unwrap_or_else(PoisonError::into_inner).first() {
        bail!(
            "{}: made again, birth {of} is another program: the run is of another version of evo",
            directory.display()
        );
    }
    let ancestors = ancestors.lock().unwrap_or_else(PoisonError::into_inner);
    let text = |program: &_| again.domain().text(program);
    Ok(Some(ancestors.path(text).context("the birth was made again")?))
}
