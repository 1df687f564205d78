//! Where programs come from: the zoo, a file, or a finished run.

mod graphs;

use std::path::{Path, PathBuf};

use evo_domain::Domain;
use evo_dsl::{
    LearnerProgram, LearnerZooEntry, Learners, Optimizers, ParseError, Program, nearest_name, zoo,
};
use evo_evaluators::read_file;
use evo_graphs::{Graph, GraphError, GraphZooEntry};
use evo_search::{SearchError, Store};
use thiserror::Error;

pub use graphs::{is_graph, load_graph};

use crate::run_kind::holds;
use crate::{keeps_births, shell_word};

/// Why a program could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProgramSourceError {
    /// No zoo entry of that name.
    #[error("the zoo has no `{name}`; {}", nearest.map_or("`evo zoo` lists what it has".to_owned(), |nearest| format!("did you mean `{nearest}`?")))]
    UnknownZooName {
        /// The name asked for.
        name: String,
        /// The entry most like it.
        nearest: Option<&'static str>,
    },
    /// The file cannot be read.
    #[error("{}: {message}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// The file is not a program; the position is in the file.
    #[error("{}:{error}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: ParseError,
    },
    /// The file is no graph; the position is in the file.
    #[error("{}:{error}", path.display())]
    MalformedGraph {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: GraphError,
    },
    /// It is a compute graph, where a program is needed.
    #[error("{program}: is a compute graph, and a program is needed")]
    Graph {
        /// What was asked for.
        program: String,
    },
    /// It is none, where a compute graph is needed.
    #[error("{program}: is a program, and a compute graph is needed")]
    NoGraph {
        /// What was asked for.
        program: String,
    },
    /// It is an expression, where an optimizer is needed.
    #[error("{program}: is an expression, and an optimizer is needed")]
    Expression {
        /// What was asked for.
        program: String,
    },
    /// It is a learner, where an optimizer or an expression is needed.
    #[error("{program}: is a learner, and an optimizer or an expression is needed")]
    Learner {
        /// What was asked for.
        program: String,
    },
    /// It is an optimizer, where a learner is needed.
    #[error("{program}: is an optimizer, and a learner is needed")]
    Optimizer {
        /// What was asked for.
        program: String,
    },
    /// The store of a run cannot be read.
    #[error(transparent)]
    Store(#[from] SearchError),
    /// Nothing in the run has been scored.
    #[error("{}: nothing in it has a fitness yet", path.display())]
    NoResult {
        /// The run directory.
        path: PathBuf,
    },
    /// The run keeps no individuals.
    #[error("{}: the run keeps no births (`keep: Snapshots`)", run.display())]
    NoBirths {
        /// The run directory.
        run: PathBuf,
    },
    /// The run keeps no individuals, and can be made again.
    #[error(
        "{}: the run keeps no births (`keep: Snapshots`): {} makes this one again; best.py and \
         selected.py are kept",
        run.display(),
        lineage_command(run, birth)
    )]
    BirthNotKept {
        /// The run directory.
        run: PathBuf,
        /// The birth asked for.
        birth: u64,
    },
    /// The run has no such individual.
    #[error("{}: no individual with birth `{birth}`; births are numbered from 0", path.display())]
    UnknownBirth {
        /// The run's store.
        path: PathBuf,
        /// The birth asked for.
        birth: String,
    },
}

/// Where a source leads.
enum Place<'a> {
    Zoo(&'a str),
    File(PathBuf),
    /// The best of a run.
    Run(PathBuf),
    Birth(PathBuf, &'a str),
}

impl<'a> Place<'a> {
    /// A relative path starts at `base`.
    fn of(source: &'a str, base: &Path) -> Place<'a> {
        if let Some(name) = source.strip_prefix("zoo:") {
            return Place::Zoo(name);
        }
        let path = base.join(source);
        if path.is_dir() {
            return Place::Run(path);
        }
        match source.rsplit_once(':').map(|(run, birth)| (base.join(run), birth)) {
            Some((run, birth)) if run.is_dir() => Place::Birth(run, birth),
            _ => Place::File(path),
        }
    }
}

/// Whether a source, as [`load_learner`] takes it, is of a learner; one that cannot be read is of
/// none.
pub fn is_learner(source: &str, base: &Path) -> bool {
    let in_zoo = |name: &str| LearnerZooEntry::named(name).is_some();
    is_of(Learners::NAME, Place::of(source, base), in_zoo, LearnerProgram::is_meant_by)
}

/// Whether what lies at a place is of a domain, by the names of the zoo, by a text, or by a store.
fn is_of(
    domain: &str,
    place: Place<'_>,
    in_zoo: impl Fn(&str) -> bool,
    is_meant_by: impl Fn(&str) -> bool,
) -> bool {
    let is_text_of = |path: &Path| text_of(path).is_ok_and(|it| is_meant_by(&it));
    match place {
        Place::Zoo(name) => in_zoo(name),
        Place::File(path) => is_text_of(&path),
        Place::Run(run) | Place::Birth(run, _) => {
            if let Some(result) = result_of(&run) {
                return is_text_of(&result);
            }
            let store = Store::read(&run.join(STORE));
            store.and_then(|store| holds(&store, domain)).unwrap_or(false)
        }
    }
}

/// Loads a learner: `zoo:NAME`, a file, or `RUN_DIR[:BIRTH]`, a run alone being the learner that is
/// selected, or the fittest of a run that selected none yet. A relative path starts at `base`.
///
/// # Errors
/// When there is no such learner, or its text is none.
pub fn load_learner(source: &str, base: &Path) -> Result<LearnerProgram, ProgramSourceError> {
    let place = Place::of(source, base);
    let result = match &place {
        Place::Run(run) => result_of(run),
        _ => None,
    };
    let (path, text) = match place {
        Place::Zoo(name) => {
            let program = || source.to_owned();
            return match LearnerZooEntry::named(name) {
                Some(entry) => Ok(entry.program()),
                None if zoo::get(name).is_some() => {
                    Err(ProgramSourceError::Optimizer { program: program() })
                }
                None => Err(unknown(name, LearnerZooEntry::all().iter().map(|it| it.name))),
            };
        }
        Place::Birth(run, birth) => {
            let path = run.join(STORE);
            let text = birth_text(&path, birth, &Learners::default())?;
            (path, text)
        }
        // A run that was killed early has its best in the store alone.
        Place::Run(run) if result.is_none() => {
            let (path, best) = best_birth(&run)?;
            let champions = Store::read(&path)?.hall_of_fame()?;
            let text = match champions.into_iter().find(|champion| champion.birth == best) {
                Some(champion) => champion.program,
                None => birth_text(&path, &best.to_string(), &Learners::default())?,
            };
            (path, text)
        }
        Place::Run(path) | Place::File(path) => read_text(result.unwrap_or(path))?,
    };
    LearnerProgram::parse(&text).map_err(|error| ProgramSourceError::Malformed { path, error })
}

/// Loads an optimizer, as [`load_any_program`] does.
///
/// # Errors
/// As that, and when it is an expression.
pub fn load_program(source: &str, base: &Path) -> Result<Program, ProgramSourceError> {
    let program = load_any_program(source, base)?;
    if program.signature().is_expression() {
        return Err(ProgramSourceError::Expression { program: source.to_owned() });
    }
    Ok(program)
}

/// Loads a program of any domain: `zoo:NAME`, a file, or `RUN_DIR[:BIRTH]` (the best of a run, or
/// any birth of it). A relative path starts at `base`.
///
/// # Errors
/// When there is no such program, or its text does not parse or check.
pub fn load_any_program(source: &str, base: &Path) -> Result<Program, ProgramSourceError> {
    match Place::of(source, base) {
        Place::Zoo(name) => match zoo::get(name) {
            Some(entry) => Ok(entry.program()),
            None if LearnerZooEntry::named(name).is_some() => {
                Err(ProgramSourceError::Learner { program: source.to_owned() })
            }
            None if GraphZooEntry::named(name).is_some() => {
                Err(ProgramSourceError::Graph { program: source.to_owned() })
            }
            None => Err(unknown(name, zoo::entries().iter().map(|entry| entry.name))),
        },
        Place::File(path) => parse_file(&path),
        Place::Run(run) => {
            let best = run.join(BEST);
            // A run that was killed early has its best in the store alone.
            if best.exists() { parse_file(&best) } else { best_of(&run) }
        }
        Place::Birth(run, birth) => individual(&run, birth),
    }
}

/// The file of the fittest in a run directory.
const BEST: &str = "best.py";

/// The name of the store in a run directory.
const STORE: &str = "run.db";

/// The largest program text that is read, in bytes.
const LARGEST: u64 = 1 << 24;

/// The text of what a run is taken for: of learners the one that is selected.
fn result_of(run: &Path) -> Option<PathBuf> {
    ["selected.py", BEST].map(|name| run.join(name)).into_iter().find(|path| path.exists())
}

fn lineage_command(run: &Path, birth: &u64) -> String {
    format!("`evo lineage {}`", shell_word(&format!("{}:{birth}", run.display())))
}

/// A name that is not among those of the zoo.
fn unknown(name: &str, names: impl Iterator<Item = &'static str>) -> ProgramSourceError {
    ProgramSourceError::UnknownZooName { name: name.to_owned(), nearest: nearest_name(name, names) }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, ProgramSourceError> {
    let unreadable =
        |message: String| ProgramSourceError::Unreadable { path: path.to_owned(), message };
    read_file(path, LARGEST).map_err(unreadable)
}

fn text_of(path: &Path) -> Result<String, ProgramSourceError> {
    Ok(String::from_utf8_lossy(&bytes_of(path)?).into_owned())
}

fn read_text(path: PathBuf) -> Result<(PathBuf, String), ProgramSourceError> {
    let text = text_of(&path)?;
    Ok((path, text))
}

fn parse_file(path: &Path) -> Result<Program, ProgramSourceError> {
    let bytes = bytes_of(path)?;
    if LearnerProgram::is_meant_by(&String::from_utf8_lossy(&bytes)) {
        return Err(ProgramSourceError::Learner { program: path.display().to_string() });
    }
    if Graph::is_meant_by(&String::from_utf8_lossy(&bytes)) {
        return Err(ProgramSourceError::Graph { program: path.display().to_string() });
    }
    let parsed = match is_expression(&bytes) {
        true => Program::parse_expression_bytes(&bytes),
        false => Program::parse_bytes(&bytes),
    };
    parsed.map_err(|error| ProgramSourceError::Malformed { path: path.to_owned(), error })
}

/// Whether a text is that of an expression: its function is called `f`.
fn is_expression(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let header = text.lines().find_map(|line| line.trim_start().strip_prefix("def "));
    header.is_some_and(|header| header.trim_start().split('(').next().unwrap_or("").trim() == "f")
}

/// The store of a run, and the birth of its best.
fn best_birth(run: &Path) -> Result<(PathBuf, u64), ProgramSourceError> {
    let path = run.join(STORE);
    if !path.exists() {
        let message = format!("no run: there is neither best.py nor {STORE} in it");
        return Err(ProgramSourceError::Unreadable { path: run.to_owned(), message });
    }
    let best = Store::read(&path)?.best()?;
    let best = best.ok_or_else(|| ProgramSourceError::NoResult { path: run.to_owned() })?;
    Ok((path, best))
}

/// The best of a run without dead statements, from its store.
fn best_of(run: &Path) -> Result<Program, ProgramSourceError> {
    let (_, best) = best_birth(run)?;
    Ok(individual(run, &best.to_string())?.live())
}

/// Any birth of a run, from its store.
fn individual(run: &Path, birth: &str) -> Result<Program, ProgramSourceError> {
    let path = run.join(STORE);
    let text = birth_text(&path, birth, &Optimizers::default())?;
    if Graph::is_meant_by(&text) {
        return Err(ProgramSourceError::Graph { program: run.display().to_string() });
    }
    let parsed = match is_expression(text.as_bytes()) {
        true => Program::parse_expression(&text),
        false => Program::parse(&text),
    };
    parsed.map_err(|error| ProgramSourceError::Malformed { path: path.clone(), error })
}

/// The text of any birth of a run, from its store.
fn birth_text<D: Domain>(
    path: &Path,
    birth: &str,
    domain: &D,
) -> Result<String, ProgramSourceError> {
    let unknown =
        || ProgramSourceError::UnknownBirth { path: path.to_owned(), birth: birth.to_owned() };
    let birth: u64 = birth.parse().map_err(|_| unknown())?;
    let store = Store::read(path)?;
    if !keeps_births(&store)? {
        let run = path.parent().unwrap_or(path).to_owned();
        return Err(match D::NAME == Learners::NAME {
            true => ProgramSourceError::BirthNotKept { run, birth },
            false => ProgramSourceError::NoBirths { run },
        });
    }
    let lineage = store.lineage(domain, birth)?;
    let last = lineage.and_then(|mut path| path.pop()).ok_or_else(unknown)?;
    Ok(last.program)
}
