//! Where programs come from: the zoo, a file, or a finished run.

use std::path::{Path, PathBuf};

use evo_dsl::{ParseError, Program, nearest_name, zoo};
use evo_evaluators::read_file;
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
    /// The run has no such individual.
    #[error("{}: no individual with birth {birth}; it keeps only the best of each length", path.display())]
    UnknownBirth {
        /// The run's hall of fame.
        path: PathBuf,
        /// The birth asked for.
        birth: String,
    },
}

/// Loads a program: `zoo:NAME`, a file, or `RUN_DIR[:BIRTH]` (the best of a run, or an individual
/// of its hall of fame). A relative path starts at `base`.
///
/// # Errors
/// When there is no such program, or its text does not parse or check.
pub fn load_program(source: &str, base: &Path) -> Result<Program, ProgramSourceError> {
    if let Some(name) = source.strip_prefix("zoo:") {
        return match zoo::get(name) {
            Some(entry) => Ok(entry.program()),
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
        if !best.exists() {
            let message = "no run with a result: there is no best.py in it".to_owned();
            return Err(ProgramSourceError::Unreadable { path, message });
        }
        return parse_file(&best);
    }
    if let Some((run, birth)) = source.rsplit_once(':')
        && base.join(run).is_dir()
    {
        return individual(&base.join(run).join("hall_of_fame.csv"), birth);
    }
    parse_file(&path)
}

/// The largest program text that is read, in bytes.
const LARGEST: u64 = 1 << 24;

fn parse_file(path: &Path) -> Result<Program, ProgramSourceError> {
    let unreadable =
        |message: String| ProgramSourceError::Unreadable { path: path.to_owned(), message };
    let bytes = read_file(path, LARGEST).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        unreadable(format!("not UTF-8 text (byte {})", error.utf8_error().valid_up_to()))
    })?;
    Program::parse(&text)
        .map_err(|error| ProgramSourceError::Malformed { path: path.to_owned(), error })
}

fn individual(path: &Path, birth: &str) -> Result<Program, ProgramSourceError> {
    let unreadable = |error: csv::Error| ProgramSourceError::Unreadable {
        path: path.to_owned(),
        message: error.to_string(),
    };
    let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
    let headers = reader.headers().map_err(unreadable)?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (births, programs) = (column("birth"), column("program"));
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        if births.and_then(|births| record.get(births)) == Some(birth) {
            let text = programs.and_then(|programs| record.get(programs)).unwrap_or_default();
            let malformed = |error| ProgramSourceError::Malformed { path: path.to_owned(), error };
            return Program::parse(text).map_err(malformed);
        }
    }
    Err(ProgramSourceError::UnknownBirth { path: path.to_owned(), birth: birth.to_owned() })
}
