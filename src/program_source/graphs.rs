//! Where compute graphs come from: the same places as programs.

use std::path::Path;

use evo_domain::Domain as _;
use evo_dsl::{LearnerZooEntry, zoo};
use evo_graphs::{Graph, GraphZooEntry, Graphs};

use super::{
    BEST, Place, ProgramSourceError, STORE, best_birth, birth_text, is_of, read_text, unknown,
};

/// Whether a source, as [`load_graph`] takes it, is of a compute graph; one that cannot be read is
/// of none.
pub fn is_graph(source: &str, base: &Path) -> bool {
    let in_zoo = |name: &str| GraphZooEntry::named(name).is_some();
    is_of(Graphs::NAME, Place::of(source, base), in_zoo, Graph::is_meant_by)
}

/// Loads a compute graph: `zoo:NAME`, a file, or `RUN_DIR[:BIRTH]`, a run alone being the fittest
/// of it. A relative path starts at `base`.
///
/// # Errors
/// When there is no such graph, or its text is none.
pub fn load_graph(source: &str, base: &Path) -> Result<Graph, ProgramSourceError> {
    let (path, text) = match Place::of(source, base) {
        Place::Zoo(name) => {
            return match GraphZooEntry::named(name) {
                Some(entry) => Ok(entry.graph()),
                None if zoo::get(name).is_some() || LearnerZooEntry::named(name).is_some() => {
                    Err(ProgramSourceError::NoGraph { program: source.to_owned() })
                }
                None => Err(unknown(name, GraphZooEntry::all().iter().map(|it| it.name))),
            };
        }
        Place::Birth(run, birth) => {
            let path = run.join(STORE);
            let text = birth_text(&path, birth, &Graphs::default())?;
            (path, text)
        }
        Place::Run(run) => match run.join(BEST) {
            best if best.exists() => read_text(best)?,
            // A run that was killed early has its best in the store alone.
            _ => {
                let (path, best) = best_birth(&run)?;
                let text = birth_text(&path, &best.to_string(), &Graphs::default())?;
                (path, text)
            }
        },
        Place::File(path) => read_text(path)?,
    };
    Graph::parse(&text).map_err(|error| ProgramSourceError::MalformedGraph { path, error })
}
