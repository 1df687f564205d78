//! What kind of run a store is of: what it searches, and whether it keeps its births.

use evo_domain::Domain;
use evo_dsl::Learners;
use evo_graphs::Graphs;
use evo_search::{Keep, SearchError, Store};

/// Whether a run searches learners.
///
/// # Errors
/// When the file cannot be read.
pub fn holds_learners(store: &Store) -> Result<bool, SearchError> {
    holds(store, Learners::NAME)
}

/// Whether a run searches compute graphs.
///
/// # Errors
/// When the file cannot be read.
pub fn holds_graphs(store: &Store) -> Result<bool, SearchError> {
    holds(store, Graphs::NAME)
}

/// Whether a run searches the domain of this name.
pub(crate) fn holds(store: &Store, domain: &str) -> Result<bool, SearchError> {
    Ok(store.property("domain")?.is_some_and(|it| it == domain))
}

/// Whether a run keeps its births, by the configuration in its store; so does one of a
/// configuration that is not understood, as those of earlier versions all do.
///
/// # Errors
/// When the file cannot be read.
pub fn keeps_births(store: &Store) -> Result<bool, SearchError> {
    #[derive(serde::Deserialize)]
    struct Kept {
        #[serde(default)]
        keep: Keep,
    }
    let config = store.property("config")?.unwrap_or_default();
    Ok(ron::from_str::<Kept>(&config).map_or(true, |kept| kept.keep == Keep::Births))
}
