//! Where programs come from: the zoo, a file, or a finished run.

use std::path::{Path, PathBuf};

use evo_domain::Domain;
use evo_dsl::{
    LearnerProgram, LearnerZooEntry, Learners, Optimizers, ParseError, Program, nearest_name, zoo,
};
use evo_evaluators::read_file;
use evo_search::{Keep, SearchError, Store};
use thiserror::Error;

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
    /// The run has no such individual.
    #[error("{}: no individual with birth `{birth}`; births are numbered from 0", path.display())]
    UnknownBirth {
        /// The run's store.
        path: PathBuf,
        /// The birth asked for.
        birth: String,
    },
}

/// Whether a source, as [`load_learner`] takes it, is of a learner; one that cannot be read is of
/// none.
pub fn is_learner(source: &str, base: &Path) -> bool {
    if let Some(name) = source.strip_prefix("zoo:") {
        return LearnerZooEntry::named(name).is_some();
    }
    let is_text_of = |path: &Path| {
        let text = read_file(path, LARGEST).unwrap_or_default();
        LearnerProgram::is_meant_by(&String::from_utf8_lossy(&text))
    };
    let path = base.join(source);
    let run = source.rsplit_once(':').map(|(run, _)| base.join(run)).filter(|run| run.is_dir());
    let Some(run) = Some(&path).filter(|path| path.is_dir()).or(run.as_ref()) else {
        return is_text_of(&path);
    };
    let best = run.join("best.py");
    if best.exists() {
        return is_text_of(&best);
    }
    let domain = Store::read(&run.join(STORE)).and_then(|store| store.property("domain"));
    domain.is_ok_and(|domain| domain.is_some_and(|domain| domain == Learners::NAME))
}

/// Loads a learner: `zoo:NAME`, a file, or `RUN_DIR[:BIRTH]`. A relative path starts at `base`.
///
/// # Errors
/// When there is no such learner, or its text is none.
pub fn load_learner(source: &str, base: &Path) -> Result<LearnerProgram, ProgramSourceError> {
    if let Some(name) = source.strip_prefix("zoo:") {
        if zoo::get(name).is_some() {
            return Err(ProgramSourceError::Optimizer { program: source.to_owned() });
        }
        let names = || LearnerZooEntry::all().iter().map(|entry| entry.name);
        return LearnerZooEntry::named(name).map(LearnerZooEntry::program).ok_or_else(|| {
            let nearest = nearest_name(name, names());
            ProgramSourceError::UnknownZooName { name: name.to_owned(), nearest }
        });
    }
    let mut path = base.join(source);
    let mut text = None;
    if path.is_dir() {
        path = path.join("best.py");
    } else if let Some((run, birth)) = source.rsplit_once(':')
        && base.join(run).is_dir()
    {
        path = base.join(run).join(STORE);
        text = Some(birth_text(&path, birth, &Learners::default())?);
    }
    let text = match text {
        Some(text) => text,
        None => {
            let unreadable =
                |message: String| ProgramSourceError::Unreadable { path: path.clone(), message };
            let bytes = read_file(&path, LARGEST).map_err(unreadable)?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
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
    if let Some(name) = source.strip_prefix("zoo:") {
        return match zoo::get(name) {
            Some(entry) => Ok(entry.program()),
            None if LearnerZooEntry::named(name).is_some() => {
                Err(ProgramSourceError::Learner { program: source.to_owned() })
            }
            None => {
                let names = zoo::entries().iter().map(|entry| entry.name);
                let nearest = nearest_name(name, names);
                Err(ProgramSourceError::UnknownZooName { name: name.to_owned(), nearest })
            }
        };
    }
    let path = base.join(source);
    if path.is_dir() {
        let best = path.join("best.py");
        // A run that was killed early has its best in the store alone.
        return if best.exists() { parse_file(&best) } else { best_of(&path) };
    }
    if let Some((run, birth)) = source.rsplit_once(':')
        && base.join(run).is_dir()
    {
        return individual(&base.join(run), birth);
    }
    parse_file(&path)
}

/// The name of the store in a run directory.
const STORE: &str = "run.db";

/// The largest program text that is read, in bytes.
const LARGEST: u64 = 1 << 24;

fn parse_file(path: &Path) -> Result<Program, ProgramSourceError> {
    let unreadable =
        |message: String| ProgramSourceError::Unreadable { path: path.to_owned(), message };
    let bytes = read_file(path, LARGEST).map_err(unreadable)?;
    if LearnerProgram::is_meant_by(&String::from_utf8_lossy(&bytes)) {
        return Err(ProgramSourceError::Learner { program: path.display().to_string() });
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

/// The best of a run without dead statements, from its store.
fn best_of(run: &Path) -> Result<Program, ProgramSourceError> {
    let path = run.join(STORE);
    if !path.exists() {
        let message = format!("no run: there is neither best.py nor {STORE} in it");
        return Err(ProgramSourceError::Unreadable { path: run.to_owned(), message });
    }
    let best = Store::read(&path)?.best()?;
    let best = best.ok_or_else(|| ProgramSourceError::NoResult { path: run.to_owned() })?;
    Ok(individual(run, &best.to_string())?.live())
}

/// Any birth of a run, from its store.
fn individual(run: &Path, birth: &str) -> Result<Program, ProgramSourceError> {
    let path = run.join(STORE);
    let text = birth_text(&path, birth, &Optimizers::default())?;
    let parsed = match is_expression(text.as_bytes()) {
        true => Program::parse_expression(&text),
        false => Program::parse(&text),
    };
    parsed.map_err(|error| ProgramSourceError::Malformed { path: path.clone(), error })
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
        return Err(ProgramSourceError::NoBirths { run });
    }
    let lineage = store.lineage(domain, birth)?;
    let last = lineage.and_then(|mut path| path.pop()).ok_or_else(unknown)?;
    Ok(last.program)
}
